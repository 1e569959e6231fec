//! The file of a recording, as the control API gives it away.

use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

/// The media type of a recording.
pub(crate) const MEDIA_TYPE: &str = "application/x-ndjson";

/// A file that a host sends. Only the host can read it.
///
/// Where [`Engine::request_from`](crate::Engine::request_from) gives a response with this among its extensions, the host waits
/// until what was recorded so far is written, and sends the response with the file as its body; without such a file it
/// answers 404. The response is an empty 200 for hosts that do not know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingFile {
    /// Where it is, as the configuration writes the folder. The name in it is a plain one, which leads nowhere else.
    pub path: String,
}

impl RecordingFile {
    /// The response whose body the host fills in. The name has been checked.
    pub(crate) fn response(path: String, name: &str) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
            headers.insert(CONTENT_DISPOSITION, value);
        }
        response.extensions_mut().insert(Self { path });
        response
    }

    /// What is answered where the file is not there, or is none.
    pub fn missing() -> Response<Bytes> {
        let text = "there is no recording of this name; GET /recordings names those that are written now";
        crate::interface::http_endpoint::json_response(
            StatusCode::NOT_FOUND,
            &serde_json::json!({ "error": text }),
        )
    }
}
