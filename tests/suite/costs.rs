//! What advertising cost, out of the cabinets' own exports.

use crate::support::*;
use serde_json::{Value, json};
use std::collections::HashMap;
use tributary::service::import::{ImportError, import_costs, layout_of};

const DIRECT: &str = "Отчёт за 01.11.2026 - 02.11.2026\n\nДата;Кампания;Группа;Показы;Клики;CTR (%);Расход (руб.)\n\
    01.11.2026;Осень;А;1 000;30;3;900,50\n01.11.2026;Осень;Б;500;10;2;100,25\n02.11.2026;Осень;А;10;0;0;--\nВсего;;;1 510;40;;1 000,75\n";

async fn take(
    app: &TestApp,
    text: &[u8],
    columns: &[(&str, &str)],
    fixed: &[(&str, &str)],
) -> Result<(u64, Option<String>), String> {
    let pairs = |given: &[(&str, &str)]| -> HashMap<String, String> {
        given.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    };
    let layout = layout_of(&pairs(columns), &pairs(fixed)).map_err(|error| error.to_string())?;
    let mut tx = app.service.db.begin().await.unwrap();
    match import_costs(&mut tx, &app.service.context("test"), text, &layout).await {
        Ok(done) => {
            tx.commit().await.unwrap();
            Ok((done.rows, done.layout))
        }
        Err(error @ ImportError::Refused(_)) => Err(error.to_string()),
        Err(error) => panic!("{error}"),
    }
}

async fn costs(app: &TestApp) -> Vec<String> {
    let line = |cost: &Value| {
        let text = |name: &str| cost[name].as_str().unwrap_or_default().to_owned();
        format!(
            "{} {}/{}/{} {} {} {} {}",
            text("date"),
            text("source"),
            text("medium"),
            text("campaign"),
            cost["amount"]["amount"].as_str().unwrap_or_default(),
            text("channel"),
            cost["impressions"],
            cost["clicks"]
        )
    };
    app.get("/v1/costs").await["data"].as_array().unwrap().iter().map(line).collect()
}

both_stores! {
    async fn a_cabinets_export_goes_in_as_it_comes_and_again_in_its_place(app: &TestApp) {
        app.set_up().await;
        assert_eq!(take(app, DIRECT.as_bytes(), &[], &[]).await.unwrap(), (3, Some("Yandex Direct".to_owned())));
        let expected = ["2026-11-01 yandex/cpc/осень 1000.75 paid_search 1500 40", "2026-11-02 yandex/cpc/осень 0.00 paid_search 10 0"];
        assert_eq!(costs(app).await, expected, "lines of one day and campaign are added up");
        let later = DIRECT.replace("900,50", "950,50");
        let (in_1251, ..) = encoding_rs::WINDOWS_1251.encode(&later);
        take(app, &in_1251, &[], &[]).await.unwrap();
        assert_eq!(costs(app).await[0], "2026-11-01 yandex/cpc/осень 1050.75 paid_search 1500 40");
        let report = app.get("/v1/reports/channels?from=2026-11-01&to=2026-11-30").await;
        assert_eq!((&report["data"][0]["platform_clicks"], &report["data"][0]["platform_clicks_difference"]), (&json!(40), &json!(-40)));
    }

    async fn a_layout_is_told_once_and_known_from_then_on(app: &TestApp) {
        app.set_up().await;
        let file = "Когда;Что;Деньги\n2026-11-03;Радио;150,00\n";
        let refused = take(app, file.as_bytes(), &[], &[]).await.unwrap_err();
        assert_eq!(refused, "1: date: this column is missing\n1: amount: this column is missing");
        let columns = [("date", "Когда"), ("amount", "Деньги"), ("campaign", "Что")];
        let fixed = [("source", "radio"), ("medium", "audio"), ("currency", "RUB")];
        take(app, file.as_bytes(), &columns, &fixed).await.unwrap();
        take(app, file.replace("2026-11-03", "2026-11-04").as_bytes(), &[], &[]).await.unwrap();
        assert_eq!(costs(app).await, ["2026-11-03 radio/audio/радио 150.00 audio 0 0", "2026-11-04 radio/audio/радио 150.00 audio 0 0"]);
        let wrong = take(app, file.as_bytes(), &[("dat", "Когда")], &[]).await.unwrap_err();
        assert_eq!(wrong, "1: dat: is not a column of this import");
    }

    async fn nothing_of_a_wrong_file_is_stored_and_every_fault_has_its_line(app: &TestApp) {
        app.set_up().await;
        for (file, faults) in [
            ("date,campaign,amount,currency\n2026-11-01,a,1.00,RUB\n2026-11-31,b,x,RUB\n", "3: date: must be a day like 2026-11-22\n3: amount: 'x' is not a number"),
            ("date,campaign,amount,currency\n2026-11-01,a,1.00,RUB\n2026-11-01,a,1.00,EUR\n", "3: currency: is EUR, and line 2 of the same day and campaign is in RUB"),
            ("date,campaign,amount,currency\n2026-11-01,a,1.00,ROUBLE\n", "2: currency: "),
            ("", "1: file: is empty"),
        ] {
            let told = take(app, file.as_bytes(), &[], &[]).await.unwrap_err();
            // What is wrong with a currency is said where currencies are read.
            let whole = !faults.ends_with(' ');
            assert!(if whole { told == faults } else { told.starts_with(faults) && told.contains("ROUBLE") }, "{file}: {told}");
        }
        assert_eq!(costs(app).await, Vec::<String>::new());
    }
}
