//! `paths`: every model over a file of aggregated journeys.

use crate::domain::attribution::paths::{Asked, ChannelCredit, HalfLifeTouches, NoAnswer};
use crate::domain::attribution::{Model, Next, Order, RemovalEffects, Transition};
use crate::service::paths::{PathError, Summed, sum_file, sum_stream};
use anyhow::Context as _;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct Paths {
    /// CSV with path, conversions, value, null; - reads standard input
    file: PathBuf,
    /// Which models, custom:FIRST/MIDDLE/LAST among them [default: all]
    #[arg(long, value_delimiter = ',')]
    models: Vec<Model>,
    /// How many last touches the chain of markov remembers, 1 to 4
    #[arg(long, default_value_t)]
    order: Order,
    /// The channel that is direct: it gets credit only where nothing else is there, except in last_click
    #[arg(long, value_name = "NAME")]
    direct: Option<String>,
    /// After how many touches time_decay halves a touch [default: 7]
    #[arg(long, value_name = "TOUCHES")]
    half_life: Option<HalfLifeTouches>,
    /// Also what each channel takes with it when it is removed from the chain
    #[arg(long)]
    removal_effects: bool,
    /// Also the transition matrix of the chain
    #[arg(long)]
    transitions: bool,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

/// One table of the answer: its name in JSON, what a row has, the rows.
struct Table {
    name: &'static str,
    head: &'static [&'static str],
    rows: Vec<Vec<Value>>,
}

impl Paths {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut models = if self.models.is_empty() { Model::ALL.to_vec() } else { self.models.clone() };
        let mut seen = std::collections::HashSet::new();
        models.retain(|model| seen.insert(*model));
        let asked = Asked {
            models,
            order: self.order,
            half_life: self.half_life.unwrap_or_default(),
            chain: self.removal_effects || self.transitions,
        };
        let summed = match self.read(&asked) {
            Ok(summed) => summed,
            Err(PathError::Fault(fault)) => {
                eprintln!("{}:{fault}", self.file.display());
                return Ok(ExitCode::FAILURE);
            }
            Err(error) => return Err(error).context(self.file.display().to_string()),
        };
        if let Some(direct) = self.direct.as_ref().filter(|_| summed.direct_is_missing()) {
            eprintln!("note: no step of the file is '{direct}'");
        }
        let order = summed.by_name();
        let removal_is_wanted = self.removal_effects || asked.models.contains(&Model::Markov);
        let removal = if removal_is_wanted { summed.sums.removal_effects() } else { None };
        let mut credits = Vec::new();
        for (model, credit) in summed.sums.credits(removal.as_ref().and_then(|effects| effects.as_ref().ok())) {
            match credit {
                Ok(credit) => credits.push((model, credit)),
                Err(reason) if self.models.is_empty() => eprintln!("note: {model} is left out: {reason}"),
                Err(reason) => return Ok(self.refuse(model, reason)),
            }
        }
        let mut tables = Vec::new();
        if self.removal_effects {
            match &removal {
                Some(Ok(effects)) => tables.push(effects_table(effects, &summed, &order)),
                Some(Err(reason)) => return Ok(self.refuse(Model::Markov, *reason)),
                None => {}
            }
        }
        if self.transitions {
            match summed.sums.transitions() {
                Ok(cells) => tables.push(transitions_table(&cells, &summed)),
                Err(reason) => return Ok(self.refuse(Model::Markov, reason)),
            }
        }
        // A reader that has seen enough closes the pipe.
        let out = std::io::BufWriter::new(std::io::stdout().lock());
        match self.print(out, &credits, &tables, &summed, &order) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
            printed => printed.map(|()| ExitCode::SUCCESS).map_err(Into::into),
        }
    }

    fn read(&self, asked: &Asked) -> Result<Summed, PathError> {
        let direct = self.direct.as_deref();
        if self.file.as_os_str() == "-" {
            return sum_stream(std::io::stdin().lock(), asked, direct);
        }
        let file = std::fs::File::open(&self.file)?;
        if file.metadata()?.is_file() {
            sum_file(&file, asked, direct)
        } else {
            sum_stream(std::io::BufReader::new(file), asked, direct)
        }
    }

    fn refuse(&self, model: Model, reason: NoAnswer) -> ExitCode {
        eprintln!("{}: {model}: {reason}", self.file.display());
        ExitCode::FAILURE
    }

    fn print(
        &self,
        mut out: impl Write,
        credits: &[(Model, Vec<ChannelCredit>)],
        tables: &[Table],
        summed: &Summed,
        order: &[usize],
    ) -> std::io::Result<()> {
        let credit_of = |credit: &[ChannelCredit], channel: usize| credit.get(channel).copied().unwrap_or_default();
        if let Format::Json = self.format {
            let mut by_model = Map::new();
            for (model, credit) in credits {
                let rows = order.iter().map(|channel| {
                    let ChannelCredit { conversions, value } = credit_of(credit, *channel);
                    json!({ "channel": summed.channels[*channel], "conversions": conversions, "value": value })
                });
                by_model.insert(model.to_string(), rows.collect());
            }
            let mut answer = Map::new();
            answer.insert("models".to_owned(), Value::Object(by_model));
            for table in tables {
                let row = |row: &Vec<Value>| -> Value {
                    table.head.iter().map(|name| (*name).to_owned()).zip(row.iter().cloned()).collect::<Map<_, _>>().into()
                };
                answer.insert(table.name.to_owned(), table.rows.iter().map(row).collect());
            }
            serde_json::to_writer_pretty(&mut out, &Value::Object(answer))?;
            writeln!(out)?;
            return out.flush();
        }
        let mut rows = Vec::new();
        for (model, credit) in credits {
            for channel in order {
                let ChannelCredit { conversions, value } = credit_of(credit, *channel);
                rows.push(vec![json!(model), json!(summed.channels[*channel]), json!(conversions), json!(value)]);
            }
        }
        let first = Table { name: "models", head: &["model", "channel", "conversions", "value"], rows };
        for (index, table) in [&first].into_iter().chain(tables).enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            match self.format {
                Format::Csv => {
                    let mut writer = csv::Writer::from_writer(&mut out);
                    writer.write_record(table.head)?;
                    for row in &table.rows {
                        writer.write_record(row.iter().map(|cell| text(cell, f64::to_string)))?;
                    }
                    writer.flush()?;
                }
                Format::Table | Format::Json => {
                    let mut cells: Vec<Vec<String>> = vec![table.head.iter().map(|name| (*name).to_owned()).collect()];
                    let rounded = |number: &f64| format!("{number:.4}");
                    cells.extend(table.rows.iter().map(|row| row.iter().map(|cell| text(cell, rounded)).collect()));
                    super::write_columns(&mut out, &cells)?;
                }
            }
        }
        out.flush()
    }
}

fn text(cell: &Value, number: impl Fn(&f64) -> String) -> String {
    match cell {
        Value::String(text) => text.clone(),
        cell => cell.as_f64().as_ref().map(number).unwrap_or_default(),
    }
}

fn effects_table(effects: &RemovalEffects, summed: &Summed, order: &[usize]) -> Table {
    let row = |channel: &usize| {
        vec![json!(summed.channels[*channel]), json!(effects.conversions[*channel]), json!(effects.value[*channel])]
    };
    Table { name: "removal_effects", head: &["channel", "conversions", "value"], rows: order.iter().map(row).collect() }
}

/// A state is written as its channels, oldest first.
fn transitions_table(cells: &[Transition], summed: &Summed) -> Table {
    let name = |channel: &u32| summed.channels[*channel as usize].as_str();
    let mut rows: Vec<(String, String, f64, f64)> = cells
        .iter()
        .map(|cell| {
            let from = cell.from.iter().map(name).collect::<Vec<_>>().join(" > ");
            let to = match &cell.to {
                Next::Channel(channel) => name(channel),
                Next::Conversion => "(conversion)",
                Next::Null => "(null)",
            };
            (if from.is_empty() { "(start)".to_owned() } else { from }, to.to_owned(), cell.count, cell.probability)
        })
        .collect();
    rows.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let rows = rows.into_iter().map(|(from, to, count, p)| vec![json!(from), json!(to), json!(count), json!(p)]).collect();
    Table { name: "transitions", head: &["from", "to", "count", "probability"], rows }
}
