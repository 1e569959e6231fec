//! The numbers that cross between the core and JavaScript.
//!
//! They are written down here once. `cargo xtask contract` writes them into `npm/src/engine/contract.ts`, and
//! `cargo xtask check` fails when that file says something else.

use std::fmt::Write;

use switchboard_core::dialect::commands::ServerEventKind;
use switchboard_core::{CloseCause, HookKind, Level};

/// Numbers of one kind, as one constant object of TypeScript.
struct Group {
    name: &'static str,
    about: &'static str,
    numbers: &'static [(&'static str, u32)],
}

/// Constants for Rust, and the same numbers as a group for TypeScript.
macro_rules! group {
    ($group:ident, $name:literal, $about:literal: $($constant:ident $key:literal = $number:expr,)*) => {
        $(pub(crate) const $constant: u32 = $number;)*
        const $group: Group = Group { name: $name, about: $about, numbers: &[$(($key, $constant)),*] };
    };
}

/// The variants of an enum of the engine as a group for TypeScript.
macro_rules! kinds {
    ($group:ident, $name:literal, $about:literal: $kind:ident { $($variant:ident),* $(,)? }) => {
        const $group: Group = Group {
            name: $name,
            about: $about,
            numbers: &[$((stringify!($variant), $kind::$variant as u32)),*],
        };
    };
}

group!(OPCODES, "Opcode", "What a record of a batch asks for; `wasm/src/batch.rs` describes the fields.":
    ACCEPT "Accept" = 1,
    REJECT "Reject" = 2,
    PAUSE "Pause" = 4,
    RESUME "Resume" = 5,
    LOG "Log" = 6,
    FRAMES "Frames" = 7,
    WRITE "Write" = 8,
    END "End" = 9,
    TERMINATE "Terminate" = 10,
    REMOVED "Removed" = 11,
    CALL "Call" = 12,
    READ "Read" = 13,
    DIAL "Dial" = 14,
    UPSTREAM "Upstream" = 15,
    HANG_UP "HangUp" = 16,
    PAUSE_UPSTREAM "PauseUpstream" = 17,
    RESUME_UPSTREAM "ResumeUpstream" = 18,
    TERMINATE_UPSTREAM "TerminateUpstream" = 19,
    CANCEL_CALL "CancelCall" = 20,
    REPORT_UNSENT "ReportUnsent" = 21,
    READ_PART "ReadPart" = 22,
    APPEND "Append" = 23,
);

group!(HEADER, "Header", "The words that every turn leaves, by their place.":
    BATCH_ADDRESS "BatchAddress" = 0,
    BATCH_LENGTH "BatchLength" = 1,
    DEADLINE_LOW "DeadlineLow" = 2,
    DEADLINE_HIGH "DeadlineHigh" = 3,
    LATEST_SLOT "LatestSlot" = 4,
    LATEST_GENERATION "LatestGeneration" = 5,
    IS_MORE "IsMore" = 6,
);

group!(PAYLOADS, "PayloadKind", "What the payload of a call, of an answer or of a message is.":
    NOTHING "Nothing" = 0,
    TEXT "Text" = 1,
    BINARY "Binary" = 2,
);

group!(CLAIMS, "Claim", "What becomes of an upgrade request.":
    MALFORMED "Malformed" = 0,
    OURS "Ours" = 1,
    FOREIGN "Foreign" = 2,
);

group!(REPLIES, "ReplyStatus", "What a channel's function replies.":
    NO_REPLY "None" = 0,
    REPLY_OK "Ok" = 1,
    REPLY_ERROR "Error" = 2,
);

/// How many words of the header there are.
pub(crate) const HEADER_WORDS: usize = HEADER.numbers.len();

kinds!(HOOKS, "Hook", "The functions of a handler, by the number of their call.": HookKind {
    Authenticate, Connect, Transform, Respond, Message, Ping, Pong, Close, Error, ClientMessage,
    TargetMessage, ChannelJoin, ChannelHandleIn, ChannelLeave, ServerEvent,
});

kinds!(CAUSES, "CloseCause", "Who ended a connection.": CloseCause {
    Client, Server, Lost,
});

kinds!(SERVER_EVENTS, "ServerEvent", "What happened on a route of the dialect `commands`.": ServerEventKind {
    Connect, Disconnect, Receive, Send, Crash,
});

kinds!(LEVELS, "Level", "How important a log line is.": Level {
    Trace, Debug, Info, Warn, Error,
});

const GROUPS: [Group; 9] = [OPCODES, HEADER, PAYLOADS, CLAIMS, REPLIES, HOOKS, CAUSES, SERVER_EVENTS, LEVELS];

/// All of it as a module of TypeScript.
pub fn typescript() -> String {
    let mut text = String::from(
        "/** The numbers that cross between the core and JavaScript. Written by `cargo xtask contract`. */\n",
    );
    for Group { name, about, numbers } in GROUPS {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n/** {about} */\nexport const {name} = {{");
        for (key, number) in numbers {
            let _ = writeln!(text, "  {key}: {number},");
        }
        text.push_str("} as const\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_means_two_things() {
        for Group { name, numbers, .. } in GROUPS {
            for (index, (key, number)) in numbers.iter().enumerate() {
                let others =
                    numbers[index + 1..].iter().filter(|(other, same)| other == key || same == number);
                assert_eq!(others.count(), 0, "{name}.{key}");
            }
        }
        let places: Vec<u32> = HEADER.numbers.iter().map(|(_, place)| *place).collect();
        assert_eq!(places, (0..HEADER_WORDS as u32).collect::<Vec<_>>());
    }
}
