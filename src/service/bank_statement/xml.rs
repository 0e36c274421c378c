//! XML as a tree of elements that know their line. Prefixes of namespaces are dropped; a document type is refused.

use super::StatementError;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

const DEEPEST: usize = 64;

#[derive(Debug, Default)]
pub struct Element {
    pub name: String,
    pub namespace: Option<String>,
    pub line: usize,
    pub currency: Option<String>,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// The first element at the end of a path like `Acct/Id/IBAN`.
    pub fn at(&self, path: &str) -> Option<&Element> {
        path.split('/').try_fold(self, |element, name| element.children.iter().find(|c| c.name == name))
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The text at the end of a path, trimmed; an empty one counts as none.
    pub fn text_at(&self, path: &str) -> Option<&str> {
        self.at(path).map(|e| e.text.trim()).filter(|t| !t.is_empty())
    }

    pub fn needed(&self, path: &str) -> Result<&Element, StatementError> {
        self.at(path).ok_or_else(|| StatementError::missing(self.line, &format!("{}/{path}", self.name)))
    }
}

/// The root of a document in UTF-8.
pub fn read(bytes: &[u8]) -> Result<Element, StatementError> {
    let text = std::str::from_utf8(bytes).map_err(|_| StatementError::Encoding { says: "UTF-8".to_owned() })?;
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = Reader::from_str(text);
    let mut line = Lines { text, at: 0, line: 1 };
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        let here = line.at(reader.buffer_position());
        let wrong = |what: &dyn std::fmt::Display| StatementError::line(here, what);
        let event = reader.read_event().map_err(|e| wrong(&e))?;
        match event {
            Event::Start(start) => {
                if open.len() > DEEPEST {
                    return Err(wrong(&"elements lie too deep"));
                }
                open.push(element(&start, here)?);
            }
            Event::Empty(start) => {
                if let Some(parent) = open.last_mut() {
                    parent.children.push(element(&start, here)?);
                }
            }
            Event::End(_) => {
                if let (Some(done), Some(parent)) = (open.pop(), open.last_mut()) {
                    parent.children.push(done);
                }
            }
            Event::Text(part) => push(&mut open, &part.xml10_content()),
            Event::CData(part) => push(&mut open, &part.xml10_content()),
            Event::GeneralRef(reference) => {
                push(&mut open, &entity(&reference.xml10_content()).ok_or_else(|| wrong(&"an unknown entity"))?)
            }
            Event::DocType(_) => return Err(wrong(&"a document type is not accepted")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    match (open.len(), open.pop().map(|root| root.children)) {
        (1, Some(mut children)) if children.len() == 1 => Ok(children.remove(0)),
        _ => Err(StatementError::CutOff("the end of the XML")),
    }
}

fn push(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn element(start: &BytesStart<'_>, line: usize) -> Result<Element, StatementError> {
    let name = start.local_name();
    let mut element = Element { name: name.as_ref().to_owned(), line, ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| StatementError::line(line, e))?;
        let value = || {
            attribute.normalized_value(XmlVersion::Explicit1_0).map(|v| v.into_owned()).map_err(|e| StatementError::line(line, e))
        };
        match attribute.key.as_ref() {
            "Ccy" => element.currency = Some(value()?),
            key if key == "xmlns" || key.starts_with("xmlns:") => {
                let value = value()?;
                if value.contains("camt.") {
                    element.namespace = Some(value);
                }
            }
            _ => {}
        }
    }
    Ok(element)
}

/// The character that `&name;` stands for.
fn entity(name: &str) -> Option<String> {
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let code = name.strip_prefix('#')?;
            let code = match code.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => code.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some(character.to_string())
}

/// The line of a position; positions only grow.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn at(&mut self, position: u64) -> usize {
        let position = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        let passed = self.text.as_bytes().get(self.at..position).unwrap_or_default();
        self.line += passed.iter().filter(|b| **b == b'\n').count();
        self.at = self.at.max(position);
        self.line
    }
}
