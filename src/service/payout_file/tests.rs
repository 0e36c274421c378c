#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::bank_statement::{Direction, Verdict, reconcile};
use crate::domain::id::PayoutRunId;
use crate::domain::money::{Currency, Money};
use crate::domain::partner::PayoutMethod;
use crate::domain::payout_file::{BankHeader, Misfit, PainVersion, Payment, Requisites, TextProblem, end_to_end_id, purpose};
use crate::service::bank_statement;
use proptest::prelude::*;
use std::io::Read;
use std::process::{Command, Stdio};

fn texts(of: &[(&str, &str)]) -> Requisites {
    of.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn payer() -> Payer {
    let text = |t: &str| Some(t.to_owned());
    Payer {
        name: text("ООО \"Ромашка\""),
        name_latin: text("Romashka LLC"),
        inn: text("7707083893"),
        kpp: text("773601001"),
        account: text("40702810500000001234"),
        bik: text("044525225"),
        correspondent_account: text("30101810400000000225"),
        bank_name: text("ПАО СБЕРБАНК"),
        bank_city: text("г. Москва"),
        ..Payer::default()
    }
}

fn abroad() -> Payer {
    let text = |t: &str| Some(t.to_owned());
    Payer {
        name: text("Müller & Söhne GmbH"),
        iban: text("DE07512108001245126162"),
        bic: text("SOGEDEFF"),
        country: text("DE"),
        address: text("Hauptstraße 1, 60311 Frankfurt"),
        ..Payer::default()
    }
}

/// A run of October with one payment for each name, method and set of requisites.
fn batch(currency: &str, payer: Payer, of: Vec<(&str, PayoutMethod, i64, Requisites)>) -> PaymentBatch {
    let run = PayoutRunId(3);
    let period = "2026-10".parse().unwrap();
    let method_text = |m: PayoutMethod| serde_json::to_value(m).unwrap().as_str().unwrap().to_owned();
    let payments = of.into_iter().enumerate().map(|(index, (name, method, amount_minor, requisites))| {
        let partner = PartnerId(index as i64 + 11);
        let end_to_end_id = end_to_end_id(run, partner);
        Payment {
            number: index + 1,
            purpose: purpose(method, period, &end_to_end_id, Some(&payer)),
            end_to_end_id,
            partner,
            partner_name: name.to_owned(),
            tax_minor: 0,
            partner_email: Some(format!("p{}@blog.example", index + 1)),
            amount_minor,
            method,
            method_text: method_text(method),
            requisites,
        }
    });
    PaymentBatch {
        run,
        period,
        currency: currency.parse().unwrap(),
        built_at: "2026-11-02T09:30:00Z".parse().unwrap(),
        payments: payments.collect(),
        bank: Some(BankHeader { payer, created_at: "2026-11-05T10:00:00+03:00".parse().unwrap() }),
    }
}

fn russian() -> PaymentBatch {
    let trader = texts(&[
        ("account", "40802810100000005678"),
        ("bik", "044525974"),
        ("correspondent_account", "30101810145250000974"),
        ("bank_name", "АО \"ТБАНК\""),
        ("inn", "005826107187"),
    ]);
    let company = texts(&[
        ("name", "ООО «Ёж и партнёры» = №1"),
        ("account", "40702 810 8 0000 0009999"),
        ("bik", "044525187"),
        ("inn", "7736207543"),
        ("kpp", "770401001"),
    ]);
    let of = vec![
        ("ИП Иванов Иван Иванович", PayoutMethod::BankRu, 1_234_567, trader),
        ("Hedgehog", PayoutMethod::BankRu, 100_000, company),
        ("=cmd|'/c calc'!A1", PayoutMethod::Paypal, 5_05, Requisites::default()),
        ("No account", PayoutMethod::BankRu, 7_00, texts(&[("bik", "044525187")])),
    ];
    batch("RUB", payer(), of)
}

fn european() -> PaymentBatch {
    let of = vec![
        ("Łukasz Żółć", PayoutMethod::Sepa, 150_00, texts(&[("iban", "DE36 2105 0170 0024 6909 59")])),
        (
            "Søren O’Neil",
            PayoutMethod::Sepa,
            1_05,
            texts(&[("iban", "DE67370400440532013008"), ("swift", "SPUEDE2UXXX"), ("country", "DE"), ("address", "Straße 1")]),
        ),
        (
            "Global Tech",
            PayoutMethod::Swift,
            99_999_999_99,
            texts(&[("account", "000123456789"), ("swift", "CHASUS33"), ("country", "US"), ("address", "1 Main St, New York")]),
        ),
        ("Wise One", PayoutMethod::Wise, 20_00, texts(&[("email", "wise@blog.example")])),
    ];
    batch("EUR", abroad(), of)
}

fn file(batch: &PaymentBatch, name: &str) -> PayoutFile {
    render(batch, &PaymentParts::new(), &name.parse().unwrap()).unwrap()
}

fn lost(batch: &PaymentBatch, name: &str) -> FileError {
    render(batch, &PaymentParts::new(), &name.parse().unwrap()).unwrap_err()
}

/// The files inside a ZIP, by their central directory.
fn unzipped(bytes: &[u8]) -> BTreeMap<String, String> {
    let number = |at: usize, size: usize| bytes[at..at + size].iter().rev().fold(0_usize, |n, b| n << 8 | usize::from(*b));
    let end = (0..bytes.len() - 21).rev().find(|at| bytes[*at..].starts_with(b"PK\x05\x06")).unwrap();
    let mut at = number(end + 16, 4);
    let mut files = BTreeMap::new();
    for _ in 0..number(end + 10, 2) {
        let (size, name_size, local) = (number(at + 20, 4), number(at + 28, 2), number(at + 42, 4));
        let name = String::from_utf8(bytes[at + 46..at + 46 + name_size].to_vec()).unwrap();
        let data = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        let packed = &bytes[data..data + size];
        let mut text = String::new();
        match number(at + 10, 2) {
            0 => text = String::from_utf8(packed.to_vec()).unwrap(),
            _ => drop(flate2::read::DeflateDecoder::new(packed).read_to_string(&mut text).unwrap()),
        }
        files.insert(name, text);
        at += 46 + name_size + number(at + 30, 2) + number(at + 32, 2);
    }
    files
}

/// The rows of a sheet as texts; a number as it stands in the file.
fn rows(book: &BTreeMap<String, String>, sheet: usize) -> Vec<Vec<String>> {
    let strings: Vec<String> = book["xl/sharedStrings.xml"]
        .split("<si>")
        .skip(1)
        .map(|item| {
            let text = item.split('>').nth(1).unwrap().split("</t").next().unwrap();
            text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
        })
        .collect();
    let sheet = &book[&format!("xl/worksheets/sheet{sheet}.xml")];
    let value = |cell: &str| {
        let value = cell.split("<v>").nth(1)?.split("</v>").next()?;
        Some(if cell.contains("t=\"s\"") { strings[value.parse::<usize>().unwrap()].clone() } else { value.to_owned() })
    };
    sheet.split("<row ").skip(1).map(|row| row.split("<c ").skip(1).filter_map(value).collect()).collect()
}

fn is_valid(xml: &[u8], version: PainVersion) {
    let schema = format!("{}/tests/data/iso20022/{}.xsd", env!("CARGO_MANIFEST_DIR"), version.name());
    let command = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema", &schema, "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = command else {
        assert!(std::env::var("CI").is_err(), "xmllint is not there");
        eprintln!("skipped: xmllint is not there");
        return;
    };
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), xml).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(xml));
}

#[test]
fn a_bank_client_gets_payment_orders() {
    let batch = russian();
    let file = file(&batch, "1c");
    assert!(file.bytes.windows(2).all(|w| w[1] != b'\n' || w[0] == b'\r'), "every line ends with CRLF");
    let (text, _, broken) = encoding_rs::WINDOWS_1251.decode(&file.bytes);
    assert!(!broken && !text.contains('?'));
    insta::assert_snapshot!("client_bank", text.replace("\r\n", "\n"));
    assert_eq!((file.totals.payments, file.totals.total_minor), (2, 1_334_567));
    let why: Vec<&Misfit> = file.totals.left_out.iter().map(|l| &l.why).collect();
    assert_eq!(why, [&Misfit::Method("paypal".into()), &Misfit::Missing("account")]);
    assert_eq!(file.totals.left_out_minor(), 12_05);
}

#[test]
fn the_bank_clients_file_reads_back_to_the_same_payments() {
    let batch = russian();
    let statement = bank_statement::read(&file(&batch, "1c").bytes).unwrap();
    assert_eq!(statement.accounts, ["40702810500000001234"]);
    let fitting = select(&batch, &FileFormat::ClientBank.into()).payments;
    assert_eq!(statement.entries.len(), fitting.len());
    for (entry, payment) in statement.entries.iter().zip(&fitting) {
        assert_eq!(entry.amount, Money::new(payment.amount_minor, Currency::RUB));
        assert_eq!(entry.direction, Direction::Outgoing);
        assert_eq!(entry.document_number, Some(payment.number.to_string()));
        assert_eq!(entry.counterparty.name.as_deref(), Some(payment.payee_name()));
        assert_eq!(entry.counterparty.account, payment.requisites.compact("account"));
        assert_eq!(entry.counterparty.inn, payment.requisites.compact("inn"));
        assert_eq!(entry.purpose.as_deref(), Some(payment.purpose.as_str()));
    }
    let found = reconcile(&statement.entries, &batch.payments, batch.currency);
    assert_eq!(found.verdicts, [Verdict::Paid(PartnerId(11)), Verdict::Paid(PartnerId(12))]);
}

#[test]
fn a_character_that_the_code_page_lacks_names_the_partner() {
    let mut batch = russian();
    batch.payments[0].partner_name = "ИП Иванов 🦔".into();
    batch.payments[1].purpose = "5 ₽".into();
    let FileError::Payments(faults) = lost(&batch, "1c") else { panic!("it was written") };
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "par_11 (ИП Иванов 🦔): the name holds '🦔' (U+1F994), which windows-1251 does not have",
            "par_12 (Hedgehog): the purpose holds '₽' (U+20BD), which windows-1251 does not have",
        ]
    );
    let FileError::Payments(faults) = lost(&batch, "1c without par_11") else { panic!("it was written") };
    assert_eq!(faults.iter().map(|f| f.partner).collect::<Vec<_>>(), [PartnerId(12)]);
    assert!(matches!(lost(&batch, "1c without par_11,par_12"), FileError::Empty(_)));
}

#[test]
fn pain_001_is_valid_in_both_versions() {
    let batch = european();
    for version in [PainVersion::V03, PainVersion::V09] {
        let file = file(&batch, version.name());
        is_valid(&file.bytes, version);
        let text = String::from_utf8(file.bytes).unwrap();
        insta::assert_snapshot!(version.name().replace('.', "_"), text);
        assert_eq!((file.totals.payments, file.totals.total_minor, file.totals.left_out.len()), (3, 10_000_015_104, 1));
    }
}

#[test]
fn a_name_outside_the_sepa_set_names_the_partner() {
    let mut batch = european();
    batch.payments[0].partner_name = "Иван".into();
    batch.payments[1].requisites = texts(&[("iban", "DE67370400440532013008"), ("name", &"x".repeat(71))]);
    let FileError::Payments(faults) = lost(&batch, "pain.001.001.09") else { panic!("it was written") };
    let told: Vec<(PartnerId, &str)> = faults.iter().map(|f| (f.partner, f.field)).collect();
    assert_eq!(told, [(PartnerId(11), "name"), (PartnerId(12), "name")]);
    assert_eq!(faults[1].problem, TextProblem::TooLong(70));
}

#[test]
fn the_payers_gaps_are_named() {
    let gaps = |name: &str, payer: Payer| match lost(
        &PaymentBatch {
            bank: Some(BankHeader { payer, ..russian().bank.unwrap() }),
            ..if name == "1c" { russian() } else { european() }
        },
        name,
    ) {
        FileError::Payer(fields) => fields,
        other => panic!("{other}"),
    };
    assert_eq!(gaps("1c", Payer { inn: None, bik: Some("1".into()), ..payer() }), ["inn", "bik"]);
    assert_eq!(gaps("pain.001.001.09", payer()), ["iban"]);
    for (mut batch, name, expected) in [
        (russian(), "1c", "the payer's name holds '山' (U+5C71), which windows-1251 does not have"),
        (european(), "pain.001.001.03", "the payer's name holds '山' (U+5C71), which the SEPA character set does not have"),
    ] {
        batch.bank.as_mut().unwrap().payer.name = Some("山田".into());
        assert_eq!(lost(&batch, name).to_string(), expected);
    }
}

#[test]
fn the_mass_payment_lists_are_as_their_services_want_them() {
    let paypal = texts(&[("email", "anna@blog.example")]);
    let of = vec![
        ("Anna", PayoutMethod::Paypal, 100_50, paypal),
        ("Boris, \"B\"", PayoutMethod::Wise, 20_00, texts(&[("name", "Борис; \"Б\"")])),
        ("No address", PayoutMethod::Wise, 1_00, texts(&[("email", "nobody")])),
    ];
    let batch = batch("USD", Payer::default(), of);
    let text = |name: &str| String::from_utf8(file(&batch, name).bytes).unwrap();
    assert_eq!(text("paypal"), "anna@blog.example,100.50,USD,PAY3-PAR11,Commission 2026-10 PAY3-PAR11,PAYPAL\r\n");
    insta::assert_snapshot!("wise", text("wise").replace("\r\n", "\n"));
    assert_eq!(file(&batch, "wise").totals.left_out[1].why, Misfit::Malformed("email"));
    assert!(matches!(lost(&batch, "1c"), FileError::Empty(left_out) if left_out.len() == 3));
    for (name, requisites) in [("=1+1", texts(&[])), ("Anna", texts(&[("email", "=a@blog.example")]))] {
        let batch = super::tests::batch("USD", Payer::default(), vec![(name, PayoutMethod::Wise, 1, requisites)]);
        let FileError::Payments(faults) = lost(&batch, "wise") else { panic!("it was written") };
        assert_eq!(faults[0].problem, TextProblem::Formula);
    }
}

#[test]
fn a_list_over_the_services_limit_is_handed_out_in_parts() {
    let many = |count: usize, method| (0..count).map(|_| ("Anna", method, 1_00, Requisites::default())).collect();
    let batch = batch("USD", Payer::default(), many(2_001, PayoutMethod::Wise));
    assert_eq!(lost(&batch, "wise"), FileError::Parts { parts: 3, most_rows: 1_000 });
    let parts: Vec<PayoutFile> = (1..=3).map(|part| file(&batch, &format!("wise-{part}"))).collect();
    assert_eq!(parts.iter().map(|p| p.totals.payments).collect::<Vec<_>>(), [1_000, 1_000, 1]);
    assert!(parts.iter().all(|p| p.totals.total_minor + p.totals.in_other_parts_minor == 2_001_00));
    assert_eq!(lost(&batch, "wise-4"), FileError::NoSuchPart { part: 4, parts: 3 });
    assert_eq!(lost(&batch, "wise-0"), FileError::NoSuchPart { part: 0, parts: 3 });
    let batch = super::tests::batch("USD", Payer::default(), many(5_001, PayoutMethod::Paypal));
    assert_eq!(lost(&batch, "paypal"), FileError::Parts { parts: 2, most_rows: 5_000 });
}

#[test]
fn a_workbook_has_the_payments_their_totals_and_a_sheet_for_each_partner() {
    let batch = russian();
    let part = |day: &str, what: &str, order: Option<&str>, amount_minor| PaymentPart {
        day: day.parse().unwrap(),
        what: what.into(),
        order: order.map(str::to_owned),
        amount_minor,
    };
    let mut parts = PaymentParts::new();
    parts.insert(
        PartnerId(11),
        vec![part("2026-10-03", "released", Some("=A1"), 1_234_567), part("2026-10-04", "reversed", None, -1_00)],
    );
    parts.insert(PartnerId(13), vec![part("2026-10-03", "released", Some("S-7"), 5_05)]);
    let request = FileRequest::from(FileFormat::Xlsx);
    let file = render(&batch, &parts, &request).unwrap();
    assert_eq!(file.bytes, render(&batch, &parts, &request).unwrap().bytes, "the same bytes each time");
    let book = unzipped(&file.bytes);
    assert!(book["docProps/core.xml"].contains("2026-11-02T09:30:00Z"));
    let names: Vec<&str> =
        book["xl/workbook.xml"].split("<sheet name=\"").skip(1).map(|s| s.split('"').next().unwrap()).collect();
    assert_eq!(
        names,
        ["Payments", "Totals", "ИП Иванов Иван Иванович", "=cmd|&apos;_c calc&apos;!A1"].map(|n| n.replace("&apos;", "'"))
    );
    let table = |sheet| rows(&book, sheet).iter().map(|row| row.join(" | ")).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!("xlsx", (1..=4).map(table).collect::<Vec<_>>().join("\n\n"));
    assert!(book.values().all(|xml| !xml.contains("<f>")), "nothing is a formula");
}

#[test]
fn a_workbook_goes_on_on_the_next_sheet_where_one_is_full() {
    let batch = russian();
    let payments: Vec<&Payment> = batch.payments.iter().collect();
    let book = unzipped(&xlsx::render_with(&batch, &payments, &PaymentParts::new(), 5).unwrap());
    assert_eq!((rows(&book, 1).len(), rows(&book, 2).len()), (4, 3), "head and three, head, one and the total");
    assert_eq!(rows(&book, 2)[2], ["Total", "13357.72", "RUB"]);
}

#[test]
fn the_csv_is_told_apart_by_its_delimiter_alone() {
    let batch = russian();
    let text = |name: &str| String::from_utf8(file(&batch, name).bytes).unwrap();
    insta::assert_snapshot!("csv", text("csv").replace("\r\n", "\n"));
    let comma = text("csv-comma");
    assert!(comma.starts_with("\u{feff}payout_run,period,") && comma.ends_with("\r\ntotal,2026-10,,,,,,13357.72,RUB\r\n"));
    assert!(comma.contains(",'=cmd|"));
}

#[test]
fn what_will_stand_in_the_way_of_a_payment_is_known_before_the_run_is_built() {
    let line = |name: &str, payout: serde_json::Value| PayoutRunLine {
        partner_id: PartnerId(7),
        amount_minor: 1,
        disposition: "due".into(),
        reason: None,
        partner_name: name.into(),
        partner_email: Some("a@blog.example".into()),
        payout: sqlx::types::Json(payout),
        standing: None,
        tax_minor: 0,
    };
    let obstacle = |name, payout, currency: &str| {
        super::obstacle(&line(name, payout), "2026-10".parse().unwrap(), currency.parse().unwrap())
    };
    let bank = serde_json::json!({ "method": "bank_ru", "account": "40802810100000005678", "bik": "044525974" });
    let sepa = serde_json::json!({ "method": "sepa", "iban": "DE36210501700024690959" });
    for (name, payout, currency, expected) in [
        ("Иван", bank.clone(), "RUB", None),
        ("🦔", serde_json::json!({ "method": "manual" }), "RUB", None),
        ("Anna", serde_json::json!({ "method": "paypal" }), "USD", None),
        ("Иван 🦔", bank.clone(), "RUB", Some("the name holds '🦔' (U+1F994), which windows-1251 does not have")),
        ("Иван", bank, "USD", Some("the format carries RUB only")),
        ("Anna", sepa.clone(), "EUR", None),
        ("Иван", sepa, "EUR", Some("the name holds 'И' (U+0418), which the SEPA character set does not have")),
        ("Anna", serde_json::json!({ "method": "swift", "account": "1" }), "USD", Some("the requisite swift is missing")),
        ("=A1", serde_json::json!({ "method": "wise" }), "USD", Some("the name would be read as a formula")),
    ] {
        assert_eq!(obstacle(name, payout, currency).as_deref(), expected);
    }
}

/// The sum of the amounts that stand in a file, read by other means than they were written by.
fn sum_in(name: &str, bytes: &[u8], currency: Currency) -> i64 {
    let minor = |text: &str| Money::parse(text, currency).unwrap().minor();
    let column = |delimiter: u8, head: bool, at: usize| -> Vec<i64> {
        let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let mut reader = ::csv::ReaderBuilder::new().delimiter(delimiter).has_headers(head).from_reader(text);
        reader.records().map(|row| minor(row.unwrap().get(at).unwrap())).collect()
    };
    let with_total = |amounts: Vec<i64>| {
        let (total, lines) = amounts.split_last().unwrap();
        assert_eq!(lines.iter().sum::<i64>(), *total, "the lines are the total");
        *total
    };
    let between = |text: &str, from: &str, to: &str| -> Vec<i64> {
        text.split(from).skip(1).map(|rest| minor(rest.split(to).next().unwrap().trim())).collect()
    };
    match name {
        "csv" => with_total(column(b';', true, 7)),
        "csv-comma" => with_total(column(b',', true, 7)),
        "paypal" => column(b',', false, 1).iter().sum(),
        "wise" => column(b',', true, 4).iter().sum(),
        "1c" => between(&encoding_rs::WINDOWS_1251.decode(bytes).0, "\r\nСумма=", "\r\n").iter().sum(),
        "xlsx" => {
            let rows = rows(&unzipped(bytes), 1);
            with_total(rows[1..].iter().map(|row| minor(&row[row.len() - 2])).collect())
        }
        _ => {
            let text = std::str::from_utf8(bytes).unwrap();
            let amounts = between(text, &format!("<InstdAmt Ccy=\"{currency}\">"), "</InstdAmt>");
            let sums = between(text, "<CtrlSum>", "</CtrlSum>");
            let count = text.split("<NbOfTxs>").nth(1).unwrap().split("</").next().unwrap();
            assert_eq!(count, amounts.len().to_string());
            assert_eq!(sums[0], sums[1..].iter().sum::<i64>(), "the groups are the message");
            assert_eq!(sums[0], amounts.iter().sum::<i64>(), "the transfers are the message");
            sums[0]
        }
    }
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Zа-яА-ЯёЁ «»№=;:,.\"'&<>-]{1,30}",
        2 => "[À-ž Ά-ώ]{1,12}",
        2 => "\\PC{1,20}",
        1 => any::<String>().prop_map(|s| s.chars().take(30).collect()),
        1 => "[=+@-][a-z]{1,5}",
    ]
}

fn payments() -> impl Strategy<Value = Vec<(String, PayoutMethod, i64)>> {
    let methods = prop_oneof![
        Just(PayoutMethod::Manual),
        Just(PayoutMethod::BankRu),
        Just(PayoutMethod::Sepa),
        Just(PayoutMethod::Swift),
        Just(PayoutMethod::Paypal),
        Just(PayoutMethod::Wise),
    ];
    prop::collection::vec((names(), methods, 1_i64..100_000_000_000), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_names_every_file_adds_up_or_says_whose_name_it_cannot_write(of in payments(), russian in any::<bool>()) {
        let requisites = texts(&[
            ("account", "40802810100000005678"), ("bik", "044525974"), ("iban", "DE36210501700024690959"), ("swift", "CHASUS33"),
        ]);
        let of: Vec<_> = of.iter().map(|(name, method, minor)| {
            // As the requisites of a swift partner have either.
            (name.as_str(), *method, *minor, requisites.clone())
        }).collect();
        let batch = if russian { batch("RUB", payer(), of) } else { batch("EUR", abroad(), of) };
        let run_total: i64 = batch.payments.iter().map(|p| p.amount_minor).sum();
        for name in ["csv", "csv-comma", "xlsx", "1c", "pain.001.001.03", "pain.001.001.09", "paypal", "wise"] {
            let mut request: FileRequest = name.parse().unwrap();
            let file = match render(&batch, &PaymentParts::new(), &request) {
                Ok(file) => file,
                Err(FileError::Payments(faults)) => {
                    prop_assert!(!matches!(request.format, FileFormat::Csv(_) | FileFormat::Xlsx));
                    for fault in &faults {
                        let payment = batch.payments.iter().find(|p| p.partner == fault.partner).unwrap();
                        if let TextProblem::Character { character, .. } = fault.problem {
                            prop_assert!(payment.partner_name.contains(character), "{}", fault);
                        }
                    }
                    // Without them the file is written.
                    request.without = faults.iter().map(|f| f.partner).collect();
                    match render(&batch, &PaymentParts::new(), &request) {
                        Ok(file) => file,
                        Err(FileError::Empty(_)) => continue,
                        Err(other) => return Err(TestCaseError::fail(other.to_string())),
                    }
                }
                Err(FileError::Empty(_)) => continue,
                Err(other) => return Err(TestCaseError::fail(other.to_string())),
            };
            prop_assert_eq!(sum_in(name, &file.bytes, batch.currency), file.totals.total_minor, "{}", name);
            prop_assert_eq!(file.totals.total_minor + file.totals.left_out_minor(), run_total);
            let again = render(&batch, &PaymentParts::new(), &request).unwrap();
            prop_assert!(again.bytes == file.bytes, "{} is the same to the byte", name);
            if name == "1c" {
                let entries = bank_statement::read(&file.bytes).unwrap().entries;
                let fitting = select(&batch, &request).payments;
                prop_assert_eq!(entries.len(), fitting.len());
                for (entry, payment) in entries.iter().zip(fitting) {
                    prop_assert_eq!(entry.counterparty.name.as_deref().unwrap_or(""), payment.partner_name.trim());
                    prop_assert_eq!(entry.amount.minor(), payment.amount_minor);
                }
            }
        }
    }
}
