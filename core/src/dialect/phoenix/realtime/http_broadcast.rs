//! Broadcasts by HTTP: Supabase's clients use it before they have joined, and with `httpSend`.
//!
//! | `POST` | Body | What comes of it |
//! |---|---|---|
//! | `/api/broadcast` | `{"messages":[{"topic","event","payload"}]}` | each message is broadcast, in order |
//! | `/api/broadcast/<topic>/events/<event>` | JSON | it is broadcast |
//! | the same | bytes, as `application/octet-stream` | they are broadcast to those who speak V2 |
//!
//! Topics are written without the `realtime:` that clients put before them. A message may have an `id`, which receivers
//! find in `meta`. `private` has no effect: there is no database with rules for it.
//!
//! | Answer | When |
//! |---|---|
//! | 202, no body | all were broadcast, also when nobody is there to hear them |
//! | 400 `{"error"}` | the body is not JSON |
//! | 404 `{"error"}` | the path has not this form |
//! | 413 `{"error"}` | the body has more than 1 MiB |
//! | 422 `{"error"}` | a message is none, which the text names, or there are more than 1,000; nothing was broadcast |

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::interface::http_endpoint::{HttpEndpoint, json_response};
use crate::interface::payload::Payload;

/// The prefix of the topics of Supabase's clients.
pub(super) const PREFIX: &str = "realtime:";

/// The largest body, in bytes.
const MAX_BODY: usize = 1 << 20;

/// Messages in one request.
const MAX_MESSAGES: usize = 1_000;

/// One message for everyone on a topic.
#[derive(Debug, PartialEq)]
pub(super) struct Broadcast {
    pub(super) topic: String,
    pub(super) payload: Payload,
}

/// The path for a socket at `socket`; `None` if that is a pattern.
pub(super) fn path(socket: &str) -> Option<String> {
    if socket.contains(['*', '?', '{']) {
        return None;
    }
    let socket = socket.trim_end_matches('/');
    let socket = socket.strip_suffix("/websocket").unwrap_or(socket);
    Some(format!("{}/api/broadcast", socket.strip_suffix("/socket").unwrap_or(socket)))
}

pub(super) fn endpoint(path: &String) -> HttpEndpoint {
    HttpEndpoint::post(path, MAX_BODY).tree().guarded()
}

/// The messages in a request for one of `paths`, or the answer if it is refused.
pub(super) fn broadcasts(
    paths: &[String],
    request: &Request<Bytes>,
) -> Result<Vec<Broadcast>, Box<Response<Bytes>>> {
    let path = request.uri().path();
    let Some(below) = paths.iter().find_map(|known| path.strip_prefix(known.as_str())) else {
        return Err(refuse(StatusCode::NOT_FOUND, "nothing is broadcast here"));
    };
    let segments = below.split('/').skip(1).map(|segment| percent_decode_str(segment).decode_utf8());
    let segments = segments.collect::<Result<Vec<_>, _>>().unwrap_or_default();
    match &segments[..] {
        [] if below.is_empty() => batch(json_of(request)?),
        [topic, events, event] if events == "events" && !topic.is_empty() && !event.is_empty() => {
            let payload = match is_binary(request) {
                true => Payload::UserBroadcast { event: event.to_string(), data: request.body().clone() },
                false => broadcast(event, json_of(request)?, None),
            };
            Ok(vec![Broadcast { topic: full(topic), payload }])
        }
        _ => Err(refuse(
            StatusCode::NOT_FOUND,
            "write /api/broadcast, or /api/broadcast/<topic>/events/<event>",
        )),
    }
}

/// The answer to a request that was carried out.
pub(super) fn accepted() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

fn batch(body: Value) -> Result<Vec<Broadcast>, Box<Response<Bytes>>> {
    let wrong = |text: &str| refuse(StatusCode::UNPROCESSABLE_ENTITY, text);
    let Some(Value::Array(messages)) = body.get("messages") else {
        return Err(wrong(
            "messages: expected a list, as {\"messages\":[{\"topic\",\"event\",\"payload\"}]}",
        ));
    };
    if messages.len() > MAX_MESSAGES {
        return Err(wrong(&format!("messages: {} are too many, at most {MAX_MESSAGES}", messages.len())));
    }
    let broadcasts = messages.iter().enumerate().map(|(index, message)| {
        let text = |key: &str| match message.get(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
            _ => Err(wrong(&format!("messages[{index}].{key}: expected text"))),
        };
        let (topic, event) = (text("topic")?, text("event")?);
        let Some(payload @ Value::Object(_)) = message.get("payload") else {
            return Err(wrong(&format!("messages[{index}].payload: expected an object")));
        };
        let payload = broadcast(event, payload.clone(), message.get("id"));
        Ok(Broadcast { topic: full(topic), payload })
    });
    broadcasts.collect()
}

/// A broadcast as receivers expect it.
fn broadcast(event: &str, payload: Value, id: Option<&Value>) -> Payload {
    let mut body = json!({ "type": "broadcast", "event": event, "payload": payload });
    if let Some(id @ Value::String(_)) = id {
        body["meta"] = json!({ "id": id });
    }
    body.into()
}

fn full(topic: &str) -> String {
    format!("{PREFIX}{topic}")
}

fn is_binary(request: &Request<Bytes>) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.and_then(|value| value.split(';').next()).map(str::trim) == Some("application/octet-stream")
}

fn json_of(request: &Request<Bytes>) -> Result<Value, Box<Response<Bytes>>> {
    let not_json = |error| refuse(StatusCode::BAD_REQUEST, &format!("the body is not JSON: {error}"));
    serde_json::from_slice(request.body()).map_err(not_json)
}

fn refuse(status: StatusCode, error: &str) -> Box<Response<Bytes>> {
    Box::new(json_response(status, &json!({ "error": error })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_post_beside_their_socket() {
        for (socket, expected) in [
            ("/socket/websocket", Some("/api/broadcast")),
            ("/realtime/v1/websocket", Some("/realtime/v1/api/broadcast")),
            ("/realtime/v1/websocket/", Some("/realtime/v1/api/broadcast")),
            ("/app/socket/websocket", Some("/app/api/broadcast")),
            ("/live", Some("/live/api/broadcast")),
            ("/{tenant}/websocket", None),
            ("/**/websocket", None),
        ] {
            assert_eq!(path(socket).as_deref(), expected, "{socket}");
        }
    }

    #[test]
    fn what_is_no_broadcast_is_named() {
        let message =
            |fields: &str| format!("{{\"messages\":[{{\"topic\":\"a\",\"event\":\"b\",{fields}}}]}}");
        let long = json!({ "messages": vec![Value::Null; MAX_MESSAGES + 1] }).to_string();
        for (below, body, status, error) in [
            ("", "{", 400, "the body is not JSON: EOF while parsing an object at line 1 column 1"),
            (
                "",
                "[]",
                422,
                "messages: expected a list, as {\"messages\":[{\"topic\",\"event\",\"payload\"}]}",
            ),
            ("", "{\"messages\":[{}]}", 422, "messages[0].topic: expected text"),
            ("", "{\"messages\":[{\"topic\":\" \"}]}", 422, "messages[0].topic: expected text"),
            ("", "{\"messages\":[{\"topic\":\"a\"}]}", 422, "messages[0].event: expected text"),
            ("", &message("\"payload\":null"), 422, "messages[0].payload: expected an object"),
            ("", &message("\"payload\":[]"), 422, "messages[0].payload: expected an object"),
            ("", &long, 422, "messages: 1001 are too many, at most 1000"),
            ("/a/events/b", "", 400, "the body is not JSON: EOF while parsing a value at line 1 column 0"),
            ("/a/events/", "{}", 404, "write /api/broadcast, or /api/broadcast/<topic>/events/<event>"),
            ("//events/b", "{}", 404, "write /api/broadcast, or /api/broadcast/<topic>/events/<event>"),
            ("/a/b", "{}", 404, "write /api/broadcast, or /api/broadcast/<topic>/events/<event>"),
            ("/%ff/events/b", "{}", 404, "write /api/broadcast, or /api/broadcast/<topic>/events/<event>"),
        ] {
            let request = Request::post(format!("/api/broadcast{below}")).body(Bytes::from(body.to_owned()));
            let refusal = broadcasts(&["/api/broadcast".into()], &request.unwrap()).unwrap_err();
            let answer: Value = serde_json::from_slice(refusal.body()).unwrap();
            assert_eq!(
                (refusal.status().as_u16(), &answer["error"]),
                (status, &json!(error)),
                "{below} {body:.80}"
            );
        }
    }
}
