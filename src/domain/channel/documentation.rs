//! The tables that decide, written out: `docs/channels.md` holds them, and a test compares.

use super::{extension, ga4, rules};

pub use rules::Rule;

/// The table that decides, in its order.
pub fn table() -> impl Iterator<Item = &'static Rule> {
    rules::TABLE.iter()
}

const HEAD: &str = "| | rule | when | channel |\n|---|---|---|---|";

/// As Markdown: our table, GA4's, our extension's, and the extension's mediums by channel.
pub fn tables() -> [String; 4] {
    let mut mediums: Vec<(&str, Vec<String>)> = vec![];
    for (medium, channel) in extension::mediums() {
        let medium = format!("`{medium}`");
        match mediums.iter_mut().find(|(known, _)| *known == channel) {
            Some((_, list)) => list.push(medium),
            None => mediums.push((channel, vec![medium])),
        }
    }
    let mediums = mediums.into_iter().map(|(channel, list)| format!("| {channel} | {} |\n", list.join(", "))).collect::<String>();
    [
        numbered(rules::TABLE.iter().map(|rule| [rule.name, rule.when, rule.gives])),
        numbered(ga4::TABLE.iter().map(|rule| [rule.name, rule.when, rule.channel.name()])),
        numbered(extension::TABLE.iter().map(|rule| [rule.name, rule.when, rule.gives])),
        format!("| channel | mediums |\n|---|---|\n{mediums}"),
    ]
}

fn numbered(rows: impl Iterator<Item = [&'static str; 3]>) -> String {
    let lines = rows.enumerate().map(|(n, [name, when, gives])| format!("| {} | {name} | {when} | {gives} |\n", n + 1));
    format!("{HEAD}\n{}", lines.collect::<String>())
}
