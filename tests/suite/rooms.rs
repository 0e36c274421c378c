//! The arrows of the house go one way: `domain <- store <- service <- web, cli`.

use std::fs;
use std::path::Path;

fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

fn room(name: &str) -> Vec<(String, String)> {
    let found = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name));
    assert!(!found.is_empty(), "the room {name} is empty");
    found
}

fn holds_none_of(name: &str, words: &[&str]) {
    for (path, text) in room(name) {
        for word in words {
            let line = text.lines().position(|l| !l.trim_start().starts_with("//") && l.contains(word));
            assert!(line.is_none(), "{path}:{} has '{word}'", line.unwrap_or_default() + 1);
        }
    }
}

#[test]
fn the_domain_is_pure() {
    holds_none_of(
        "domain",
        &[
            "sqlx",
            "actix",
            "redis",
            "tokio",
            "reqwest",
            "std::fs",
            "std::net::Tcp",
            "std::net::Udp",
            "std::env",
            "Utc::now",
            "Local::now",
            "Instant::now",
            "SystemTime",
            "rand::",
            "now_v7",
            "crate::store",
            "crate::service",
            "crate::web",
            "crate::cli",
            "crate::clock",
            "async fn",
        ],
    );
}

#[test]
fn no_float_touches_money() {
    for part in ["money.rs", "/commission/", "ledger.rs", "/payable/", "promo.rs", "domain/order.rs"] {
        let files: Vec<_> = room("domain").into_iter().filter(|(path, _)| path.contains(part)).collect();
        assert!(!files.is_empty(), "there is no {part}");
        for (path, text) in files {
            assert!(!text.contains("f64") && !text.contains("f32"), "{path} has a float");
        }
    }
}

#[test]
fn the_store_decides_nothing() {
    holds_none_of("store", &["actix", "redis::", "crate::service", "crate::web", "crate::cli"]);
}

#[test]
fn the_service_knows_neither_sql_nor_http() {
    holds_none_of(
        "service",
        &["actix", "crate::web", "crate::cli", "sqlx::query", "SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"],
    );
}

#[test]
fn web_and_command_line_write_no_sql_and_reach_not_into_each_other() {
    for name in ["web", "cli"] {
        holds_none_of(name, &["sqlx::query", "SELECT ", "INSERT INTO", "DELETE FROM"]);
    }
    holds_none_of("web", &["crate::cli"]);
}

#[test]
fn every_route_of_the_api_is_in_the_openapi_document() {
    let document: serde_json::Value = serde_json::from_str(&tributary::web::openapi::text()).unwrap();
    let (_, text) = room("web").into_iter().find(|(path, _)| path.ends_with("web/mod.rs")).unwrap();
    let routes = text.split("fn api_routes").nth(1).unwrap().split("default_service").next().unwrap();
    let mut known = 0;
    for call in routes.split(['\n']).filter(|line| line.contains("resource(\"") || line.contains("route(\"")) {
        let path = call.split('"').nth(1).unwrap();
        for method in ["get", "post", "patch"] {
            if call.contains(&format!("{method}()")) || call.contains(&format!(".{method}(")) {
                assert!(document["paths"][format!("/v1{path}")][method].is_object(), "{method} /v1{path}");
                known += 1;
            }
        }
    }
    assert!(known >= 39, "only {known} routes were found");
}
