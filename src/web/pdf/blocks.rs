//! The parts of a document's page, as its templates write them.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

/// Words in one weight.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    pub text: String,
    pub bold: bool,
}

/// A cell of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    pub text: String,
    /// A number: set to the right, and never broken.
    pub number: bool,
    pub columns: usize,
}

/// A row of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    pub cells: Vec<Cell>,
    pub bold: bool,
    /// Stands above each page's part of the table.
    pub head: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Heading(String),
    Paragraph(Vec<Run>),
    /// What it is, and its lines.
    Term(String, Vec<Run>),
    Table {
        caption: String,
        rows: Vec<Row>,
    },
    /// Whose, and who signs.
    Signature(String, String),
}

/// A page with its title.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub title: String,
    pub language: String,
    pub blocks: Vec<Block>,
}

/// The page cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the page cannot be read at byte {at}: {why}")]
pub struct Unreadable {
    at: u64,
    why: String,
}

fn attribute(start: &BytesStart<'_>, name: &str) -> String {
    let found = start.try_get_attribute(name).ok().flatten();
    found.map_or_else(String::new, |value| value.value.into_owned())
}

/// What is being read.
#[derive(Default)]
struct Reading {
    page: Page,
    runs: Vec<Run>,
    bold: bool,
    term: String,
    caption: String,
    rows: Vec<Row>,
    in_head: bool,
    in_foot: bool,
    in_signatures: bool,
}

impl Reading {
    fn start(&mut self, start: &BytesStart<'_>) {
        match start.name().as_ref() {
            "html" => self.page.language = attribute(start, "lang"),
            "title" | "h1" | "p" | "dt" | "dd" | "caption" => self.runs.clear(),
            "b" => self.push_run(true),
            // Each on a line of its own.
            "span" => self.push_run(false),
            "table" => self.rows.clear(),
            "thead" => self.in_head = true,
            "tfoot" => self.in_foot = true,
            "tr" => self.rows.push(Row {
                cells: Vec::new(),
                bold: self.in_head || (self.in_foot && attribute(start, "class") != "part"),
                head: self.in_head,
            }),
            "th" | "td" => {
                self.runs.clear();
                let cell = Cell {
                    text: String::new(),
                    number: attribute(start, "class") == "n",
                    columns: attribute(start, "colspan").parse().unwrap_or(1),
                };
                if let Some(row) = self.rows.last_mut() {
                    row.cells.push(cell);
                }
            }
            "div" if attribute(start, "class") == "signatures" => self.in_signatures = true,
            _ => {}
        }
    }

    fn push_run(&mut self, bold: bool) {
        self.bold = bold;
        self.runs.push(Run { text: String::new(), bold });
    }

    fn text(&mut self, text: &str) {
        if self.runs.is_empty() || self.runs.last().is_some_and(|run| run.bold != self.bold) {
            self.runs.push(Run { text: String::new(), bold: self.bold });
        }
        if let Some(run) = self.runs.last_mut() {
            run.text.push_str(text);
        }
    }

    fn taken(&mut self) -> String {
        let text: String = self.runs.drain(..).map(|run| run.text).collect();
        words(&text).collect::<Vec<_>>().join(" ")
    }

    fn end(&mut self, name: &str) {
        match name {
            "title" => self.page.title = self.taken(),
            "h1" => {
                let text = self.taken();
                self.page.blocks.push(Block::Heading(text));
            }
            "p" if self.in_signatures => {
                let mut runs = std::mem::take(&mut self.runs).into_iter().filter(|run| !run.text.trim().is_empty());
                let (whose, who) = (runs.next().unwrap_or_default(), runs.next().unwrap_or_default());
                self.page.blocks.push(Block::Signature(whose.text, who.text));
            }
            "p" => self.page.blocks.push(Block::Paragraph(std::mem::take(&mut self.runs))),
            "dt" => self.term = self.taken(),
            "dd" => {
                let lines = std::mem::take(&mut self.runs);
                self.page.blocks.push(Block::Term(std::mem::take(&mut self.term), lines));
            }
            "caption" => self.caption = self.taken(),
            "b" | "span" => self.bold = false,
            "thead" => self.in_head = false,
            "tfoot" => self.in_foot = false,
            "th" | "td" => {
                let text = self.taken();
                if let Some(cell) = self.rows.last_mut().and_then(|row| row.cells.last_mut()) {
                    cell.text = text;
                }
            }
            "table" => {
                let (caption, rows) = (std::mem::take(&mut self.caption), std::mem::take(&mut self.rows));
                self.page.blocks.push(Block::Table { caption, rows });
            }
            "div" => self.in_signatures = false,
            _ => {}
        }
    }
}

/// Words; a no-break space holds together what it stands between.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\n', '\r', '\t']).filter(|word| !word.is_empty())
}

/// Reads a page that our templates wrote.
pub fn read(html: &str) -> Result<Page, Unreadable> {
    let mut reader = Reader::from_str(html);
    // `meta` and `link` have no end.
    reader.config_mut().check_end_names = false;
    let mut reading = Reading::default();
    loop {
        let event = reader.read_event();
        let fault = |why: String| Unreadable { at: reader.buffer_position(), why };
        match event.map_err(|e| fault(e.to_string()))? {
            Event::Start(start) => reading.start(&start),
            Event::End(end) => reading.end(end.name().as_ref()),
            Event::Text(text) => reading.text(&text.xml10_content()),
            Event::GeneralRef(entity) => {
                let name = entity.xml10_content();
                match entity.resolve_char_ref().map_err(|e| fault(e.to_string()))? {
                    Some(character) => reading.text(character.encode_utf8(&mut [0; 4])),
                    None => {
                        let text = resolve_predefined_entity(&name).ok_or_else(|| fault(format!("no entity &{name};")))?;
                        reading.text(text);
                    }
                }
            }
            Event::Eof => return Ok(reading.page),
            _ => {}
        }
    }
}
