//! The plugin's modules that run the functions of handlers. Written by `cargo xtask script`.

/// Their names and their text.
pub(super) const MODULES: &[(&str, &str)] = &[
    ("callbacks/hooks.ts", include_str!("callbacks/hooks.ts")),
    ("config/options.ts", include_str!("config/options.ts")),
    ("config/setup.ts", include_str!("config/setup.ts")),
    ("connection/connection.ts", include_str!("connection/connection.ts")),
    ("connection/faults.ts", include_str!("connection/faults.ts")),
    ("connection/rooms.ts", include_str!("connection/rooms.ts")),
    ("control/access.ts", include_str!("control/access.ts")),
    ("control/settings.ts", include_str!("control/settings.ts")),
    ("define.ts", include_str!("define.ts")),
    ("dialect/channel.ts", include_str!("dialect/channel.ts")),
    ("dialect/commands.ts", include_str!("dialect/commands.ts")),
    ("dialect/membership.ts", include_str!("dialect/membership.ts")),
    ("dialect/proxy.ts", include_str!("dialect/proxy.ts")),
    ("engine/contract.ts", include_str!("engine/contract.ts")),
    ("files/exports.ts", include_str!("files/exports.ts")),
    ("files/pattern.ts", include_str!("files/pattern.ts")),
    ("values/arguments.ts", include_str!("values/arguments.ts")),
    ("values/error.ts", include_str!("values/error.ts")),
    ("values/payload.ts", include_str!("values/payload.ts")),
    ("values/validation.ts", include_str!("values/validation.ts")),
];
