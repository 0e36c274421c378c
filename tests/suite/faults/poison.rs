//! A hit that the database refuses: the rest of its batch goes in, and it is kept and shown.

use crate::load::*;
use crate::servers::wait_for;
use crate::support::*;
use serde_json::json;
use tributary::store::Dialect;

both_stores! {
    async fn one_poisonous_hit_holds_no_other_up(app: &TestApp) {
        app.set_up().await;
        let refuse: &[&str] = match app.service.db.dialect() {
            Dialect::Sqlite => &[
                "CREATE TRIGGER no_poison BEFORE INSERT ON texts WHEN NEW.text LIKE 'Poison%' BEGIN SELECT RAISE(ABORT, 'no poison'); END",
                "CREATE TRIGGER no_venom BEFORE INSERT ON touches WHEN NEW.query LIKE '%venom%' BEGIN SELECT RAISE(ABORT, 'no venom'); END",
            ],
            Dialect::Postgres => &[
                "ALTER TABLE texts ADD CONSTRAINT no_poison CHECK (text NOT LIKE 'Poison%')",
                "ALTER TABLE touches ADD CONSTRAINT no_venom CHECK (query NOT LIKE '%venom%')",
            ],
        };
        let mut tx = app.service.db.begin().await.unwrap();
        for sql in refuse {
            tributary::exec!(&mut tx, sqlx::query(*sql)).unwrap();
        }
        tx.commit().await.unwrap();
        let client = visitor();
        let ask = async |number: usize| {
            let agent = if number == 17 { "Poison/1.0".to_owned() } else { format!("{BROWSER} {number}") };
            let query = if number == 40 { "?q=venom" } else { "" };
            let answer = client.get(app.url(&format!("/r/anna{query}"))).header("user-agent", agent).send().await.unwrap();
            assert_eq!(answer.status(), 302);
        };
        futures_util::future::join_all((0..60).map(ask)).await;
        app.mover_done().await;
        assert_eq!(stored(&app.service).await.len(), 58);
        let rejected = app.get("/v1/rejected-hits").await;
        let rejected = rejected["data"].as_array().unwrap();
        assert_eq!(rejected.len(), 2, "{rejected:?}");
        let poison = rejected.iter().find(|r| r["hit"]["user_agent"] == "Poison/1.0").unwrap();
        assert!(poison["reason"].as_str().unwrap().contains("poison"), "{poison}");
        assert_eq!((&poison["hit"]["kind"], &poison["hit"]["id"]), (&json!("click"), &poison["hit_id"]));
        let venom = rejected.iter().find(|r| r["hit"]["url"] == "/r/anna?q=venom").unwrap();
        assert!(venom["reason"].as_str().unwrap().contains("venom"), "{venom}");

        // The same hits come again: they are kept once. And a page of the list is a page.
        let page = app.get("/v1/rejected-hits?limit=1").await;
        let next = page["next_cursor"].as_str().unwrap();
        assert_eq!(app.get(&format!("/v1/rejected-hits?limit=1&cursor={next}")).await["data"][0]["id"], rejected[1]["id"]);
        let read = app.key(tributary::service::access::Scope::Read).await;
        let asked = client.get(app.url("/v1/rejected-hits"));
        assert_eq!(asked.try_clone().unwrap().send().await.unwrap().status(), 401);
        assert_eq!(asked.bearer_auth(read).send().await.unwrap().status(), 200);
        let moved = wait_for("counted", async || {
            let count = metric(&app.url(""), "tributary_hits_rejected_total").await;
            (count > 0.0).then_some(count)
        });
        assert_eq!(moved.await, 2.0);
    }
}
