//! What the hooks said.

use switchboard_core::{Answer, CallId, Input, javascript};
use wasm_bindgen::prelude::*;

use crate::contract::{REPLY_ERROR, REPLY_OK};
use crate::{Switchboard, call};

/// Answers of hooks.
#[wasm_bindgen]
impl Switchboard {
    /// The hook finished.
    pub fn answer_done(&mut self, call: f64) {
        self.answer(call, Answer::Done);
    }

    /// The hook threw or rejected; `stack` is what the log shows below the message, if anything.
    pub fn answer_failed(&mut self, call: f64, message: String, stack: Option<String>) {
        let answer = match stack {
            Some(stack) => Answer::Threw { message, stack },
            None => Answer::Failed { error: message.into() },
        };
        self.answer(call, answer);
    }

    /// `authenticate` lets the client in; `data` is JSON for those parts of the core that show it.
    pub fn answer_admitted(&mut self, call: f64, data: Option<String>) {
        self.answer(call, javascript::admission(data.as_deref()));
    }

    /// `authenticate` does not let the client in; `refusal` says how, as JSON in the form of `missing` beside a token.
    pub fn answer_refused(&mut self, call: f64, refusal: &str) {
        self.answer(call, javascript::refusal(refusal));
    }

    /// `authenticate` gave something that is neither yes nor no; `message` tells what, and what to write.
    pub fn answer_no_verdict(&mut self, call: f64, message: String) {
        self.answer(call, Answer::NotAnAdmission { message });
    }

    /// Entry `index` of `responses` matched; its response is in scratch, unless `kind` is 0.
    pub fn answer_response(&mut self, call: f64, index: usize, kind: u32, length: usize) {
        let message = call::message(kind, self.scratched(length));
        self.answer(call, Answer::Response { index, message });
    }

    /// What passes a proxy instead of the message: what is in scratch; with `kind` 0 nothing does.
    pub fn answer_passed(&mut self, call: f64, kind: u32, length: usize) {
        let message = call::message(kind, self.scratched(length));
        self.answer(call, Answer::Passed(message));
    }

    /// A channel's function replied with `status` and the response in scratch: JSON as text, or bytes. With `stops` the
    /// channel ends for the client.
    pub fn answer_reply(&mut self, call: f64, status: u32, kind: u32, length: usize, stops: bool) {
        let response = call::message(kind, self.scratched(length));
        let is_error = match status {
            REPLY_OK => Some(false),
            REPLY_ERROR => Some(true),
            _ => None,
        };
        self.answer(call, javascript::channel_reply(is_error, response, stops));
    }

    /// No entry of `responses` matched.
    pub fn answer_no_match(&mut self, call: f64) {
        self.answer(call, Answer::NoMatch);
    }
}

impl Switchboard {
    fn answer(&mut self, call: f64, answer: Answer) {
        self.host.input(Input::Answer { call: CallId::from_bits(call as u64), answer });
    }
}
