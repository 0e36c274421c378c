//! Forms that send a file (`multipart/form-data`, RFC 7578): read whole, refused if another site sent them.

use super::form::is_ours;
use crate::web::api::read_body;
use crate::web::error::Problem;
use crate::web::who::PageError;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

/// A file of 5 MiB as it comes back in base64, and the fields beside it.
const LARGEST: usize = 8 * 1024 * 1024;

/// The parts of a form by name; of a name that comes twice, the last.
pub struct Upload(HashMap<String, Vec<u8>>);

impl Upload {
    pub fn bytes(&self, name: &str) -> &[u8] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// A field of text; empty if it is not there or no text.
    pub fn text(&self, name: &str) -> &str {
        std::str::from_utf8(self.bytes(name)).unwrap_or_default().trim()
    }
}

impl FromRequest for Upload {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Upload, PageError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut payload = payload.take();
        let ours = is_ours(request);
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|h| h.to_str().ok()).unwrap_or_default().to_owned();
        Box::pin(async move {
            if !ours {
                return Err(PageError::Forbidden);
            }
            let body = read_body(&mut payload, LARGEST).await?;
            let parts = boundary(&kind).and_then(|boundary| parts(&body, &boundary));
            Ok(Upload(parts.ok_or_else(|| Problem::malformed("the form is no multipart/form-data"))?))
        })
    }
}

fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?.trim_matches('"');
    (1..=70).contains(&boundary.len()).then(|| boundary.to_owned())
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// The parts between the boundaries; none where the form is cut off or a part has no name.
fn parts(body: &[u8], boundary: &str) -> Option<HashMap<String, Vec<u8>>> {
    let first = format!("--{boundary}");
    let next = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(first.as_bytes())?;
    let mut found = HashMap::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(found);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let head_end = position(rest, b"\r\n\r\n")?;
        let (head, after) = (std::str::from_utf8(&rest[..head_end]).ok()?, &rest[head_end + 4..]);
        let end = position(after, next.as_bytes())?;
        found.insert(name(head)?, after[..end].to_vec());
        rest = &after[end + next.len()..];
    }
}

fn name(head: &str) -> Option<String> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let (_, name) = line.split_once("; name=\"")?;
    Some(name.split('"').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_with_a_file_is_read_to_the_byte() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n--x\r\n\
                     Content-Disposition: form-data; name=\"file\"; filename=\"a \xd1\x8f.txt\"\r\nContent-Type: text/plain\r\n\r\n1\r\n\xff\r\n--x--\r\n";
        let found = parts(body, &boundary("multipart/form-data; boundary=\"x\"").unwrap()).unwrap();
        assert_eq!((found["csrf"].as_slice(), found["file"].as_slice()), (&b"abc"[..], &b"1\r\n\xff"[..]));
        assert_eq!(parts(&body[..body.len() - 10], "x"), None, "it is cut off");
        assert_eq!(parts(body, "y"), None);
        assert_eq!(boundary("application/x-www-form-urlencoded"), None);
    }
}
