//! Stored touches enriched anew: what changes, what stays, and that a run may be stopped at any day.

use crate::support::*;
use chrono::NaiveDate;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::ops::ControlFlow;
use tributary::domain::touch::{Mark, Touch, touch_id};
use tributary::service::import::{ImportKind, import};
use tributary::service::replay::{Asked, Replayed, replay};
use tributary::store::{audit, decision, order, settings, touch};

async fn import_touches(app: &TestApp, rows: &[&str]) {
    let file = format!("id,at,visitor_id,kind,partner,url,referrer,channel,user_agent\n{}\n", rows.join("\n"));
    let file = file.replace("BROWSER", &format!("\"{BROWSER}\""));
    let mut tx = app.service.db.begin().await.unwrap();
    let context = app.service.context("test");
    import(&mut tx, &context, ImportKind::Touches, file.as_bytes(), &HashMap::new(), |_| ()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn put_rules(app: &TestApp, rules: Value) {
    let answer = app.request(Method::PUT, "/v1/channel-rules").json(&json!({ "rules": rules })).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

async fn radio_rule(app: &TestApp) {
    let when = json!([{ "field": "campaign", "is": "starts_with", "value": "radio-" }]);
    put_rules(app, json!([{ "name": "Radio", "when": when, "channel": "audio", "source": "radio" }])).await;
}

async fn run_all(app: &TestApp, dry_run: bool) -> Replayed {
    let asked = Asked { dry_run, ..Asked::default() };
    replay(&app.service, &app.service.context("test"), asked, |_| ControlFlow::Continue(())).await.unwrap()
}

async fn stored(app: &TestApp, id: &str) -> Touch {
    touch::by_id(&app.service.db, touch_id(id)).await.unwrap().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Writes over what is stored, as an older version or another node would have stored it.
async fn as_it_was(app: &TestApp, statements: &[&'static str]) {
    let mut tx = app.service.db.begin().await.unwrap();
    for sql in statements {
        tributary::exec!(&mut tx, sqlx::query(*sql)).unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(app.broken().await, Vec::<String>::new());
}

both_stores! {
    async fn a_new_rule_of_the_merchants_is_applied_to_history_and_to_nothing_else(app: &TestApp) {
        app.set_up().await;
        import_touches(app, &[
            "a1,2026-11-10T10:00:00Z,v1,visit,,https://shop.example/?utm_source=anna&utm_medium=cpc&utm_campaign=radio-1,,,BROWSER",
            "a2,2026-11-10T11:00:00Z,v2,visit,,https://shop.example/?utm_source=anna&utm_medium=cpc&utm_campaign=radio-1,,offline,BROWSER",
            "a3,2026-11-11T10:00:00Z,v3,visit,,https://shop.example/?utm_campaign=radio-2&utm_source=zzz,,,Googlebot/2.1",
            "a4,2026-11-12T10:00:00Z,v4,visit,,https://shop.example/,https://blog.example/,,BROWSER",
        ]).await;
        app.make("/v1/costs", json!([{ "date": "2026-11-10", "source": "anna", "medium": "cpc", "campaign": "radio-1", "amount": "50.00", "currency": "RUB" }])).await;
        let (_, click_id) = app.click("anna").await;
        app.mover_done().await;
        app.make("/v1/orders", json!({ "external_id": "R-1", "placed_at": app.now(), "currency": "RUB", "total": "100.00", "click_id": click_id })).await;
        let order_id = order::by_external_id(&app.service.db, "R-1").await.unwrap().unwrap().id;
        let decided = format!("{:?}", decision::must_be(&app.service.db, order_id).await.unwrap());
        assert_eq!(run_all(app, false).await.summary.changed, 0, "what is stored is what today's rules say");

        radio_rule(app).await;
        let before = stored(app, "a1").await;
        let foreseen = run_all(app, true).await;
        assert_eq!(stored(app, "a1").await, before, "a dry run writes nothing");
        let done = run_all(app, false).await;
        assert_eq!(foreseen.summary, done.summary);
        let by_channel: Vec<(&str, &str, u64)> = done.summary.channels.iter()
            .flat_map(|(from, others)| others.iter().map(|(to, touches)| (from.name(), to.name(), *touches))).collect();
        assert_eq!(by_channel, [("paid_other", "audio", 1), ("unassigned", "audio", 1)]);
        assert_eq!((done.summary.touches, done.summary.changed, done.summary.origins, done.summary.costs), (5, 2, 2, 1));
        let now = stored(app, "a1").await;
        assert_eq!((now.channel.name(), now.source.as_deref(), now.medium.as_deref()), ("audio", Some("radio"), Some("cpc")));
        assert_eq!(now, Touch { channel: now.channel, source: now.source.clone(), ..before });
        let given = stored(app, "a2").await;
        assert_eq!((given.channel.name(), given.source.as_deref()), ("offline", Some("anna")), "a given channel stays");
        assert_eq!(stored(app, "a3").await.mark, Some(Mark::Bot));
        assert_eq!(stored(app, "a4").await.channel.name(), "referral");
        assert_eq!(format!("{:?}", decision::must_be(&app.service.db, order_id).await.unwrap()), decided);
        assert_eq!(run_all(app, false).await.summary.changed, 0, "a second run changes nothing");

        put_rules(app, json!([])).await;
        assert_eq!(run_all(app, false).await.summary.changed, 2);
        assert_eq!(stored(app, "a1").await.source.as_deref(), Some("anna"));
        let acts: Vec<String> = audit::latest(&app.service.db, 2).await.unwrap().into_iter().map(|line| line.act).collect();
        assert_eq!(acts, ["replay.finish", "replay.begin"]);
    }

    async fn marks_follow_what_is_stored_in_order_of_time(app: &TestApp) {
        app.set_up().await;
        // The later click came into the store first, from another node.
        import_touches(app, &["d2,2026-11-11T21:00:04Z,v1,click,anna@blog.example,https://shop.example/,,,BROWSER"]).await;
        import_touches(app, &[
            "d1,2026-11-11T20:59:58Z,v1,click,anna@blog.example,https://shop.example/,,,BROWSER",
            "b1,2026-11-13T10:00:00Z,v2,visit,,https://shop.example/,,,Googlebot/2.1",
            "b2,2026-11-13T11:00:00Z,v3,visit,,https://shop.example/,,,BROWSER",
        ]).await;
        let ahead = app.visitor(Method::GET, "/r/anna").header("sec-purpose", "prefetch").send().await.unwrap();
        assert_eq!(ahead.status(), 302);
        app.mover_done().await;
        as_it_was(app, &[
            "UPDATE touches SET mark = NULL, mark_reason = NULL WHERE external_id = 'b1'",
            "UPDATE touches SET mark = 'bot', mark_reason = 'an old list' WHERE external_id = 'b2'",
        ]).await;
        let done = run_all(app, false).await;
        assert_eq!(stored(app, "d1").await.mark, None);
        assert_eq!(stored(app, "d2").await.mark, Some(Mark::Duplicate), "six seconds later, on the merchant's next day");
        assert_eq!(stored(app, "b1").await.mark, Some(Mark::Bot));
        assert_eq!((stored(app, "b2").await.mark, stored(app, "b2").await.mark_reason), (None, None));
        assert_eq!(touch::latest(&app.service.db, 1).await.unwrap()[0].mark, Some(Mark::Prefetch), "headers are not stored");
        let marks: Vec<(&str, u64, u64)> = done.summary.marks.iter().map(|(mark, c)| (mark.name(), c.set, c.taken_off)).collect();
        assert_eq!(marks, [("bot", 1, 1), ("duplicate", 1, 0)]);
        assert_eq!(run_all(app, false).await.summary.changed, 0);
    }

    async fn a_decision_made_before_stays_and_is_still_proved(app: &TestApp) {
        app.set_up().await;
        import_touches(app, &["b3,2026-11-13T11:00:00Z,v3,click,anna@blog.example,https://shop.example/,,,BROWSER"]).await;
        let mut tx = app.service.db.begin().await.unwrap();
        for sql in ["UPDATE touches SET mark = 'bot', mark_reason = 'an old list'", "UPDATE touch_days SET counted = 0, not_counted = 1"] {
            tributary::exec!(&mut tx, sqlx::query(sql)).unwrap();
        }
        tx.commit().await.unwrap();
        app.make("/v1/orders", json!({ "external_id": "R-1", "placed_at": "2026-11-14T10:00:00Z", "currency": "RUB", "total": "10.00", "visitor_id": "v3" })).await;
        assert_eq!(run_all(app, false).await.summary.changed, 1);
        assert_eq!(stored(app, "b3").await.mark, None);
        let attribution = app.get("/v1/orders/R-1/attribution").await;
        assert_eq!(attribution["payable"]["trace"][0]["detail"], "a machine: an old list", "what was decided stays");
        assert_eq!(app.broken().await, Vec::<String>::new());
        let mut tx = app.service.db.begin().await.unwrap();
        tributary::exec!(&mut tx, sqlx::query("UPDATE payable_decisions SET via = 'click'")).unwrap();
        tx.commit().await.unwrap();
        assert_eq!(app.broken().await.len(), 1, "and is proved by all else");
        let mut tx = app.service.db.begin().await.unwrap();
        tributary::exec!(&mut tx, sqlx::query("UPDATE payable_decisions SET via = 'none'")).unwrap();
        tx.commit().await.unwrap();
    }

    async fn a_stopped_run_goes_on_after_the_last_finished_day(app: &TestApp) {
        app.set_up().await;
        let rows: Vec<String> = (10..14).map(|day| {
            format!("s{day},2026-11-{day}T10:00:00Z,v{day},visit,,https://shop.example/?utm_source=zzz&utm_campaign=radio-{day},,,BROWSER")
        }).collect();
        import_touches(app, &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
        radio_rule(app).await;
        let stop_at = async |last: &str| {
            let last = day(last);
            let watch = |position: tributary::service::replay::Position| {
                if position.day == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            replay(&app.service, &app.service.context("test"), Asked::default(), watch).await.unwrap()
        };
        let stopped = stop_at("2026-11-12").await;
        assert_eq!((stopped.resumed_after, stopped.stopped_after), (None, Some(Some(day("2026-11-11")))));
        assert_eq!((stopped.summary.changed, stopped.summary.touches), (2, 2));
        for (id, channel) in [("s10", "audio"), ("s11", "audio"), ("s12", "unassigned"), ("s13", "unassigned")] {
            assert_eq!(stored(app, id).await.channel.name(), channel, "{id}");
        }
        assert_eq!(app.broken().await, Vec::<String>::new());
        let stopped = stop_at("2026-11-13").await;
        assert_eq!((stopped.resumed_after, stopped.stopped_after), (Some(day("2026-11-11")), Some(Some(day("2026-11-12")))));
        let done = run_all(app, false).await;
        assert_eq!((done.resumed_after, done.stopped_after), (Some(day("2026-11-12")), None));
        assert_eq!((done.summary.changed, done.summary.touches), (4, 4), "of the whole span");
        assert_eq!(stored(app, "s13").await.channel.name(), "audio");
        assert_eq!(settings::get(&app.service.db, "replay").await.unwrap(), None);

        // By other rules an interrupted run begins anew.
        put_rules(app, json!([])).await;
        stop_at("2026-11-12").await;
        radio_rule(app).await;
        let done = run_all(app, false).await;
        assert_eq!((done.resumed_after, done.summary.changed), (None, 2));
    }
}

#[test]
fn the_command_tells_what_it_would_change() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("tributary.db").display());
    let (code, out, error) = run(&["--database-url", &url, "replay"], "");
    assert_eq!((code, out.as_str()), (0, "there are no touches\n"), "{error}");
    let file = folder.path().join("touches.csv");
    std::fs::write(&file, "id,at,url\nt1,2026-10-01T10:00:00Z,https://shop.example/?utm_source=vk&utm_medium=cpc\n").unwrap();
    assert_eq!(run(&["--database-url", &url, "import", "touches", file.to_str().unwrap()], "").0, 0);
    let (code, out, error) = run(&["--database-url", &url, "replay", "--dry-run", "--format", "json"], "");
    assert_eq!(code, 0, "{error}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&told["touches"], &told["changed"], &told["finished"]), (&json!(1), &json!(0), &json!(true)), "{out}");
    assert_eq!(run(&["--database-url", &url, "replay", "--from", "2026-10-02", "--to", "2026-10-01"], "").0, 2);
}
