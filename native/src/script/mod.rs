//! Handler files in JavaScript and TypeScript, the same that the Vite plugin serves.
//!
//! [`source`] reads a file and erases its types, [`module`] follows its imports, [`files`] knows all files and turns what they
//! export into routes. [`interpreter`] is QuickJS on a thread of its own, [`context`] what that thread does; what a handler does there is done by the
//! plugin's own code ([`plugin`]), which sees in [`connection`] and [`globals`] what it sees in Node.

mod bytes;
mod connection;
mod context;
mod desk;
mod encoding;
mod erase;
mod error;
mod files;
mod find;
mod globals;
mod group;
mod interpreter;
mod library;
mod module;
mod plugin;
mod route;
mod source;
mod thrown;

pub use error::ScriptError;
pub use files::HandlerFiles;
pub(crate) use files::Loaded;
