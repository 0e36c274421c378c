//! Charts as numbers for the templates to draw: widths and places in per cent, so that they fit any screen and need
//! no script. A chart always has its table beside it.

use std::fmt::Write;

/// Pixels that one row of the bar chart takes.
const ROW: usize = 46;
/// Pixels of the river where all streams have joined, at most.
const RIVER: f64 = 72.0;

/// A row to be drawn: lengths in minor units or pieces, texts as they are shown.
pub struct BarInput {
    pub label: String,
    pub value: i64,
    pub value_text: String,
    pub beside: i64,
    pub beside_text: String,
}

/// Bars one beneath the other: a thick one for the value, a thin one for what stands beside it.
pub struct Bars {
    pub height: usize,
    pub rows: Vec<Bar>,
    /// Each row's stream on its way into the river.
    pub streams: Vec<Stream>,
}

pub struct Bar {
    pub label: String,
    pub value_text: String,
    pub beside_text: String,
    pub text_y: usize,
    pub value_y: usize,
    pub beside_y: usize,
    pub value_width: String,
    pub beside_width: String,
    pub is_negative: bool,
}

pub struct Stream {
    pub path: String,
    pub shade: usize,
}

impl Bars {
    pub fn of(rows: Vec<BarInput>) -> Bars {
        let longest = rows.iter().flat_map(|r| [r.value.unsigned_abs(), r.beside.unsigned_abs()]).max().unwrap_or(0).max(1);
        let per_cent = |length: i64| format!("{:.2}%", length.unsigned_abs() as f64 / longest as f64 * 100.0);
        let height = rows.len() * ROW;
        let streams = streams(&rows, height as f64);
        let rows = rows
            .into_iter()
            .enumerate()
            .map(|(index, row)| Bar {
                text_y: index * ROW + 16,
                value_y: index * ROW + 23,
                beside_y: index * ROW + 34,
                value_width: per_cent(row.value),
                beside_width: per_cent(row.beside),
                is_negative: row.value < 0,
                label: row.label,
                value_text: row.value_text,
                beside_text: row.beside_text,
            })
            .collect();
        Bars { height, rows, streams }
    }
}

/// Ribbons from the middle of each row to the river, as thick as the row's part of the whole. The drawing is 100 wide.
fn streams(rows: &[BarInput], height: f64) -> Vec<Stream> {
    let whole: f64 = rows.iter().map(|r| r.value.max(0) as f64).sum();
    let river = RIVER.min(height * 0.5);
    let mut end = (height - river) / 2.0;
    let mut streams = Vec::new();
    if whole <= 0.0 {
        return streams;
    }
    for (index, row) in rows.iter().enumerate().filter(|(_, r)| r.value > 0) {
        let thick = (row.value as f64 / whole * river).max(0.6);
        let middle = (index * ROW + 28) as f64;
        let (from, to) = (middle - thick / 2.0, middle + thick / 2.0);
        let mut path = String::new();
        // Writing to a String cannot fail.
        let _ = write!(
            path,
            "M0,{from:.1}C45,{from:.1} 45,{end:.1} 82,{end:.1}L100,{end:.1}L100,{low:.1}L82,{low:.1}C45,{low:.1} 45,{to:.1} 0,{to:.1}Z",
            low = end + thick,
        );
        end += thick;
        streams.push(Stream { path, shade: index % 4 + 1 });
    }
    streams
}

/// Columns side by side, one a day.
pub struct Columns {
    pub columns: Vec<Column>,
    pub largest_text: String,
}

pub struct Column {
    pub x: String,
    pub width: String,
    pub y: String,
    pub height: String,
    pub is_negative: bool,
}

impl Columns {
    /// `values` in order of time.
    pub fn of(values: &[i64], largest_text: impl Fn(i64) -> String) -> Columns {
        let largest = values.iter().map(|v| v.unsigned_abs()).max().unwrap_or(0).max(1);
        let step = 100.0 / values.len().max(1) as f64;
        let columns = values
            .iter()
            .enumerate()
            .map(|(index, value)| {
                let tall = value.unsigned_abs() as f64 / largest as f64 * 100.0;
                Column {
                    x: format!("{:.3}%", index as f64 * step + step * 0.12),
                    width: format!("{:.3}%", step * 0.76),
                    y: format!("{:.2}%", 100.0 - tall),
                    height: format!("{tall:.2}%"),
                    is_negative: *value < 0,
                }
            })
            .collect();
        let largest = values.iter().copied().max().unwrap_or(0);
        Columns { columns, largest_text: largest_text(largest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: i64, beside: i64) -> BarInput {
        BarInput { label: String::new(), value, value_text: String::new(), beside, beside_text: String::new() }
    }

    #[test]
    fn the_longest_bar_fills_the_width_and_nothing_divides_by_zero() {
        let bars = Bars::of(vec![row(200, 50), row(-100, 0)]);
        assert_eq!((bars.rows[0].value_width.as_str(), bars.rows[0].beside_width.as_str()), ("100.00%", "25.00%"));
        assert_eq!((bars.rows[1].value_width.as_str(), bars.rows[1].is_negative), ("50.00%", true));
        assert_eq!(bars.streams.len(), 1, "what is below zero brings no water");
        assert!(Bars::of(Vec::new()).rows.is_empty());
        assert_eq!(Bars::of(vec![row(0, 0)]).rows[0].value_width, "0.00%");
    }

    #[test]
    fn columns_stand_side_by_side() {
        let columns = Columns::of(&[0, 5, 10], |n| n.to_string());
        assert_eq!(columns.largest_text, "10");
        assert_eq!(columns.columns[1].height, "50.00%");
        assert!(Columns::of(&[], |n| n.to_string()).columns.is_empty());
    }
}
