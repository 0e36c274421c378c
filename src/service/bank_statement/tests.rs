#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::bank_statement::{Direction, StatementEntry};

macro_rules! data {
    ($path:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/", $path)).as_slice()
    };
}

fn brief(entry: &StatementEntry) -> String {
    let text = |t: &Option<String>| t.clone().unwrap_or_else(|| "-".into());
    let way = match entry.direction {
        Direction::Incoming => "from",
        Direction::Outgoing => "to",
    };
    let other = &entry.counterparty;
    [
        entry.date.to_string(),
        entry.account.clone(),
        entry.amount.to_string(),
        format!("{way} {} INN {} {}", text(&other.name), text(&other.inn), text(&other.account)),
        format!("No. {} id {} ref {}", text(&entry.document_number), text(&entry.end_to_end_id), text(&entry.bank_reference)),
        text(&entry.purpose),
    ]
    .join(" | ")
}

fn snapshot(name: &str, bytes: &[u8]) {
    let statement = read(bytes).unwrap();
    let head = format!("{:?} {:?} {:?}", statement.accounts, statement.from, statement.to);
    let lines: Vec<String> = std::iter::once(head).chain(statement.entries.iter().map(brief)).collect();
    insta::assert_snapshot!(name, lines.join("\n"));
}

#[test]
fn files_of_other_programs_are_read() {
    snapshot("documents_1_02", data!("client_bank/documents_1.02.txt"));
    snapshot("orders_1_03", data!("client_bank/orders_1.03.txt"));
    snapshot("camt_053_001_02", data!("camt053/camt.053.001.02.xml"));
    snapshot("camt_053_001_08", data!("camt053/camt.053.001.08.xml"));
}

#[test]
fn all_encodings_say_the_same() {
    let (text, ..) = encoding_rs::WINDOWS_1251.decode(data!("client_bank/documents_1.02.txt"));
    let known = read(data!("client_bank/documents_1.02.txt")).unwrap();
    let dos = text.replace("Кодировка=Windows", "Кодировка=DOS");
    let bytes: Vec<u8> = dos.chars().map(to_cp866).collect();
    assert_eq!(read(&bytes).unwrap(), known);
    let utf8 = format!("\u{feff}{}", text.replace("Кодировка=Windows", "Кодировка=UTF-8"));
    assert_eq!(read(utf8.as_bytes()).unwrap(), known);
    // It says DOS in letters of Windows.
    let (lying, ..) = encoding_rs::WINDOWS_1251.encode(&dos);
    assert_eq!(read(&lying), Err(StatementError::Encoding { says: "DOS".into() }));
}

/// The code page of DOS, as far as the sample goes.
fn to_cp866(character: char) -> u8 {
    match character {
        'А'..='п' => (u32::from(character) - u32::from('А')) as u8 + 0x80,
        'р'..='я' => (u32::from(character) - u32::from('р')) as u8 + 0xe0,
        ascii => u8::try_from(u32::from(ascii)).unwrap(),
    }
}

#[test]
fn what_is_wrong_names_its_line_and_field() {
    let told = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    assert_eq!(told(data!("client_bank/orders_with_comma_1.03.txt")), "line 15: Сумма '12345,67' is not an amount like 1990.00");
    for bytes in [data!("client_bank/head_only_1.02.txt"), data!("client_bank/balances_1.02.txt")] {
        assert_eq!(told(bytes), "the file is cut off: КонецФайла is missing at its end");
    }
    assert_eq!(told(b"wrong format"), "this is neither 1CClientBankExchange nor camt.053");
    assert_eq!(told(b""), "this is neither 1CClientBankExchange nor camt.053");
    let file = |body: &str| format!("1CClientBankExchange\nКодировка=UTF-8\nРасчСчет=40702810500000001234\n{body}\nКонецФайла\n");
    for (body, expected) in [
        ("СекцияДокумент=Платежное поручение\nНомер=1", "line 6: the section of line 4 has no end"),
        ("КонецДокумента", "line 4: the end of a section that has not begun"),
        ("что-то", "line 4: 'что-то' is neither a field nor a section"),
        (
            "СекцияДокумент=П\nДата=5.13.2026\nПлательщикСчет=40702810500000001234\nКонецДокумента",
            "line 5: Дата '5.13.2026' is not a day like 31.12.2026",
        ),
        ("СекцияДокумент=П\nДата=05.12.2026\nПлательщикСчет=40702810500000001234\nКонецДокумента", "line 4: Сумма is missing"),
        (
            "СекцияДокумент=П\nДата=05.12.2026\nСумма=1.00\nКонецДокумента",
            "line 4: the document is of none of the statement's accounts",
        ),
    ] {
        assert_eq!(told(file(body).as_bytes()), expected);
    }
    let camt = |from: &str, to: &str| {
        let text = String::from_utf8(data!("camt053/camt.053.001.02.xml").to_vec()).unwrap();
        assert!(text.contains(from));
        told(text.replacen(from, to, 1).as_bytes())
    };
    for (from, to, expected) in [
        ("151.05", "151,05", "line 11: Amt '151,05' is not an amount like 1990.00"),
        ("151.05", "151.051", "line 11: Amt '151.051' EUR has 2 decimals, '151.051' has more"),
        ("Ccy=\"EUR\">151", "Ccy=\"EUX\">151", "line 11: Amt/@Ccy 'EUX' is no currency"),
        ("DBIT", "DEBIT", "line 12: CdtDbtInd 'DEBIT' is neither CRDT nor DBIT"),
        ("<BookgDt><Dt>2026-12-05", "<BookgDt><Dt>05.12.2026", "line 14: Dt '05.12.2026' is not a day like 2026-12-31"),
        ("<IBAN>DE07512108001245126162</IBAN>", "", "line 5: Stmt/Acct/Id is missing"),
        ("camt.053.001.02", "camt.052.001.02", "this is neither 1CClientBankExchange nor camt.053"),
        ("&amp;", "&boom;", "line 20: an unknown entity"),
        ("<BkToCstmrStmt>", "<!DOCTYPE a><BkToCstmrStmt>", "line 3: a document type is not accepted"),
    ] {
        assert_eq!(camt(from, to), expected);
    }
    assert!(read(&data!("camt053/camt.053.001.02.xml")[..900]).is_err(), "it is cut off");
    let deep = format!("<Document>{}", "<a>".repeat(100_000));
    assert_eq!(told(deep.as_bytes()), "line 1: elements lie too deep");
}

#[test]
fn a_purpose_that_the_bank_broke_is_one_line() {
    let text = "1CClientBankExchange\nКодировка=UTF-8\nРасчСчет=40702810500000001234\nСекцияДокумент=П\nДата=05.12.2026\nСумма=1.00\n\
                ПлательщикСчет=40702810500000001234\nДатаСписано=06.12.2026\nНазначениеПлатежа=a=b\nPAY3-PAR11\nКонецДокумента\nКонецФайла";
    let statement = read(text.as_bytes()).unwrap();
    assert_eq!(statement.entries[0].purpose.as_deref(), Some("a=b PAY3-PAR11"));
    assert_eq!(statement.entries[0].date.to_string(), "2026-12-06", "the day on which the money left");
}
