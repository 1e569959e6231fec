//! Which messages a breakpoint holds.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::options::FaultStage;
use crate::message::Message;

/// How large a compiled expression may be, in bytes.
const LARGEST_EXPRESSION: usize = 256 * 1024;

/// How much of a text is searched, in bytes: a search must not take longer than the message took to arrive.
const SEARCHED: usize = 64 * 1024;

/// The longest text or expression to search for, in bytes.
const LONGEST: usize = 4_096;

/// Which way a message goes that a breakpoint holds, as the server sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlBreakpointDirection"))]
pub(crate) enum BreakpointDirection {
    /// From a client.
    In,
    /// To a client.
    Out,
    /// Either way.
    #[default]
    Both,
}

/// The kinds of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlMessageKind"))]
pub(crate) enum MessageKind {
    /// A text message.
    Text,
    /// A binary message.
    Binary,
}

/// What a message has to be like to be held; without any of them every message is.
#[derive(Debug, Default)]
pub(crate) struct Criteria {
    direction: BreakpointDirection,
    kind: Option<MessageKind>,
    contains: Option<String>,
    expression: Option<Regex>,
}

impl Criteria {
    /// Compiles the expression; otherwise says what is wrong, with the key.
    pub(crate) fn new(
        direction: BreakpointDirection,
        kind: Option<MessageKind>,
        contains: Option<&str>,
        expression: Option<&str>,
    ) -> Result<Self, String> {
        for (name, text) in [("contains", contains), ("expression", expression)] {
            if text.is_some_and(|text| text.len() > LONGEST) {
                return Err(format!("{name}: expected at most {LONGEST} bytes"));
            }
        }
        let compile = |text: &str| {
            RegexBuilder::new(text).size_limit(LARGEST_EXPRESSION).build().map_err(|error| {
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
                format!("expression: not a usable regular expression: {reason}")
            })
        };
        let expression = expression.map(compile).transpose()?;
        Ok(Self { direction, kind, contains: contains.map(str::to_owned), expression })
    }

    /// Whether a message that goes this way is held. A text is searched in its first 64 KiB; in bytes nothing is found.
    pub(crate) fn matches(&self, stage: FaultStage, message: &Message) -> bool {
        let is_direction = match self.direction {
            BreakpointDirection::In => stage == FaultStage::Receive,
            BreakpointDirection::Out => stage == FaultStage::Send,
            BreakpointDirection::Both => true,
        };
        let text = message.as_text().map(|text| &text[..text.floor_char_boundary(SEARCHED)]);
        let is_kind = self.kind.is_none_or(|kind| (kind == MessageKind::Text) == text.is_some());
        let contains = |part: &String| text.is_some_and(|text| text.contains(part.as_str()));
        let matches = |expression: &Regex| text.is_some_and(|text| expression.is_match(text));
        is_direction
            && is_kind
            && self.contains.as_ref().is_none_or(contains)
            && self.expression.as_ref().is_none_or(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_to_be_all_that_is_asked_for() {
        use BreakpointDirection::{Both, In, Out};
        let text = || Message::from(r#"{"type":"bid","price":17}"#);
        let bytes = || Message::Binary(vec![1, 2].into());
        for (direction, kind, contains, expression, [text_in, text_out, bytes_in]) in [
            (Both, None, None, None, [true, true, true]),
            (In, None, None, None, [true, false, true]),
            (Out, None, None, None, [false, true, false]),
            (Both, Some(MessageKind::Binary), None, None, [false, false, true]),
            (Both, Some(MessageKind::Text), Some("bid"), None, [true, true, false]),
            (Both, None, Some("Bid"), None, [false, false, false]),
            (Both, None, None, Some(r"price.:\d{2}\b"), [true, true, false]),
            (Both, None, Some("bid"), Some("^x"), [false, false, false]),
        ] {
            let criteria = Criteria::new(direction, kind, contains, expression).expect("criteria");
            let held = [
                criteria.matches(FaultStage::Receive, &text()),
                criteria.matches(FaultStage::Send, &text()),
                criteria.matches(FaultStage::Receive, &bytes()),
            ];
            assert_eq!(held, [text_in, text_out, bytes_in], "{criteria:?}");
        }
    }

    #[test]
    fn only_the_beginning_of_a_long_text_is_searched() {
        let criteria = Criteria::new(BreakpointDirection::Both, None, Some("é"), None).expect("criteria");
        for (before, is_held) in [(SEARCHED - 2, true), (SEARCHED - 1, false)] {
            let message = Message::from(format!("{}é", "x".repeat(before)));
            assert_eq!(criteria.matches(FaultStage::Send, &message), is_held);
        }
    }

    #[test]
    fn what_cannot_be_searched_for_is_named() {
        let error = |contains: Option<&str>, expression: Option<&str>| {
            Criteria::new(BreakpointDirection::Both, None, contains, expression).expect_err("a mistake")
        };
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(error(Some(&long), None), "contains: expected at most 4096 bytes");
        assert_eq!(error(None, Some(&long)), "expression: expected at most 4096 bytes");
        assert_eq!(error(None, Some("(")), "expression: not a usable regular expression: unclosed group");
        assert!(
            error(None, Some(r"(\w{100}){100}")).contains("exceeds size limit"),
            "{}",
            error(None, Some(r"(\w{100}){100}"))
        );
    }
}
