//! Laws of the check digits over made-up numbers, requisites against each other, and payouts.

use super::*;
use crate::domain::money::Currency;
use crate::domain::partner::PayoutMethod;
use proptest::prelude::*;

/// The same formulas once more, written another way: the product is never asked what the right digit is.
mod oracle {
    pub fn number(digits: &[u32]) -> String {
        digits.iter().map(u32::to_string).collect()
    }

    fn inn_sum(before: &[u32]) -> u32 {
        let weights: &[u32] = match before.len() {
            9 => &[2, 4, 10, 3, 5, 9, 4, 6, 8],
            10 => &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8],
            _ => &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8],
        };
        (0..before.len()).map(|i| before[i] * weights[i]).sum()
    }

    /// The remainder before its last digit is taken.
    pub fn inn_remainder(before: &[u32]) -> u32 {
        inn_sum(before) % 11
    }

    pub fn inn(mut digits: Vec<u32>) -> Vec<u32> {
        let length = if digits.len() == 9 { 10 } else { 12 };
        while digits.len() < length {
            digits.push(inn_remainder(&digits) % 10);
        }
        digits
    }

    pub fn ogrn(before: u64) -> String {
        let divisor = if before.to_string().len() == 12 { 11 } else { 13 };
        let remainder = before - before / divisor * divisor;
        format!("{before}{}", remainder.to_string().chars().last().unwrap())
    }

    /// The key as the order has it: with 0 in its place, the last digit of the sum times 3.
    pub fn account(bik: &str, prefix: &str, currency: &str, rest: &str) -> String {
        let all: Vec<u32> = format!("{}{prefix}{currency}0{rest}", &bik[6..]).chars().map(|c| c.to_digit(10).unwrap()).collect();
        let sum: u32 = all.iter().enumerate().map(|(i, digit)| digit * [7, 1, 3][i % 3] % 10).sum();
        format!("{prefix}{currency}{}{rest}", sum * 3 % 10)
    }

    /// A German IBAN, by arithmetic on the whole number.
    pub fn german_iban(account: u64) -> String {
        let number = u128::from(account) * 1_000_000 + 131_400;
        format!("DE{:02}{account:018}", 98 - number % 97)
    }
}

fn changed(text: &str, place: usize, by: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[place] = b'0' + (bytes[place] - b'0' + by) % 10;
    String::from_utf8(bytes).unwrap()
}

proptest! {
    #[test]
    fn an_inn_with_its_check_digits_is_taken_and_with_others_refused(
        before in proptest::sample::select(vec![9, 10]).prop_flat_map(|n| proptest::collection::vec(0_u32..10, n)),
        by in 1_u8..10,
        from_end in 1_usize..3,
    ) {
        prop_assume!(before.iter().any(|digit| *digit > 0));
        let right = oracle::number(&oracle::inn(before.clone()));
        prop_assert!(right.parse::<Inn>().is_ok(), "{}", right);
        prop_assume!(from_end == 1 || before.len() == 10);
        let wrong = changed(&right, right.len() - from_end, by);
        prop_assert!(wrong.parse::<Inn>().is_err(), "{}", wrong);
    }

    /// The formula itself is blind between the remainders 0 and 10, and nowhere else.
    #[test]
    fn a_mistyped_digit_of_an_inn_is_seen_unless_both_remainders_are_written_0(
        before in proptest::collection::vec(0_u32..10, 9), place in 0_usize..9, by in 1_u32..10,
    ) {
        let right = oracle::inn(before.clone());
        let mut mistyped = right.clone();
        mistyped[place] = (mistyped[place] + by) % 10;
        prop_assume!(mistyped.iter().any(|digit| *digit > 0));
        let blind = [&right[..9], &mistyped[..9]].map(oracle::inn_remainder).iter().all(|r| matches!(r, 0 | 10));
        let text = oracle::number(&mistyped);
        prop_assert_eq!(text.parse::<Inn>().is_ok(), blind, "{}", text);
    }

    #[test]
    fn an_ogrn_with_its_check_digit_is_taken_and_with_another_refused(
        before in prop_oneof![100_000_000_000_u64..200_000_000_000, 500_000_000_000_u64..600_000_000_000, 30_000_000_000_000_u64..40_000_000_000_000],
        by in 1_u8..10,
    ) {
        let right = oracle::ogrn(before);
        prop_assert!(right.parse::<Ogrn>().is_ok(), "{}", right);
        let wrong = changed(&right, right.len() - 1, by);
        prop_assert_eq!(wrong.parse::<Ogrn>(), Err(RequisiteError::CheckDigit));
    }

    #[test]
    fn an_account_goes_with_its_bik_and_with_one_digit_changed_it_does_not(
        bik in "0[0-9]{5}(0[1-9][0-9]|[1-9][0-9]{2})", prefix in "40(702|802|817|820)", currency in "810|840|978", rest in "[0-9]{11}",
        place in 0_usize..20, by in 1_u8..10, bik_place in 6_usize..9,
    ) {
        let bik_of = |text: &str| text.parse::<Bik>();
        let right = oracle::account(&bik, &prefix, &currency, &rest);
        prop_assert!(right.parse::<RussianAccount>().unwrap().goes_with(&bik_of(&bik).unwrap()), "{} {}", bik, right);
        let wrong: RussianAccount = changed(&right, place, by).parse().unwrap();
        prop_assert!(!wrong.goes_with(&bik_of(&bik).unwrap()), "{} {}", bik, wrong);
        let other_bank = bik_of(&changed(&bik, bik_place, by)).unwrap();
        prop_assume!(!other_bank.is_of_bank_of_russia());
        prop_assert!(!right.parse::<RussianAccount>().unwrap().goes_with(&other_bank), "{} {}", other_bank, right);
    }

    #[test]
    fn an_iban_is_taken_and_with_one_digit_changed_or_two_swapped_refused(account in 0_u64..1_000_000_000_000_000_000, place in 2_usize..22, by in 1_u8..10) {
        let right = oracle::german_iban(account);
        prop_assert!(right.parse::<Iban>().is_ok(), "{}", right);
        prop_assert_eq!(changed(&right, place, by).parse::<Iban>(), Err(RequisiteError::IbanCheckDigits));
        let mut swapped = right.clone().into_bytes();
        swapped.swap(place, (place + 1).min(21));
        let swapped = String::from_utf8(swapped).unwrap();
        prop_assert!(swapped == right || swapped.parse::<Iban>().is_err(), "{}", swapped);
    }

    #[test]
    fn whatever_is_typed_is_answered(fields in proptest::collection::vec((0_usize..Field::ALL.len(), "\\PC{0,40}"), 0..12)) {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(field, text)| (Field::ALL[*field].key(), text.as_str())).collect();
        let payout = Payout::read(fields);
        let _ = (missing(&payout), ready_for_payment(&payout, "Anna", Currency::RUB));
        for fault in payout.faults() {
            prop_assert!(!fault.to_string().is_empty());
        }
    }

    #[test]
    fn what_is_stored_reads_the_same_again(inn in "[0-9]{9}", bik in "04[0-9]{4}[1-9][0-9]{2}", rest in "[0-9]{11}", note in "[a-zа-я ]{0,20}") {
        let inn = oracle::number(&oracle::inn(inn.chars().filter_map(|c| c.to_digit(10)).collect()));
        prop_assume!(inn != "0000000000");
        let account = oracle::account(&bik, "40702", "810", &rest);
        let spaced = format!(" {} {}", &account[..8], &account[8..]);
        let payout = Payout::read([("method", "BANK_RU"), ("inn", inn.as_str()), ("bik", bik.as_str()), ("account", spaced.as_str()), ("note", note.as_str())]);
        prop_assert_eq!(payout.faults(), &[]);
        let fields = payout.fields();
        prop_assert!(fields.contains(&("account", account)) && fields.contains(&("note", note.clone())));
        let again = Payout::read(fields.iter().map(|(key, text)| (*key, text.as_str())));
        prop_assert_eq!(&again, &payout);
    }
}

/// Reads `key=value` pairs parted by commas, and answers the faults as `key: what is wrong`.
fn faults(given: &str) -> Vec<String> {
    let given: Vec<(&str, &str)> = given.split(", ").filter_map(|pair| pair.split_once('=')).collect();
    let (_, faults) = Requisites::read(|field| given.iter().find(|(key, _)| *key == field.key()).map(|(_, text)| *text));
    faults.iter().map(|fault| format!("{}: {}", fault.field.key(), fault.error)).collect()
}

#[test]
fn requisites_that_go_together_are_without_fault() {
    for given in [
        "",
        "country=RU, kind=company, inn=7707083893, kpp=773601001, ogrn=1027700132195, bik=044525974, correspondent_account=",
        "kind=sole_trader, inn=005826107187, ogrn=315594021631645, bik=044525974, account=40802810113912393669",
        "kind=self_employed, inn=005826107187, bik=044525593, account=40817810799746105703",
        "kind=self_employed, ogrn=315594021631645, account=40802810113912393669",
        "kind=individual, bik=049805746, account=42301810016854930486",
        "kind=individual, bik=044030653, account=40820810349382827818",
        "inn=005826107187, account=40802810113912393669",
        "bik=044525225, correspondent_account=30101810400000000225",
        "bik=044541312, account=30114B84600000000501",
        "kind=company, bik=049805746, account=40602810700000000025",
        "country=DE, iban=DE89 3704 0044 0532 0130 00, swift=COBADEFFXXX",
        "country=US, swift=BOFAUS3N, account=123456789",
        "swift=BOFAUS3N, account=123456789",
        "iban=GB29NWBK60161331926819, swift=NWBKJESH",
        "bik=044525225, account=40817810538091310419, iban=RU0304452522540817810538091310419",
    ] {
        assert_eq!(faults(given), Vec::<String>::new(), "{given}");
    }
}

#[test]
fn what_does_not_go_together_is_named_where_it_stands() {
    for (given, expected) in [
        ("kind=company, inn=005826107187", vec!["inn: has 12 digits; that of a company has 10"]),
        ("kind=individual, inn=7707083893", vec!["inn: has 10 digits; that of an individual has 12"]),
        ("kind=sole_trader, kpp=773601001", vec!["kpp: must be left out: a sole trader has none"]),
        ("kind=self_employed, kpp=773601001", vec!["kpp: must be left out: a self-employed person has none"]),
        ("inn=005826107187, kpp=773601001", vec!["kpp: must be left out: a person, whose INN has 12 digits, has none"]),
        ("kind=company, ogrn=315594021631645", vec!["ogrn: has 15 digits; that of a company has 13"]),
        ("kind=sole_trader, ogrn=1027700132195", vec!["ogrn: has 13 digits; that of a sole trader has 15"]),
        ("kind=individual, ogrn=315594021631645", vec!["ogrn: must be left out: an individual has none"]),
        (
            "kind=company, account=40802810113912393669",
            vec!["account: begins with 40802; that of a company begins with 405, 406, 407, 40807"],
        ),
        (
            "kind=sole_trader, account=40817810799746105703",
            vec!["account: begins with 40817; that of a sole trader begins with 40802"],
        ),
        (
            "inn=7707083893, account=40817810799746105703",
            vec!["account: begins with 40817; that of a company begins with 405, 406, 407, 40807"],
        ),
        (
            "inn=005826107187, account=40702810232583962085",
            vec![
                "account: begins with 40702; that of a person, whose INN has 12 digits, begins with 40802, 40817, 40820, 423, 426",
            ],
        ),
        (
            "bik=044525225, account=40702810232583962085",
            vec!["account: does not go with the BIK 044525225: its control key is wrong"],
        ),
        ("bik=044525225, account=30101810400000000225", vec!["account: is the bank's correspondent account, not the payee's"]),
        ("kind=company, account=30101810400000000225", vec!["account: is the bank's correspondent account, not the payee's"]),
        (
            "bik=044525974, correspondent_account=30101810400000000225",
            vec!["correspondent_account: ends in 225, the BIK in 974: it is another bank's"],
        ),
        ("country=DE, bik=044525225, account=123", vec!["account: has 3 digits; a Russian account has 20"]),
        ("country=RU, swift=SABRRUMM, account=123", vec!["account: has 3 digits; a Russian account has 20"]),
        ("iban=DE89370400440532013000, swift=BNPAFRPP", vec!["swift: is of a bank in FR, the IBAN of one in DE"]),
        ("bik=044525974, iban=RU0304452522540817810538091310419", vec!["iban: holds another BIK"]),
        (
            "bik=044525225, account=40802810808260823058, iban=RU0304452522540817810538091310419",
            vec!["iban: holds another account"],
        ),
        (
            "country=XX, kind=firm",
            vec![
                "country: must be a country of two letters (ISO 3166), like RU",
                "kind: must be company, sole_trader, self_employed or individual",
            ],
        ),
        (
            "inn=1, kpp=1, ogrn=1, bik=1, account=1, correspondent_account=1, iban=1, swift=1",
            vec![
                "inn: has 1 digits; an INN has 10 (a company) or 12 (a person)",
                "kpp: is no KPP: four digits, two digits or capital Latin letters, three digits",
                "ogrn: has 1 digits; an OGRN has 13 (a company), an OGRNIP 15 (a sole trader)",
                "bik: has 1 digits; a BIK has 9",
                "account: has 1 digits; a Russian account has 20",
                "correspondent_account: has 1 digits; a Russian account has 20",
                "iban: begins with 1, where no IBANs are issued",
                "swift: is no SWIFT code: four letters, a country, two letters or digits, and three more for a branch",
            ],
        ),
    ] {
        assert_eq!(faults(given), expected, "{given}");
    }
}

fn payout(given: &str) -> Payout {
    Payout::read(given.split(", ").filter_map(|pair| pair.split_once('=')))
}

fn reasons(given: &str, currency: Currency) -> String {
    let faults = ready_for_payment(&payout(given), "Anna", currency).err().unwrap_or_default();
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn what_a_method_needs_and_lacks_is_named() {
    for (given, expected) in [
        ("", ""),
        ("method=manual, account=in cash, inn=12", ""),
        ("method=cheque", "the payout method must be manual, bank_ru, sepa, swift, paypal or wise"),
        ("method=bank_ru", "the kind of payee is missing; the INN is missing; the BIK is missing; the account is missing"),
        ("method=bank_ru, inn=7707083893, account=40702810232583962085", "the BIK is missing"),
        ("method=bank_ru, kind=individual, bik=044525593, account=40817810799746105703", ""),
        ("method=bank_ru, kind=self_employed, bik=044525593, account=40817810799746105703", "the INN is missing"),
        ("method=bank_ru, inn=005826107187, bik=044525974, account=40802810113912393669", "the kind of payee is missing"),
        (
            "method=bank_ru, kind=sole_trader, inn=005826107188, bik=044525974, account=40802810113912393669",
            "the INN fails its check digit: at least one digit is wrong",
        ),
        ("method=bank_ru, inn=7707083893, country=KZ, account=12", "the BIK is missing"),
        (
            "method=bank_ru, inn=7707083893, bik=044525225, account=40702840368866090329",
            "the account is in USD, the payout in RUB",
        ),
        ("method=sepa", "the IBAN is missing"),
        ("method=sepa, iban=DE89370400440532013000", ""),
        ("method=sepa, iban=DE88370400440532013000", "the IBAN fails its check digits: at least one character is wrong"),
        (
            "method=swift",
            "the IBAN is missing, and so is the account; the SWIFT code is missing; the payee's address is missing; the country is missing",
        ),
        (
            "method=swift, country=US, account=?, swift=BOFAUS3N, address=1 Main St",
            "the account is no account number: up to 34 Latin letters, digits, '-', '/' and '.'",
        ),
        ("method=swift, country=US, account=123, swift=BOFAUS3N, address=1 Main St", ""),
        ("method=paypal", "the e-mail address is missing"),
        ("method=paypal, email=anna", "the e-mail address 'anna' is not an e-mail address"),
        ("method=paypal, email=anna@blog.example, iban=oops", ""),
        ("method=wise", "the e-mail address is missing, and so is the recipient id"),
        ("method=wise, recipient_id=148563324", ""),
        (
            "method=paypal, email=anna@blog.example, npd_since=2018-12-31",
            "the day the self-employed status began is before 1 January 2019, when the tax on professional income began",
        ),
        (
            "method=paypal, email=anna@blog.example, npd_since=2026-02-01, npd_checked_on=2026-01-31",
            "the day the self-employed status was checked is before the day since which the tax is paid",
        ),
        ("method=paypal, email=anna@blog.example, contract_date=31.10.2026", "the contract's date must be a day like 2026-10-31"),
    ] {
        assert_eq!(reasons(given, Currency::RUB), expected, "{given}");
        assert_eq!(missing(&payout(given)).is_empty(), !expected.contains("is missing"), "{given}");
    }
}

#[test]
fn a_destination_has_all_that_its_method_needs() {
    let bank = payout(
        "method=bank_ru, name=Romashka LLC, inn=7707083893, bik=044525974, account=40702810584044769531, bank_name=Bank, note=x",
    );
    let Ok(Destination::BankRu { name, kind, inn, bik, account, correspondent_account, bank_name }) =
        ready_for_payment(&bank, "Anna", Currency::RUB)
    else {
        panic!("{:?}", ready_for_payment(&bank, "Anna", Currency::RUB))
    };
    assert_eq!((name.as_str(), kind, inn.unwrap().as_str()), ("Romashka LLC", PayeeKind::Company, "7707083893"));
    assert_eq!((bik.as_str(), account.as_str(), bank_name.as_deref()), ("044525974", "40702810584044769531", Some("Bank")));
    assert_eq!(correspondent_account, None);
    let sepa = ready_for_payment(&payout("method=sepa, iban=DE89370400440532013000"), "Anna", Currency::RUB).unwrap();
    assert!(matches!(sepa, Destination::Sepa { name, swift: None, .. } if name == "Anna"));
    let wise = ready_for_payment(&payout("method=wise, email=Anna@blog.example, recipient_id=5"), "Anna", Currency::RUB).unwrap();
    assert_eq!(wise, Destination::Wise { name: "Anna".to_owned(), recipient: WiseRecipient::Id("5".to_owned()) });
}

#[test]
fn an_old_payout_with_any_text_in_it_is_read() {
    let stored = serde_json::json!({ "method": "bank_ru", "account": "ask Olga", "bank": "Sber", "limit": 5, "inn": "" });
    let old = Payout::of_stored(&stored);
    assert_eq!((old.method, old.account.as_ref(), old.faults().len()), (PayoutMethod::BankRu, None, 1));
    assert!(old.fields().contains(&("bank", "Sber".to_owned())));
    assert_eq!(Payout::of_stored(&serde_json::json!(null)).method, PayoutMethod::Manual);
}

#[test]
fn every_field_has_a_key_and_a_name_of_its_own() {
    let keys: std::collections::BTreeSet<_> = Field::ALL.iter().map(|field| field.key()).collect();
    let labels: std::collections::BTreeSet<_> = Field::ALL.iter().map(|field| field.label()).collect();
    assert_eq!((keys.len(), labels.len()), (Field::ALL.len(), Field::ALL.len()));
}
