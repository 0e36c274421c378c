use super::*;
use proptest::prelude::*;

fn rows(text: &str, delimiter: char) -> Vec<Row> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (at as u64 + 1, line.split(delimiter).map(|cell| cell.trim_matches('"').to_owned()).collect()))
        .collect()
}

fn told(text: &str, delimiter: char) -> (Option<Platform>, Vec<String>) {
    let file = read(&rows(text, delimiter), &CostLayout::default()).unwrap();
    let line = |l: &CostLine| {
        format!(
            "{} {} {}/{}/{} {} {} {} {}",
            l.line, l.day, l.source, l.medium, l.campaign, l.amount.0, l.currency, l.impressions, l.clicks
        )
    };
    (file.platform, file.lines.iter().map(line).collect())
}

#[test]
fn yandex_direct_is_read_from_its_cabinet_and_its_api() {
    let cabinet = "Отчёт за 01.10.2026 - 31.10.2026\n\nДата;Кампания;№ Кампании;Показы;Клики;CTR (%);Расход (руб.)\n\
                   01.10.2026;Поиск | Москва;12345;1 200;34;2,83;1 234,56\nВсего;;;1 200;34;;1 234,56\n";
    assert_eq!(
        told(cabinet, ';'),
        (Some(Platform::YandexDirect), vec!["4 2026-10-01 yandex/cpc/Поиск | Москва 1234560000 RUB 1200 34".to_owned()])
    );
    let api = "\"Costs (2026-10-01 - 2026-10-31)\"\nDate\tCampaignId\tCampaignName\tImpressions\tClicks\tCost (RUB)\n2026-10-01\t7\tbrand\t10\t2\t12.5\nTotal rows: 1\n";
    assert_eq!(
        told(api, '\t'),
        (Some(Platform::YandexDirect), vec!["3 2026-10-01 yandex/cpc/brand 12500000 RUB 10 2".to_owned()])
    );
}

#[test]
fn vk_google_and_meta_are_read_as_they_come() {
    let vk = "Дата;Название кампании;Показы;Клики;Потрачено всего, ₽\n05.10.2026;Осень;900;12;450,1234\nИтого;;900;12;450,12\n";
    assert_eq!(told(vk, ';'), (Some(Platform::VkAds), vec!["2 2026-10-05 vk/cpc/Осень 450123400 RUB 900 12".to_owned()]));
    let google = "Campaign performance\nOctober 1, 2026 - October 31, 2026\nDay\tCampaign\tCurrency code\tCost\tImpr.\tClicks\n\
                  2026-10-02\tBrand\tEUR\t1,234.50\t10,000\t120\nTotal: Account\t --\tEUR\t1,234.50\t10,000\t120\n";
    assert_eq!(
        told(google, '\t'),
        (Some(Platform::GoogleAds), vec!["4 2026-10-02 google/cpc/Brand 1234500000 EUR 10000 120".to_owned()])
    );
    let meta = "Reporting starts;Reporting ends;Campaign name;Amount spent (USD);Impressions;Link clicks\n2026-10-03;2026-10-03;Autumn;33.10;500;--\n";
    assert_eq!(told(meta, ';'), (Some(Platform::Meta), vec!["2 2026-10-03 facebook/cpc/Autumn 33100000 USD 500 0".to_owned()]));
}

#[test]
fn any_table_is_read_by_a_layout() {
    let text = "Когда|Кабинет|Деньги|Кликов\n2026-10-04|Радио|10|1\n";
    let columns = [
        (CostField::Date, "Когда"),
        (CostField::Amount, "деньги"),
        (CostField::Campaign, "Кабинет"),
        (CostField::Clicks, "Кликов"),
    ];
    let fixed = [(CostField::Source, "radio"), (CostField::Medium, "offline"), (CostField::Currency, "KZT")];
    let layout = CostLayout {
        columns: columns.map(|(field, text)| (field, text.to_owned())).into(),
        fixed: fixed.map(|(field, text)| (field, text.to_owned())).into(),
    };
    let file = read(&rows(text, '|'), &layout).unwrap();
    assert_eq!((file.lines[0].source.as_str(), file.lines[0].currency.as_str(), file.lines[0].clicks), ("radio", "KZT", 1));
    let missing = CostLayout { columns: [(CostField::Campaign, "Нет".to_owned())].into(), ..CostLayout::default() };
    let faults = read(&rows("date,amount,currency\n2026-10-01,1,RUB\n", ','), &missing).unwrap_err();
    assert_eq!((faults[0].line, faults[0].column.as_str(), faults[0].detail.as_str()), (1, "Нет", "this column is missing"));
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_column() {
    let faults = |text: &str| -> Vec<String> {
        let found = read(&rows(text, ','), &CostLayout::default()).unwrap_err();
        found.into_iter().map(|fault| format!("{}:{}: {}", fault.line, fault.column, fault.detail)).collect()
    };
    assert_eq!(faults("a,b\n1,2\n"), ["1:date: this column is missing", "1:amount: this column is missing"]);
    assert_eq!(faults("date,amount\n2026-10-01,1\n"), ["1:currency: this column is missing"]);
    assert_eq!(
        faults("date,amount,currency,clicks\n2026-13-01,1,RUB,1\n2026-10-01,x,RUB,1.5\n"),
        ["2:date: must be a day like 2026-11-22", "3:amount: 'x' is not a number", "3:clicks: '1.5' is not a whole number"]
    );
    assert_eq!(
        faults("Reporting starts,Reporting ends,Amount spent (RUB)\n2026-10-01,2026-10-31,5\n"),
        ["2:date: runs to 2026-10-31: export it day by day"]
    );
}

#[test]
fn numbers_are_read_by_the_files_own_custom() {
    let read = |text: &str, comma: bool| Millionths::read(text, comma).map(|number| number.0);
    for (text, comma, number) in [
        ("1 234,56", true, 1_234_560_000),
        ("1,234", false, 1_234_000_000),
        ("1,234", true, 1_234_000),
        ("1,23", false, 1_230_000),
        ("1.234,56", false, 1_234_560_000),
        ("1,234,567.8", true, 1_234_567_800_000),
        ("\u{a0}7\u{202f}000 ₽", false, 7_000_000_000),
        ("--", false, 0),
    ] {
        assert_eq!(read(text, comma), Ok(number), "{text}");
    }
    for text in ["-5", "1.2.3", "1e5", "0.1234567", "€"] {
        assert!(read(text, false).is_err() || text == "€", "{text}");
    }
    assert_eq!(
        (Millionths(125_000).minor(1), Millionths(1_005_000).minor(2), Millionths(1_500_000).minor(0)),
        (Some(1), Some(100), Some(2))
    );
}

#[test]
fn files_come_in_several_encodings() {
    let text = "Дата;Расход";
    let utf_16: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let (in_1251, ..) = encoding_rs::WINDOWS_1251.encode(text);
    for bytes in [text.as_bytes(), format!("\u{feff}{text}").as_bytes(), &utf_16, &in_1251] {
        assert_eq!(decoded(bytes), text);
    }
}

proptest! {
    #[test]
    fn no_file_makes_it_stumble(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = decoded(&bytes);
        let _ = read(&rows(&text, ','), &CostLayout::default());
    }

    #[test]
    fn an_amount_is_read_back_as_it_was_written(minor in 0_i64..10_000_000_000) {
        let text = format!("{},{:02}", minor / 100, minor % 100);
        prop_assert_eq!(Millionths::read(&text, true).unwrap().minor(2), Some(minor));
    }
}
