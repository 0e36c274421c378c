//! A commission's formula with its numbers, in the reader's language: `12.5 % × (120.00 − 20.00) = 12.50`. The parts are
//! those of [`Explanation`], in the order in which [`Explanation::formula`] has them.

use crate::domain::commission::{ClicksOwed, Explanation, LeadOwed, Limit, Owed, SecondTierOwed, StepTerms, VolumeOwed};
use crate::domain::money::Money;
use crate::domain::order::OrderStatus;
use crate::web::language::Language;

/// The formula; `partner` names a partner.
pub fn formula(
    language: Language,
    explanation: &Explanation,
    partner: &impl Fn(crate::domain::id::PartnerId) -> String,
) -> String {
    let declined = || language.text("formula-declined");
    match explanation {
        Explanation::Order(owed) if owed.declined => declined(),
        Explanation::Order(owed) => of_order(language, owed),
        Explanation::SecondTier(owed) if owed.declined => declined(),
        Explanation::SecondTier(owed) => of_second_tier(language, owed, partner(owed.second_tier_of)),
        Explanation::Volume(owed) if owed.declined => declined(),
        Explanation::Volume(owed) => of_volume(language, owed),
        Explanation::Clicks(owed) if owed.declined => declined(),
        Explanation::Clicks(owed) => of_clicks(language, owed),
        Explanation::Lead(owed) if owed.declined => declined(),
        Explanation::Lead(owed) => of_lead(language, owed),
    }
}

fn of_order(language: Language, owed: &Owed) -> String {
    let money = |minor| language.money(Money::new(minor, owed.currency));
    match owed.status {
        OrderStatus::Cancelled => return language.text("formula-cancelled"),
        OrderStatus::Pending => return language.text("formula-pending"),
        OrderStatus::Approved => {}
    }
    let part = |part: i64, base: String| language.with("formula-part", &[("part", money(part).into()), ("base", base.into())]);
    let mut text = match owed.rate() {
        StepTerms::Fixed(minor) => {
            let whole = language.with("formula-fixed", &[("amount", money(minor).into())]);
            if owed.portion.is_some() { part(owed.full_minor, whole) } else { whole }
        }
        StepTerms::Percent(rate) => {
            let mut base = money(owed.total_minor);
            let off = [
                (owed.base.less_tax, "formula-tax", owed.tax_minor),
                (owed.base.less_shipping, "formula-shipping", owed.shipping_minor),
                (!owed.base.less_discount, "formula-discount", owed.discount_minor),
            ];
            let off: Vec<String> = off
                .into_iter()
                .filter(|(holds, _, minor)| *holds && *minor != 0)
                .map(|(_, key, minor)| language.with(key, &[("amount", money(minor).into())]))
                .collect();
            if !off.is_empty() {
                base = format!("({base}{})", off.concat());
            }
            if owed.base_minor != owed.commissionable_minor {
                base = part(owed.base_minor, base);
            }
            if let Some(left) = owed.base_left_minor.filter(|left| *left != owed.base_minor) {
                base = language.with("formula-lines-back", &[("left", money(left).into()), ("base", base.into())]);
            }
            format!("{} × {base}", language.percent_of_text(&rate.percent()))
        }
    };
    if let Some((own, all)) = owed.portion {
        text += &language.with("formula-portion", &[("own", (own as i64).into()), ("all", (all as i64).into())]);
    }
    if let Some(limit) = owed.limit() {
        let (key, minor) = match limit {
            Limit::Least(minor) => ("formula-least", minor),
            Limit::Most(minor) => ("formula-most", minor),
            Limit::Cap(minor) => ("formula-cap", minor),
        };
        text += &language.with(key, &[("amount", money(minor).into())]);
    }
    if owed.refunded_minor != owed.refunded_by_line_minor {
        let (left, total) = (owed.total_minor - owed.refunded_minor, owed.total_minor - owed.refunded_by_line_minor);
        text += &language.with("formula-refunds", &[("left", money(left).into()), ("total", money(total).into())]);
    }
    format!("{text} = {}", money(owed.owed_minor))
}

fn of_second_tier(language: Language, owed: &SecondTierOwed, partner: String) -> String {
    let money = |minor| language.money(Money::new(minor, owed.currency));
    let filling = [
        ("percent", language.percent_of_text(&owed.rate.percent()).into()),
        ("earned", money(owed.earned_minor).into()),
        ("partner", partner.into()),
    ];
    format!("{} = {}", language.with("formula-second-tier", &filling), money(owed.owed_minor))
}

fn of_volume(language: Language, owed: &VolumeOwed) -> String {
    let money = |minor| language.money(Money::new(minor, owed.currency));
    let parts = owed.versions.iter().map(|version| {
        let filling = [
            ("owed", money(version.owed_minor).into()),
            ("volume", money(version.volume.base_minor).into()),
            ("orders", version.volume.orders.into()),
            ("month", owed.month.clone().into()),
        ];
        language.with("formula-volume", &filling)
    });
    let parts = parts.collect::<Vec<_>>().join(" + ");
    let at_once = language.with("formula-at-once", &[("amount", money(owed.earned_at_once_minor).into())]);
    format!("{parts}{at_once} = {}", money(owed.owed_minor))
}

fn of_lead(language: Language, owed: &LeadOwed) -> String {
    let money = |minor| language.money(Money::new(minor, owed.currency));
    match owed.status {
        OrderStatus::Cancelled => return language.text("formula-lead-cancelled"),
        OrderStatus::Pending => return language.text("formula-lead-pending"),
        OrderStatus::Approved => {}
    }
    let mut text =
        language.with("formula-lead", &[("amount", money(owed.a_lead_minor).into()), ("lead", owed.lead.clone().into())]);
    if let Some(left) = owed.cap_left_minor.filter(|left| *left == owed.owed_minor) {
        text += &language.with("formula-cap", &[("amount", money(left).into())]);
    }
    format!("{text} = {}", money(owed.owed_minor))
}

fn of_clicks(language: Language, owed: &ClicksOwed) -> String {
    let money = |minor| language.money(Money::new(minor, owed.currency));
    let filling = [("clicks", owed.clicks.into()), ("amount", money(owed.a_click_minor).into())];
    let mut text = language.with("formula-clicks", &filling);
    if let Some(left) = owed.cap_left_minor.filter(|left| *left == owed.owed_minor) {
        text += &language.with("formula-cap", &[("amount", money(left).into())]);
    }
    format!("{text} = {}", money(owed.owed_minor))
}
