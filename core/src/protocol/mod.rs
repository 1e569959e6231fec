//! RFC 6455 and RFC 7692, server side: one socket's bytes to messages and back.
