//! A document's page as PDF on A4: what the kept page says, word for word, set anew.

mod blocks;

use blocks::{Block, Cell, Row, Run, Unreadable, words};
use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::MetadataProvider;
use skrifa::instance::{LocationRef, Size};
use std::sync::LazyLock;

/// Points.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const LEFT: f32 = 56.7;
const RIGHT: f32 = WIDTH - 42.5;
const TOP: f32 = 51.0;
const BOTTOM: f32 = HEIGHT - 56.7;
/// Between two columns.
const GAP: f32 = 12.0;
const LINE: f32 = 1.35;

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("the font cannot be read")]
    Font,
    /// A character that no glyph stands for would be an empty box on a paper that is signed.
    #[error("the font has no '{0}' (U+{code:04X}): print the page itself", code = u32::from(*.0))]
    NoGlyph(char),
    #[error("the file cannot be written: {0}")]
    Write(String),
}

/// A weight of the typeface.
struct Face {
    font: Font,
    read: skrifa::FontRef<'static>,
}

struct Faces {
    regular: Face,
    bold: Face,
}

static FACES: LazyLock<Option<Faces>> = LazyLock::new(|| {
    let face =
        |bytes: &'static [u8]| Some(Face { font: Font::new(bytes.to_vec().into(), 0)?, read: skrifa::FontRef::new(bytes).ok()? });
    let regular = face(include_bytes!("PTSans-Regular.ttf"))?;
    Some(Faces { regular, bold: face(include_bytes!("PTSans-Bold.ttf"))? })
});

impl Face {
    /// The glyphs of a text, and its width at a size.
    fn set(&self, text: &str, size: f32) -> Result<(Vec<KrillaGlyph>, f32), PdfError> {
        let map = self.read.charmap();
        let metrics = self.read.glyph_metrics(Size::new(1.0), LocationRef::default());
        let mut width = 0.0;
        let mut glyphs = Vec::new();
        for (at, character) in text.char_indices() {
            // Narrow and ordinary no-break spaces are spaces here.
            let wanted = if matches!(character, '\u{a0}' | '\u{202f}' | '\u{2009}') { ' ' } else { character };
            let glyph = map.map(wanted).ok_or(PdfError::NoGlyph(character))?;
            let advance = metrics.advance_width(glyph).unwrap_or(0.0);
            width += advance * size;
            let range = at..at + character.len_utf8();
            glyphs.push(KrillaGlyph::new(GlyphId::new(glyph.to_u32()), advance, 0.0, 0.0, 0.0, range, None));
        }
        Ok((glyphs, width))
    }
}

/// Words of a line, each with where it stands.
type Line<'a> = Vec<(f32, &'a str, bool)>;

impl Faces {
    fn of(&self, bold: bool) -> &Face {
        if bold { &self.bold } else { &self.regular }
    }

    fn width(&self, text: &str, size: f32, bold: bool) -> Result<f32, PdfError> {
        Ok(self.of(bold).set(text, size)?.1)
    }

    /// Breaks runs into lines no wider than `width`; a word that is wider stands alone.
    fn lines<'a>(&self, runs: &'a [Run], size: f32, width: f32) -> Result<Vec<Line<'a>>, PdfError> {
        let space = self.width(" ", size, false)?;
        let (mut lines, mut line, mut x): (Vec<Line<'a>>, Line<'a>, f32) = (Vec::new(), Vec::new(), 0.0);
        let mut bound = false;
        for run in runs {
            let starts_apart = run.text.starts_with([' ', '\n']);
            for (place, word) in words(&run.text).enumerate() {
                let long = self.width(word, size, run.bold)?;
                // What follows a run without a space belongs to its last word.
                let gap = if line.is_empty() || (place == 0 && bound && !starts_apart) { 0.0 } else { space };
                if !line.is_empty() && gap > 0.0 && x + gap + long > width {
                    lines.push(std::mem::take(&mut line));
                    x = 0.0;
                } else {
                    x += gap;
                }
                line.push((x, word, run.bold));
                x += long;
            }
            bound = !run.text.ends_with([' ', '\n']) && !run.text.is_empty();
        }
        if !line.is_empty() {
            lines.push(line);
        }
        Ok(lines)
    }
}

/// Something on a page.
enum Mark {
    Text { x: f32, y: f32, text: String, size: f32, bold: bool },
    Rule { from: f32, to: f32, y: f32 },
}

/// The pages as they fill.
struct Setting<'a> {
    faces: &'a Faces,
    pages: Vec<Vec<Mark>>,
    y: f32,
}

impl Setting<'_> {
    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// Makes room for something of a height; answers whether that began a page.
    fn room(&mut self, height: f32) -> bool {
        if self.y + height <= BOTTOM {
            return false;
        }
        self.pages.push(Vec::new());
        self.y = TOP;
        true
    }

    fn runs(&mut self, runs: &[Run], size: f32, left: f32, width: f32) -> Result<(), PdfError> {
        for line in self.faces.lines(runs, size, width)? {
            self.room(size * LINE);
            self.line(&line, size, left);
        }
        Ok(())
    }

    fn line(&mut self, line: &Line<'_>, size: f32, left: f32) {
        self.y += size * LINE;
        for (x, word, bold) in line {
            self.mark(Mark::Text { x: left + x, y: self.y, text: (*word).to_owned(), size, bold: *bold });
        }
    }

    fn block(&mut self, block: &Block) -> Result<(), PdfError> {
        match block {
            Block::Heading(text) => {
                self.runs(&[Run { text: text.clone(), bold: true }], 17.0, LEFT, RIGHT - LEFT)?;
                self.y += 4.0;
            }
            Block::Paragraph(runs) => {
                self.runs(runs, 10.0, LEFT, RIGHT - LEFT)?;
                self.y += 8.0;
            }
            Block::Term(term, lines) => {
                let column = 110.0;
                self.room(14.0 * lines.len().min(8) as f32);
                let from = self.y;
                self.runs(&[Run { text: term.clone(), bold: false }], 9.0, LEFT, column - GAP)?;
                self.y = from;
                for line in lines.iter().filter(|line| !line.text.trim().is_empty()) {
                    self.runs(std::slice::from_ref(line), 9.5, LEFT + column, RIGHT - LEFT - column)?;
                }
                self.y += 6.0;
            }
            Block::Table { caption, rows } => self.table(caption, rows)?,
            Block::Signature(whose, who) => {
                self.room(44.0);
                self.y += 30.0;
                let y = self.y;
                self.mark(Mark::Text { x: LEFT, y, text: whose.trim().to_owned(), size: 10.0, bold: true });
                self.mark(Mark::Rule { from: LEFT + 110.0, to: LEFT + 270.0, y: y + 2.0 });
                self.mark(Mark::Text { x: LEFT + 280.0, y, text: who.trim().to_owned(), size: 10.0, bold: false });
                self.y += 6.0;
            }
        }
        Ok(())
    }

    fn table(&mut self, caption: &str, rows: &[Row]) -> Result<(), PdfError> {
        const SIZE: f32 = 9.0;
        let columns = self.columns(rows, SIZE)?;
        self.room(60.0);
        self.y += 6.0;
        self.runs(&[Run { text: caption.to_owned(), bold: true }], 11.0, LEFT, RIGHT - LEFT)?;
        self.y += 4.0;
        for row in rows {
            let height = self.row_height(row, &columns, SIZE)?;
            if self.room(height) {
                for head in rows.iter().filter(|head| head.head && *head != row) {
                    self.row(head, &columns, SIZE)?;
                }
            }
            self.row(row, &columns, SIZE)?;
        }
        self.y += 10.0;
        Ok(())
    }

    /// Left edge and width of each column: numbers have what they need, the others share what is left by what they say.
    fn columns(&self, rows: &[Row], size: f32) -> Result<Vec<(f32, f32)>, PdfError> {
        let count = rows.iter().map(|row| row.cells.iter().map(|cell| cell.columns).sum()).max().unwrap_or(0);
        let (mut natural, mut number) = (vec![0.0_f32; count], vec![false; count]);
        for row in rows {
            let mut place = 0;
            for cell in &row.cells {
                if cell.columns == 1
                    && let (Some(width), Some(is_number)) = (natural.get_mut(place), number.get_mut(place))
                {
                    *width = width.max(self.faces.width(&cell.text, size, row.bold)?);
                    *is_number |= cell.number;
                }
                place += cell.columns;
            }
        }
        let room = RIGHT - LEFT - GAP * count.saturating_sub(1) as f32;
        let fixed: f32 = natural.iter().zip(&number).filter(|(_, number)| **number).map(|(width, _)| width).sum();
        let free: f32 = natural.iter().zip(&number).filter(|(_, number)| !**number).map(|(width, _)| width).sum();
        let stretch = if free > 0.0 { (room - fixed).max(0.0) / free } else { 1.0 };
        let mut x = LEFT;
        let mut columns = Vec::with_capacity(count);
        for (width, is_number) in natural.iter().zip(&number) {
            let width = if *is_number { *width } else { width * stretch };
            columns.push((x, width));
            x += width + GAP;
        }
        Ok(columns)
    }

    fn across(columns: &[(f32, f32)], place: usize, count: usize) -> (f32, f32) {
        let first = columns.get(place).copied().unwrap_or((LEFT, RIGHT - LEFT));
        let last = columns.get(place + count.max(1) - 1).copied().unwrap_or(first);
        (first.0, last.0 + last.1 - first.0)
    }

    fn cells<'a>(row: &'a Row, columns: &[(f32, f32)]) -> Vec<(&'a Cell, f32, f32)> {
        let mut place = 0;
        let set = |cell: &'a Cell| {
            let (left, width) = Self::across(columns, place, cell.columns);
            place += cell.columns;
            (cell, left, width)
        };
        row.cells.iter().map(set).collect()
    }

    fn row_height(&self, row: &Row, columns: &[(f32, f32)], size: f32) -> Result<f32, PdfError> {
        let mut most = 1;
        for (cell, _, width) in Self::cells(row, columns).into_iter().filter(|(cell, ..)| !cell.number) {
            let run = Run { text: cell.text.clone(), bold: row.bold };
            most = most.max(self.faces.lines(std::slice::from_ref(&run), size, width)?.len());
        }
        Ok(most as f32 * size * LINE + 7.0)
    }

    fn row(&mut self, row: &Row, columns: &[(f32, f32)], size: f32) -> Result<(), PdfError> {
        let top = self.y + 2.0;
        let height = self.row_height(row, columns, size)?;
        for (cell, left, width) in Self::cells(row, columns) {
            if cell.number {
                let x = left + width - self.faces.width(&cell.text, size, row.bold)?;
                self.mark(Mark::Text { x, y: top + size * LINE, text: cell.text.clone(), size, bold: row.bold });
                continue;
            }
            self.y = top;
            let run = Run { text: cell.text.clone(), bold: row.bold };
            for line in self.faces.lines(std::slice::from_ref(&run), size, width)? {
                self.line(&line, size, left);
            }
        }
        self.y = top - 2.0 + height;
        self.mark(Mark::Rule { from: LEFT, to: RIGHT, y: self.y });
        Ok(())
    }
}

fn draw(surface: &mut Surface<'_>, faces: &Faces, mark: &Mark) -> Result<(), PdfError> {
    match mark {
        Mark::Text { x, y, text, size, bold } => {
            let face = faces.of(*bold);
            let (glyphs, _) = face.set(text, *size)?;
            surface.set_fill(Some(Fill::default()));
            surface.set_stroke(None);
            surface.draw_glyphs(Point::from_xy(*x, *y), &glyphs, face.font.clone(), text, *size, false);
        }
        Mark::Rule { from, to, y } => {
            let mut path = PathBuilder::new();
            path.move_to(*from, *y);
            path.line_to(*to, *y);
            if let Some(path) = path.finish() {
                surface.set_fill(None);
                let paint = rgb::Color::new(170, 170, 170).into();
                surface.set_stroke(Some(Stroke { paint, width: 0.5, ..Stroke::default() }));
                surface.draw_path(&path);
            }
        }
    }
    Ok(())
}

/// The PDF of a document's page: the same bytes every time. Errors: the page is not one of our templates', or says a
/// character that the font lacks.
pub fn of_page(html: &str) -> Result<Vec<u8>, PdfError> {
    let faces = FACES.as_ref().ok_or(PdfError::Font)?;
    let page = blocks::read(html)?;
    let mut setting = Setting { faces, pages: vec![Vec::new()], y: TOP };
    let signatures = page.blocks.iter().filter(|block| matches!(block, Block::Signature(..))).count();
    for (place, block) in page.blocks.iter().enumerate() {
        // Both signatures stand on one page.
        if place + signatures == page.blocks.len() {
            setting.room(signatures as f32 * 36.0);
        }
        setting.block(block)?;
    }
    let mut document = Document::new();
    document.set_metadata(Metadata::new().title(page.title.clone()).language(page.language.clone()));
    let count = setting.pages.len();
    for (number, marks) in (1..).zip(&setting.pages) {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| PdfError::Write("no page".to_owned()))?;
        let mut drawn = document.start_page_with(settings);
        let mut surface = drawn.surface();
        for mark in marks {
            draw(&mut surface, faces, mark)?;
        }
        if count > 1 {
            let text = format!("{} · {number} / {count}", page.title);
            let x = RIGHT - faces.width(&text, 8.0, false)?;
            draw(&mut surface, faces, &Mark::Text { x, y: HEIGHT - 30.0, text, size: 8.0, bold: false })?;
        }
        surface.finish();
        drawn.finish();
    }
    document.finish().map_err(|error| PdfError::Write(format!("{error:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rows: usize) -> String {
        let row = |n: usize| {
            format!(
                "<tr><td>{n} ноября</td><td>Начислено</td><td class=\"of\">A-{n} &#38; Co</td><td class=\"n\">{n},00\u{a0}₽</td></tr>\n"
            )
        };
        format!(
            "<!doctype html>\n<html lang=\"ru\">\n<head>\n<meta charset=\"utf-8\">\n<title>Отчёт S-2026-1</title>\n\
             <link rel=\"stylesheet\" href=\"/assets/document.css\">\n</head>\n<body>\n<main class=\"paper\">\n\
             <h1>Отчёт № S-2026-1</h1>\n<dl class=\"parties\">\n<div><dt>Исполнитель</dt><dd><b>ИП Анна</b><span>ИНН 1</span></dd></div>\n</dl>\n\
             <table class=\"long\">\n<caption>Движения</caption>\n<thead><tr><th>День</th><th>Что</th><th>За что</th><th class=\"n\">Сумма</th></tr></thead>\n\
             <tbody>{}</tbody>\n<tfoot><tr><th colspan=\"3\">Итого</th><td class=\"n\">1,00\u{a0}₽</td></tr></tfoot>\n</table>\n\
             <p>Всего: <b>один рубль</b>.</p>\n<div class=\"signatures\">\n<p><b>Исполнитель</b><span class=\"line\"></span><span class=\"who\">Анна</span></p>\n\
             </div>\n</main>\n</body>\n</html>",
            (1..=rows).map(row).collect::<String>()
        )
    }

    #[test]
    fn a_page_is_read_as_its_templates_write_it() {
        let read = blocks::read(&page(1)).unwrap();
        let run = |text: &str, bold| Run { text: text.to_owned(), bold };
        assert_eq!((read.title.as_str(), read.language.as_str()), ("Отчёт S-2026-1", "ru"));
        assert_eq!(read.blocks[0], Block::Heading("Отчёт № S-2026-1".to_owned()));
        assert_eq!(read.blocks[1], Block::Term("Исполнитель".to_owned(), vec![run("ИП Анна", true), run("ИНН 1", false)]));
        let Block::Table { caption, rows } = &read.blocks[2] else { panic!("{:?}", read.blocks) };
        assert_eq!((caption.as_str(), rows.len(), rows[0].head, rows[2].bold), ("Движения", 3, true, true));
        assert_eq!(rows[1].cells[2].text, "A-1 & Co");
        assert_eq!((rows[1].cells[3].text.as_str(), rows[1].cells[3].number), ("1,00\u{a0}₽", true));
        assert_eq!(rows[2].cells[0].columns, 3);
        assert_eq!(read.blocks[3], Block::Paragraph(vec![run("Всего: ", false), run("один рубль", true), run(".", false)]));
        assert_eq!(read.blocks[4], Block::Signature("Исполнитель".to_owned(), "Анна".to_owned()));
    }

    #[test]
    fn a_pdf_is_the_same_to_the_byte_and_goes_on_over_pages() {
        let (short, long) = (of_page(&page(1)).unwrap(), of_page(&page(200)).unwrap());
        assert!(short.starts_with(b"%PDF-") && short == of_page(&page(1)).unwrap());
        let count = |pdf: &[u8]| pdf.windows(11).filter(|w| *w == b"/Type /Page" || w.starts_with(b"/Type/Page")).count();
        assert!(count(&long) > count(&short), "{} and {}", count(&long), count(&short));
    }

    #[test]
    fn words_break_between_words_and_numbers_never() {
        let faces = FACES.as_ref().unwrap();
        let runs = [
            Run { text: "Всего:".to_owned(), bold: false },
            Run { text: " сто рублей".to_owned(), bold: true },
            Run { text: ".".to_owned(), bold: false },
        ];
        let lines = faces.lines(&runs, 10.0, 60.0).unwrap();
        let said: Vec<Vec<&str>> = lines.iter().map(|line| line.iter().map(|(_, word, _)| *word).collect()).collect();
        assert_eq!(said, [vec!["Всего:", "сто"], vec!["рублей", "."]]);
        // A full stop stands at its word.
        let (last, stop) = (&lines[1][0], &lines[1][1]);
        assert_eq!(stop.0, last.0 + faces.width("рублей", 10.0, true).unwrap());
    }

    #[test]
    fn a_character_without_a_glyph_is_an_error_that_names_it() {
        let refused = of_page(&page(1).replace("Анна", "安娜")).unwrap_err();
        assert!(matches!(refused, PdfError::NoGlyph('安')), "{refused}");
    }
}
