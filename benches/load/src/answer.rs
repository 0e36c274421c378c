//! Reads as much of an HTTP/1.1 answer as it takes to know its status and its end.

use memchr::memmem;

#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// More bytes must come.
    Partial,
    Whole {
        status: u16,
        length: usize,
    },
    /// Not HTTP/1.1, or without a Content-Length.
    Unreadable,
}

/// What the bytes received so far are.
pub fn read(bytes: &[u8]) -> Answer {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return Answer::Partial };
    let head = &bytes[..end];
    let Some(status) = status(head) else { return Answer::Unreadable };
    let body = match content_length(head) {
        Some(length) => length,
        None if status == 204 || status == 304 => 0,
        None => return Answer::Unreadable,
    };
    let length = end + 4 + body;
    if bytes.len() < length { Answer::Partial } else { Answer::Whole { status, length } }
}

fn status(head: &[u8]) -> Option<u16> {
    let digits = head.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn content_length(head: &[u8]) -> Option<usize> {
    // Found by a stretch that both spellings share: cheaper than a walk through the headers.
    memmem::find_iter(head, b"ength: ").find_map(|at| {
        let name_at = at.checked_sub(b"\r\ncontent-l".len())?;
        if !head[name_at..at].eq_ignore_ascii_case(b"\r\ncontent-l") {
            return None;
        }
        let value = &head[at + b"ength: ".len()..];
        let digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
        std::str::from_utf8(&value[..digits]).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_to_their_end() {
        let whole = b"HTTP/1.1 302 Found\r\nlocation: https://a.example/?length: 9\r\ncontent-length: 3\r\n\r\nabc";
        assert_eq!(read(whole), Answer::Whole { status: 302, length: whole.len() });
        assert_eq!(read(&whole[..whole.len() - 1]), Answer::Partial);
        assert_eq!(read(&whole[..20]), Answer::Partial);
        let spelt_large = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(read(spelt_large), Answer::Whole { status: 200, length: spelt_large.len() });
        let empty = b"HTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(read(empty), Answer::Whole { status: 204, length: empty.len() });
        assert_eq!(read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), Answer::Unreadable);
        assert_eq!(read(b"SSH-2.0\r\n\r\n"), Answer::Unreadable);
    }
}
