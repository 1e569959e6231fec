//! Handler files in JavaScript and TypeScript on the native server. That they behave as in Vite is the matter of
//! npm/test-hosts.
#![cfg(feature = "javascript")]

#[path = "../support/mod.rs"]
mod support;

mod edits;
mod limits;
mod mistakes;
mod program;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::{Running, start};
use switchboard::{Config, HandlerFiles, Server};

/// A folder of handler files that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("switchboard-script-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = Self(std::env::temp_dir().join(name));
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.0.join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, text).expect("a file");
    }

    fn files(&self) -> HandlerFiles {
        HandlerFiles::new(["ws"]).root(&self.0)
    }

    /// A server of these files, and of a configuration.
    async fn serve(&self, config: &str) -> Running {
        start(
            Server::builder()
                .config(Config::from_toml(config).expect("a configuration"))
                .handler_files(self.files()),
        )
        .await
    }

    /// What is wrong with the files.
    fn mistake(&self) -> String {
        let built = Server::builder().handler_files(self.files()).build();
        built.map(drop).expect_err("a mistake").to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
