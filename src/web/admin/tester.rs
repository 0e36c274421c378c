//! What a touch would become: by the rules of the merchant's that are given, saved or not, and the built-in table.

use crate::domain::bot::bot_reason;
use crate::domain::channel::{ChannelRule, Evidence, classify, deciding_row, documentation};
use crate::domain::landing::Landing;
use crate::service::linkbook::Snapshot;
use crate::web::page::form::Fields;
use crate::web::page::{Frame, NONE, words};

/// What is tested; empty texts stand for nothing.
pub(super) struct Question {
    pub url: String,
    pub referrer: String,
    pub user_agent: String,
}

impl Question {
    pub(super) fn of(fields: &Fields) -> Question {
        let text = |name: &str| fields.get(name).to_owned();
        Question { url: text("url"), referrer: text("referrer"), user_agent: text("user_agent") }
    }
}

/// The answer.
pub(super) struct ResultView {
    pub channel: String,
    /// Name and text of what lies beneath the channel.
    pub facts: Vec<(String, String)>,
    pub rule: String,
    /// The place of the merchant's own rule that decided.
    pub own_rule: Option<usize>,
    /// The place of the rule in the built-in table.
    pub row: usize,
    /// A visit would be no touch.
    pub within: bool,
    pub bot: Option<String>,
    /// UTM whose macros the ad system left as they were.
    pub unreplaced: Option<String>,
}

/// Answers a question; `None` if nothing is asked.
pub(super) fn tested(book: &Snapshot, frame: &Frame, rules: &[ChannelRule], question: &Question) -> Option<ResultView> {
    if question.url.is_empty() && question.referrer.is_empty() && question.user_agent.is_empty() {
        return None;
    }
    let link = link_code(&question.url).and_then(|code| book.get(None, code)).cloned();
    let query = question.url.split_once('?').map_or("", |(_, query)| query);
    let utm = link.as_ref().map(|link| link.utm_query(query, "").into_owned()).unwrap_or_default();
    let mut landing = Landing::of(&question.url);
    if !utm.is_empty() {
        landing.utm.fill_from(Landing::of_query(&utm).utm);
    }
    let evidence = Evidence {
        rules,
        partner_kind: link.as_ref().and_then(|link| link.partner_kind),
        landing: &landing,
        referrer: Some(question.referrer.as_str()).filter(|referrer| !referrer.is_empty()),
        own_hosts: &book.own_hosts,
    };
    let found = classify(evidence);
    let row = deciding_row(evidence);
    let own_rule = rules.iter().position(|rule| row == 0 && rule.name() == found.rule);
    let builtin = documentation::table().nth(row).map(|rule| {
        let name = frame.t(words::builtin_rule(rule.name)[0]);
        // A row that stands for a table of its own, with the rule of that.
        if found.rule == rule.name { name } else { format!("{name} · {}", found.rule) }
    });
    let rule = match own_rule {
        Some(_) => frame.say("rules-decided-own", [("rule", found.rule.as_ref().into())]),
        None => frame
            .say("rules-decided-builtin", [("number", (row as i64 + 1).into()), ("rule", builtin.unwrap_or_default().into())]),
    };
    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or(NONE).to_owned();
    let facts = [
        ("condition-source", &found.source),
        ("condition-medium", &found.medium),
        ("condition-campaign", &found.campaign),
        ("condition-content", &found.content),
        ("condition-term", &found.term),
    ];
    let bot = match bot_reason(&question.user_agent) {
        _ if question.user_agent.is_empty() => None,
        Some(reason) => Some(frame.say("rules-bot", [("reason", reason.into())])),
        None => Some(frame.t("rules-no-bot")),
    };
    Some(ResultView {
        channel: frame.t(words::channel(found.channel)),
        facts: facts.into_iter().map(|(key, value)| (frame.t(key), text(value))).collect(),
        rule,
        own_rule,
        row,
        within: found.comes_from_within(),
        bot,
        unreplaced: match landing.unreplaced_macros() {
            fields if fields.is_empty() => None,
            fields => Some(frame.say(
                "rules-unreplaced",
                [("fields", fields.iter().map(|field| format!("utm_{field}")).collect::<Vec<_>>().join(", ").into())],
            )),
        },
    })
}

/// The code of a tracking link: `https://go.shop.example/r/CODE?…`, also without the host.
fn link_code(url: &str) -> Option<&str> {
    let path = url.split(['?', '#']).next()?;
    let path = path.split_once("://").map_or(path, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
    path.strip_prefix("/r/").filter(|code| !code.is_empty() && !code.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracking_link_is_told_by_its_path() {
        for (url, code) in [
            ("https://go.shop.example/r/anna?sub1=x", Some("anna")),
            ("/r/anna", Some("anna")),
            ("https://shop.example/?to=/r/anna", None),
            ("https://shop.example", None),
            ("https://shop.example/r/", None),
            ("", None),
        ] {
            assert_eq!(link_code(url), code, "{url}");
        }
    }
}
