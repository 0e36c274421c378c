//! Links as people need them: several destinations, domains, fallbacks, QR codes, misprints.

use crate::support::*;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tributary::clock::Clock;
use tributary::service::Tributary;
use tributary::web::server::{Running, Start, start};

const PHONE: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1";

fn location(response: &Response) -> &str {
    response.headers().get("location").map(|l| l.to_str().unwrap()).unwrap_or_default()
}

async fn at_host(app: &TestApp, host: &str, path: &str) -> (u16, String) {
    let response = app.visitor(Method::GET, path).header("host", host).send().await.unwrap();
    (response.status().as_u16(), location(&response).to_owned())
}

fn path_of(ids: &Value, what: &str) -> String {
    format!("/v1/{what}s/{}", ids[what].as_str().unwrap())
}

both_stores! {
    async fn a_link_leads_to_several_destinations(app: &TestApp) {
        let ids = app.set_up().await;
        let link = path_of(&ids, "link");
        for (target, pointer) in [
            (json!({ "url": "https://evil.example/" }), "/targets/0/url"),
            (json!({ "weight": 1 }), "/targets/0/url"),
            (json!({ "url": "https://shop.example/", "weight": -1 }), "/targets/0/weight"),
            (json!({ "url": "https://shop.example/", "device": "watch" }), "/targets/0/device"),
            (json!({ "url": "https://shop.example/", "country": "RUS" }), "/targets/0/country"),
            (json!({ "url": "https://shop.example/", "colour": "red" }), "/targets/0/colour"),
        ] {
            let (status, answer) = app.patch(&link, json!({ "targets": [target] })).await;
            assert_eq!((status, answer["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{target}");
        }
        let (status, saved) = app.patch(&link, json!({ "targets": [
            { "url": "https://shop.example/a", "weight": 1 },
            { "url": "https://shop.example/b?x=1", "weight": 1 },
            { "url": "https://shop.example/phone", "device": "mobile" },
        ] })).await;
        assert_eq!((status, saved["targets"].as_array().unwrap().len()), (200, 3), "{saved}");
        assert_eq!(app.get(&link).await["targets"], saved["targets"]);
        assert_eq!(app.get("/v1/links").await["data"][0]["targets"], saved["targets"]);

        let mut seen = BTreeMap::new();
        for n in 0..40 {
            let cookie = format!("trb_vid=0199aaaa-0000-7000-8000-0000000000{n:02}");
            let mut places = Vec::new();
            for _ in 0..2 {
                let response = app.visitor(Method::GET, "/r/anna?utm_source=x").header("cookie", &cookie).send().await.unwrap();
                places.push(location(&response).split("utm_source").next().unwrap().to_owned());
            }
            assert_eq!(places[0], places[1], "a visitor stays where it was");
            *seen.entry(places.remove(0)).or_insert(0) += 1;
        }
        assert_eq!(seen.keys().collect::<Vec<_>>(), ["https://shop.example/a?", "https://shop.example/b?x=1&"]);
        assert!(seen.values().all(|count| *count >= 8), "{seen:?}");
        let phone = app.request(Method::GET, "/r/anna").header("user-agent", PHONE).send().await.unwrap();
        assert!(location(&phone).starts_with("https://shop.example/phone?"), "{}", location(&phone));

        // What stays keeps its id, whatever its weight; and where nothing fits, the link's own address holds.
        let (_, changed) = app.patch(&link, json!({ "targets": [
            { "url": "https://shop.example/new", "country": "de" },
            { "url": "https://shop.example/phone", "device": "mobile", "weight": 7 },
        ] })).await;
        assert_eq!(changed["targets"][0]["id"], saved["targets"][2]["id"]);
        assert_eq!((&changed["targets"][0]["weight"], &changed["targets"][1]["country"]), (&json!(7), &json!("DE")));
        assert!(app.click("anna").await.0.starts_with("https://shop.example/?"));
        assert_eq!(app.patch(&link, json!({ "targets": [] })).await.1["targets"], json!([]));
    }

    async fn utm_templates_take_values_from_the_click(app: &TestApp) {
        app.set_up().await;
        app.make("/v1/links", json!({ "code": "tpl", "partner": "anna@blog.example", "url": "https://shop.example/", "utm": { "source": "{partner}", "campaign": "{sub1}", "content": "{sub2}" } })).await;
        let response = app.visitor(Method::GET, "/r/tpl?sub1=%D0%BB%D0%B5%D1%82%D0%BE").send().await.unwrap();
        assert!(location(&response).starts_with("https://shop.example/?sub1=%D0%BB%D0%B5%D1%82%D0%BE&utm_campaign=%D0%BB%D0%B5%D1%82%D0%BE&utm_source=par_1&trb_click="), "{}", location(&response));
        let row = &app.get("/v1/reports/channels?group_by=source,campaign").await["data"][0];
        assert_eq!((&row["source"], &row["campaign"]), (&json!("par_1"), &json!("лето")));
    }

    async fn nothing_breaks_out_of_the_location(app: &TestApp) {
        app.set_up().await;
        for query in ["x=%0d%0aSet-Cookie:a=b", "sub1=%0D%0A", "to=https://shop.example/%0d%0aX:1", "\"<>'=1", "to=/a%0d%0ab"] {
            let response = app.visitor(Method::GET, &format!("/r/anna?{query}")).send().await.unwrap();
            assert_eq!(response.status(), 302, "{query}");
            assert!(location(&response).starts_with("https://shop.example/"), "{query}");
            assert!(response.headers().get("x").is_none() && response.headers().get_all("set-cookie").iter().count() == 1, "{query}");
        }
    }

    async fn a_program_has_domains_of_its_own(app: &TestApp) {
        let ids = app.set_up().await;
        let other = app.make("/v1/programs", json!({ "name": "Other", "currency": "RUB", "link_domains": ["go.other.example"] })).await;
        app.make("/v1/links", json!({ "program": "Other", "code": "olga", "url": "https://other.example/" })).await;
        let program = path_of(&ids, "program");
        let (status, taken) = app.patch(&program, json!({ "link_domains": ["go.other.example"] })).await;
        assert_eq!(status, 409, "{taken}");
        let own = app.url("").trim_start_matches("http://").to_owned();
        for wrong in [json!(["https://go.brand.example/"]), json!([own])] {
            let (status, answer) = app.patch(&program, json!({ "link_domains": wrong })).await;
            assert_eq!((status, answer["errors"][0]["pointer"].as_str()), (422, Some("/link_domains/0")), "{wrong}");
        }
        let (status, saved) = app.patch(&program, json!({ "link_domains": ["Go.Brand.example", "b.example"] })).await;
        assert_eq!((status, &saved["link_domains"]), (200, &json!(["go.brand.example", "b.example"])));
        assert_eq!(app.get(&path_of(&ids, "link")).await["short_url"], "https://go.brand.example/anna");
        assert_eq!(app.get("/v1/links").await["data"][1]["short_url"], "https://go.other.example/olga");

        for (host, path) in [("go.brand.example", "/anna"), ("GO.brand.example:443", "/ANNA"), ("b.example", "/r/anna"), ("127.0.0.1", "/r/anna"), ("unknown.example", "/r/olga")] {
            let (status, leads) = at_host(app, host, path).await;
            assert_eq!(status, 302, "{host}{path}");
            assert!(leads.contains("trb_click="), "{host}{path}: {leads}");
        }
        for (host, path) in [("go.brand.example", "/olga"), ("go.brand.example", "/r/olga"), ("go.other.example", "/r/anna"), ("127.0.0.1", "/anna")] {
            assert_eq!(at_host(app, host, path).await.0, 404, "{host}{path}");
        }
        // The routes of the service come first, on every host.
        assert_eq!(at_host(app, "127.0.0.1", "/signin").await.0, 200);
        assert_eq!(at_host(app, "go.brand.example", "/healthz").await.0, 200);
        let admin = app.make("/v1/links", json!({ "program": "Shop", "code": "admin", "url": "https://shop.example/" })).await;
        assert_eq!(admin["short_url"], "https://go.brand.example/r/admin");
        assert_eq!(at_host(app, "go.brand.example", "/r/admin").await.0, 302);
        assert_eq!(at_host(app, "go.brand.example", "/admin").await.1, "/signin");
        // An unknown code leads to that program's fallback, not to another's.
        app.patch(&format!("/v1/programs/{}", other["id"].as_str().unwrap()), json!({ "fallback_url": "https://other.example/lost" })).await;
        assert_eq!(at_host(app, "go.other.example", "/nobody").await, (302, "https://other.example/lost".to_owned()));
        assert_eq!(at_host(app, "go.brand.example", "/nobody").await.0, 404);
        // What browsers ask of any host is no misprint.
        app.mover_done().await;
        let misses = app.get("/v1/misses").await["data"].as_array().unwrap().len();
        assert_eq!(at_host(app, "go.other.example", "/favicon.ico").await.0, 404);
        assert_eq!(app.get("/v1/misses").await["data"].as_array().unwrap().len(), misses);
        app.patch(&program, json!({ "link_domains": [] })).await;
        assert_eq!(at_host(app, "go.brand.example", "/anna").await.0, 404);
    }

    async fn a_link_falls_back_to_its_own_address_before_the_programs(app: &TestApp) {
        let ids = app.set_up().await;
        let (link, program) = (path_of(&ids, "link"), path_of(&ids, "program"));
        assert_eq!(app.patch(&link, json!({ "fallback_url": "https://evil.example/" })).await.0, 422);
        app.patch(&program, json!({ "fallback_url": "https://shop.example/all" })).await;
        let (_, saved) = app.patch(&link, json!({ "paused": true, "fallback_url": "https://shop.example/лето" })).await;
        assert_eq!(saved["fallback_url"], "https://shop.example/%D0%BB%D0%B5%D1%82%D0%BE");
        assert_eq!(at_host(app, "x", "/r/anna").await, (302, "https://shop.example/%D0%BB%D0%B5%D1%82%D0%BE".to_owned()));
        // A host that is no longer allowed is not led to.
        app.patch(&program, json!({ "destination_hosts": ["new.example"] })).await;
        assert_eq!(at_host(app, "x", "/r/anna").await.1, "https://shop.example/all");
        app.patch(&program, json!({ "destination_hosts": ["shop.example"] })).await;
        app.patch(&link, json!({ "fallback_url": null })).await;
        assert_eq!(at_host(app, "x", "/r/anna").await, (302, "https://shop.example/all".to_owned()));
        assert_eq!(at_host(app, "x", "/r/nobody").await, (302, "https://shop.example/all".to_owned()));
    }

    async fn a_misprint_is_attached_to_the_link_that_was_meant(app: &TestApp) {
        let ids = app.set_up().await;
        let link = path_of(&ids, "link");
        app.make("/v1/links", json!({ "code": "boris", "url": "https://shop.example/b" })).await;
        for code in ["anan", "ANAN", "nothinglikeit", "ana"] {
            assert_eq!(at_host(app, "x", &format!("/r/{code}")).await.0, 404);
        }
        let misses = app.get("/v1/misses").await["data"].clone();
        let nearest: Vec<_> = misses.as_array().unwrap().iter().map(|m| (m["value"].as_str().unwrap(), m["nearest"].as_str())).collect();
        assert_eq!(nearest, [("anan", Some("anna")), ("ANAN", Some("anna")), ("nothinglikeit", None), ("ana", None)]);
        let attach = format!("/v1/misses/{}/attach", misses[0]["id"].as_str().unwrap());
        assert_eq!(app.refused(&attach, json!({})).await, (422, vec!["/link".to_owned()]));
        assert_eq!(app.refused(&attach, json!({ "link": "lnk_99" })).await, (422, vec!["/link".to_owned()]));
        assert_eq!(app.refused("/v1/misses/mis_99/attach", json!({ "link": "anna" })).await.0, 404);
        app.advance(chrono::TimeDelta::minutes(1));
        let settled = app.make(&attach, json!({ "link": ids["link"] })).await;
        assert_eq!((&settled["link"], settled["resolved_at"].is_string()), (&ids["link"], true), "{settled}");
        app.make(&attach, json!({ "link": "anna" })).await;
        assert_eq!(app.refused(&attach, json!({ "link": "boris" })).await.0, 409);

        let values = async || app.get("/v1/misses").await["data"].as_array().unwrap().iter().map(|m| m["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(values().await, ["nothinglikeit", "ana"]);
        for code in ["anan", "AnAn"] {
            assert!(app.click(code).await.0.starts_with("https://shop.example/?"));
        }
        assert_eq!(app.get(&link).await["aliases"], json!(["anan"]));
        assert_eq!(app.get("/v1/links").await["data"][0]["aliases"], json!(["anan"]));
        // A code is one link's only, whether its own or an alias.
        assert_eq!(app.refused("/v1/links", json!({ "code": "Anan", "url": "https://shop.example/" })).await.0, 409);
        assert_eq!(app.patch("/v1/links/lnk_2", json!({ "aliases": ["anan"] })).await.0, 409);
        assert_eq!(app.patch("/v1/links/lnk_2", json!({ "aliases": ["anna"] })).await.0, 409);
        assert_eq!(app.patch(&link, json!({ "aliases": ["anna"] })).await.0, 422);
        assert_eq!(app.patch(&link, json!({ "aliases": ["anan", "a b"] })).await.0, 422);
        // What a link hangs on reaches it, though the link itself is as it was.
        app.patch(&path_of(&ids, "program"), json!({ "destination_hosts": ["new.example"] })).await;
        assert_eq!(at_host(app, "x", "/r/anan").await.0, 404);
        app.patch(&path_of(&ids, "program"), json!({ "destination_hosts": ["shop.example"] })).await;
        app.patch(&path_of(&ids, "partner"), json!({ "kind": "referrer" })).await;
        let clicks = app.get("/v1/reports/channels").await["data"].as_array().unwrap().len();
        app.click("anan").await;
        assert_eq!((clicks, app.get("/v1/reports/channels").await["data"].as_array().unwrap().len()), (1, 2), "another kind is another channel");
        // Without the alias the code is unknown again, and so is on the list.
        assert_eq!(app.patch(&link, json!({ "aliases": ["Anya"] })).await.1["aliases"], json!(["anya"]));
        app.click("anya").await;
        app.advance(chrono::TimeDelta::minutes(1));
        assert_eq!(at_host(app, "x", "/r/anan").await.0, 404);
        assert_eq!(values().await, ["anan", "nothinglikeit", "ana"]);
        let log = tributary::store::audit::latest(&app.service.db, 10).await.unwrap();
        for act in ["miss.attach", "link.aliases"] {
            assert!(log.iter().any(|line| line.act == act && line.actor.contains("key_")), "{act}: {log:?}");
        }
        // An order's unknown code is no link.
        app.make("/v1/orders", json!({ "external_id": "M-1", "placed_at": app.now(), "currency": "RUB", "total": "1.00", "promo_codes": ["ANNA11"] })).await;
        let misses = app.get("/v1/misses").await["data"].clone();
        let promo = misses.as_array().unwrap().iter().find(|m| m["kind"] == "promo_code").unwrap()["id"].clone();
        assert_eq!(app.refused(&format!("/v1/misses/{}/attach", promo.as_str().unwrap()), json!({ "link": "anna" })).await.0, 409);
    }

    async fn a_misprint_that_no_code_could_be_is_attached_too(app: &TestApp) {
        let ids = app.set_up().await;
        let odd = "/r/%D0%B0nna"; // A Cyrillic first letter.
        assert_eq!(at_host(app, "x", odd).await.0, 404);
        let miss = app.get("/v1/misses").await["data"][0].clone();
        assert_eq!((&miss["value"], &miss["nearest"]), (&json!("аnna"), &json!("anna")));
        app.make(&format!("/v1/misses/{}/attach", miss["id"].as_str().unwrap()), json!({ "link": ids["link"] })).await;
        assert_eq!(at_host(app, "x", odd).await.0, 302);
        let (status, kept) = app.patch(&path_of(&ids, "link"), json!({ "aliases": ["аnna", "more"] })).await;
        assert_eq!((status, &kept["aliases"]), (200, &json!(["more", "аnna"])), "{kept}");
    }

    async fn links_of_a_file_keep_what_hangs_on_them(app: &TestApp) {
        let ids = app.set_up().await;
        let link = path_of(&ids, "link");
        app.patch(&link, json!({ "targets": [{ "url": "https://shop.example/a" }], "aliases": ["anya"], "fallback_url": "https://shop.example/f" })).await;
        let before = app.get(&link).await;
        let file = app.folder.path().join("links.csv");
        std::fs::write(&file, "code,url\nanna,https://shop.example/x\nnew,https://shop.example/n\n").unwrap();
        let data = app.folder.path().join("cli").display().to_string();
        let arguments = ["--database-url", &app.database_url, "--data-dir", &data, "import", "links", file.to_str().unwrap()];
        let (code, out, errors) = run(&arguments, "");
        assert_eq!(code, 0, "{out}{errors}");
        let after = app.get(&link).await;
        assert_eq!(after["url"], "https://shop.example/x");
        for field in ["targets", "aliases", "fallback_url"] {
            assert_eq!(after[field], before[field], "{field}");
        }
        std::fs::write(&file, "code,url\nANYA,https://shop.example/x\n").unwrap();
        let (code, out, errors) = run(&arguments, "");
        assert!(code == 1 && format!("{out}{errors}").contains("taken"), "{out}{errors}");
        // What the command line wrote reaches the edge by itself.
        for _ in 0..40 {
            if at_host(app, "x", "/r/new").await.0 == 302 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the new link is not known after two seconds");
    }

    async fn a_link_has_a_qr_code(app: &TestApp) {
        app.set_up().await;
        let svg = app.visitor(Method::GET, "/r/anna/qr.svg").send().await.unwrap();
        assert_eq!((svg.status().as_u16(), &svg.headers()["content-type"], &svg.headers()["cache-control"]), (200, &"image/svg+xml".parse().unwrap(), &"public, max-age=3600".parse().unwrap()));
        assert!(svg.text().await.unwrap().starts_with("<svg"));
        for (path, side) in [("/r/ANNA/qr.png", 512), ("/r/anna/qr.png?size=256", 256), ("/r/anna/qr.png?size=64", 64), ("/r/anna/qr.png?size=2048", 2048)] {
            let png = app.visitor(Method::GET, path).send().await.unwrap();
            assert_eq!((png.status().as_u16(), &png.headers()["content-type"], &png.headers()["cache-control"]), (200, &"image/png".parse().unwrap(), &"public, max-age=3600".parse().unwrap()));
            let bytes = png.bytes().await.unwrap();
            let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
            assert_eq!((reader.info().width, reader.info().height), (side, side));
            let mut image = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut image).unwrap();
            let text = app.get("/v1/links/lnk_1").await["short_url"].as_str().unwrap().to_owned();
            let code = fast_qr::QRBuilder::new(text).ecl(fast_qr::ECL::M).build().unwrap();
            let (side, row) = (side as usize, side.div_ceil(8) as usize);
            let scale = side / (code.size + 8);
            let margin = (side - scale * code.size) / 2;
            for (y, x) in (0..code.size).flat_map(|y| (0..code.size).map(move |x| (y, x))) {
                let (pixel_y, pixel_x) = (margin + y * scale + scale / 2, margin + x * scale + scale / 2);
                let dark = image[pixel_y * row + pixel_x / 8] & (0x80 >> (pixel_x % 8)) == 0;
                assert_eq!(dark, code[y][x].value(), "{path}: module {x},{y}");
            }
        }
        for (path, status) in [("/r/anna/qr.png?size=63", 400), ("/r/anna/qr.png?size=2049", 400), ("/r/anna/qr.png?size=x", 400), ("/r/none/qr.png", 404), ("/r/none/qr.svg", 404)] {
            let answer = app.visitor(Method::GET, path).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (status, &"application/problem+json".parse().unwrap()), "{path}");
        }
        assert_eq!(app.get("/v1/misses").await["data"], json!([]), "a QR code of no link is no click");
        assert_eq!(app.get("/v1/reports/channels").await["totals"]["clicks"], 0);
    }
}

/// A node behind a proxy on loopback, with a link by country.
async fn by_country(folder: &tempfile::TempDir, settings: impl FnOnce(Start) -> Start) -> (Running, String) {
    use tributary::service::catalog::{LinkInput, ProgramInput, TargetInput, save_link, save_program};
    let url = format!("sqlite://{}", folder.path().join("tributary.db").display());
    let service = Tributary::open(&url, None, Clock::system()).await.unwrap();
    let context = service.context("test");
    let mut tx = service.db.begin().await.unwrap();
    let program = ProgramInput { name: Some("Shop".into()), currency: Some("RUB".into()), ..ProgramInput::default() };
    save_program(&mut tx, &context, None, &program).await.unwrap();
    let target = |country: &str| TargetInput {
        url: Some(format!("https://shop.example/{country}")),
        country: Some(country.into()),
        ..TargetInput::default()
    };
    let link = LinkInput {
        code: Some("c".into()),
        url: Some("https://shop.example/any".into()),
        targets: Some(vec![target("DE"), target("RU")]),
        ..LinkInput::default()
    };
    save_link(&mut tx, &context, None, &link).await.unwrap();
    tx.commit().await.unwrap();
    let running = start(service, settings(start_settings(folder.path().join("spool.db")))).await.unwrap();
    let address = format!("http://{}/r/c", running.address);
    (running, address)
}

async fn leads(address: &str, country: &str, forwarded_for: &str) -> String {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let request = client.get(address).header("x-country", country).header("x-forwarded-for", forwarded_for);
    let response = request.send().await.unwrap();
    location(&response).trim_start_matches("https://shop.example/").split('?').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_country_is_believed_from_trusted_proxies_only() {
    for (trusted, expected) in [(vec![], "any"), (vec!["127.0.0.0/8".parse().unwrap()], "DE")] {
        let folder = tempfile::tempdir().unwrap();
        let (running, address) =
            by_country(&folder, |s| Start { country_header: Some("X-Country".into()), trusted_proxies: trusted, ..s }).await;
        assert_eq!(leads(&address, "de", "198.51.100.7").await, expected);
        assert_eq!(leads(&address, "FR", "198.51.100.7").await, "any");
        assert_eq!(leads(&address, "nonsense", "198.51.100.7").await, "any");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_country_is_looked_up_where_no_proxy_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("country.mmdb");
    std::fs::write(&file, address_table([203, 0, 113, 7], "RU")).unwrap();
    let proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let (running, address) = by_country(&folder, |s| Start {
        country_header: Some("x-country".into()),
        geoip_database: Some(file.clone()),
        trusted_proxies: proxies,
        ..s
    })
    .await;
    assert_eq!(leads(&address, "", "203.0.113.7").await, "RU");
    assert_eq!(leads(&address, "", "203.0.113.8").await, "any");
    assert_eq!(leads(&address, "DE", "203.0.113.7").await, "DE", "the proxy comes first");
    running.stop().await;
    std::fs::write(&file, "no such file").unwrap();
    let data = folder.path().display().to_string();
    let (code, out, errors) = run(
        &[
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            &data,
            "--database-url",
            &format!("sqlite://{data}/x.db"),
            "--geoip-database",
            file.to_str().unwrap(),
            "serve",
        ],
        "",
    );
    assert!(code == 1 && errors.contains("geoip-database"), "{out}{errors}");
}

/// A file in MaxMind's format (version 2.0) that knows the country of one address.
fn address_table(address: [u8; 4], country: &str) -> Vec<u8> {
    let text = |text: &str| [&[0x40 | text.len() as u8], text.as_bytes()].concat();
    let number = |number: u32| [&[0xc4], &number.to_be_bytes()[..]].concat();
    let map = |fields: &[(&str, Vec<u8>)]| {
        let body: Vec<u8> = fields.iter().flat_map(|(key, value)| [text(key), value.clone()].concat()).collect();
        [vec![0xe0 | fields.len() as u8], body].concat()
    };
    let nodes = 32_u32;
    let mut table = Vec::new();
    for depth in 0..nodes {
        let bit = address[depth as usize / 8] >> (7 - depth % 8) & 1;
        // The way on; after the last bit, the record that stands first in the data.
        let on = if depth + 1 < nodes { depth + 1 } else { nodes + 16 };
        let records = if bit == 0 { [on, nodes] } else { [nodes, on] };
        table.extend(records.iter().flat_map(|record| record.to_be_bytes()[1..].to_vec()));
    }
    table.extend([0; 16]);
    table.extend(map(&[("country", map(&[("iso_code", text(country))]))]));
    table.extend(b"\xab\xcd\xefMaxMind.com");
    let kind = text("Test-Country");
    let epoch = [&[0x08, 0x02], &1_800_000_000_u64.to_be_bytes()[..]].concat();
    table.extend(map(&[
        ("binary_format_major_version", [0xa2, 0, 2].to_vec()),
        ("binary_format_minor_version", [0xa2, 0, 0].to_vec()),
        ("build_epoch", epoch),
        ("database_type", kind),
        ("description", map(&[])),
        ("ip_version", [0xa2, 0, 4].to_vec()),
        ("languages", vec![0x00, 0x04]),
        ("node_count", number(nodes)),
        ("record_size", [0xa2, 0, 24].to_vec()),
    ]));
    table
}
