//! ISO 20022 customer credit transfer initiation, pain.001.001.09 and .03: SEPA transfers and transfers by SWIFT, each
//! kind in a `PmtInf` of its own.

use super::sepa_text::written;
use crate::domain::money::Money;
use crate::domain::partner::PayoutMethod;
use crate::domain::payout_file::{BankHeader, Faults, FileError, PainVersion, Payer, Payment, PaymentBatch, TextProblem};
use crate::domain::requisites::compact;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// As SEPA has it; the schemas allow 140.
const LONGEST_NAME: usize = 70;
const LONGEST_REMITTANCE: usize = 140;
const LONGEST_ADDRESS_LINE: usize = 70;
/// As SEPA has it; the schemas allow more.
const ADDRESS_LINES: usize = 2;
const LONGEST_ID: usize = 35;

/// The file of payments that [`select`](crate::domain::payout_file::select) has found to fit, and of a payer who lacks
/// nothing.
pub fn render(batch: &PaymentBatch, payments: &[&Payment], version: PainVersion) -> Result<Vec<u8>, FileError> {
    let header = batch.bank.as_ref().ok_or_else(|| FileError::Payer(vec!["name"]))?;
    let debtor = Debtor::of(&header.payer)?;
    let message_id = format!("PAY{}-{}", batch.run.0, header.created_at.format("%Y%m%d"));
    let mut file = Document { xml: Xml(Writer::new_with_indent(Vec::new(), b' ', 1)), batch, header, debtor, version };
    file.xml.write(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let namespace = format!("urn:iso:std:iso:20022:tech:xsd:{}", version.name());
    file.xml.write(Event::Start(BytesStart::new("Document").with_attributes([("xmlns", namespace.as_str())])))?;
    file.xml.open("CstmrCdtTrfInitn")?;
    file.xml.open("GrpHdr")?;
    file.xml.leaf("MsgId", &message_id)?;
    file.xml.leaf("CreDtTm", &header.created_at.format("%Y-%m-%dT%H:%M:%S").to_string())?;
    file.sums(payments)?;
    file.xml.open("InitgPty")?;
    file.xml.leaf("Nm", &file.debtor.name)?;
    file.xml.close("InitgPty")?;
    file.xml.close("GrpHdr")?;
    let mut faults = Faults::default();
    for (kind, method) in [("SEPA", PayoutMethod::Sepa), ("SWIFT", PayoutMethod::Swift)] {
        let group: Vec<&Payment> = payments.iter().copied().filter(|p| p.method == method).collect();
        if !group.is_empty() {
            file.group(&format!("{message_id}-{kind}"), method, &group, &mut faults)?;
        }
    }
    faults.done()?;
    file.xml.close("CstmrCdtTrfInitn")?;
    file.xml.close("Document")?;
    let mut bytes = file.xml.0.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

struct Document<'a> {
    xml: Xml,
    batch: &'a PaymentBatch,
    header: &'a BankHeader,
    debtor: Debtor,
    version: PainVersion,
}

/// Who pays, in the character set of the file.
struct Debtor {
    name: String,
    account: Account,
    bic: Option<String>,
    country: Option<String>,
    address: Vec<String>,
}

#[derive(Clone)]
enum Account {
    Iban(String),
    Other(String),
}

impl Debtor {
    fn of(payer: &Payer) -> Result<Debtor, FileError> {
        let fault = |field| move |problem| FileError::PayerText { field, problem };
        let number = |text: &Option<String>| text.as_deref().map(compact).filter(|t| !t.is_empty());
        let account = match (number(&payer.iban), number(&payer.account)) {
            (Some(iban), _) => Account::Iban(iban),
            (None, Some(account)) => Account::Other(account),
            (None, None) => return Err(FileError::Payer(vec!["iban"])),
        };
        let name = payer.name_latin.as_deref().or(payer.name.as_deref()).unwrap_or("");
        Ok(Debtor {
            name: written(name, LONGEST_NAME).map_err(fault("name"))?,
            account,
            bic: number(&payer.bic),
            country: number(&payer.country),
            address: address_lines(payer.address.as_deref().unwrap_or("")).map_err(fault("address"))?,
        })
    }
}

impl Document<'_> {
    fn sums(&mut self, payments: &[&Payment]) -> Result<(), FileError> {
        let total: i64 = payments.iter().map(|p| p.amount_minor).sum();
        self.xml.leaf("NbOfTxs", &payments.len().to_string())?;
        self.xml.leaf("CtrlSum", &Money::new(total, self.batch.currency).decimal())
    }

    fn group(&mut self, id: &str, method: PayoutMethod, payments: &[&Payment], faults: &mut Faults) -> Result<(), FileError> {
        let is_sepa = method == PayoutMethod::Sepa;
        self.xml.open("PmtInf")?;
        self.xml.leaf("PmtInfId", id)?;
        self.xml.leaf("PmtMtd", "TRF")?;
        self.xml.leaf("BtchBookg", "false")?;
        self.sums(payments)?;
        if is_sepa {
            self.xml.nested(&["PmtTpInf", "SvcLvl", "Cd"], "SEPA")?;
        }
        let day = self.header.value_date().to_string();
        match self.version {
            PainVersion::V03 => self.xml.leaf("ReqdExctnDt", &day)?,
            PainVersion::V09 => self.xml.nested(&["ReqdExctnDt", "Dt"], &day)?,
        }
        let (name, account, bic) = (self.debtor.name.clone(), self.debtor.account.clone(), self.debtor.bic.clone());
        let (country, address) = (self.debtor.country.clone(), self.debtor.address.clone());
        self.party("Dbtr", &name, country.as_deref(), &address)?;
        self.account("DbtrAcct", &account)?;
        self.agent("DbtrAgt", bic.as_deref())?;
        self.xml.leaf("ChrgBr", if is_sepa { "SLEV" } else { "SHAR" })?;
        for payment in payments {
            self.transfer(payment, is_sepa, faults)?;
        }
        self.xml.close("PmtInf")
    }

    fn transfer(&mut self, payment: &Payment, is_sepa: bool, faults: &mut Faults) -> Result<(), FileError> {
        let requisite = |name| payment.requisites.compact(name);
        let id = faults.take(payment, "id", written(&payment.end_to_end_id, LONGEST_ID));
        let name = faults.take(payment, "name", written(payment.payee_name(), LONGEST_NAME));
        let remittance = faults.take(payment, "purpose", written(&payment.purpose, LONGEST_REMITTANCE));
        let address = payment.requisites.get("address").unwrap_or("");
        let address = faults.take(payment, "address", address_lines(address));
        let account = match requisite("iban") {
            Some(iban) => Account::Iban(iban),
            None => Account::Other(requisite("account").unwrap_or_default()),
        };
        let bic = requisite("swift");
        self.xml.open("CdtTrfTxInf")?;
        self.xml.open("PmtId")?;
        self.xml.leaf("InstrId", &id)?;
        self.xml.leaf("EndToEndId", &id)?;
        self.xml.close("PmtId")?;
        self.xml.open("Amt")?;
        let amount = Money::new(payment.amount_minor, self.batch.currency);
        let element = BytesStart::new("InstdAmt").with_attributes([("Ccy", self.batch.currency.code())]);
        self.xml.write(Event::Start(element))?;
        self.xml.write(Event::Text(BytesText::new(&amount.decimal())))?;
        self.xml.close("InstdAmt")?;
        self.xml.close("Amt")?;
        // SEPA needs no BIC of the payee since 2016.
        if !is_sepa || bic.is_some() {
            self.agent("CdtrAgt", bic.as_deref())?;
        }
        self.party("Cdtr", &name, requisite("country").as_deref(), &address)?;
        self.account("CdtrAcct", &account)?;
        self.xml.nested(&["RmtInf", "Ustrd"], &remittance)?;
        self.xml.close("CdtTrfTxInf")
    }

    fn party(&mut self, element: &str, name: &str, country: Option<&str>, address: &[String]) -> Result<(), FileError> {
        self.xml.open(element)?;
        self.xml.leaf("Nm", name)?;
        if country.is_some() || !address.is_empty() {
            self.xml.open("PstlAdr")?;
            if let Some(country) = country {
                self.xml.leaf("Ctry", country)?;
            }
            for line in address {
                self.xml.leaf("AdrLine", line)?;
            }
            self.xml.close("PstlAdr")?;
        }
        self.xml.close(element)
    }

    fn account(&mut self, element: &str, account: &Account) -> Result<(), FileError> {
        match account {
            Account::Iban(iban) => self.xml.nested(&[element, "Id", "IBAN"], iban),
            Account::Other(number) => self.xml.nested(&[element, "Id", "Othr", "Id"], number),
        }
    }

    /// A bank; one without a BIC is `NOTPROVIDED`, as SEPA's rules have it.
    fn agent(&mut self, element: &str, bic: Option<&str>) -> Result<(), FileError> {
        let name = match self.version {
            PainVersion::V03 => "BIC",
            PainVersion::V09 => "BICFI",
        };
        match bic {
            Some(bic) => self.xml.nested(&[element, "FinInstnId", name], bic),
            None => self.xml.nested(&[element, "FinInstnId", "Othr", "Id"], "NOTPROVIDED"),
        }
    }
}

/// An address as lines, broken between words.
fn address_lines(address: &str) -> Result<Vec<String>, TextProblem> {
    let mut lines: Vec<String> = Vec::new();
    for word in written(address, LONGEST_ADDRESS_LINE * ADDRESS_LINES)?.split(' ').filter(|w| !w.is_empty()) {
        let has_room = lines.last().is_some_and(|line| line.len() + 1 + word.len() <= LONGEST_ADDRESS_LINE);
        match lines.last_mut() {
            Some(line) if has_room => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    if lines.len() > ADDRESS_LINES || lines.iter().any(|line| line.len() > LONGEST_ADDRESS_LINE) {
        return Err(TextProblem::TooLong(LONGEST_ADDRESS_LINE * ADDRESS_LINES));
    }
    Ok(lines)
}

struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn write(&mut self, event: Event<'_>) -> Result<(), FileError> {
        self.0.write_event(event).map_err(|e| FileError::Unwritable(e.to_string()))
    }

    fn open(&mut self, element: &str) -> Result<(), FileError> {
        self.write(Event::Start(BytesStart::new(element)))
    }

    fn close(&mut self, element: &str) -> Result<(), FileError> {
        self.write(Event::End(BytesEnd::new(element)))
    }

    fn leaf(&mut self, element: &str, text: &str) -> Result<(), FileError> {
        self.open(element)?;
        self.write(Event::Text(BytesText::new(text)))?;
        self.close(element)
    }

    /// A text in elements that hold nothing else.
    fn nested(&mut self, elements: &[&str], text: &str) -> Result<(), FileError> {
        match elements {
            [] => Ok(()),
            [last] => self.leaf(last, text),
            [first, rest @ ..] => {
                self.open(first)?;
                self.nested(rest, text)?;
                self.close(first)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_broken_between_words() {
        let street = "Lange Strasse mit einem sehr langen Namen ".repeat(3);
        let lines = address_lines(&street).unwrap();
        assert_eq!(lines.join(" "), street.trim());
        assert!(lines.len() == 2 && lines.iter().all(|l| l.len() <= 70), "{lines:?}");
        assert_eq!(address_lines(""), Ok(Vec::new()));
        assert_eq!(address_lines(&"x".repeat(71)), Err(TextProblem::TooLong(140)));
        assert_eq!(address_lines(&"word ".repeat(40)), Err(TextProblem::TooLong(140)));
    }
}
