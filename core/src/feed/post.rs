//! Values that come by HTTP `POST`.
//!
//! | Body | Values |
//! |---|---|
//! | one JSON value | that one |
//! | a JSON array | each of its items |
//! | several lines, each of them JSON | one per line |
//!
//! | Answer | When |
//! |---|---|
//! | 202 `{"accepted":<n>}` | all were published |
//! | 400 `{"error":…}` | something is not JSON, which the text names; nothing was published |
//! | 401 | the token is missing or wrong |
//! | 403 | a page of another origin asks, and no token is required |
//! | 413 | the body is too large |

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::interface::http_endpoint::{HttpEndpoint, json_response};
use crate::routing::origin::Origins;
use crate::schema::Secret;

/// Which requests fill a feed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PostSettings {
    /// The whole path. Default: `/feeds/` and the feed's name.
    pub path: Option<String>,
    /// The token that has to follow `Authorization: Bearer`. Default: none is required.
    #[cfg_attr(feature = "json-schema", schemars(with = "Option<String>"))]
    pub token: Option<Secret>,
    /// The largest body in bytes. Default 1 MiB (1048576).
    pub max_body: usize,
    /// How many values one request may publish; more are answered 413. Default 10000.
    pub max_values: usize,
}

impl Default for PostSettings {
    fn default() -> Self {
        Self { path: None, token: None, max_body: 1 << 20, max_values: 10_000 }
    }
}

impl PostSettings {
    pub(crate) fn endpoint(&self, feed: &str) -> HttpEndpoint {
        let path = self.path.clone().unwrap_or_else(|| format!("/feeds/{feed}"));
        HttpEndpoint::post(path, self.max_body)
    }

    /// The values to publish, or what to answer instead.
    pub(crate) fn values(&self, request: &http::Request<Bytes>) -> Result<Vec<Value>, Box<Response<Bytes>>> {
        self.admit(request.headers())?;
        let values = values(request.body()).map_err(|text| refuse(StatusCode::BAD_REQUEST, &text))?;
        if values.len() > self.max_values {
            let text = format!(
                "the body has {} values, at most {}; send several requests",
                values.len(),
                self.max_values
            );
            return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, &text));
        }
        Ok(values)
    }

    fn admit(&self, headers: &HeaderMap) -> Result<(), Box<Response<Bytes>>> {
        let Some(token) = &self.token else {
            // Browsers let any page send such a request to this machine.
            return match Origins::default().allows(headers) {
                true => Ok(()),
                false => {
                    Err(refuse(StatusCode::FORBIDDEN, "pages of this origin may not publish without a token"))
                }
            };
        };
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.split_once(' '));
        let (error, shown) = match shown {
            Some((scheme, shown)) if scheme.eq_ignore_ascii_case("bearer") => {
                ("the token is wrong", Some(shown))
            }
            _ => ("send the token as Authorization: Bearer <token>", None),
        };
        if shown.is_some_and(|shown| token.is(shown.trim())) {
            return Ok(());
        }
        let mut response = refuse(StatusCode::UNAUTHORIZED, error);
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        Err(response)
    }
}

/// The answer to a request whose values were published.
pub(crate) fn accepted(number: usize) -> Response<Bytes> {
    json_response(StatusCode::ACCEPTED, &json!({ "accepted": number }))
}

/// The answer to a request that comes while too many values of others are waiting to be published.
pub(crate) fn busy() -> Response<Bytes> {
    let text = "the values of earlier requests are still being published";
    let mut response = *refuse(StatusCode::SERVICE_UNAVAILABLE, text);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn refuse(status: StatusCode, error: &str) -> Box<Response<Bytes>> {
    Box::new(json_response(status, &json!({ "error": error })))
}

/// A JSON value, the items of an array, or one value per line.
fn values(body: &[u8]) -> Result<Vec<Value>, String> {
    let whole = match serde_json::from_slice(body) {
        Ok(Value::Array(items)) => return Ok(items),
        Ok(value) => return Ok(vec![value]),
        Err(error) => error,
    };
    let lines: Vec<(usize, &[u8])> = (1..)
        .zip(body.split(|byte| *byte == b'\n'))
        .map(|(number, line)| (number, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty())
        .collect();
    match lines[..] {
        [] => return Err("the body is empty; send a JSON value, an array, or one value per line".to_owned()),
        [_] => return Err(format!("the body is not JSON: {whole}")),
        _ => {}
    }
    // A malformed value that spans several lines is not a list of values.
    if lines.iter().all(|(_, line)| serde_json::from_slice::<Value>(line).is_err()) {
        return Err(format!("the body is not JSON: {whole}"));
    }
    lines
        .into_iter()
        .map(|(number, line)| {
            serde_json::from_slice(line).map_err(|error| format!("line {number} is not JSON: {error}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_a_value_an_array_or_lines() {
        for (body, expected) in [
            ("5", Ok(json!([5]))),
            ("[1,[2]]", Ok(json!([1, [2]]))),
            ("[]", Ok(json!([]))),
            ("{\n \"a\": 1\n}", Ok(json!([{ "a": 1 }]))),
            ("{\"a\":1}\r\n\n[2]\n", Ok(json!([{ "a": 1 }, [2]]))),
            ("{\"a\":1}\n{\"a\":", Err("line 2 is not JSON: EOF while parsing a value at line 1 column 5")),
            ("{\"a\":1,}", Err("the body is not JSON: trailing comma at line 1 column 8")),
            ("{\n\"a\": 1,\n", Err("the body is not JSON: EOF while parsing a value at line 3 column 0")),
            (" \n", Err("the body is empty; send a JSON value, an array, or one value per line")),
        ] {
            let expected = expected.map(|values| values.as_array().cloned().unwrap()).map_err(str::to_owned);
            assert_eq!(values(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn a_token_lets_in_and_foreign_pages_need_one() {
        let open = PostSettings::default();
        let guarded = PostSettings { token: Some("secret".into()), ..Default::default() };
        for (settings, header, value, status) in [
            (&open, "x", "", None),
            (&open, "origin", "http://localhost:5173", None),
            (&open, "origin", "https://evil.example", Some(403)),
            (&guarded, "x", "", Some(401)),
            (&guarded, "authorization", "Bearer secret", None),
            (&guarded, "authorization", "bearer  secret", None),
            (&guarded, "authorization", "Bearer secre", Some(401)),
            (&guarded, "authorization", "Basic secret", Some(401)),
        ] {
            let request =
                http::Request::post("/feeds/x").header(header, value).body(Bytes::from("1")).unwrap();
            let status_now = settings.values(&request).err().map(|response| response.status().as_u16());
            assert_eq!(status_now, status, "{header}: {value}");
        }
    }
}
