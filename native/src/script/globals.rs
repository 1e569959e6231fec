//! The modules that every interpreter begins with, and what its globals ask of the system.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::OnceLock;

use rquickjs::prelude::Opt;
use rquickjs::{ArrayBuffer, Ctx, Function, Object, Result};
use switchboard_core::Level;
use url::{Url, quirks};

use super::bytes::{copied, well_formed};
use super::desk::Desk;
use super::encoding;
use super::plugin;
use super::source::Source;
use super::thrown::shorten;
use crate::host::after_turn::{log, log_stack};

/// Before the names of modules that are not the user's.
pub(super) const OWN: &str = "switchboard:";

/// The first of them.
pub(super) const ENTRY: &str = "switchboard:runtime/host.js";

/// The package as handler files import it.
pub(super) const PACKAGE: &str = "switchboard:runtime/package.js";

const RUNTIME: [(&str, &str); 11] = [
    ("abort.js", include_str!("runtime/abort.js")),
    ("buffer.js", include_str!("runtime/buffer.js")),
    ("clone.js", include_str!("runtime/clone.js")),
    ("globals.js", include_str!("runtime/globals.js")),
    ("host.js", include_str!("runtime/host.js")),
    ("inspect.js", include_str!("runtime/inspect.js")),
    ("node.js", include_str!("runtime/node.js")),
    ("package.js", include_str!("runtime/package.js")),
    ("text.js", include_str!("runtime/text.js")),
    ("timers.js", include_str!("runtime/timers.js")),
    ("url.js", include_str!("runtime/url.js")),
];

/// Our own modules, by name, without types.
pub(super) fn modules() -> &'static HashMap<String, String> {
    static MODULES: OnceLock<HashMap<String, String>> = OnceLock::new();
    MODULES.get_or_init(|| {
        let runtime = RUNTIME.iter().map(|(name, text)| (format!("{OWN}runtime/{name}"), (*text).to_owned()));
        let plugin = plugin::MODULES.iter().map(|(name, text)| {
            let source = Source::parse((*text).to_owned(), name);
            // A test reads them all.
            let code = source
                .map(|source| source.code)
                .unwrap_or_else(|error| format!("throw new Error({:?})", error.to_string()));
            (format!("{OWN}plugin/{name}"), code)
        });
        runtime.chain(plugin).collect()
    })
}

/// Which of our own modules one of them means.
pub(super) fn resolve(base: &str, specifier: &str) -> String {
    if specifier.starts_with("node:") {
        return format!("{OWN}runtime/node.js");
    }
    if !specifier.starts_with('.') {
        return specifier.to_owned();
    }
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in specifier.trim_end_matches(".js").split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("{}.ts", parts.join("/"))
}

/// Adds what the globals ask of the system to an object of the interpreter's.
pub(super) fn add<'js>(ctx: &Ctx<'js>, native: &Object<'js>, desk: &Rc<Desk>) -> Result<()> {
    let at = desk.clone();
    native.set("now", Function::new(ctx.clone(), move || at.now())?)?;
    let at = desk.clone();
    native.set("alarm", Function::new(ctx.clone(), move |time: f64| at.set_alarm(time))?)?;
    native.set("shorten", Function::new(ctx.clone(), |stack: String| shorten(&stack))?)?;
    native.set(
        "log",
        Function::new(ctx.clone(), |level: u32, text: String, stack: Opt<Option<String>>| {
            let level = match level {
                0 => Level::Trace,
                1 => Level::Debug,
                2 => Level::Info,
                3 => Level::Warn,
                _ => Level::Error,
            };
            write(level, &text, stack.0.flatten().as_deref());
        })?,
    )?;
    text(ctx, native)?;
    random(ctx, native)?;
    urls(ctx, native)
}

/// A line of user code's. Its further lines stand below it, as those of a stack.
fn write(level: Level, text: &str, stack: Option<&str>) {
    match (text.split_once('\n'), stack) {
        (None, None) => log(level, text),
        (None, Some(stack)) => log_stack(level, text, stack),
        (Some((line, rest)), None) => log_stack(level, line, rest),
        (Some((line, rest)), Some(stack)) => log_stack(level, line, &format!("{rest}\n{stack}")),
    }
}

fn text<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    let encode = |ctx: Ctx<'js>, text: rquickjs::String<'js>| ArrayBuffer::new_copy(ctx, well_formed(&text)?);
    native.set("encode", Function::new(ctx.clone(), encode)?)?;
    native.set(
        "encodeAs",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, text: String, encoding: String| {
            ArrayBuffer::new_copy(ctx, encoding::bytes(&text, &encoding))
        })?,
    )?;
    native.set(
        "decodeAs",
        Function::new(
            ctx.clone(),
            |buffer: ArrayBuffer<'js>, offset: usize, length: usize, encoding: String| {
                let bytes = copied(&buffer);
                encoding::text(
                    bytes.get(offset..offset.saturating_add(length)).unwrap_or_default(),
                    &encoding,
                )
            },
        )?,
    )?;
    native.set(
        "decode",
        Function::new(ctx.clone(), |buffer: ArrayBuffer<'js>, offset: usize, length: usize, fatal: bool| {
            let bytes = copied(&buffer);
            let bytes = bytes.get(offset..offset.saturating_add(length)).unwrap_or_default();
            match fatal {
                true => std::str::from_utf8(bytes).ok().map(str::to_owned),
                false => Some(String::from_utf8_lossy(bytes).into_owned()),
            }
        })?,
    )
}

fn random<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    fn fill(ctx: &Ctx<'_>, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|error| rquickjs::Exception::throw_message(ctx, &error.to_string()))
    }
    native.set(
        "random",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, length: usize| {
            let mut bytes = vec![0; length];
            fill(&ctx, &mut bytes)?;
            ArrayBuffer::new_copy(ctx, bytes)
        })?,
    )?;
    native.set(
        "randomUuid",
        Function::new(ctx.clone(), |ctx: Ctx<'js>| {
            let mut bytes = [0; 16];
            fill(&ctx, &mut bytes)?;
            // RFC 9562 section 5.4.
            bytes[6] = bytes[6] & 0x0f | 0x40;
            bytes[8] = bytes[8] & 0x3f | 0x80;
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
            Ok::<_, rquickjs::Error>(format!("{a}-{b}-{c}-{d}-{e}"))
        })?,
    )
}

fn urls<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set(
        "parseUrl",
        Function::new(ctx.clone(), |url: String, base: Opt<Option<String>>| {
            let base = match base.0.flatten() {
                Some(base) => Some(Url::parse(&base).ok()?),
                None => None,
            };
            Url::options().base_url(base.as_ref()).parse(&url).ok().map(|url| parts(&url))
        })?,
    )?;
    native.set(
        "changeUrl",
        Function::new(ctx.clone(), |href: String, part: String, value: String| {
            let mut url = Url::parse(&href).ok()?;
            change(&mut url, &part, &value)?;
            Some(parts(&url))
        })?,
    )?;
    native.set(
        "parseQuery",
        Function::new(ctx.clone(), |query: String| {
            let pairs = form_urlencoded::parse(query.as_bytes());
            pairs.map(|(name, value)| vec![name.into_owned(), value.into_owned()]).collect::<Vec<_>>()
        })?,
    )?;
    native.set(
        "writeQuery",
        Function::new(ctx.clone(), |pairs: Vec<String>| {
            let pairs = pairs.chunks_exact(2).map(|pair| (&pair[0], &pair[1]));
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        })?,
    )
}

/// Sets a part of a URL. What cannot be set stays as it is, as in browsers; `None` only where all of it is no URL.
fn change(url: &mut Url, part: &str, value: &str) -> Option<()> {
    match part {
        "href" => quirks::set_href(url, value).ok()?,
        "pathname" => quirks::set_pathname(url, value),
        "search" => quirks::set_search(url, value),
        "hash" => quirks::set_hash(url, value),
        _ => {
            let set = match part {
                "protocol" => quirks::set_protocol,
                "username" => quirks::set_username,
                "password" => quirks::set_password,
                "host" => quirks::set_host,
                "hostname" => quirks::set_hostname,
                _ => quirks::set_port,
            };
            let _ = set(url, value);
        }
    }
    Some(())
}

/// In the order of `runtime/url.js`.
fn parts(url: &Url) -> Vec<String> {
    let parts = [
        quirks::href(url),
        &quirks::origin(url),
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
    ];
    parts.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugins_modules_have_only_types_to_erase() {
        for (name, code) in modules() {
            assert!(!code.starts_with("throw new Error("), "{name}: {code}");
        }
    }

    #[test]
    fn what_they_import_is_there() {
        for (name, text) in plugin::MODULES {
            let base = format!("{OWN}plugin/{name}");
            for import in Source::parse((*text).to_owned(), name).unwrap().imports {
                let resolved = resolve(&base, &import.specifier);
                assert!(modules().contains_key(&resolved), "{name} imports {}", import.specifier);
            }
        }
    }
}
