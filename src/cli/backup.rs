//! `backup`, `restore`.

use crate::config::Config;
use crate::service::backup;
use crate::store::Db;
use crate::store::spool::{SpoolReader, SpoolWriter};
use anyhow::Context as _;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct Backup {
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct Restore {
    file: PathBuf,
}

impl Backup {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let service = super::open(config).await?;
        let spool = if config.spool_path().exists() { Some(SpoolReader::open(&config.spool_path())?) } else { None };
        // Written beside and renamed, so that a broken backup never stands under the name of a whole one.
        let name = self.file.display().to_string();
        let part = PathBuf::from(format!("{name}.part"));
        let file = std::fs::File::create(&part).with_context(|| part.display().to_string())?;
        let rows = backup::backup(&service.db, spool.as_ref(), &file).await?;
        file.sync_all()?;
        std::fs::rename(&part, &self.file)?;
        println!("{name}: {rows} rows");
        Ok(ExitCode::SUCCESS)
    }
}

impl Restore {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let file = std::fs::File::open(&self.file).with_context(|| self.file.display().to_string())?;
        let db = Db::open(&config.database_url).await?;
        let mut spool = SpoolWriter::open(&config.spool_path())?;
        let rows = backup::restore(&db, &mut spool, file).await?;
        println!("{}: {rows} rows restored", self.file.display());
        Ok(ExitCode::SUCCESS)
    }
}
