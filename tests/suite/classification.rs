//! What classification makes of the cases of others: the score of each file must not fall. And `POST /v1/classify` itself.

use crate::support::*;
use serde_json::{Value, json};
use tributary::domain::bot::bot_reason;
use tributary::domain::channel::{Channel, Evidence, classify, classify_by_ga4};
use tributary::domain::landing::Landing;

fn rows(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/fixtures/classify/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Fails, and names the wrong ones, if more than `at_most` of `rows` are.
fn hold(what: &str, rows: usize, wrong: &[String], at_most: usize) {
    println!("{what}: {} of {rows} right", rows - wrong.len());
    assert!(rows > 0 && wrong.len() <= at_most, "{what}: {} of {rows} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn machines_are_found_and_no_browser_is_called_one() {
    for (file, missed_at_most) in [("user_agents.jsonl", 0), ("isbot.jsonl", 0)] {
        let (mut missed, mut accused, mut counts) = (vec![], vec![], [0, 0]);
        for row in rows(file) {
            let (user_agent, is_bot) = (row["ua"].as_str().unwrap(), row["is_bot"].as_bool().unwrap());
            counts[usize::from(is_bot)] += 1;
            match (is_bot, bot_reason(user_agent)) {
                (true, None) => missed.push(user_agent.to_owned()),
                (false, Some(reason)) => accused.push(format!("{reason}: {user_agent}")),
                _ => {}
            }
        }
        hold(&format!("machines of {file}"), counts[1], &missed, missed_at_most);
        hold(&format!("browsers of {file}"), counts[0], &accused, 0);
    }
}

/// A channel as the lists of referrers call it.
fn kind(channel: Channel) -> &'static str {
    match channel.name() {
        "organic_search" => "search",
        "organic_social" | "messenger" => "social",
        "organic_video" => "video",
        "organic_shopping" => "shopping",
        "ai_assistant" => "chatbot",
        "paid_search" | "paid_social" | "paid_shopping" | "paid_video" | "paid_other" | "display" => "paid",
        other => other,
    }
}

#[test]
fn referrers_are_known_for_what_they_are() {
    // inb-020 has UTM, which its source does not look at.
    for (file, wrong_at_most) in [("referrers.jsonl", 1), ("own_referrers.jsonl", 0)] {
        let (mut wrong, mut terms) = (vec![], vec![]);
        let rows = rows(file);
        for row in &rows {
            let landing = Landing::of(row["page"].as_str().unwrap_or_default());
            let referrer = row["referrer"].as_str();
            let found = classify(Evidence { rules: &[], partner_kind: None, landing: &landing, referrer, own_hosts: &[] });
            let expect = &row["expect"];
            let also = expect["medium_also_ok"].as_array().cloned().unwrap_or_default();
            let fits = also.iter().chain([&expect["medium"]]).any(|kind_expected| match kind_expected.as_str() {
                Some("unknown") => matches!(kind(found.channel), "referral" | "direct"),
                expected => expected == Some(kind(found.channel)),
            });
            if !fits {
                wrong.push(format!("{}: {:?} is {} by {}", row["id"], referrer, found.channel, found.rule));
            }
            if let Some(term) = expect["term"].as_str().filter(|term| found.term.as_deref() != Some(&*term.to_lowercase())) {
                terms.push(format!("{}: {term}", row["id"]));
            }
        }
        hold(file, rows.len(), &wrong, wrong_at_most);
        hold(&format!("terms of {file}"), rows.len(), &terms, 0);
    }
}

#[test]
fn ga4s_table_is_kept_to_the_letter() {
    let mut wrong = vec![];
    let rows = rows("ga4_channels.jsonl");
    for row in &rows {
        let text = |name: &str| url::form_urlencoded::byte_serialize(row[name].as_str().unwrap().as_bytes()).collect::<String>();
        let url = format!("/?utm_source={}&utm_medium={}&utm_campaign={}", text("source"), text("medium"), text("campaign"));
        let landing = Landing::of(&url);
        let found =
            classify_by_ga4(Evidence { rules: &[], partner_kind: None, landing: &landing, referrer: None, own_hosts: &[] });
        let expected = match row["expected_channel"].as_str().unwrap() {
            "Affiliates" => "affiliate".to_owned(),
            "Mobile Push Notifications" => "push".to_owned(),
            name => name.to_lowercase().replace([' ', '-'], "_"),
        };
        if found.channel.name() != expected {
            wrong.push(format!("{url}: {} by {}, not {expected}", found.channel, found.rule));
        }
    }
    hold("ga4_channels.jsonl", rows.len(), &wrong, 0);
}

#[test]
fn tricky_queries_are_read() {
    let mut wrong = vec![];
    let rows = rows("utm.jsonl");
    for row in &rows {
        let landing = Landing::of(row["url"].as_str().unwrap());
        for (name, expected) in row["expect"].as_object().unwrap() {
            let utm = name.strip_prefix("utm_").and_then(|field| landing.utm.get(field));
            let found = utm.or(landing.click_ids.get(name)).or(landing.companions.get(name));
            let any = expected.as_array().cloned().unwrap_or_else(|| vec![expected.clone()]);
            if !any.iter().any(|value| value.as_str() == found) {
                wrong.push(format!("{}: {name} is {found:?}, not {expected}", row["id"]));
            }
        }
    }
    hold("utm.jsonl", rows.len(), &wrong, 0);
}

#[test]
fn any_address_is_taken_for_what_it_is() {
    let mut wrong = vec![];
    let rows = rows("urls.jsonl");
    for row in &rows {
        let address = row["input"].as_str().unwrap();
        let landing = Landing::of(address);
        classify_by_ga4(Evidence { rules: &[], partner_kind: None, landing: &landing, referrer: Some(address), own_hosts: &[] });
        let home = Landing::of("https://shop.invalid/");
        let found =
            classify(Evidence { rules: &[], partner_kind: None, landing: &home, referrer: Some(address), own_hosts: &[] });
        let host = row["hostname"].as_str().filter(|host| !host.is_empty() && row["base"].is_null()).map(str::to_lowercase);
        let as_expected = match (row["failure"].as_bool(), host) {
            (Some(true), _) => found.source.is_none() || !row["base"].is_null(),
            (_, Some(host)) if found.channel == Channel::Referral => {
                found.source.as_deref() == Some(host.trim_start_matches("www.").trim_end_matches('.'))
            }
            _ => true,
        };
        if !as_expected {
            wrong.push(format!("{}: {address:?} is {} from {:?}", row["id"], found.channel, found.source));
        }
    }
    hold("urls.jsonl", rows.len(), &wrong, 0);
}

both_stores! {
    async fn classify_answers_what_a_touch_would_become(app: &TestApp) {
        app.set_up().await;
        let cases = json!([
            {"url": "https://shop.example/?utm_source=VK&utm_medium=cpc&utm_campaign=%7Bcampaign_id%7D&GCLID=AbC", "referrer": "https://vk.com/",
             "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.7 Mobile/15E148 Safari/604.1"},
            {"url": "https://shop.example/", "headers": {"Referer": "https://yandex.ru/search/?text=%D0%A7%D0%B0%D0%B9", "user-agent": "curl/8.5.0"}},
            {"url": "https://shop.example/", "headers": {"Sec-Purpose": "prefetch"}},
            {},
        ]);
        let (_, answer) = app.post("/v1/classify", cases.clone()).await;
        let [vk, yandex, ahead, nothing] = &answer["data"].as_array().unwrap()[..] else { panic!("{answer}") };
        let picked = |value: &Value, names: &[&str]| names.iter().map(|name| value[*name].clone()).collect::<Vec<_>>();
        assert_eq!(
            picked(vk, &["channel", "source", "medium", "click_ids", "unreplaced_macros", "rule", "bot", "device", "os", "browser"]),
            [json!("paid_social"), json!("vk"), json!("cpc"), json!({"gclid": "AbC"}), json!(["campaign"]), json!("GA4 paid social"),
             json!(false), json!("mobile"), json!("iOS"), json!("Safari")],
        );
        assert_eq!(vk["utm"], json!({"source": "VK", "medium": "cpc", "campaign": "{campaign_id}"}));
        assert_eq!(picked(yandex, &["channel", "source", "term", "bot"]), [json!("organic_search"), json!("yandex"), json!("чай"), json!(true)]);
        assert_eq!(picked(ahead, &["bot", "bot_reason"]), [json!(true), json!("fetched ahead")]);
        assert_eq!(picked(nothing, &["channel", "rule", "bot", "device"]), [json!("direct"), json!("nothing known"), json!(false), json!(null)]);
        let (_, by_ga4) = app.post("/v1/classify?rules=ga4", cases).await;
        assert_eq!(by_ga4["data"][0]["channel"], "paid_other");
        assert_eq!(app.post("/v1/classify?rules=ga3", json!([])).await.0, 422);
    }
}

#[test]
fn no_channel_is_without_a_place_in_the_documentation() {
    let documentation = include_str!("../../docs/channels.md");
    let missing: Vec<&str> =
        Channel::ALL.iter().map(|channel| channel.name()).filter(|name| !documentation.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
