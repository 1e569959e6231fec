//! The native server as a library.
