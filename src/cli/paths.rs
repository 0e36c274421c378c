//! `paths`.

use crate::domain::attribution::Model;
use crate::domain::attribution::paths::credit_paths;
use crate::service::paths;
use anyhow::Context as _;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct Paths {
    /// CSV with path, conversions, value, null
    file: PathBuf,
    /// Which models [default: all]
    #[arg(long, value_delimiter = ',')]
    models: Vec<Model>,
    /// The channel that is direct
    #[arg(long)]
    direct: Option<String>,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

impl Paths {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let name = self.file.display().to_string();
        let file = std::fs::File::open(&self.file).with_context(|| name.clone())?;
        let paths = match paths::read(file) {
            Ok(paths) => paths,
            Err(fault) => {
                eprintln!("{name}:{fault}");
                return Ok(ExitCode::FAILURE);
            }
        };
        let models = if self.models.is_empty() { Model::ALL.to_vec() } else { self.models };
        let mut json = serde_json::Map::new();
        let mut rows = vec![["model", "channel", "conversions", "value"].map(str::to_owned).to_vec()];
        for model in models {
            let credits = credit_paths(model, &paths, self.direct.as_deref());
            let mut list = Vec::new();
            for (channel, credit) in credits {
                list.push(serde_json::json!({ "channel": channel, "conversions": credit.conversions, "value": credit.value }));
                rows.push(vec![model.name().to_owned(), channel, credit.conversions.to_string(), credit.value.to_string()]);
            }
            json.insert(model.name().to_owned(), serde_json::Value::Array(list));
        }
        match self.format {
            Format::Json => println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "models": json }))?),
            Format::Table => super::print_columns(&rows),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(std::io::stdout());
                for row in rows {
                    writer.write_record(row)?;
                }
                writer.flush()?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
