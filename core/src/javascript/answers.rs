//! What functions written in JavaScript answered.

use crate::config::RefusalConfig;
use crate::dialect::phoenix::Payload;
use crate::{Admission, Answer, ChannelReply, CloseCode, Message};

/// What `authenticate` said: admitted with data as JSON. What is no JSON counts as null.
pub fn admission(data: Option<&str>) -> Answer {
    let data = data.and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default();
    Answer::Admission(Admission::Accept { data })
}

/// What `authenticate` said: refused, with a close code or an HTTP status, as JSON. Whoever says it wrongly refuses too.
pub fn refusal(refusal: &str) -> Answer {
    let value = serde_json::from_str(refusal).unwrap_or_default();
    match RefusalConfig::from_value(value).and_then(|refusal| refusal.token_refusal()) {
        Ok(denial) => Answer::Admission(denial.admission()),
        Err(error) => Answer::NotAnAdmission {
            message: format!("refuses in a way that cannot be: {error}. Answered 401"),
        },
    }
}

/// What a channel's function replied: whether it is an error, with JSON as text, or bytes; `None` is no reply. With `stops`
/// the channel ends for the client.
pub fn channel_reply(is_error: Option<bool>, response: Option<Message>, stops: bool) -> Answer {
    let response = match response {
        Some(Message::Binary(bytes)) => Ok(Payload::Binary(bytes)),
        Some(Message::Text(text)) => serde_json::from_str(text.as_str()).map(Payload::Json),
        None => Ok(Payload::empty()),
    };
    let response = match response {
        Ok(response) => response,
        Err(error) => return Answer::Failed { error: error.into() },
    };
    let reply = match is_error {
        Some(false) => ChannelReply::ok(response),
        Some(true) => ChannelReply::error(response),
        None => ChannelReply::none(),
    };
    Answer::ChannelReply(if stops { reply.and_stop() } else { reply })
}

/// A number of JavaScript's as a close code, if it can be one at all.
pub fn close_code(code: f64) -> Option<u16> {
    let number = code as u16;
    (f64::from(number) == code).then_some(number)
}

/// A number of JavaScript's as a close code that may be sent; otherwise what to write instead.
pub fn sendable(code: f64) -> Result<CloseCode, String> {
    let known = close_code(code).map(CloseCode).filter(|code| code.is_sendable());
    known.ok_or_else(|| format!("close code {code} cannot be sent; use 1000-1003, 1007-1014 or 3000-4999"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_codes_are_whole_numbers() {
        assert_eq!(close_code(1000.0), Some(1000));
        for code in [1000.5, -1.0, 70_000.0, f64::NAN, f64::INFINITY] {
            assert_eq!(close_code(code), None, "{code}");
        }
    }

    #[test]
    fn refusals_say_how_or_are_401() {
        let admission = |text| match refusal(text) {
            Answer::Admission(Admission::Close(frame)) => {
                format!("{} {}", frame.code.0, frame.reason.as_str())
            }
            Answer::Admission(Admission::Refuse(refusal)) => {
                format!("{} {:?}", refusal.status, refusal.headers)
            }
            Answer::NotAnAdmission { message } => message,
            other => panic!("{other:?}"),
        };
        for (text, expected) in [
            ("{}", "401 Unauthorized {}"),
            (r#"{"code":4001,"reason":"No"}"#, "4001 No"),
            (r#"{"status":503}"#, "503 Service Unavailable {}"),
            (
                r#"{"status":429,"headers":{"retry-after":"5"}}"#,
                "429 Too Many Requests {\"retry-after\": \"5\"}",
            ),
            (
                r#"{"code":401}"#,
                "refuses in a way that cannot be: code: 401 is no close code; for an HTTP status write status = 401. \
                 Answered 401",
            ),
            (
                r#"{"status":200}"#,
                "refuses in a way that cannot be: status: expected 400 to 599, got 200. Answered 401",
            ),
        ] {
            assert_eq!(admission(text), expected, "{text}");
        }
        assert!(admission("nonsense").starts_with("refuses in a way that cannot be: "));
    }
}
