//! The trace of an order: complete, told in words, and provable from what is stored.

use crate::support::*;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tributary::service::doctor;

async fn sql(app: &TestApp, text: &str) {
    let mut tx = app.service.db.begin().await.unwrap();
    let text = text.to_owned();
    tributary::exec!(tx, sqlx::query(sqlx::AssertSqlSafe(text.clone()))).unwrap();
    tx.commit().await.unwrap();
}

/// Boris's link is clicked; the order holds Anna's code and one that nobody knows.
async fn an_order_two_claim(app: &TestApp) -> Value {
    let ids = app.set_up().await;
    let boris = app.make("/v1/partners", json!({ "name": "Boris", "email": "boris@blog.example" })).await;
    let link = json!({ "program": ids["program"], "partner": boris["id"], "code": "boris", "url": "https://shop.example/" });
    app.make("/v1/links", link).await;
    app.click("anna").await;
    app.advance(TimeDelta::days(2));
    let (_, click_id) = app.click("boris").await;
    app.advance(TimeDelta::hours(3));
    let order = json!({
        "external_id": "T-1", "placed_at": app.now(), "currency": "RUB", "total": "1200.00", "tax": "200.00", "click_id": click_id,
        "promo_codes": ["ANNA10", "NOBODY"], "items": [{ "sku": "k", "name": "Kettle", "quantity": 2, "amount": "1200.00" }],
    });
    app.make("/v1/orders", order).await;
    app.advance(TimeDelta::hours(1));
    app.click("boris").await;
    app.mover_done().await;
    boris
}

async fn decisions(app: &TestApp) -> doctor::Finding {
    let findings = doctor::examine(&app.service).await.unwrap();
    findings.into_iter().find(|f| f.what == "every payable decision comes out again as it is stored").unwrap()
}

both_stores! {
    async fn doctor_finds_whatever_was_changed_of_a_decision_or_under_it(app: &TestApp) {
        let boris = an_order_two_claim(app).await;
        let boris = boris["id"].as_str().unwrap().trim_start_matches("par_").to_owned();
        let whole = decisions(app).await;
        assert_eq!((whole.checked, whole.skipped, whole.broken), (1, 0, vec![]));
        sql(app, "CREATE TABLE saved_decisions AS SELECT * FROM payable_decisions").await;
        let of_sqlite = app.database_url.starts_with("sqlite");
        let replaced = |column: &str, old: &str, new: &str| if of_sqlite {
            format!("{column} = REPLACE({column}, '{old}', '{new}')")
        } else {
            let (old, new) = (old.replace(':', ": "), new.replace(':', ": "));
            format!("{column} = CAST(REPLACE(CAST({column} AS TEXT), '{old}', '{new}') AS JSONB)")
        };
        let changes = [
            format!("partner_id = {boris}"),
            "partner_id = NULL".to_owned(),
            "via = 'click'".to_owned(),
            "reason = 'first_click'".to_owned(),
            "policy = 'last_touch'".to_owned(),
            "touch = 'promo:OTHER'".to_owned(),
            "promo_code_id = NULL".to_owned(),
            "loser = NULL".to_owned(),
            replaced("trace", "promo_unknown", "promo_expired"),
            replaced("trace", "\"verdict\":\"won\"", "\"verdict\":\"kept\""),
            replaced("trace", "promo_unknown", "nonsense"),
            replaced("other_policies", "\"last_touch\":\"par_1\"", "\"last_touch\":null"),
            replaced("rules", "100000", "900000"),
            replaced("basis", "\"status\":\"approved\"", "\"status\":\"suspended\""),
            replaced("basis", "\"click_window_days\":30", "\"click_window_days\":0"),
        ];
        for change in changes {
            sql(app, &format!("UPDATE payable_decisions SET {change}")).await;
            let found = decisions(app).await;
            assert_eq!(found.broken.len(), 1, "{change}: {found:?}");
            assert!(found.broken[0].contains("T-1"), "{change}: {found:?}");
            for column in ["partner_id", "via", "reason", "policy", "touch", "promo_code_id", "loser", "trace", "other_policies", "rules", "basis"] {
                sql(app, &format!("UPDATE payable_decisions SET {column} = (SELECT s.{column} FROM saved_decisions s)")).await;
            }
        }
        let second = if of_sqlite { "1000000" } else { "INTERVAL '1 second'" };
        let id = "id = (SELECT f.id FROM first_touch f)";
        sql(app, &format!("CREATE TABLE first_touch AS SELECT id, partner_id FROM touches WHERE partner_id = {boris} ORDER BY at LIMIT 1")).await;
        for (change, back) in [
            (format!("at = at - {second}"), format!("at = at + {second}")),
            ("mark = 'bot', mark_reason = 'said so'".to_owned(), "mark = NULL, mark_reason = NULL".to_owned()),
            ("partner_id = 1".to_owned(), format!("partner_id = {boris}")),
            ("partner_id = NULL".to_owned(), format!("partner_id = {boris}")),
            ("kind = 'impression'".to_owned(), "kind = 'click'".to_owned()),
        ] {
            sql(app, &format!("UPDATE touches SET {change} WHERE {id}")).await;
            let found = decisions(app).await;
            assert_eq!(found.broken.len(), 1, "{change}: {found:?}");
            sql(app, &format!("UPDATE touches SET {back} WHERE {id}")).await;
        }
        // A touch that is gone.
        sql(app, &format!("CREATE TABLE aside AS SELECT * FROM touches WHERE {id}")).await;
        sql(app, &format!("DELETE FROM touches WHERE {id}")).await;
        assert!(decisions(app).await.broken[0].contains("is gone"));
        sql(app, "INSERT INTO touches SELECT * FROM aside").await;
        // Decisions of an earlier version have no basis: neither whole nor broken.
        sql(app, "UPDATE payable_decisions SET basis = NULL").await;
        let found = decisions(app).await;
        assert_eq!((found.checked, found.skipped, found.broken), (0, 1, vec![]));
        sql(app, "UPDATE payable_decisions SET basis = (SELECT s.basis FROM saved_decisions s)").await;
        for table in ["saved_decisions", "first_touch", "aside"] {
            sql(app, &format!("DROP TABLE {table}")).await;
        }
    }

    async fn the_trace_is_told_in_sentences_in_json_and_on_a_page(app: &TestApp) {
        an_order_two_claim(app).await;
        let explain = |arguments: &[&str]| {
            let folder = app.folder.path().display().to_string();
            let mut all = vec!["--database-url", &app.database_url, "--data-dir", &folder, "explain", "T-1"];
            all.extend(arguments);
            let (code, out, err) = run(&all, "");
            assert_eq!(code, 0, "{err}");
            out
        };
        let told = explain(&[]);
        for said in [
            "Order T-1 was placed on 24 Nov 2026 18:00 for RUB",
            "What was bought: 2 × Kettle.",
            "It is owed to Anna (par_1), by promo code. A valid promo code on the order.",
            "The terms of Shop then: clicks count 30 d, impressions 0 d",
            "Click · Affiliate · Boris. Could have won: A promo code outranks it — 3 h before the order, window 30 d. [promo_outranks_click]",
            "Promo code NOBODY. Left out: There is no such promo code. [promo_unknown]",
            "Without Anna it would have been owed to Boris: Click · Affiliate, 24 Nov 2026 15:00.",
            "Anna earns by rule rul_1, version 1: 10 % ×",
            "Under “Last click, then promo code” it would have been Boris.",
        ] {
            let said = said.replace("RUB", "₽1,200.00");
            assert!(told.contains(&said), "'{said}' is missing in:\n{told}");
        }
        assert!(explain(&["--lang", "ru"]).contains("Вознаграждение полагается: Anna (par_1), по промокоду."));
        let json: Value = serde_json::from_str(&explain(&["--json"])).unwrap();
        let answer = app.get("/v1/orders/T-1/attribution").await;
        assert_eq!(json, answer["payable"]);
        assert_eq!(json["rules"][0]["version"], 1);
        assert_eq!(json["basis"]["claimants"][0]["terms"]["click_window_days"], 30);
        assert_eq!(json["loser"], json["trace"][0]["touch"]);
    }

    async fn what_if_says_what_another_policy_would_pay_and_moves_no_money(app: &TestApp) {
        an_order_two_claim(app).await;
        let money = async || {
            let mut rows = Vec::new();
            for path in ["/v1/ledger/entries?limit=1000", "/v1/orders?limit=1000"] {
                rows.push(app.get(path).await["data"].clone());
            }
            rows
        };
        let before = money().await;
        let card = app.folder.path().join("card.csv");
        let what_if = |arguments: &[&str]| {
            let folder = app.folder.path().display().to_string();
            let mut all = vec!["--database-url", &app.database_url, "--data-dir", &folder, "what-if", "--format", "json"];
            all.extend(arguments);
            run(&all, "")
        };
        let answer = |arguments: &[&str]| -> Value {
            let (code, out, err) = what_if(arguments);
            assert_eq!(code, 0, "{err}");
            serde_json::from_str(&out).unwrap()
        };
        // Anna's code was paid on; the click before it is Boris's.
        let other = answer(&["--policy", "last_click_then_promo"]);
        assert_eq!((other["orders"].as_i64(), other["other_partner"].as_i64()), (Some(1), Some(1)));
        let differences: Vec<_> = other["partners"].as_array().unwrap().iter().map(|p| p["difference"]["amount"].clone()).collect();
        assert_eq!(differences, ["-100.00", "100.00"]);
        assert_eq!(other["totals"][0]["difference"]["amount"], "0.00");
        let same = answer(&["--policy", "promo_then_last_click"]);
        assert_eq!((same["other_partner"].as_i64(), same["totals"][0]["difference"]["amount"].as_str()), (Some(0), Some("0.00")));
        std::fs::write(&card, "percent\n5\n").unwrap();
        let card_path = card.display().to_string();
        assert_eq!(answer(&["--rules", &card_path])["totals"][0]["what_if"]["commission"]["amount"], "50.00");
        std::fs::write(&card, "percent\n5\n101x\n").unwrap();
        let (code, _, err) = what_if(&["--rules", &card_path]);
        assert!(code == 1 && err.contains("card.csv:3: percent:"), "{err}");
        assert_eq!(what_if(&[]).0, 2);
        assert_eq!(money().await, before);
    }
}
