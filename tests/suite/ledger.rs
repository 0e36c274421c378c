//! The ledger itself: its chain, what it refuses, and what it leads back to.

use crate::support::*;
use chrono::{Days, NaiveDate};
use serde_json::json;
use sqlx::AssertSqlSafe;
use tributary::domain::id::PartnerId;
use tributary::domain::ledger::{Account, AccountKind, Journal, JournalKind};
use tributary::domain::money::Currency;
use tributary::domain::time::FAR_DAY;
use tributary::service::worker;
use tributary::store::ledger::{self, Because, Posting};
use tributary::store::{Dialect, ledger_sum};

async fn earn(app: &TestApp, id: &str, total: &str) {
    let (_, click_id) = app.click("anna").await;
    let order = json!({ "external_id": id, "placed_at": app.now(), "currency": "RUB", "total": total, "click_id": click_id });
    app.make("/v1/orders", order).await;
}

both_stores! {
    async fn doctor_names_the_first_journal_that_was_changed_removed_or_put_in(app: &TestApp) {
        app.set_up().await;
        for (id, total) in [("C-1", "100.00"), ("C-2", "200.00"), ("C-3", "300.00"), ("C-4", "400.00")] {
            earn(app, id, total).await;
        }
        let chain = async || {
            let broken = app.broken().await;
            broken.into_iter().filter_map(|b| b.split_once("the chain holds: ").map(|(_, said)| said.to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(chain().await, Vec::<String>::new());
        let (first, more) = ("does not follow the journal before it", "nor do");
        // Changed, in the journal and in an entry; and back.
        for (bad, good, named) in [
            ("UPDATE journals SET note = 'x' WHERE id = 2", "UPDATE journals SET note = NULL WHERE id = 2", "jrn_2"),
            ("UPDATE journals SET order_id = 1 WHERE id = 3", "UPDATE journals SET order_id = 3 WHERE id = 3", "jrn_3"),
            ("UPDATE journals SET actor = 'me' WHERE id = 1", "UPDATE journals SET actor = (SELECT actor FROM journals WHERE id = 2) WHERE id = 1", "jrn_1"),
            ("UPDATE ledger_entries SET amount_minor = 2 * amount_minor WHERE journal_id = 4", "UPDATE ledger_entries SET amount_minor = amount_minor / 2 WHERE journal_id = 4", "jrn_4"),
            ("UPDATE ledger_entries SET day = '2026-11-01' WHERE journal_id = 2", "UPDATE ledger_entries SET day = '2026-11-22' WHERE journal_id = 2", "jrn_2"),
            ("INSERT INTO ledger_entries (journal_id, account, currency, amount_minor, day) VALUES (3, 'cash', 'RUB', 0, '2026-11-22')", "DELETE FROM ledger_entries WHERE amount_minor = 0", "jrn_3"),
            ("UPDATE journals SET hash = NULL WHERE id = 4", "SELECT 1", "jrn_4"),
        ] {
            app.behind_its_back(bad).await;
            let said = chain().await;
            assert_eq!(said.len(), 1, "{bad}");
            assert!(said[0].starts_with(&format!("{named} {first}")) && !said[0].contains(more), "{bad}: {said:?}");
            app.behind_its_back(good).await;
        }
        app.behind_its_back("DELETE FROM ledger_entries WHERE journal_id = 4").await;
        app.behind_its_back("DELETE FROM journals WHERE id = 4").await;
        assert_eq!(chain().await, Vec::<String>::new(), "the end of a chain may be cut off unseen by the chain alone");
        let broken = app.broken().await;
        assert!(broken.iter().any(|b| b.starts_with("every commission equals its ledger entries: com_4")), "{broken:?}");
        app.behind_its_back("DELETE FROM commissions WHERE id = 4").await;
        app.behind_its_back("DELETE FROM payable_decisions WHERE order_id = 4").await;
        app.behind_its_back("DELETE FROM order_promo_codes WHERE order_id = 4").await;
        app.behind_its_back("DELETE FROM orders WHERE id = 4").await;
        // One in the middle is missed by the next.
        app.behind_its_back("CREATE TABLE kept_journals AS SELECT * FROM journals WHERE id = 2").await;
        app.behind_its_back("CREATE TABLE kept_entries AS SELECT * FROM ledger_entries WHERE journal_id = 2").await;
        app.behind_its_back("DELETE FROM ledger_entries WHERE journal_id = 2").await;
        app.behind_its_back("DELETE FROM journals WHERE id = 2").await;
        let said = chain().await;
        assert_eq!(said, ["jrn_3 does not follow the journal before it"]);
        let over = if app.service.db.dialect() == Dialect::Postgres { "OVERRIDING SYSTEM VALUE" } else { "" };
        app.behind_its_back(&format!("INSERT INTO journals {over} SELECT * FROM kept_journals")).await;
        app.behind_its_back(&format!("INSERT INTO ledger_entries {over} SELECT * FROM kept_entries")).await;
        app.behind_its_back("DROP TABLE kept_journals").await;
        app.behind_its_back("DROP TABLE kept_entries").await;
    }

    async fn the_store_refuses_to_change_what_is_in_the_chain(app: &TestApp) {
        app.set_up().await;
        earn(app, "R-1", "10.00").await;
        let mut statements = vec![
            "UPDATE journals SET hash = NULL",
            "UPDATE journals SET hash = hash",
            "UPDATE journals SET note = 'x'",
            "UPDATE ledger_entries SET day = '2026-01-01'",
            "DELETE FROM journals",
            "DELETE FROM ledger_entries",
            "INSERT INTO ledger_sums (partner_id, last_entry, currency, account, period, amount_minor) VALUES (1, 2, 'RUB', 'held', '2026-11', 100); UPDATE ledger_sums SET amount_minor = 1",
            "INSERT INTO ledger_sums (partner_id, last_entry, currency, account, period, amount_minor) VALUES (1, 2, 'RUB', 'held', '2026-11', 100); DELETE FROM ledger_sums",
        ];
        match app.service.db.dialect() {
            Dialect::Sqlite => statements.extend([
                "INSERT OR REPLACE INTO ledger_entries (id, journal_id, account, currency, amount_minor, day) VALUES (1, 1, 'cash', 'RUB', 5, '2026-11-22')",
                "INSERT OR REPLACE INTO journals (id, kind, currency, at, day) VALUES (1, 'paid', 'RUB', 0, '2026-11-22')",
            ]),
            Dialect::Postgres => statements.extend(["TRUNCATE journals CASCADE", "TRUNCATE ledger_entries CASCADE", "TRUNCATE ledger_sums"]),
        }
        for sql in statements {
            let mut tx = app.service.db.begin().await.unwrap();
            let mut refused = None;
            for part in sql.split("; ") {
                refused = tributary::exec!(&mut tx, sqlx::query(part)).err();
            }
            assert!(refused.is_some_and(|error| error.to_string().contains("never")), "{sql}");
        }
    }

    async fn a_balance_is_the_same_with_sums_and_without(app: &TestApp) {
        let ids = app.set_up().await;
        let partner: PartnerId = ids["partner"].as_str().unwrap().parse().unwrap();
        let first = NaiveDate::from_ymd_opt(2026, 9, 1).unwrap();
        let post = async |from: i64, to: i64| {
            let mut tx = app.service.db.begin().await.unwrap();
            for number in from..to {
                // Back and forth in time: a day of September may come after one of November.
                let day = first + Days::new((number * 37 % 80).unsigned_abs());
                let to = [Account::Held(partner), Account::Available(partner), Account::InPayment(partner)][number as usize % 3];
                let journal = Journal::transfer(JournalKind::Adjusted, Currency::RUB, Account::Expense, to, number % 7 - 2);
                let Some(journal) = journal else { continue };
                ledger::post(&mut tx, &Posting { journal, day, because: Because::by("test") }, app.clock.now().into()).await.unwrap();
            }
            tx.commit().await.unwrap();
        };
        let same_as_scanned = async || {
            for until in ["2026-08-31", "2026-09-30", "2026-10-31", "2026-11-30"].map(|d| d.parse().unwrap()).into_iter().chain([FAR_DAY]) {
                let of_one = ledger::balances(&app.service.db, Some(partner), until).await.unwrap();
                let of_all = ledger::balances(&app.service.db, None, until).await.unwrap();
                assert_eq!(of_one, of_all, "{until}");
            }
        };
        post(0, 900).await;
        worker::run_once(&app.service).await.unwrap();
        assert_eq!(ledger_sum::count(&app.service.db).await.unwrap(), 0, "too few");
        post(900, 2_500).await;
        same_as_scanned().await;
        worker::run_once(&app.service).await.unwrap();
        let made = ledger_sum::count(&app.service.db).await.unwrap();
        assert_eq!(made, 9, "three months, three accounts");
        same_as_scanned().await;
        post(2_500, 2_600).await;
        same_as_scanned().await;
        worker::run_once(&app.service).await.unwrap();
        assert_eq!(ledger_sum::count(&app.service.db).await.unwrap(), made, "the few that came since are added up one by one");
        app.behind_its_back("UPDATE ledger_sums SET amount_minor = amount_minor + 5 WHERE account = 'held' AND period = '2026-10'").await;
        let broken = app.broken().await;
        assert!(broken.iter().any(|b| b.contains("the sums of partners' entries") && b.contains("2026-10")), "{broken:?}");
        app.behind_its_back("UPDATE ledger_sums SET amount_minor = amount_minor - 5 WHERE account = 'held' AND period = '2026-10'").await;
    }

    async fn every_entry_leads_back_and_the_accounts_sum_to_zero(app: &TestApp) {
        let ids = app.set_up().await;
        earn(app, "T-1", "1000.00").await;
        app.advance(chrono::TimeDelta::days(15));
        let run = app.make("/v1/payout-runs", json!({ "period": "2026-12", "early": true })).await;
        let entries = app.get("/v1/ledger/entries").await;
        let entries = entries["data"].as_array().unwrap();
        let earned: Vec<_> = entries.iter().filter(|e| e["kind"] == "earned").collect();
        assert_eq!(earned.len(), 2);
        for entry in earned {
            assert_eq!((entry["order"].as_str(), entry["commission"].as_str()), (Some("T-1"), Some("com_1")), "{entry}");
            assert_eq!((&entry["rule"], &entry["rule_version"]), (&ids["rule"], &json!(1)), "{entry}");
            assert!(entry["by"].as_str().unwrap().starts_with("key key_"), "{entry}");
        }
        let in_run = app.get(&format!("/v1/ledger/entries?kind=put_in_run&partner={}&from=2026-12-07&to=2026-12-07", ids["partner"].as_str().unwrap())).await;
        let in_run = in_run["data"].as_array().unwrap();
        assert_eq!(in_run.len(), 2);
        assert!(in_run.iter().all(|e| e["payout_run"] == run["id"] && e["by"] == run["built_by"]));
        let released = app.get("/v1/ledger/entries?kind=released").await;
        assert_eq!((&released["data"][0]["by"], &released["data"][0]["rule"]), (&json!("clockwork"), &ids["rule"]));
        assert_eq!(app.get("/v1/ledger/entries?to=2026-11-21").await["data"], json!([]));
        for wrong in ["partner=x", "kind=nothing", "from=2026-13-01"] {
            let answer = app.request(reqwest::Method::GET, &format!("/v1/ledger/entries?{wrong}")).send().await.unwrap();
            assert_eq!(answer.status(), 422, "{wrong}");
        }
        let of = async |day: &str| app.get(&format!("/v1/ledger/trial-balance?at={day}")).await;
        let november = of("2026-11-30").await;
        let amount = |trial: &serde_json::Value, account: &str| {
            trial["data"].as_array().unwrap().iter().find(|row| row["account"] == account).unwrap()["amount"]["amount"].as_str().unwrap().to_owned()
        };
        assert_eq!((amount(&november, "held"), amount(&november, "expense")), ("100.00".into(), "-100.00".into()));
        let december = of("2026-12-07").await;
        assert_eq!((amount(&december, "in_payment"), amount(&december, "held")), ("100.00".into(), "0.00".into()));
        assert_eq!(december["sums"], json!([{ "amount": "0.00", "currency": "RUB" }]));
        assert_eq!(december["head"]["sha256"].as_str().unwrap().len(), 64);
        let csv = app.request(reqwest::Method::GET, "/v1/ledger/trial-balance?at=2026-12-07").header("accept", "text/csv").send().await.unwrap();
        let csv = csv.text().await.unwrap();
        assert!(csv.contains("RUB") && csv.contains("in_payment") && csv.lines().count() == 1 + AccountKind::ALL.len(), "{csv}");
        assert_eq!(app.request(reqwest::Method::GET, "/v1/ledger/trial-balance?at=x").send().await.unwrap().status(), 422);
    }
}

/// Journals of a store whose version had no chain.
const OLD_ROWS: &str = "
    INSERT INTO partners (id, name, kind, status, payout, created_at) VALUES (1, 'Anna', 'affiliate', 'approved', '{}', EPOCH);
    INSERT INTO journals (id, kind, currency, at, day, note) SELECT n, 'adjusted', 'RUB', EPOCH, '2025-01-01', 'no. ' || n FROM (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3) AS numbers;
    INSERT INTO ledger_entries (journal_id, account, partner_id, currency, amount_minor, day) SELECT id, 'expense', NULL, 'RUB', -id, day FROM journals;
    INSERT INTO ledger_entries (journal_id, account, partner_id, currency, amount_minor, day) SELECT id, 'available', 1, 'RUB', id, day FROM journals;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journals_of_earlier_versions_join_the_chain_once() {
    let folder = tempfile::tempdir().unwrap();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(url) = fresh_database(kind, &folder).await else { return };
        match kind {
            Kind::Sqlite => {
                let options = sqlx::sqlite::SqliteConnectOptions::new();
                let options = options.filename(url.strip_prefix("sqlite://").unwrap()).create_if_missing(true);
                let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
                sqlx::migrate!("migrations/sqlite").run_to(17, &pool).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(OLD_ROWS.replace("EPOCH", "0"))).execute(&pool).await.unwrap();
                pool.close().await;
            }
            Kind::Postgres => {
                let pool = sqlx::PgPool::connect(&url).await.unwrap();
                sqlx::migrate!("migrations/postgres").run_to(17, &pool).await.unwrap();
                let rows = OLD_ROWS
                    .replace("EPOCH", "TIMESTAMPTZ 'epoch'")
                    .replace(") VALUES (1, 'Anna'", ") OVERRIDING SYSTEM VALUE VALUES (1, 'Anna'");
                let rows = rows
                    .replace("day, note) SELECT n", "day, note) OVERRIDING SYSTEM VALUE SELECT n")
                    .replace("'2025-01-01', 'no", "DATE '2025-01-01', 'no");
                sqlx::raw_sql(AssertSqlSafe(rows)).execute(&pool).await.unwrap();
                pool.close().await;
            }
        }
        let service = tributary::service::Tributary::open(&url, None, tributary::clock::Clock::system()).await.unwrap();
        let findings = tributary::service::doctor::examine(&service).await.unwrap();
        assert!(findings.iter().all(|f| f.broken.is_empty()), "{findings:?}");
        assert!(findings.iter().any(|f| f.what.contains("the chain holds") && f.checked == 3), "{findings:?}");
        // What gets in without a hash later is not blessed by opening the store again.
        let mut tx = service.db.begin().await.unwrap();
        let sql = match kind {
            Kind::Sqlite => "INSERT INTO journals (kind, currency, at, day) VALUES ('paid', 'RUB', 0, '2025-01-01')",
            Kind::Postgres => {
                "INSERT INTO journals (id, kind, currency, at, day) OVERRIDING SYSTEM VALUE VALUES (4, 'paid', 'RUB', TIMESTAMPTZ 'epoch', '2025-01-01')"
            }
        };
        tributary::exec!(tx, sqlx::query(sql)).unwrap();
        tx.commit().await.unwrap();
        service.db.close().await;
        let service = tributary::service::Tributary::open(&url, None, tributary::clock::Clock::system()).await.unwrap();
        let findings = tributary::service::doctor::examine(&service).await.unwrap();
        assert!(findings.iter().any(|f| f.broken == ["jrn_4 does not follow the journal before it"]), "{findings:?}");
        service.db.close().await;
    }
}
