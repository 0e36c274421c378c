//! The XML of both banks, read as a stream: the ECB's history has hundreds of thousands of elements.

use super::{MOST_PROBLEMS, Problems, RateFile, cbr, ecb, known, problem, read_day};
use chrono::NaiveDate;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// A `Valute` as it is read.
#[derive(Default)]
struct Valute {
    line: u64,
    code: String,
    nominal: String,
    value: String,
    one_unit: String,
}

#[derive(PartialEq)]
enum Root {
    None,
    Cbr,
    Ecb,
}

pub(super) fn read(text: &str) -> Result<RateFile, Problems> {
    let mut reader = Reader::from_str(text);
    let mut lines = Lines { text, at: 0, line: 1 };
    let mut file = RateFile::default();
    let mut problems = Problems::new();
    let (mut root, mut day): (Root, Option<NaiveDate>) = (Root::None, None);
    let mut valute: Option<Valute> = None;
    let mut field = String::new();
    let mut depth = 0_usize;
    while problems.len() < MOST_PROBLEMS {
        let line = lines.at(reader.buffer_position());
        let event = reader.read_event().map_err(|e| vec![problem(line, "XML", e)])?;
        let is_start = matches!(event, Event::Start(_));
        match event {
            Event::Start(start) | Event::Empty(start) => {
                depth += usize::from(is_start);
                let name = start.local_name().as_ref().to_owned();
                let attribute = |wanted: &str| attribute(&start, wanted).map_err(|e| vec![problem(line, wanted, e)]);
                match (&root, name.as_str()) {
                    (Root::None, "ValCurs") => {
                        root = Root::Cbr;
                        if attribute("ID")?.is_some() {
                            let what = "is the list of one currency (XML_dynamic); take the daily one (XML_daily)";
                            return Err(vec![problem(line, "ID", what)]);
                        }
                        let date = attribute("Date")?.ok_or_else(|| vec![problem(line, "Date", "is missing")])?;
                        day = Some(read_day(&date).map_err(|e| vec![problem(line, "Date", e)])?);
                    }
                    (Root::None, "Envelope") => root = Root::Ecb,
                    (Root::None, other) => {
                        let what = format!("'{other}' is neither ValCurs of the Bank of Russia nor eurofxref of the ECB");
                        return Err(vec![problem(line, "XML", what)]);
                    }
                    (Root::Cbr, "Valute") if is_start => valute = Some(Valute { line, ..Valute::default() }),
                    (Root::Cbr, _) => field = name,
                    (Root::Ecb, "Cube") => {
                        if let Some(time) = attribute("time")? {
                            day = Some(read_day(&time).map_err(|e| vec![problem(line, "time", e)])?);
                        }
                        if let Some(code) = attribute("currency")? {
                            let rate = attribute("rate")?.ok_or_else(|| vec![problem(line, "rate", "is missing")])?;
                            let day = day.ok_or_else(|| vec![problem(line, "time", "is missing")])?;
                            take_ecb(&mut file, &mut problems, (line, day), (&code, &rate));
                        }
                    }
                    (Root::Ecb, _) => {}
                }
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                field.clear();
                if end.local_name().as_ref() == "Valute"
                    && let (Some(valute), Some(day)) = (valute.take(), day)
                {
                    take_cbr(&mut file, &mut problems, day, &valute);
                }
            }
            Event::Text(part) => {
                if let Some(valute) = &mut valute {
                    let into = match field.as_str() {
                        "CharCode" => &mut valute.code,
                        "Nominal" => &mut valute.nominal,
                        "Value" => &mut valute.value,
                        "VunitRate" => &mut valute.one_unit,
                        _ => continue,
                    };
                    into.push_str(part.xml10_content().trim());
                }
            }
            Event::DocType(_) => return Err(vec![problem(line, "XML", "a document type is not accepted")]),
            Event::Eof if depth > 0 || root == Root::None => return Err(vec![problem(line, "XML", "the file is cut off")]),
            Event::Eof => break,
            Event::CData(_) | Event::GeneralRef(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
    if problems.is_empty() { Ok(file) } else { Err(problems) }
}

fn attribute(start: &BytesStart<'_>, wanted: &str) -> Result<Option<String>, String> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        if attribute.key.as_ref() == wanted {
            let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|e| e.to_string())?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

fn take_ecb(file: &mut RateFile, problems: &mut Problems, (line, day): (u64, NaiveDate), of: (&str, &str)) {
    let before = problems.len();
    let rate = ecb(day, of, &mut |column, detail| problems.push(problem(line, column, detail)));
    match rate {
        Some(rate) => file.rates.push((line, rate)),
        None if problems.len() == before => drop(file.ignored.insert(of.0.to_owned())),
        None => {}
    }
}

fn take_cbr(file: &mut RateFile, problems: &mut Problems, day: NaiveDate, valute: &Valute) {
    let before = problems.len();
    for (name, text) in [("CharCode", &valute.code), ("Nominal", &valute.nominal), ("Value", &valute.value)] {
        if text.is_empty() {
            problems.push(problem(valute.line, name, "is missing"));
        }
    }
    if problems.len() > before {
        return;
    }
    let of = (valute.code.as_str(), valute.nominal.as_str(), valute.value.as_str());
    let rate = cbr(day, of, &mut |column, detail| problems.push(problem(valute.line, column, detail)));
    let Some(rate) = rate else {
        if problems.len() == before && known(&valute.code).is_none() {
            file.ignored.insert(valute.code.clone());
        }
        return;
    };
    if !valute.one_unit.is_empty() && !fits(&valute.one_unit, rate.units, (rate.value.numerator(), rate.value.scale())) {
        let what = format!("'{}' is not {} for {} {}", valute.one_unit, rate.value, rate.units, rate.from);
        return problems.push(problem(valute.line, "VunitRate", what));
    }
    file.rates.push((valute.line, rate));
}

/// Whether the rate of one unit says the same, but for its rounding (one in ten thousand). It comes as `0,215637`, of small
/// ones as `3,32155E-03` too.
fn fits(one_unit: &str, units: i64, (numerator, scale): (i64, u32)) -> bool {
    let parse = || {
        let upper = one_unit.trim().to_ascii_uppercase();
        let (mantissa, exponent) = upper.split_once('E').unwrap_or((&upper, "0"));
        let (whole, fraction) = mantissa.split_once([',', '.']).unwrap_or((mantissa, ""));
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let exponent: i32 = exponent.parse::<i32>().ok().filter(|e| e.abs() <= 12)?;
        let down = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        // digits / 10^down × units against numerator / 10^scale
        let own = digits.checked_mul(i128::from(units))?;
        let published = i128::from(numerator);
        let power = |by: i32| 10_i128.checked_pow(u32::try_from(by).ok()?);
        let scale = i32::try_from(scale).ok()?;
        let most = down.max(scale).max(0);
        let (own, published) = (own.checked_mul(power(most - down)?)?, published.checked_mul(power(most - scale)?)?);
        Some((own - published).abs().checked_mul(10_000)? <= published)
    };
    parse().unwrap_or(false)
}

/// The line of a position; positions only grow.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn at(&mut self, position: u64) -> u64 {
        let position = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        let passed = self.text.as_bytes().get(self.at..position).unwrap_or_default();
        self.line += passed.iter().filter(|b| **b == b'\n').count() as u64;
        self.at = self.at.max(position);
        self.line
    }
}
