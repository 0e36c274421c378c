//! What becomes of a run after it is built: approved by whom, paid in part, failed, cancelled, told by the bank.

use crate::pages::cookie_of;
use crate::support::*;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use tributary::service::access::{Role, Scope, add_user};
use tributary::store::audit;

/// A partner who earns 10 % of one order by a link of its own.
async fn earns(app: &TestApp, code: &str, payout: Value, total: &str) -> String {
    let partner = app
        .make(
            "/v1/partners",
            json!({ "name": format!("Partner {code}"), "email": format!("{code}@blog.example"), "payout": payout }),
        )
        .await;
    app.make("/v1/links", json!({ "partner": partner["id"], "code": code, "url": "https://shop.example/" })).await;
    order(app, code, &format!("{code}-1"), total).await;
    partner["id"].as_str().unwrap().to_owned()
}

async fn order(app: &TestApp, code: &str, id: &str, total: &str) {
    let (_, click_id) = app.click(code).await;
    app.make(
        "/v1/orders",
        json!({ "external_id": id, "placed_at": app.now(), "currency": "RUB", "total": total, "click_id": click_id }),
    )
    .await;
}

fn by_hand() -> Value {
    json!({ "method": "manual" })
}

/// An early run of 100.00 for `a`, 50.00 for `b` and 20.00 for `c`, and the partners' ids.
async fn run_of_three(app: &TestApp) -> (String, [String; 3]) {
    app.set_up().await;
    let partners = [
        earns(app, "a", by_hand(), "1000.00").await,
        earns(app, "b", by_hand(), "500.00").await,
        earns(app, "c", by_hand(), "200.00").await,
    ];
    app.advance(TimeDelta::days(15));
    let run = app.make("/v1/payout-runs", json!({ "period": "2026-12", "early": true })).await;
    (run["id"].as_str().unwrap().to_owned(), partners)
}

async fn act(app: &TestApp, run: &str, act: &str, body: Value) -> Value {
    app.make(&format!("/v1/payout-runs/{run}/{act}"), body).await
}

/// Status and kind of a refusal.
async fn refusal(app: &TestApp, path: &str, body: Value) -> (u16, String) {
    let (status, answer) = app.post(path, body).await;
    (status, answer["type"].as_str().unwrap_or_default().trim_start_matches("about:tributary/").to_owned())
}

fn refused(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

fn states(run: &Value) -> Vec<&str> {
    run["lines"].as_array().unwrap().iter().map(|l| l["state"].as_str().unwrap()).collect()
}

async fn money(app: &TestApp, partner: &str) -> (String, String, String) {
    balances(&app.get(&format!("/v1/partners/{partner}/statement")).await)
}

fn has(held: &str, available: &str, in_payment: &str) -> (String, String, String) {
    (held.into(), available.into(), in_payment.into())
}

async fn state_of(app: &TestApp, order: &str) -> Value {
    app.get(&format!("/v1/orders/{order}")).await["commissions"][0]["state"].clone()
}

async fn journals_of(app: &TestApp, kind: &str) -> usize {
    let entries = app.get("/v1/ledger/entries?limit=1000").await;
    entries["data"].as_array().unwrap().iter().filter(|e| e["kind"] == kind).count() / 2
}

both_stores! {
    async fn a_run_is_paid_in_part_and_what_fails_goes_into_the_next(app: &TestApp) {
        let (run, [a, b, c]) = run_of_three(app).await;
        let failed = |partner: &str| format!("/v1/payout-runs/{run}/lines/{partner}/failed");
        assert_eq!(refusal(app, &failed(&b), json!({ "reason": "closed" })).await, refused(409, "not-approved"));
        act(app, &run, "approve", json!({})).await;
        let part = act(app, &run, "paid", json!({ "lines": [a], "bank_reference": "PP 1" })).await;
        assert_eq!((part["state"].as_str(), states(&part)), (Some("partly_paid"), vec!["paid", "due", "due"]));
        assert_eq!((part["lines"][0]["bank_reference"].as_str(), part["paid_at"].clone()), (Some("PP 1"), Value::Null));
        assert_eq!((state_of(app, "a-1").await, state_of(app, "b-1").await), (json!("paid"), json!("payable")));

        assert_eq!(refusal(app, &failed(&b), json!({})).await.0, 422, "a reason is needed");
        let after = app.make(&failed(&b), json!({ "reason": "the account is closed" })).await;
        assert_eq!((after["state"].as_str(), states(&after)), (Some("partly_paid"), vec!["paid", "failed", "due"]));
        assert_eq!(after["lines"][1]["failed_because"], "the account is closed");
        assert_eq!(money(app, &b).await, has("0.00", "50.00", "0.00"));
        assert_eq!(state_of(app, "b-1").await, "approved");
        // Known: nothing happens.
        app.make(&failed(&b), json!({ "reason": "again" })).await;
        assert_eq!(journals_of(app, "taken_out_of_run").await, 1);
        let paid = format!("/v1/payout-runs/{run}/paid");
        assert_eq!(refusal(app, &paid, json!({ "lines": [b] })).await, refused(409, "line-failed"));
        assert_eq!(refusal(app, &paid, json!({ "lines": ["par_999"] })).await, refused(422, "no-such-line"));
        assert_eq!(refusal(app, &paid, json!({ "lines": [] })).await, refused(422, "no-such-line"));
        assert_eq!(app.refused(&paid, json!({ "lines": [a, "x"] })).await, (422, vec!["/lines/1".to_owned()]));
        assert_eq!(refusal(app, &format!("/v1/payout-runs/{run}/cancel"), json!({ "reason": "x" })).await, refused(409, "already-paid"));

        let whole = act(app, &run, "paid", json!({ "bank_reference": "PP 2" })).await;
        assert_eq!((whole["state"].as_str(), states(&whole)), (Some("paid"), vec!["paid", "failed", "paid"]));
        // Twice answers as known, without a second journal.
        assert_eq!(act(app, &run, "paid", json!({ "bank_reference": "PP 3" })).await, whole);
        assert_eq!(act(app, &run, "paid", json!({ "lines": [a, c] })).await, whole);
        assert_eq!(journals_of(app, "paid").await, 2);
        app.advance(TimeDelta::days(30));
        let next = app.make("/v1/payout-runs", json!({ "period": "2027-01", "early": true })).await;
        assert_eq!(next["total"]["amount"], "50.00", "{next}");
    }

    async fn a_payment_that_came_back_is_available_again(app: &TestApp) {
        let (run, [a, ..]) = run_of_three(app).await;
        act(app, &run, "approve", json!({})).await;
        act(app, &run, "paid", json!({})).await;
        let back = app.make(&format!("/v1/payout-runs/{run}/lines/{a}/failed"), json!({ "reason": "returned" })).await;
        assert_eq!((back["state"].as_str(), states(&back)), (Some("paid"), vec!["failed", "paid", "paid"]));
        assert_eq!(money(app, &a).await, has("0.00", "100.00", "0.00"));
        let statement = app.get(&format!("/v1/partners/{a}/statement")).await;
        assert_eq!(statement["data"][0]["paid"]["amount"], "0.00");
        assert_eq!(state_of(app, "a-1").await, "approved");
        // An order that is cancelled and restored meanwhile owes the same.
        app.make("/v1/orders/a-1/refunds", json!({ "refund_id": "r", "amount": "300.00" })).await;
        assert_eq!(money(app, &a).await, has("0.00", "70.00", "0.00"));
    }

    async fn a_cancelled_run_frees_its_month(app: &TestApp) {
        let ids = app.set_up().await;
        let anna = ids["partner"].as_str().unwrap();
        order(app, "anna", "N-1", "1000.00").await;
        app.advance(TimeDelta::days(40));
        app.make("/v1/periods/2026-12/close", json!({})).await;
        let first = app.make("/v1/payout-runs", json!({ "period": "2026-12" })).await;
        let first = first["id"].as_str().unwrap();
        assert_eq!(refusal(app, "/v1/payout-runs", json!({ "period": "2026-12" })).await, refused(409, "run-exists"));
        act(app, first, "approve", json!({})).await;
        app.request(Method::GET, &format!("/v1/payout-runs/{first}/export")).send().await.unwrap();
        let cancel = format!("/v1/payout-runs/{first}/cancel");
        assert_eq!(refusal(app, &cancel, json!({})).await.0, 422);
        let cancelled = app.make(&cancel, json!({ "reason": "wrong bank" })).await;
        assert_eq!((cancelled["state"].as_str(), states(&cancelled)), (Some("cancelled"), vec!["cancelled"]));
        assert_eq!(cancelled["cancelled_because"], "wrong bank");
        assert_eq!(app.make(&cancel, json!({ "reason": "again" })).await, cancelled);
        assert_eq!((money(app, anna).await, state_of(app, "N-1").await), (has("0.00", "100.00", "0.00"), json!("approved")));
        for act in ["paid", "approve"] {
            assert_eq!(refusal(app, &format!("/v1/payout-runs/{first}/{act}"), json!({})).await, refused(409, "run-cancelled"));
        }
        let export = app.request(Method::GET, &format!("/v1/payout-runs/{first}/export")).send().await.unwrap();
        assert_eq!(export.status(), 409);
        // A day later, the month is built again and pays the same once.
        app.advance(TimeDelta::days(1));
        let second = app.make("/v1/payout-runs", json!({ "period": "2026-12" })).await;
        assert_eq!(second["total"]["amount"], "100.00");
        let second = second["id"].as_str().unwrap();
        act(app, second, "approve", json!({})).await;
        act(app, second, "paid", json!({})).await;
        assert_eq!((money(app, anna).await, state_of(app, "N-1").await), (has("0.00", "0.00", "0.00"), json!("paid")));
        let runs = app.get("/v1/payout-runs").await;
        assert_eq!(runs["data"].as_array().unwrap().len(), 2);
    }

    async fn a_run_none_of_whose_payments_went_through_is_cancelled(app: &TestApp) {
        let (run, partners) = run_of_three(app).await;
        act(app, &run, "approve", json!({})).await;
        for partner in &partners {
            app.make(&format!("/v1/payout-runs/{run}/lines/{partner}/failed"), json!({ "reason": "the bank was shut" })).await;
        }
        assert_eq!(app.get(&format!("/v1/payout-runs/{run}")).await["state"], "cancelled");
        let again = app.make("/v1/payout-runs", json!({ "period": "2026-12", "early": true })).await;
        assert_eq!(again["total"]["amount"], "170.00");
    }

    async fn two_persons_where_two_are_required(app: &TestApp) {
        assert_eq!(app.get("/v1/payout-settings").await, json!({ "second_approver": false }));
        let put = async |key: &str| app.visitor(Method::PUT, "/v1/payout-settings").bearer_auth(key).json(&json!({ "second_approver": true })).send().await.unwrap().status().as_u16();
        assert_eq!(put(&app.key(Scope::Write).await).await, 403);
        let other = app.key(Scope::Admin).await;
        assert_eq!(put(&other).await, 200);
        let logged = audit::latest(&app.service.db, 1).await.unwrap().remove(0);
        assert_eq!((logged.act.as_str(), logged.detail.0), ("payout_settings.change", json!({ "before": { "second_approver": false }, "after": { "second_approver": true } })));
        let (run, _) = run_of_three(app).await;
        let approve = format!("/v1/payout-runs/{run}/approve");
        assert_eq!(refusal(app, &approve, json!({})).await, refused(409, "same-person"));
        assert_eq!(app.get(&format!("/v1/payout-runs/{run}")).await["state"], "built");
        let by_other = app.visitor(Method::POST, &approve).bearer_auth(&other).json(&json!({})).send().await.unwrap();
        assert_eq!(by_other.status(), 200);
        assert_eq!(by_other.json::<Value>().await.unwrap()["state"], "approved");
        act(app, &run, "approve", json!({})).await;
    }

    async fn two_accountants_at_once_get_one_run_and_one_payment(app: &TestApp) {
        app.set_up().await;
        order(app, "anna", "T-1", "1000.00").await;
        app.advance(TimeDelta::days(15));
        let at_once = async |path: String, body: Value| {
            let calls = (0..6).map(|_| app.post(&path, body.clone()));
            let mut statuses: Vec<u16> = futures_util::future::join_all(calls).await.into_iter().map(|(status, _)| status).collect();
            statuses.sort_unstable();
            statuses
        };
        let built = at_once("/v1/payout-runs".into(), json!({ "period": "2026-12", "early": true })).await;
        assert_eq!(built, [201, 409, 409, 409, 409, 409]);
        let runs = app.get("/v1/payout-runs").await;
        assert_eq!(runs["data"].as_array().unwrap().len(), 1);
        let id = runs["data"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(journals_of(app, "put_in_run").await, 1);
        for act in ["approve", "paid"] {
            assert_eq!(at_once(format!("/v1/payout-runs/{id}/{act}"), json!({})).await, [200; 6]);
        }
        assert_eq!(journals_of(app, "paid").await, 1);
    }

    async fn what_stands_in_the_way_of_a_month_has_its_name(app: &TestApp) {
        app.set_up().await;
        assert_eq!(refusal(app, "/v1/periods/2026-11/close", json!({})).await, refused(409, "month-not-over"));
        assert_eq!(refusal(app, "/v1/payout-runs", json!({ "period": "2026-11" })).await, refused(409, "month-not-closed"));
        assert_eq!(refusal(app, "/v1/payout-runs", json!({ "period": "2026-11", "early": true })).await, refused(409, "nothing-due"));
        assert_eq!(refusal(app, "/v1/payout-runs", json!({ "period": "2027-11", "early": true })).await, refused(422, "month-in-future"));
        order(app, "anna", "W-1", "1000.00").await;
        app.make("/v1/programs", json!({ "name": "Laden", "currency": "EUR", "destination_hosts": ["laden.example"], "hold_days": 0 })).await;
        app.advance(TimeDelta::days(15));
        let run = app.make("/v1/payout-runs", json!({ "period": "2026-12", "early": true })).await;
        let paid = format!("/v1/payout-runs/{}/paid", run["id"].as_str().unwrap());
        assert_eq!(refusal(app, &paid, json!({})).await, refused(409, "not-approved"));
        assert_eq!(app.post("/v1/payout-runs/pay_99/cancel", json!({ "reason": "x" })).await.0, 404);
    }

    async fn a_bank_statement_marks_what_it_says_and_twice_changes_nothing(app: &TestApp) {
        app.set_up().await;
        let bank = |inn: &str, account: &str| json!({ "method": "bank_ru", "country": "RU", "kind": "sole_trader", "account": account, "bik": "044525974", "inn": inn });
        let a = earns(app, "a", bank("005826107187", "40802810100000005678"), "1000.00").await;
        let b = earns(app, "b", bank("005826107187", "40802810100000005678"), "500.00").await;
        app.advance(TimeDelta::days(15));
        let run = app.make("/v1/payout-runs", json!({ "period": "2026-12", "early": true })).await;
        let id = run["id"].as_str().unwrap().to_owned();
        let payer = json!({ "name": "ООО Ромашка", "inn": "7707083893", "kpp": "773601001", "account": "40702810500000001234", "bik": "044525225", "correspondent_account": "30101810400000000225", "bank_name": "ПАО СБЕРБАНК" });
        assert_eq!(app.request(Method::PUT, "/v1/payer").json(&payer).send().await.unwrap().status(), 200);
        let number = id.trim_start_matches("pay_");
        let key = |partner: &str| format!("PAY{number}-PAR{}", partner.trim_start_matches("par_"));
        let file = |account: &str, from: &str, to: &str, documents: &[String]| {
            format!("1CClientBankExchange\nКодировка=UTF-8\nДатаНачала={from}\nДатаКонца={to}\nРасчСчет={account}\n{}КонецФайла", documents.concat()).into_bytes()
        };
        let document = |day: &str, sum: &str, key: &str, back: bool| {
            let (ours, theirs, booked) = if back { ("Получатель", "Плательщик", "ДатаПоступило") } else { ("Плательщик", "Получатель", "ДатаСписано") };
            format!("СекцияДокумент=Платежное поручение\nНомер=71\nДата={day}\nСумма={sum}\n{ours}Счет=40702810500000001234\n{theirs}Счет=40802810100000005678\n{booked}={day}\nНазначениеПлатежа=Вознаграждение {key}\nКонецДокумента\n")
        };
        let ours = "40702810500000001234";
        let left = file(ours, "07.12.2026", "08.12.2026", &[document("08.12.2026", "100.00", &key(&a), false), document("08.12.2026", "49.00", &key(&b), false)]);
        let send = async |path: &str, bytes: Vec<u8>| {
            let answer = app.request(Method::POST, &format!("/v1/payout-runs/{id}/{path}")).body(bytes).send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        };
        let kind = |(status, answer): (u16, Value)| (status, answer["type"].as_str().unwrap_or_default().trim_start_matches("about:tributary/").to_owned());
        assert_eq!(kind(send("statement/apply", left.clone()).await), refused(409, "not-approved"));
        act(app, &id, "approve", json!({})).await;
        assert_eq!(kind(send("statement/apply", file("40702810500000009999", "07.12.2026", "08.12.2026", &[])).await), refused(409, "other-account"));
        assert_eq!(kind(send("statement/apply", file(ours, "01.11.2026", "30.11.2026", &[])).await), refused(409, "other-month"));
        assert_eq!(kind(send("statement/apply", file(ours, "01.01.2027", "31.01.2027", &[])).await), refused(409, "other-month"));
        assert_eq!(kind(send("statement/apply", b"%PDF".to_vec()).await), refused(422, "statement-unreadable"));
        assert_eq!(journals_of(app, "paid").await, 0, "nothing half-done");

        let (status, seen) = send("statement", left.clone()).await;
        assert_eq!((status, seen["entries"][0]["outcome"].as_str()), (200, Some("marked_paid")));
        assert_eq!(states(&app.get(&format!("/v1/payout-runs/{id}")).await), ["due", "due"], "only looked at");
        let (status, told) = send("statement/apply", left.clone()).await;
        assert_eq!((status, told["run"]["state"].as_str(), states(&told["run"])), (200, Some("partly_paid"), vec!["paid", "due"]));
        let words = |told: &Value| told["entries"].as_array().unwrap().iter().map(|e| (e["verdict"].as_str().unwrap().to_owned(), e["outcome"].as_str().unwrap().to_owned())).collect::<Vec<_>>();
        let word = |verdict: &str, outcome: &str| (verdict.to_owned(), outcome.to_owned());
        assert_eq!(words(&told), [word("paid", "marked_paid"), word("amount_differs", "left")]);
        assert_eq!((told["run"]["lines"][0]["paid_on"].as_str(), told["run"]["lines"][0]["bank_reference"].as_str()), (Some("2026-12-08"), Some("71")));
        let log = audit::latest(&app.service.db, 100).await.unwrap().len();
        let (_, again) = send("statement/apply", left.clone()).await;
        assert_eq!((words(&again), &again["run"]), (vec![word("paid", "known"), word("amount_differs", "left")], &told["run"]));
        assert_eq!((journals_of(app, "paid").await, audit::latest(&app.service.db, 100).await.unwrap().len()), (1, log));

        // The next file: the second payment leaves, and the first comes back.
        let next = file(ours, "08.12.2026", "20.12.2026", &[document("15.12.2026", "100.00", &format!("возврат {}", key(&a)), true), document("15.12.2026", "50.00", &key(&b), false)]);
        let (_, told) = send("statement/apply", next.clone()).await;
        assert_eq!((told["run"]["state"].as_str(), states(&told["run"])), (Some("paid"), vec!["failed", "paid"]), "{told}");
        assert_eq!(words(&send("statement/apply", next).await.1), [word("returned", "known"), word("paid", "known")]);
        assert_eq!(words(&send("statement/apply", left).await.1)[0], word("paid", "known"));
        assert_eq!((journals_of(app, "paid").await, journals_of(app, "returned").await), (2, 1));
        assert_eq!(money(app, &a).await, has("0.00", "100.00", "0.00"));
    }

    async fn an_export_is_of_the_run_as_it_was_built_whatever_became_of_its_lines(app: &TestApp) {
        let (run, [a, b, _]) = run_of_three(app).await;
        act(app, &run, "approve", json!({})).await;
        let export = async |run: &str, format: &str| app.request(Method::GET, &format!("/v1/payout-runs/{run}/export?format={format}")).send().await.unwrap().bytes().await.unwrap();
        let before = (export(&run, "csv").await, export(&run, "xlsx").await);
        act(app, &run, "paid", json!({ "lines": [a] })).await;
        app.make(&format!("/v1/payout-runs/{run}/lines/{b}/failed"), json!({ "reason": "closed" })).await;
        app.advance(TimeDelta::days(20));
        order(app, "b", "b-2", "100.00").await;
        app.advance(TimeDelta::days(15));
        let next = app.make("/v1/payout-runs", json!({ "period": "2027-01", "early": true })).await;
        let next = next["id"].as_str().unwrap();
        act(app, next, "approve", json!({})).await;
        let next_before = export(next, "xlsx").await;
        app.make(&format!("/v1/payout-runs/{next}/lines/{b}/failed"), json!({ "reason": "closed" })).await;
        act(app, &run, "paid", json!({})).await;
        assert!((export(&run, "csv").await, export(&run, "xlsx").await) == before);
        let logged = audit::latest(&app.service.db, 1).await.unwrap().remove(0);
        assert_eq!((logged.act.as_str(), logged.detail.0["total"]["amount"].as_str(), logged.detail.0["sha256"].as_str().map(str::len)), ("payout_run.export", Some("170.00"), Some(64)));
        assert!(next_before.len() > 1_000);
    }

    async fn the_pages_do_all_of_it_by_forms(app: &TestApp) {
        let (run, [a, b, c]) = run_of_three(app).await;
        let mut tx = app.service.db.begin().await.unwrap();
        for (email, role) in [("books@shop.example", Role::Accountant), ("owner@shop.example", Role::Owner), ("viewer@shop.example", Role::Viewer)] {
            add_user(&mut tx, &app.service.context("test"), email, role, None, "a long password").await.unwrap();
        }
        tx.commit().await.unwrap();
        let page = async |cookie: &str, path: &str| {
            let answer = app.visitor(Method::GET, path).header("cookie", cookie).header("accept-language", "en").send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let csrf = |text: &str| text.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let books = cookie_of(app, "books@shop.example").await;
        let path = format!("/admin/payout-runs/{run}");
        let token = csrf(&page(&books, &path).await.1);
        let send = async |cookie: &str, path: &str, fields: &[(&str, &str)]| {
            let answer = app.visitor(Method::POST, path).header("cookie", cookie).header("accept-language", "en").form(fields).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        assert_eq!(send(&books, &format!("{path}/approve"), &[("csrf", &token)]).await.0, 303);
        let (status, text) = send(&books, &format!("{path}/lines"), &[("csrf", &token), ("act", "paid")]).await;
        assert!(status == 422 && text.contains("tick lines that are due"), "{text}");
        let lines = [("csrf", token.as_str()), ("act", "paid"), ("line", &a), ("line", &c), ("bank_reference", "PP 9")];
        assert_eq!(send(&books, &format!("{path}/lines"), &lines).await.0, 303);
        assert_eq!(send(&books, &format!("{path}/lines"), &[("csrf", &token), ("act", "failed"), ("line", &b)]).await.0, 422);
        assert_eq!(send(&books, &format!("{path}/lines"), &[("csrf", &token), ("act", "failed"), ("line", &b), ("reason", "account closed")]).await.0, 303);
        let (_, text) = page(&books, &path).await;
        for words in ["2 paid", "1 failed", "PP 9", "account closed", "Did not go through"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let (status, text) = send(&books, &format!("{path}/cancel"), &[("csrf", &token), ("reason", "x")]).await;
        assert!(status == 409 && text.contains("paid already"), "{text}");
        // Only the owner says how many persons it takes; a viewer sees and presses nothing.
        assert_eq!(send(&books, "/admin/payout-settings", &[("csrf", &token), ("second_approver", "1")]).await.0, 403);
        let owner = cookie_of(app, "owner@shop.example").await;
        let own = csrf(&page(&owner, "/admin/payout-settings").await.1);
        assert_eq!(send(&owner, "/admin/payout-settings", &[("csrf", &own), ("second_approver", "1")]).await.0, 303);
        assert_eq!(app.get("/v1/payout-settings").await, json!({ "second_approver": true }));
        let viewer = cookie_of(app, "viewer@shop.example").await;
        let (status, text) = page(&viewer, &path).await;
        assert!(status == 200 && !text.contains("/lines\""), "{text}");
    }
}
