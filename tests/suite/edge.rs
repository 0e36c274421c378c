//! Redirect, pixel and events.

use crate::support::*;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

async fn totals(app: &TestApp) -> (i64, i64) {
    let report = app.get("/v1/reports/channels?from=2026-11-01&to=2026-12-31").await;
    (report["totals"]["clicks"].as_i64().unwrap(), report["totals"]["clicks_not_counted"].as_i64().unwrap())
}

both_stores! {
    async fn a_redirect_passes_on_what_came_and_sets_a_visitor(app: &TestApp) {
        app.set_up().await;
        app.make("/v1/links", json!({
            "code": "deep", "url": "https://shop.example/p?a=1&c={click_id}", "utm": { "source": "blog", "medium": "cpc" },
        })).await;
        let response = app.visitor(Method::GET, "/r/deep?a=2&sub1=x&utm_campaign=winter").send().await.unwrap();
        assert_eq!(response.status(), 302);
        assert_eq!(response.headers()["cache-control"], "no-store");
        let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
        for part in ["trb_vid=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=34560000"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Secure"));
        let location = response.headers()["location"].to_str().unwrap();
        let click = location.split("trb_click=").nth(1).unwrap();
        assert_eq!(location, format!("https://shop.example/p?a=1&c={click}&sub1=x&utm_campaign=winter&utm_medium=cpc&utm_source=blog&trb_click={click}"));
        assert_eq!(uuid::Uuid::parse_str(click).unwrap().get_version_num(), 7);
        let report = app.get("/v1/reports/channels?group_by=source,medium,campaign").await;
        assert_eq!(report["data"][0]["source"], "blog");
        assert_eq!(report["data"][0]["campaign"], "winter");
    }

    async fn deep_links_lead_only_to_the_programs_hosts(app: &TestApp) {
        app.set_up().await;
        for (to, leads) in [("/sale", "https://shop.example/sale?trb_click="), ("https://evil.example/", "https://shop.example/?trb_click="), ("//evil.example", "https://shop.example/?trb_click=")] {
            let response = app.visitor(Method::GET, "/r/anna").query(&[("to", to)]).send().await.unwrap();
            let location = response.headers()["location"].to_str().unwrap();
            assert!(location.starts_with(leads), "{to}: {location}");
        }
    }

    async fn heads_prefetches_and_bots_are_redirected_and_do_not_count(app: &TestApp) {
        app.set_up().await;
        app.click("anna").await;
        assert_eq!(app.visitor(Method::HEAD, "/r/anna").send().await.unwrap().status(), 302);
        assert_eq!(app.visitor(Method::GET, "/r/anna").header("sec-purpose", "prefetch").send().await.unwrap().status(), 302);
        let bot = app.request(Method::GET, "/r/anna").header("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1)").send().await.unwrap();
        assert_eq!(bot.status(), 302);
        assert_eq!(totals(app).await, (1, 3));
    }

    async fn unknown_paused_and_expired_links_say_so(app: &TestApp) {
        let ids = app.set_up().await;
        assert_eq!(app.visitor(Method::GET, "/r/annna").send().await.unwrap().status(), 404);
        let misses = app.get("/v1/misses").await;
        assert_eq!((misses["data"][0]["value"].as_str(), misses["data"][0]["nearest"].as_str()), (Some("annna"), Some("anna")));
        let link = format!("/v1/links/{}", ids["link"].as_str().unwrap());
        assert_eq!(app.patch(&link, json!({ "paused": true })).await.0, 200);
        assert_eq!(app.visitor(Method::GET, "/r/anna").send().await.unwrap().status(), 410);
        app.patch(&link, json!({ "paused": false, "expires_at": "2026-11-22T13:00:00Z" })).await;
        assert_eq!(app.visitor(Method::GET, "/r/anna").send().await.unwrap().status(), 302);
        app.advance(TimeDelta::hours(1));
        assert_eq!(app.visitor(Method::GET, "/r/anna").send().await.unwrap().status(), 410);
        let program = format!("/v1/programs/{}", ids["program"].as_str().unwrap());
        app.patch(&program, json!({ "fallback_url": "https://shop.example/gone" })).await;
        let response = app.visitor(Method::GET, "/r/anna").send().await.unwrap();
        assert_eq!(response.headers()["location"], "https://shop.example/gone");
        app.patch(&link, json!({ "expires_at": null })).await;
        app.click("anna").await;
    }

    async fn without_consent_there_is_no_visitor_but_the_partner_is_owed(app: &TestApp) {
        let ids = app.set_up().await;
        let response = app.visitor(Method::GET, "/r/anna").header("sec-gpc", "1").send().await.unwrap();
        assert!(response.headers().get("set-cookie").is_none());
        let location = response.headers()["location"].to_str().unwrap();
        let click_id = location.split("trb_click=").nth(1).unwrap();
        let order = app.make("/v1/orders", json!({ "external_id": "E-1", "placed_at": app.now(), "currency": "RUB", "total": "10.00", "click_id": click_id })).await;
        assert_eq!(order["payable"]["partner"], ids["partner"]);
        let why = app.get("/v1/orders/E-1/attribution").await;
        assert_eq!(why["touches"][0]["visitor"], Value::Null);
    }

    async fn pixel_and_events_record_visits_and_leads(app: &TestApp) {
        app.set_up().await;
        let pixel = app.visitor(Method::GET, "/px.gif?type=visit&url=https%3A%2F%2Fshop.example%2F%3Futm_source%3Dvk%26utm_medium%3Dsocial&ref=").send().await.unwrap();
        assert_eq!((pixel.status().as_u16(), pixel.headers()["content-type"].to_str().unwrap().to_owned()), (200, "image/gif".into()));
        assert_eq!(pixel.bytes().await.unwrap().len(), 43);
        let odd = app.visitor(Method::GET, "/px.gif?type=nonsense&url=%ff%00").send().await.unwrap();
        assert_eq!((odd.status().as_u16(), odd.bytes().await.unwrap().len()), (200, 43));
        let visit = app.visitor(Method::POST, "/e").header("content-type", "text/plain")
            .body(r#"{"type":"visit","url":"https://shop.example/","ref":"https://yandex.ru/"}"#).send().await.unwrap();
        assert_eq!(visit.status(), 202);
        let lead = app.visitor(Method::POST, "/e").json(&json!({ "type": "lead", "name": "signup", "value": { "plan": "a" } })).send().await.unwrap();
        assert_eq!(lead.status(), 202);
        for broken in ["{", "[]", r#"{"type":"nonsense"}"#] {
            let answer = app.visitor(Method::POST, "/e").body(broken).send().await.unwrap().status();
            assert!(answer == 400 || answer == 422, "{broken}: {answer}");
        }
        // A page of the shop itself, and one reached through a click, start no new touch.
        for body in [json!({ "type": "visit", "url": "https://shop.example/b", "ref": "https://shop.example/a" }), json!({ "type": "visit", "url": "https://shop.example/?trb_click=0199", "ref": "" })] {
            app.visitor(Method::POST, "/e").json(&body).send().await.unwrap();
        }
        let report = app.get("/v1/reports/channels").await;
        let channels: Vec<&str> = report["data"].as_array().unwrap().iter().map(|r| r["channel"].as_str().unwrap()).collect();
        // The lead came from a browser that nothing else was seen of.
        assert_eq!(channels, ["direct", "organic_search", "organic_social"]);
        assert_eq!((&report["totals"]["clicks"], &report["totals"]["leads"], &report["data"][0]["leads"]), (&json!(2), &json!(1.0), &json!(1.0)));
    }

    async fn visits_after_a_click_are_touches_of_their_own(app: &TestApp) {
        app.set_up().await;
        let (_, click_id) = app.click("anna").await;
        let visit = json!({ "type": "visit", "url": "https://shop.example/?utm_source=google&utm_medium=cpc", "ref": "", "click": click_id });
        assert_eq!(app.visitor(Method::POST, "/e").json(&visit).send().await.unwrap().status(), 202);
        let report = app.get("/v1/reports/channels").await;
        assert_eq!(report["totals"]["clicks"], 2);
        let provider = json!({ "type": "visit", "url": "https://shop.example/thanks", "ref": "https://yookassa.ru/pay" });
        app.visitor(Method::POST, "/e").json(&provider).send().await.unwrap();
        assert_eq!(app.get("/v1/reports/channels").await["totals"]["clicks"], 2);
    }

    async fn a_browser_cannot_claim_other_peoples_customers(app: &TestApp) {
        app.set_up().await;
        // Two customers who are known apart.
        for customer in ["c1", "c2"] {
            app.make("/v1/orders", json!({ "external_id": customer, "placed_at": app.now(), "currency": "RUB", "total": "10.00", "customer": { "id": customer } })).await;
        }
        let (_, click_id) = app.click("anna").await;
        for customer in ["c1", "c2", "c3", "c4"] {
            let claim = json!({ "type": "identify", "customer": customer, "click": click_id, "visitor": "v" });
            assert_eq!(app.visitor(Method::POST, "/e").json(&claim).send().await.unwrap().status(), 202);
        }
        app.advance(TimeDelta::hours(1));
        for customer in ["c2", "c4"] {
            let order = app.make("/v1/orders", json!({ "external_id": format!("{customer}-2"), "placed_at": app.now(), "currency": "RUB", "total": "10.00", "customer": { "id": customer } })).await;
            assert_eq!(order["payable"]["partner"], Value::Null, "{customer}");
        }
    }

    async fn a_host_that_is_no_longer_allowed_is_not_led_to(app: &TestApp) {
        let ids = app.set_up().await;
        let program = format!("/v1/programs/{}", ids["program"].as_str().unwrap());
        app.patch(&program, json!({ "destination_hosts": ["other.example"] })).await;
        assert_eq!(app.visitor(Method::GET, "/r/anna").send().await.unwrap().status(), 404);
        assert_eq!(app.refused("/v1/links", json!({ "url": "https://{sub1}.other.example/" })).await, (422, vec!["/url".into()]));
    }

    async fn odd_queries_are_recorded_as_far_as_readable(app: &TestApp) {
        app.set_up().await;
        let long = format!("/r/anna?x={}", "y".repeat(8_192));
        for path in ["/r/anna?utm_source=%zz%ff&utm_source=b", "/r/anna?=&&&=x", "/r/anna?sub1=%00%0d%0aSet-Cookie:a", long.as_str()] {
            let response = app.visitor(Method::GET, path).send().await.unwrap();
            assert_eq!(response.status(), 302, "{path}");
            assert!(response.headers()["location"].to_str().unwrap().starts_with("https://shop.example/"));
        }
        assert_eq!(totals(app).await, (4, 0));
    }

    async fn what_came_is_kept_as_received(app: &TestApp) {
        app.set_up().await;
        let query = "Sub1=Left&sub1=right&utm_source=Blog&UTM_SOURCE=other&GCLID=AbC%2BdEf&yclid=18446744073709551615&ym=%D0%BF%FF";
        let response = app.visitor(Method::GET, &format!("/r/Anna?{query}"))
            .header("referer", "https://blog.example/post?id=7&q=%zz")
            .header("accept-language", "ru,en;q=0.8")
            .send().await.unwrap();
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        let click = location.split("trb_click=").nth(1).unwrap();
        app.mover_done().await;
        let touch = tributary::store::touch::by_id(&app.service.db, click.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(touch.url.as_deref(), Some(format!("/r/Anna?{query}").as_str()));
        assert_eq!(touch.referrer.as_deref(), Some("https://blog.example/post?id=7&q=%zz"));
        assert_eq!((touch.language.as_deref(), touch.ip.as_deref()), (Some("ru,en;q=0.8"), Some("127.0.0.1")));
        assert_eq!(touch.user_agent.as_deref(), Some(BROWSER));
        let landing = touch.landing();
        assert_eq!((landing.subs.get("sub1"), landing.click_ids.get("gclid")), (Some("Left"), Some("AbC+dEf")));
        assert_eq!((touch.source.as_deref(), landing.utm.get("source")), (Some("blog"), Some("Blog")));
    }

    async fn addresses_are_cut_to_their_network_when_their_time_is_over(app: &TestApp) {
        app.set_up().await;
        let (_, old) = app.click("anna").await;
        app.mover_done().await;
        app.advance(TimeDelta::days(92));
        let (_, young) = app.click("anna").await;
        app.mover_done().await;
        let ip = async |click: &str| tributary::store::touch::by_id(&app.service.db, click.parse().unwrap()).await.unwrap().unwrap().ip;
        for _ in 0..2 {
            tributary::service::worker::shorten_addresses(&app.service, 90).await.unwrap();
            assert_eq!((ip(&old).await.as_deref(), ip(&young).await.as_deref()), (Some("127.0.0.0/24"), Some("127.0.0.1")));
        }
        let mut tx = app.service.db.begin().await.unwrap();
        let late = "0199aaaa-0000-7000-8000-000000000009";
        let file = format!("id,at,ip\n{late},2026-01-05T10:00:00Z,2001:db8:1:2::3\n");
        let kind = tributary::service::import::ImportKind::Touches;
        let context = app.service.context("test");
        tributary::service::import::import(&mut tx, &context, kind, file.as_bytes(), &Default::default(), |_| ()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(ip(late).await.as_deref(), Some("2001:db8:1:2::3"));
        tributary::service::worker::shorten_addresses(&app.service, 90).await.unwrap();
        assert_eq!(ip(late).await.as_deref(), Some("2001:db8:1::/48"));
    }

    async fn second_clicks_and_floods_are_kept_and_not_counted(app: &TestApp) {
        app.set_up().await;
        let first = app.visitor(Method::GET, "/r/anna").send().await.unwrap();
        let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        app.advance(TimeDelta::seconds(3));
        let again = async || app.visitor(Method::GET, "/r/anna").header("cookie", &cookie).send().await.unwrap();
        assert_eq!(again().await.status(), 302);
        assert_eq!(totals(app).await, (1, 1));
        app.advance(TimeDelta::seconds(11));
        again().await;
        assert_eq!(totals(app).await, (2, 1));
        for _ in 0..70 {
            app.click("anna").await;
        }
        // Sixty of one address count; those that were duplicates are not among them.
        assert_eq!(totals(app).await, (60, 13));
    }

    async fn past_clicks_on_a_misprint_come_home(app: &TestApp) {
        let ids = app.set_up().await;
        for _ in 0..3 {
            assert_eq!(app.visitor(Method::GET, "/r/ANNAA?sub1=flyer").send().await.unwrap().status(), 404);
        }
        let misses = app.get("/v1/misses").await;
        assert_eq!((misses["data"][0]["count"].as_i64(), totals(app).await), (Some(3), (0, 0)));
        let path = format!("/v1/misses/{}/attach", misses["data"][0]["id"].as_str().unwrap());
        app.make(&path, json!({ "link": ids["link"] })).await;
        assert_eq!(totals(app).await, (3, 0));
        app.make(&path, json!({ "link": ids["link"] })).await;
        assert_eq!(totals(app).await, (3, 0));
        let partners = app.get("/v1/reports/partners?from=2026-11-01&to=2026-12-31").await;
        assert_eq!(partners["data"][0]["clicks"], 3);
    }

    async fn events_are_bounded_counted_once_and_answered_to_any_page(app: &TestApp) {
        app.set_up().await;
        let send = async |body: String| {
            app.visitor(Method::POST, "/e").header("origin", "https://shop.example").header("content-type", "text/plain").body(body).send().await.unwrap()
        };
        let id = "0199aaaa-0000-7000-8000-000000000001";
        for _ in 0..2 {
            let answer = send(json!({ "id": id, "type": "visit", "url": "https://shop.example/?utm_source=mail" }).to_string()).await;
            assert_eq!((answer.status().as_u16(), answer.headers()["access-control-allow-origin"].to_str().unwrap()), (202, "https://shop.example"));
        }
        assert_eq!(totals(app).await, (1, 0));
        for (body, status) in [("{".to_owned(), 400), (json!({ "type": "dance" }).to_string(), 422), ("x".repeat(70_000), 413)] {
            let answer = send(body).await;
            assert_eq!((answer.status().as_u16(), answer.headers()["access-control-allow-origin"].to_str().unwrap()), (status, "https://shop.example"));
        }
    }

    async fn the_snippet_is_small_and_health_answers(app: &TestApp) {
        let snippet = app.visitor(Method::GET, "/t.js").send().await.unwrap().bytes().await.unwrap();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut packed, &snippet).unwrap();
        assert!(packed.finish().unwrap().len() <= 3 * 1024);
        assert_eq!(app.visitor(Method::GET, "/healthz").send().await.unwrap().status(), 200);
        assert_eq!(app.visitor(Method::GET, "/readyz").send().await.unwrap().status(), 200);
        app.set_up().await;
        app.click("anna").await;
        let metrics = app.visitor(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains("tributary_hits_appended_total 1\n"), "{metrics}");
        assert!(metrics.contains("tributary_spool_oldest_seconds "), "{metrics}");
        let document = app.get("/openapi.json").await;
        assert_eq!(document["openapi"], "3.1.0");
        assert!(document["paths"].as_object().unwrap().len() >= 24);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_boundless_clients_are_cut_off() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = TestApp::spawn(Kind::Sqlite).await.unwrap();
    let address = app.url("").trim_start_matches("http://").to_owned();
    let many: String = (0..200).map(|n| format!("x-{n}: a\r\n")).collect();
    let ask = async |request: String| {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        tokio::time::timeout(std::time::Duration::from_secs(60), stream.read_exact(&mut answer)).await.unwrap().unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let (slow_head, slow_body, large, numerous) = tokio::join!(
        ask("GET /r/a HTTP/1.1\r\nhost: a\r\nx-slow: ".to_owned()),
        ask("POST /e HTTP/1.1\r\nhost: a\r\ncontent-length: 50\r\n\r\n{".to_owned()),
        ask(format!("GET /r/a HTTP/1.1\r\nhost: a\r\nx-big: {}\r\n\r\n", "a".repeat(200_000))),
        ask(format!("GET /r/a HTTP/1.1\r\nhost: a\r\n{many}\r\n")),
    );
    assert_eq!((slow_head.as_str(), slow_body.as_str()), ("HTTP/1.1 408", "HTTP/1.1 408"));
    assert_eq!((large.as_str(), numerous.as_str()), ("HTTP/1.1 431", "HTTP/1.1 431"));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_is_limited_and_forwarded_addresses_count_only_from_trusted_proxies() {
    use tributary::clock::Clock;
    use tributary::service::Tributary;
    use tributary::web::server::{Start, start};
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("tributary.db").display());
    for (trusted, second_client) in [(vec![], 429), (vec!["127.0.0.0/8".parse().unwrap()], 404)] {
        let service = Tributary::open(&url, None, Clock::system()).await.unwrap();
        let settings = Start { edge_rate_limit: 3, trusted_proxies: trusted, ..start_settings(folder.path().join("spool.db")) };
        let running = start(service, settings).await.unwrap();
        let client = reqwest::Client::new();
        let ask = |from: &'static str| {
            let request = client.get(format!("http://{}/r/none", running.address)).header("x-forwarded-for", from);
            async move { request.send().await.unwrap() }
        };
        for _ in 0..3 {
            assert_eq!(ask("198.51.100.7").await.status(), 404);
        }
        let limited = ask("198.51.100.7").await;
        assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "1"));
        assert_eq!(ask("198.51.100.8").await.status().as_u16(), second_client);
        running.stop().await;
    }
}
