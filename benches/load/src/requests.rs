//! Requests as bytes, built once; what varies is written over its place in them.

use crate::options::{Options, Shape};
use std::fmt::Write as _;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Query parameters whose values are made afresh for each request.
const CLICK_IDS: [&str; 6] = ["gclid", "msclkid", "fbclid", "ttclid", "twclid", "yclid"];
const LANGUAGES: [&str; 4] = ["en-GB,en;q=0.9", "ru-RU,ru;q=0.9,en;q=0.8", "de-DE,de;q=0.9,en;q=0.5", "en-US,en;q=0.7"];
const VISITOR_DAYS: u64 = 90;

/// Request line and headers without the empty line, then the body; `fresh` are the places of values made afresh.
struct Template {
    head: Vec<u8>,
    body: Vec<u8>,
    fresh_in_head: Vec<Range<usize>>,
    fresh_in_body: Vec<Range<usize>>,
}

/// All requests of one thread, in turn.
pub struct Requests {
    templates: Vec<Template>,
    next: usize,
    varied: bool,
    returning: u64,
    visitors: u64,
    now_ms: u64,
    random: Random,
}

/// xorshift64*: good enough to make click ids differ.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn write_hex(&mut self, place: &mut [u8]) {
        for chunk in place.chunks_mut(16) {
            let mut bits = self.next();
            for byte in chunk {
                *byte = b"0123456789abcdef"[(bits & 15) as usize];
                bits >>= 4;
            }
        }
    }
}

impl Requests {
    /// The requests of thread `thread`; each begins at another row of the varied ones.
    pub fn new(options: &Options, thread: usize) -> io::Result<Requests> {
        let templates = match &options.vary {
            Some(path) => varied(options, path)?,
            None => vec![plain(options)],
        };
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Requests {
            next: templates.len() * thread / options.threads,
            varied: options.vary.is_some(),
            returning: (options.returning.clamp(0.0, 1.0) * f64::from(u32::MAX)) as u64,
            visitors: options.visitors.max(1),
            now_ms: since.as_millis() as u64,
            random: Random(since.as_nanos() as u64 ^ (thread as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            templates,
        })
    }

    /// Writes the next request over what the buffer holds.
    pub fn write(&mut self, buffer: &mut Vec<u8>) {
        let template = &self.templates[self.next];
        self.next = (self.next + 1) % self.templates.len();
        buffer.clear();
        buffer.extend_from_slice(&template.head);
        for place in &template.fresh_in_head {
            self.random.write_hex(&mut buffer[place.clone()]);
        }
        if self.varied && self.random.next() >> 32 < self.returning {
            let visitor = visitor(self.random.next() % self.visitors, self.now_ms);
            buffer.extend_from_slice(b"Cookie: trb_vid=");
            buffer.extend_from_slice(&visitor);
            buffer.extend_from_slice(b"\r\n");
        }
        buffer.extend_from_slice(b"\r\n");
        let start = buffer.len();
        buffer.extend_from_slice(&template.body);
        for place in &template.fresh_in_body {
            self.random.write_hex(&mut buffer[start + place.start..start + place.end]);
        }
    }
}

/// The UUIDv7 of a visitor: always the same for a number, first seen on one of the last 90 days.
fn visitor(number: u64, now_ms: u64) -> [u8; 36] {
    let mut random = Random((number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    random.next();
    let day_ms = now_ms - now_ms % 86_400_000;
    let at_ms = day_ms - random.next() % (VISITOR_DAYS * 86_400_000);
    let mut text = [b'-'; 36];
    let digits = format!("{at_ms:012x}");
    text[..8].copy_from_slice(&digits.as_bytes()[..8]);
    text[9..13].copy_from_slice(&digits.as_bytes()[8..12]);
    for place in [14..18, 19..23, 24..36] {
        random.write_hex(&mut text[place]);
    }
    text[14] = b'7';
    text[19] = b'8';
    text
}

fn head(options: &Options, method: &str, target: &str, more: &[(&str, &str)], body_length: Option<usize>) -> String {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", options.host);
    for (name, value) in more.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    for header in &options.headers {
        let _ = write!(head, "{header}\r\n");
    }
    if let Some(length) = body_length {
        let _ = write!(head, "Content-Length: {length}\r\n");
    }
    head
}

fn plain(options: &Options) -> Template {
    let body = options.body.clone().unwrap_or_default();
    let method = options.method.as_deref().unwrap_or(if options.body.is_some() { "POST" } else { "GET" });
    let length = (!matches!(method, "GET" | "HEAD")).then_some(body.len());
    Template {
        head: head(options, method, &options.path, &[], length).into_bytes(),
        body: body.into_bytes(),
        fresh_in_head: Vec::new(),
        fresh_in_body: Vec::new(),
    }
}

/// One template a row of the file that has a URL and a user agent.
fn varied(options: &Options, path: &Path) -> io::Result<Vec<Template>> {
    let text = std::fs::read_to_string(path).map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
    let mut rows = text.lines().map(cells);
    let names = rows.next().unwrap_or_default();
    let column = |name: &str| {
        let missing = || io::Error::other(format!("{} has no column {name}", path.display()));
        names.iter().position(|n| n == name).ok_or_else(missing)
    };
    let (url, referrer, agent) = (column("url")?, column("referrer")?, column("user_agent")?);
    let templates: Vec<Template> = rows
        .enumerate()
        .filter(|(_, row)| row.len() == names.len() && !row[url].is_empty() && !row[agent].is_empty())
        .map(|(number, row)| template(options, &row[url], &row[referrer], &row[agent], LANGUAGES[number % LANGUAGES.len()]))
        .collect();
    if templates.is_empty() { Err(io::Error::other(format!("{} has no rows", path.display()))) } else { Ok(templates) }
}

fn template(options: &Options, url: &str, referrer: &str, agent: &str, language: &str) -> Template {
    let path = &options.path;
    let common = |referrer| [("User-Agent", agent), ("Accept", "*/*"), ("Accept-Language", language), ("Referer", referrer)];
    let (head, body) = match options.shape {
        Shape::Click => {
            let target = match url.split_once('?') {
                Some((_, query)) => format!("{path}?{query}"),
                None => path.clone(),
            };
            (head(options, "GET", &target, &common(referrer), None), String::new())
        }
        Shape::Pixel => {
            let target = format!("{path}?type=visit&url={}&ref={}", encoded(url), encoded(referrer));
            (head(options, "GET", &target, &common(url), None), String::new())
        }
        Shape::Event => {
            let body = format!(r#"{{"type":"visit","url":"{}","ref":"{}"}}"#, escaped(url), escaped(referrer));
            let mut more = common(url).to_vec();
            more.extend([("Origin", "https://shop.example"), ("Content-Type", "text/plain")]);
            (head(options, "POST", path, &more, Some(body.len())), body)
        }
    };
    // Only the request line: a click id in a referrer is an older one.
    let line_end = head.find('\r').unwrap_or(head.len());
    Template {
        fresh_in_head: click_ids(&head[..line_end]),
        fresh_in_body: click_ids(&body),
        head: head.into_bytes(),
        body: body.into_bytes(),
    }
}

/// Where the values of ad click ids are, plain or percent-encoded.
fn click_ids(text: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    for name in CLICK_IDS {
        for equals in ["=", "%3D"] {
            let wanted = format!("{name}{equals}");
            for (at, _) in text.match_indices(&wanted) {
                let start = at + wanted.len();
                let length = text[start..].bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
                places.push(start..start + length);
            }
        }
    }
    places
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The cells of a line of CSV; a quoted cell may hold commas and doubled quotes, but no line break.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                push(&mut cells, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => push(&mut cells, character),
        }
    }
    cells
}

fn push(cells: &mut [String], character: char) {
    if let Some(cell) = cells.last_mut() {
        cell.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_is_a_uuid_v7_and_stays_the_same() {
        let text = String::from_utf8(visitor(7, 1_790_000_000_000).to_vec()).unwrap();
        assert_eq!(text.as_bytes()[14], b'7');
        assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(text.into_bytes(), visitor(7, 1_790_000_000_000));
        assert_ne!(visitor(8, 1_790_000_000_000), visitor(7, 1_790_000_000_000));
    }

    #[test]
    fn quoted_cells_keep_their_commas() {
        assert_eq!(cells(r#"a,"b, ""c""",,d"#), ["a", r#"b, "c""#, "", "d"]);
    }

    #[test]
    fn click_ids_are_found_plain_and_encoded() {
        let text = "GET /r/x?utm_source=a&gclid=Cj0_k-1&b=2%26msclkid%3Dff HTTP/1.1";
        let found: Vec<&str> = click_ids(text).into_iter().map(|place| &text[place]).collect();
        assert_eq!(found, ["Cj0_k-1", "ff"]);
    }
}
