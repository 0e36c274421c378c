//! The sentences of a trace: what a line is about, why, and by which terms, for pages and `explain` alike.

use super::words;
use crate::domain::id::PartnerId;
use crate::domain::payable::{ProgramTerms, Reason, Subject, TraceItem, Verdict};
use crate::domain::program::CreditPolicy;
use crate::domain::touch::Touch;
use crate::web::language::Language;

/// Whose window is drawn, and its days: the winner's, else that of the latest touch that could have won, else of any.
/// Partners of several programs may have several windows; the lines of the trace name each.
pub fn window_of(trace: &[TraceItem]) -> Option<(Option<PartnerId>, i64)> {
    let of = |wanted: &[Verdict]| {
        trace.iter().rev().filter(|i| wanted.contains(&i.verdict)).find_map(|i| i.window_days.map(|days| (i.partner, days)))
    };
    of(&[Verdict::Won]).or_else(|| of(&[Verdict::Kept])).or_else(|| of(&[Verdict::Dropped]))
}

/// What a line of a trace is about; `touch` is the touch it names, where that is at hand.
pub fn title(language: Language, item: &TraceItem, touch: Option<&Touch>) -> String {
    match (Subject::named(&item.touch), touch) {
        (Subject::PromoCode(code), _) => language.with("trace-code", &[("code", code.into())]),
        (Subject::Lifetime(order), _) => language.with("trace-kept", &[("order", order.into())]),
        (Subject::Touch(_), Some(touch)) => {
            format!("{} · {}", language.text(words::touch_kind(touch.kind)), language.text(words::channel(touch.channel)))
        }
        (Subject::Touch(_), None) => language.text("trace-touch"),
    }
}

/// The terms of a program as they stood: windows, policy, and whom it pays for.
pub fn terms(language: Language, program: &str, terms: &ProgramTerms) -> String {
    let filling = [
        ("program", program.into()),
        ("click", terms.click_window_days.into()),
        ("view", terms.view_window_days.into()),
        ("policy", language.text(words::policy(terms.credit_policy)).into()),
    ];
    let mut text = language.with("explain-terms", &filling);
    if terms.new_customers_only {
        text += &format!(" {}", language.text("explain-new-only"));
    }
    if terms.credit_policy == CreditPolicy::Lifetime {
        let most = [
            terms.lifetime_days.map(|days| language.with("explain-kept-days", &[("days", days.into())])),
            terms.lifetime_orders.map(|orders| language.with("explain-kept-orders", &[("orders", orders.into())])),
        ];
        let most: Vec<String> = most.into_iter().flatten().collect();
        let most = if most.is_empty() { language.text("explain-kept-forever") } else { most.join(", ") };
        text += &format!(" {}", language.with("explain-keeps", &[("most", most.into())]));
    }
    text
}

/// Who shares an order, and with how many of its touches and codes; none where one alone is owed it.
pub fn shares(language: Language, shares: &[(String, u64)]) -> Option<String> {
    let all: u64 = shares.iter().map(|(_, own)| own).sum();
    let parts: Vec<String> = shares.iter().map(|(partner, own)| format!("{partner} {own}/{all}")).collect();
    (parts.len() > 1).then(|| language.with("explain-shares", &[("shares", parts.join(", ").into())]))
}

/// The reason of a line of a trace in words, and the numbers behind it, if they are not in the words.
pub fn reason(language: Language, item: &TraceItem) -> (String, Option<String>) {
    let plain = language.text(words::reason(item.reason));
    let Some(seconds) = item.seconds else { return (plain, None) };
    let span = language.span(seconds);
    let days = item.window_days.unwrap_or(0);
    match item.reason {
        Reason::OutsideWindow => (language.with("trace-outside", &[("days", days.into()), ("span", span.into())]), None),
        Reason::AfterOrder => (language.with("trace-after", &[("span", span.into())]), None),
        _ => (plain, Some(language.with("trace-before", &[("days", days.into()), ("span", span.into())]))),
    }
}
