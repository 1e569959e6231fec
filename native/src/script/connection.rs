//! What `conn` does: the functions by which the plugin's code asks the engine.

use std::rc::Rc;
use std::time::Duration;

use rquickjs::prelude::Opt;
use rquickjs::{ArrayBuffer, Ctx, Function, Object, Result, Value};
use serde_json::json;
use switchboard_core::javascript::{self, sendable};
use switchboard_core::{Answer, Command, Connection, ConnectionId, FaultId, FaultList, FaultScope, Message};

use super::bytes::{copied, well_formed};
use super::desk::Desk;
use super::thrown::with_advice;
use crate::callbacks::PeerData;
use crate::host::after_turn::stack_mark;

/// The numbers of `npm/src/engine/contract.ts` for what a channel's function replies.
const REPLY_OK: u32 = 1;
const REPLY_ERROR: u32 = 2;

/// Adds the functions to an object of the interpreter's.
pub(super) fn add<'js>(ctx: &Ctx<'js>, native: &Object<'js>, desk: &Rc<Desk>) -> Result<()> {
    questions(ctx, native, desk)?;
    messages(ctx, native, desk)?;
    commands(ctx, native, desk)?;
    faults(ctx, native, desk)?;
    answers(ctx, native, desk)
}

fn id(slot: u32, generation: u32) -> ConnectionId {
    ConnectionId::from_bits(u64::from(generation) << 32 | u64::from(slot))
}

/// A message of JavaScript's: text, or the bytes of an `ArrayBuffer`.
pub(super) fn message(value: &Value<'_>) -> Option<Message> {
    if let Some(text) = value.as_string() {
        return well_formed(text).ok().map(Message::from);
    }
    bytes(value).map(|bytes| Message::Binary(bytes.into()))
}

fn bytes(value: &Value<'_>) -> Option<Vec<u8>> {
    ArrayBuffer::from_value(value.clone()).map(|buffer| copied(&buffer))
}

fn questions<'js>(ctx: &Ctx<'js>, native: &Object<'js>, desk: &Rc<Desk>) -> Result<()> {
    fn look<T: Default>(desk: &Desk, slot: u32, generation: u32, look: impl FnOnce(&Connection) -> T) -> T {
        let host = desk.host();
        host.and_then(|host| host.look(|engine| engine.connection(id(slot, generation)).map(look)))
            .unwrap_or_default()
    }
    let at = desk.clone();
    native.set(
        "isOpen",
        Function::new(ctx.clone(), move |slot: u32, generation: u32| {
            look(&at, slot, generation, Connection::is_open)
        })?,
    )?;
    let at = desk.clone();
    native.set(
        "isInRoom",
        Function::new(ctx.clone(), move |slot: u32, generation: u32, room: String| {
            look(&at, slot, generation, |connection| connection.is_in_room(&room))
        })?,
    )?;
    let at = desk.clone();
    native.set(
        "rooms",
        Function::new(ctx.clone(), move |slot: u32, generation: u32| {
            look(&at, slot, generation, |connection| {
                connection.rooms().map(|room| room.to_string()).collect::<Vec<_>>()
            })
        })?,
    )?;
    let at = desk.clone();
    native.set(
        "facts",
        Function::new(ctx.clone(), move || at.peer().map(|peer| facts(&peer)).unwrap_or_default())?,
    )
}

/// What a connection is, as JSON.
fn facts(peer: &PeerData) -> String {
    let request = peer.request();
    let headers = request.headers().iter();
    // As Node reads them.
    let text =
        |value: &http::HeaderValue| value.as_bytes().iter().copied().map(char::from).collect::<String>();
    let headers: Vec<[String; 2]> =
        headers.map(|(name, value)| [name.as_str().to_owned(), text(value)]).collect();
    let params = serde_json::to_value(peer.params()).unwrap_or_default();
    let params = if params.is_null() { json!({}) } else { params };
    json!({
        "name": peer.public_id(),
        "method": request.method().as_str(),
        "url": request.uri().to_string(),
        "headers": headers,
        "address": peer.address().map(|address| address.to_string()),
        "params": params,
        "subprotocol": peer.subprotocol(),
        "authData": peer.auth_data(),
    })
    .to_string()
}

fn messages<'js>(ctx: &Ctx<'js>, native: &Object<'js>, desk: &Rc<Desk>) -> Result<()> {
    let at = desk.clone();
    native.set(
        "send",
        Function::new(ctx.clone(), move |slot: u32, generation: u32, value: Value<'js>| {
            if let Some(message) = message(&value) {
                at.send(id(slot, generation), message, Command::Send);
            }
        })?,
    )?;
    let at = desk.clone();
    native.set(
        "broadcast",
        Function::new(
            ctx.clone(),
            move |slot: u32,
                  generation: u32,
                  value: Value<'js>,
                  rooms: Option<Vec<String>>,
                  include_self: bool| {
                if let Some(message) = message(&value) {
                    let command = |message| Command::Broadcast { message, rooms, include_self };
                    at.send(id(slot, generation), message, command);
                }
            },
        )?,
    )?;
    let at = desk.clone();
    native.set(
        "broadcastAllRooms",
        Function::new(
            ctx.clone(),
            move |slot: u32, generation: u32, value: Value<'js>, include_self: bool| {
                if let Some(message) = message(&value) {
                    let command = |message| Command::BroadcastAllRooms { message, include_self };
                    at.send(id(slot, generation), message, command);
                }
            },
        )?,
    )?;
    let at = desk.clone();
    native.set(
        "command",
        Function::new(
            ctx.clone(),
            move |route: u32, slot: Option<u32>, generation: u32, name: String, payload: String| {
                let host = at.host()?;
                let payload = match serde_json::from_str(&payload) {
                    Ok(payload) => payload,
                    Err(error) => return Some(error.to_string()),
                };
                let id = slot.map(|slot| id(slot, generation));
                host.dialect_command(at.route(route), id, &name, payload).err().map(|error| error.to_string())
            },
        )?,
    )
}

fn commands<'js>(ctx: &Ctx<'js>, native: &Object<'js>, desk: &Rc<Desk>) -> Result<()> {
    fn carry_out(desk: &Desk, slot: u32, generation: u32, command: Command) -> Option<String> {
        desk.command(id(slot, generation), command).err().map(|error| error.to_string())
    }
    type Made<T> = (&'static str, fn(T) -> Command);
    let texts: [Made<String>; 2] = [("join", Command::Join), ("leave", Command::Leave)];
    for (name, command) in texts {
        let at = desk.clone();
        let run =
            move |slot: u32, generation: u32, text: String| carry_out(&at, slot, generation, command(text));
        native.set(name, Function::new(ctx.clone(), run)?)?;
    }
    let at = desk.clone();
    let recover = move |slot: u32, generation: u32, room: String, position: String| {
        carry_out(&at, slot, generation, Command::Recover { room, position: Some(position) })
    };
    native.set("recover", Function::new(ctx.clone(), recover)?)?;
    let controls: [Made<bytes::Bytes>; 2] = [("ping", Command::Ping), ("pong", Command::Pong)];
    for (name, command) in controls {
        let at = desk.clone();
        let run = move |slot: u32, generation: u32, value: Value<'js>| {
            carry_out(&at, slot, generation, command(bytes(&value).unwrap_or_default().into()))
        };
        native.set(name, Function::new(ctx.clone(), run)?)?;
    }
    let times: [Made<Option<Duration>>; 2] =
        [("heartbeat", Command::Heartbeat), ("inactivityTimeout", Command::InactivityTimeout)];
    for (name, command) in times {
        let at = desk.clone();
        let run = move |slot: u32, generation: u32, ms: f64| {
            carry_out(&at, slot, generation, command(Some(Duration::from_millis(ms as u64))))
        };
        native.set(name, Function::new(ctx.clone(), run)?)?;
    }
    let plain: [(&str, Command); 2] =
        [("terminate", Command::Terminate), ("resetMissedPongs", Command::ResetMissedPongs)];
    for (name, command) in plain {
        let at = desk.clone();
        let run = move |slot: u32, generation: u32| carry_out(&at, slot, generation, command.clone());
        native.set(name, Function::new(ctx.clone(), run)?)?;
    }
    let at = desk.clone();
    native.set(
        "close",
        Function::new(
            ctx.clone(),
            move |slot: u32, generation: u32, code: f64, reason: String| match sendable(code) {
                Ok(code) => carry_out(&at, slot, generation, Command::Close { code: Some(code.0), reason }),
                Err(error) => Some(error),
            },
        )?,
    )
}

fn faults<'js>(ctx: &Ctx<'js>, native: &Object<'js>, desk: &Rc<Desk>) -> Result<()> {
    let at = desk.clone();
    native.set(
        "addFaults",
        Function::new(ctx.clone(), move |slot: u32, generation: u32, faults: String| {
            let host = at.host()?;
            let scope = FaultScope::Connection(id(slot, generation));
            let added = FaultList::from_json(&faults)
                .and_then(|faults| host.turn(|turn| turn.add_faults(scope, faults)));
            Some(match added {
                Ok(id) => json!({ "id": id.to_bits() }).to_string(),
                Err(error) => json!({ "error": error.to_string() }).to_string(),
            })
        })?,
    )?;
    let at = desk.clone();
    native.set(
        "removeFaults",
        Function::new(ctx.clone(), move |id: f64| {
            at.host().is_some_and(|host| host.turn(|turn| turn.remove_faults(FaultId::from_bits(id as u64))))
        })?,
    )
}

fn answers<'js>(ctx: &Ctx<'js>, native: &Object<'js>, desk: &Rc<Desk>) -> Result<()> {
    let at = desk.clone();
    native.set("done", Function::new(ctx.clone(), move |call: u32| at.answer(call, Answer::Done))?)?;
    let at = desk.clone();
    native.set("noMatch", Function::new(ctx.clone(), move |call: u32| at.answer(call, Answer::NoMatch))?)?;
    let at = desk.clone();
    native.set(
        "failed",
        Function::new(ctx.clone(), move |call: u32, message: String, stack: Opt<Option<String>>| {
            at.answer(call, failed(message, stack.0.flatten()));
        })?,
    )?;
    let at = desk.clone();
    native.set(
        "admitted",
        Function::new(ctx.clone(), move |call: u32, data: Opt<Option<String>>| {
            at.answer(call, javascript::admission(data.0.flatten().as_deref()));
        })?,
    )?;
    let at = desk.clone();
    native.set(
        "refused",
        Function::new(ctx.clone(), move |call: u32, refusal: String| {
            at.answer(call, javascript::refusal(&refusal));
        })?,
    )?;
    let at = desk.clone();
    native.set(
        "noVerdict",
        Function::new(ctx.clone(), move |call: u32, message: String| {
            at.answer(call, Answer::NotAnAdmission { message });
        })?,
    )?;
    let at = desk.clone();
    native.set(
        "response",
        Function::new(ctx.clone(), move |call: u32, index: u32, value: Value<'js>| {
            at.answer(call, Answer::Response { index: index as usize, message: message(&value) });
        })?,
    )?;
    let at = desk.clone();
    native.set(
        "passed",
        Function::new(ctx.clone(), move |call: u32, value: Value<'js>| {
            at.answer(call, Answer::Passed(message(&value)));
        })?,
    )?;
    let at = desk.clone();
    native.set(
        "reply",
        Function::new(ctx.clone(), move |call: u32, status: u32, value: Value<'js>, stops: bool| {
            let is_error = match status {
                REPLY_OK => Some(false),
                REPLY_ERROR => Some(true),
                _ => None,
            };
            at.answer(call, javascript::channel_reply(is_error, message(&value), stops));
        })?,
    )
}

/// The answer of a function that threw.
pub(super) fn failed(message: String, stack: Option<String>) -> Answer {
    let message = with_advice(message);
    match stack {
        Some(stack) => Answer::Threw { message, stack: format!("{}{stack}", stack_mark()) },
        None => Answer::Failed { error: message.into() },
    }
}
