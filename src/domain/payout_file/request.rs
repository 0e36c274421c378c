//! Which file of a run is asked for. Its name (`1c`, `pain.001.001.03`, `wise-2 without par_7`) is what exports are
//! kept under, so it reads back to the same request.

use crate::domain::id::PartnerId;
use std::collections::BTreeSet;

/// What parts the columns of a CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delimiter {
    Semicolon,
    Comma,
}

/// A version of ISO 20022's customer credit transfer initiation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PainVersion {
    V03,
    V09,
}

impl PainVersion {
    /// As in the namespace: `pain.001.001.09`.
    pub fn name(self) -> &'static str {
        match self {
            PainVersion::V03 => "pain.001.001.03",
            PainVersion::V09 => "pain.001.001.09",
        }
    }
}

/// A format of payout files. A part counts from 1; `None` is the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileFormat {
    Csv(Delimiter),
    Xlsx,
    /// `1CClientBankExchange` 1.03.
    ClientBank,
    Pain001(PainVersion),
    Paypal {
        part: Option<usize>,
    },
    Wise {
        part: Option<usize>,
    },
}

impl FileFormat {
    /// Whether the payer's requisites are in it.
    pub fn names_payer(self) -> bool {
        match self {
            FileFormat::ClientBank | FileFormat::Pain001(_) => true,
            FileFormat::Csv(_) | FileFormat::Xlsx | FileFormat::Paypal { .. } | FileFormat::Wise { .. } => false,
        }
    }

    /// What the name of the file ends with.
    pub fn extension(self) -> &'static str {
        match self {
            FileFormat::Csv(_) | FileFormat::Paypal { .. } | FileFormat::Wise { .. } => "csv",
            FileFormat::Xlsx => "xlsx",
            FileFormat::ClientBank => "txt",
            FileFormat::Pain001(_) => "xml",
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            FileFormat::Csv(_) | FileFormat::Paypal { .. } | FileFormat::Wise { .. } => "text/csv; charset=utf-8",
            FileFormat::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            FileFormat::ClientBank => "text/plain; charset=windows-1251",
            FileFormat::Pain001(_) => "application/xml",
        }
    }

    /// By the words of the API and the command line: `format`, `delimiter=semicolon|comma`, `version=03|09`, `part`.
    pub fn of_words(
        format: &str,
        delimiter: Option<&str>,
        version: Option<&str>,
        part: Option<usize>,
    ) -> Result<FileFormat, WrongFileRequest> {
        let found = match format {
            "csv" => FileFormat::Csv(match delimiter {
                None | Some("semicolon" | ";") => Delimiter::Semicolon,
                Some("comma" | ",") => Delimiter::Comma,
                Some(other) => return Err(WrongFileRequest::Delimiter(excerpt(other))),
            }),
            "xlsx" => FileFormat::Xlsx,
            "1c" => FileFormat::ClientBank,
            "pain001" => FileFormat::Pain001(match version {
                None | Some("09" | "9") => PainVersion::V09,
                Some("03" | "3") => PainVersion::V03,
                Some(other) => return Err(WrongFileRequest::Version(excerpt(other))),
            }),
            "paypal" => FileFormat::Paypal { part },
            "wise" => FileFormat::Wise { part },
            other => return Err(WrongFileRequest::Format(excerpt(other))),
        };
        if delimiter.is_some() && !matches!(found, FileFormat::Csv(_)) {
            return Err(WrongFileRequest::NotOfFormat("delimiter", "csv"));
        }
        if version.is_some() && !matches!(found, FileFormat::Pain001(_)) {
            return Err(WrongFileRequest::NotOfFormat("version", "pain001"));
        }
        if part.is_some() && !matches!(found, FileFormat::Paypal { .. } | FileFormat::Wise { .. }) {
            return Err(WrongFileRequest::NotOfFormat("part", "paypal and wise"));
        }
        Ok(found)
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}

impl std::fmt::Display for FileFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parted = |f: &mut std::fmt::Formatter<'_>, name: &str, part: &Option<usize>| match part {
            None => f.write_str(name),
            Some(part) => write!(f, "{name}-{part}"),
        };
        match self {
            FileFormat::Csv(Delimiter::Semicolon) => f.write_str("csv"),
            FileFormat::Csv(Delimiter::Comma) => f.write_str("csv-comma"),
            FileFormat::Xlsx => f.write_str("xlsx"),
            FileFormat::ClientBank => f.write_str("1c"),
            FileFormat::Pain001(version) => f.write_str(version.name()),
            FileFormat::Paypal { part } => parted(f, "paypal", part),
            FileFormat::Wise { part } => parted(f, "wise", part),
        }
    }
}

impl std::str::FromStr for FileFormat {
    type Err = WrongFileRequest;
    fn from_str(text: &str) -> Result<Self, WrongFileRequest> {
        let wrong = || WrongFileRequest::Format(excerpt(text));
        Ok(match text {
            "csv" => FileFormat::Csv(Delimiter::Semicolon),
            "csv-comma" => FileFormat::Csv(Delimiter::Comma),
            "xlsx" => FileFormat::Xlsx,
            "1c" => FileFormat::ClientBank,
            "pain.001.001.03" => FileFormat::Pain001(PainVersion::V03),
            "pain.001.001.09" => FileFormat::Pain001(PainVersion::V09),
            "paypal" => FileFormat::Paypal { part: None },
            "wise" => FileFormat::Wise { part: None },
            other => {
                let (name, part) = other.split_once('-').ok_or_else(wrong)?;
                let part = Some(part.parse().map_err(|_| wrong())?);
                match name {
                    "paypal" => FileFormat::Paypal { part },
                    "wise" => FileFormat::Wise { part },
                    _ => return Err(wrong()),
                }
            }
        })
    }
}

/// A file, and whose payments are to stay out of it: they are paid in another way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileRequest {
    pub format: FileFormat,
    pub without: BTreeSet<PartnerId>,
}

impl From<FileFormat> for FileRequest {
    fn from(format: FileFormat) -> FileRequest {
        FileRequest { format, without: BTreeSet::new() }
    }
}

impl FileRequest {
    /// Reads `par_1,par_7`.
    pub fn partners(text: &str) -> Result<BTreeSet<PartnerId>, WrongFileRequest> {
        let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
        ids.map(|id| id.parse().map_err(|_| WrongFileRequest::Partner(excerpt(id)))).collect()
    }
}

const WITHOUT: &str = " without ";

impl std::fmt::Display for FileRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.format)?;
        for (index, partner) in self.without.iter().enumerate() {
            write!(f, "{}{partner}", if index == 0 { WITHOUT } else { "," })?;
        }
        Ok(())
    }
}

impl std::str::FromStr for FileRequest {
    type Err = WrongFileRequest;
    fn from_str(text: &str) -> Result<Self, WrongFileRequest> {
        match text.split_once(WITHOUT) {
            Some((format, without)) => Ok(FileRequest { format: format.parse()?, without: FileRequest::partners(without)? }),
            None => Ok(FileRequest::from(text.parse::<FileFormat>()?)),
        }
    }
}

/// There is no such file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongFileRequest {
    #[error("'{0}' is no format: csv, xlsx, 1c, pain001, paypal, wise")]
    Format(String),
    #[error("'{0}' is no delimiter: semicolon, comma")]
    Delimiter(String),
    #[error("'{0}' is no version: 03, 09")]
    Version(String),
    #[error("'{0}' is no partner's id")]
    Partner(String),
    #[error("{0} is for {1} only")]
    NotOfFormat(&'static str, &'static str),
}

impl WrongFileRequest {
    /// The parameter at fault.
    pub fn parameter(&self) -> &'static str {
        match self {
            WrongFileRequest::Format(_) => "format",
            WrongFileRequest::Delimiter(_) => "delimiter",
            WrongFileRequest::Version(_) => "version",
            WrongFileRequest::Partner(_) => "without",
            WrongFileRequest::NotOfFormat(parameter, _) => parameter,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_back_what_it_prints() {
        for text in [
            "csv",
            "csv-comma",
            "xlsx",
            "1c",
            "1c without par_2,par_17",
            "pain.001.001.03",
            "pain.001.001.09",
            "paypal",
            "paypal-2",
            "wise-3 without par_1",
        ] {
            assert_eq!(text.parse::<FileRequest>().unwrap().to_string(), text);
        }
        for text in ["", "pdf", "paypal-x", "csv-1", "1c without lnk_1"] {
            assert!(text.parse::<FileRequest>().is_err(), "{text}");
        }
    }

    #[test]
    fn words_that_do_not_belong_to_the_format_are_refused() {
        assert_eq!(FileFormat::of_words("pain001", None, None, None), Ok(FileFormat::Pain001(PainVersion::V09)));
        assert_eq!(FileFormat::of_words("pain001", None, Some("03"), None), Ok(FileFormat::Pain001(PainVersion::V03)));
        for (format, delimiter, version, part, parameter) in [
            ("xlsx", Some("comma"), None, None, "delimiter"),
            ("1c", None, Some("09"), None, "version"),
            ("csv", None, None, Some(1), "part"),
            ("csv", Some("tab"), None, None, "delimiter"),
            ("pain001", None, Some("10"), None, "version"),
            ("pdf", None, None, None, "format"),
        ] {
            let refused = FileFormat::of_words(format, delimiter, version, part).unwrap_err();
            assert_eq!(refused.parameter(), parameter, "{format}");
        }
    }
}
