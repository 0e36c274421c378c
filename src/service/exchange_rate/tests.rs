use super::file::read;
use crate::domain::exchange_rate::ExchangeRate;

const CBR: &str = "<?xml version=\"1.0\" encoding=\"windows-1251\"?>\n<ValCurs Date=\"28.11.2026\" name=\"Foreign Currency Market\">\n\
<Valute ID=\"R01235\"><NumCode>840</NumCode><CharCode>USD</CharCode><Nominal>1</Nominal><Name>Доллар США</Name><Value>81,2573</Value><VunitRate>81,2573</VunitRate></Valute>\n\
<Valute ID=\"R01060\"><NumCode>051</NumCode><CharCode>AMD</CharCode><Nominal>100</Nominal><Name>Армянских драмов</Name><Value>21,5637</Value><VunitRate>0,215637</VunitRate></Valute>\n\
<Valute ID=\"R01150\"><NumCode>704</NumCode><CharCode>VND</CharCode><Nominal>10000</Nominal><Name>Донгов</Name><Value>33,2155</Value><VunitRate>3,32155E-03</VunitRate></Valute>\n\
<Valute ID=\"R00000\"><NumCode>000</NumCode><CharCode>QQQ</CharCode><Nominal>1</Nominal><Name>?</Name><Value>1,5</Value></Valute>\n</ValCurs>\n";

fn windows_1251(text: &str) -> Vec<u8> {
    encoding_rs::WINDOWS_1251.encode(text).0.into_owned()
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let shown = |rate: &ExchangeRate| format!("{} {} {rate}", rate.source.name(), rate.day);
    read(bytes, None).unwrap().rates.iter().map(|(_, rate)| shown(rate)).collect()
}

fn refusal(bytes: &[u8]) -> String {
    let problems = read(bytes, None).unwrap_err();
    problems.iter().map(|p| format!("{}: {}: {}", p.line, p.column, p.detail)).collect::<Vec<_>>().join("\n")
}

const READ: [&str; 3] =
    ["cbr 2026-11-28 1 USD = 81.2573 RUB", "cbr 2026-11-28 100 AMD = 21.5637 RUB", "cbr 2026-11-28 10000 VND = 33.2155 RUB"];

#[test]
fn the_bank_of_russias_daily_xml_reads_in_its_own_encoding_and_in_utf_8() {
    assert_eq!(lines(&windows_1251(CBR)), READ);
    assert_eq!(lines(CBR.as_bytes()), READ);
    assert_eq!(read(CBR.as_bytes(), None).unwrap().ignored.into_iter().collect::<Vec<_>>(), ["QQQ"]);
}

#[test]
fn its_table_reads_as_csv_with_a_date_column_or_a_given_day() {
    let table =
        "Цифр. код;Букв. код;Единиц;Валюта;Курс\r\n840;USD;1;Доллар США;81,2573\r\n051;AMD;100;Армянских драмов;21,5637\r\n";
    let day = "2026-11-28".parse().ok();
    let rates = read(&windows_1251(table), day).unwrap().rates;
    assert_eq!(
        rates.iter().map(|(line, r)| (*line, r.to_string())).collect::<Vec<_>>(),
        [(2, "1 USD = 81.2573 RUB".to_owned()), (3, "100 AMD = 21.5637 RUB".to_owned())]
    );
    assert_eq!(refusal(table.as_bytes()), "1: date: is missing: say --date 2026-11-28 for a table without one");
    let dated = "Date,CharCode,Nominal,Value\n28.11.2026,USD,1,81.2573\n2026-11-28,AMD,100,\"21,5637\"\n";
    assert_eq!(lines(dated.as_bytes()), READ[..2]);
}

#[test]
fn the_ecbs_xml_and_csv_read_daily_and_as_history() {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gesmes:Envelope xmlns:gesmes=\"http://www.gesmes.org/xml/2002-08-01\" xmlns=\"http://www.ecb.int/vocabulary/2002-08-01/eurofxref\">\n\
<gesmes:subject>Reference rates</gesmes:subject>\n<gesmes:Sender>\n<gesmes:name>European Central Bank</gesmes:name>\n</gesmes:Sender>\n<Cube>\n<Cube time='2026-11-27'>\n<Cube currency='USD' rate='1.0561'/>\n<Cube currency='JPY' rate='163.40'/>\n</Cube>\n\
<Cube time=\"2026-11-26\"><Cube currency=\"USD\" rate=\"1.05\"/></Cube>\n</Cube>\n</gesmes:Envelope>";
    let both = ["ecb 2026-11-27 1 EUR = 1.0561 USD", "ecb 2026-11-27 1 EUR = 163.4 JPY"];
    assert_eq!(lines(xml.as_bytes()), [both[0], both[1], "ecb 2026-11-26 1 EUR = 1.05 USD"]);
    assert_eq!(lines(b"Date, USD, JPY, \n27 November 2026, 1.0561, 163.40, \n"), both);
    let history = "Date,USD,JPY,CYP,\n2026-11-27,1.0561,163.40,N/A,\n2026-11-26,1.05,N/A,0.58,\n";
    assert_eq!(lines(history.as_bytes()), [both[0], both[1], "ecb 2026-11-26 1 EUR = 1.05 USD"]);
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line_and_column() {
    let changed = |from: &str, to: &str| refusal(CBR.replace(from, to).as_bytes());
    assert_eq!(changed("81,2573</Value>", "0,0</Value>").split(" is not").next(), Some("3: Value: '0,0'"));
    assert!(changed("<Nominal>100", "<Nominal>0").starts_with("4: Nominal: '0'"));
    assert!(changed("<Nominal>100", "<Nominal>10").starts_with("4: VunitRate: '0,215637' is not 21.5637 for 10 AMD"));
    assert!(changed("<CharCode>USD</CharCode>", "").starts_with("3: CharCode: is missing"));
    assert!(changed("Date=\"28.11.2026\"", "").starts_with("2: Date: is missing"));
    assert!(changed("28.11.2026", "31.11.2026").starts_with("2: Date: '31.11.2026'"));
    assert!(changed("</ValCurs>", "").contains("the file is cut off"));
    assert!(changed("<ValCurs Date", "<ValCurs ID=\"R01235\" Date").contains("XML_dynamic"));
    assert!(refusal(b"<html><body/></html>").contains("'html' is neither"));
    assert!(refusal(b"<!DOCTYPE x [<!ENTITY a \"b\">]><ValCurs/>").contains("document type"));
    assert_eq!(refusal(b""), "1: file: is empty");
    assert!(refusal(b"PK\x03\x04").contains("ZIP"));
    assert_eq!(refusal(b"a;b\n1;2\n"), "1: currency: the column is missing\n1: rate: the column is missing");
    assert!(refusal(b"Date,USD\n27 November 2026,x\n").starts_with("2: USD: 'x' is not a rate"));
    assert!(refusal(b"date;currency;rate\n28.11.2026;US;81\n").starts_with("2: currency: 'US'"));
}
