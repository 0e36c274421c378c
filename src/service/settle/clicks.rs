//! Commissions for verified clicks: counted by day, as touches were, so nothing is looked at twice.

use super::{Due, Fact, Origin, Settling, is_closed};
use crate::domain::commission::{CapPer, ClicksOwed, Explanation, PaidOn, Rule, Terms};
use crate::domain::id::{PartnerId, ProgramId};
use crate::domain::time::Period;
use crate::service::{Context, Error, Result};
use crate::store::{Tx, commission, commission_volume, partner, program, rule, touch_day};
use chrono::{NaiveDate, TimeDelta};

/// Days that are looked at again: clicks may come in late.
const DAYS_BACK: i64 = 40;

/// Settles the clicks of the days that are over and may still change. Safe to run at any time and twice.
pub async fn settle_clicks(tx: &mut Tx, context: &Context) -> Result<()> {
    let rules: Vec<Rule> = rule::all_versions(&mut *tx).await?.into_iter().filter(|rule| rule.on == PaidOn::Click).collect();
    if !rules.iter().any(|rule| rule.published) {
        return Ok(());
    }
    let today = context.today();
    let Some(mut day) = today.checked_sub_signed(TimeDelta::days(DAYS_BACK)) else { return Ok(()) };
    while day < today {
        // A closed month stays as it is: clicks that come in later than it are not paid.
        if !is_closed(tx, day).await? {
            settle_day(tx, context, &rules, day).await?;
        }
        let Some(next) = day.succ_opt() else { break };
        day = next;
    }
    Ok(())
}

/// The rule for a partner's clicks of a day: it holds on all of it.
fn rule_of<'a>(
    rules: &'a [Rule],
    context: &Context,
    (partner, group, program): (PartnerId, Option<&str>, ProgramId),
    day: NaiveDate,
) -> Option<&'a Rule> {
    let noon = context.end_of_day(day) - TimeDelta::hours(12);
    let fits = |rule: &&Rule| {
        rule.published
            && rule.program == program
            && rule.starts_at <= noon
            && rule.ends_at.is_none_or(|end| noon < end)
            && rule.partner.is_none_or(|p| p == partner)
            && rule.group.as_deref().is_none_or(|g| Some(g) == group)
    };
    rules.iter().filter(fits).max_by_key(|rule| rule.rank())
}

async fn settle_day(tx: &mut Tx, context: &Context, rules: &[Rule], day: NaiveDate) -> Result<()> {
    let before = commission::of_clicks(&mut *tx, day).await?;
    let counts = touch_day::clicks_of_partners(&mut *tx, day).await?;
    let period = Period::of(day).to_string();
    for (partner, program, clicks) in counts {
        let Some(found) = partner::by_id(&mut *tx, partner).await? else { continue };
        let known = before.iter().find(|c| (c.partner_id, c.program_id) == (partner, program));
        // What a day is paid by is settled when it is first paid.
        let rule = match known {
            Some(known) => rules.iter().find(|rule| (rule.id, rule.version) == (known.rule_id, known.rule_version)),
            None => rule_of(rules, context, (partner, found.group_name.as_deref(), program), day),
        };
        let Some((rule, a_click_minor)) = rule.and_then(|rule| match rule.terms {
            Terms::Fixed(minor) => Some((rule, minor)),
            _ => None,
        }) else {
            continue;
        };
        let Some(program) = program::by_id(&mut *tx, program).await? else { continue };
        let paid_before = known.map_or(0, |known| known.amount_minor);
        let cap_left_minor = match rule.cap {
            None => None,
            Some(cap) => {
                let of = cap.each_partner.then_some(partner);
                let month = (cap.per == CapPer::Month).then_some(period.as_str());
                let spent = commission_volume::spent(&mut *tx, rule.id, of, month).await? - paid_before;
                Some((cap.minor - spent).max(0))
            }
        };
        let all = a_click_minor.checked_mul(clicks).ok_or_else(|| Error::conflict("the clicks are too many to pay for"))?;
        let explanation = Explanation::Clicks(ClicksOwed {
            rule: rule.id,
            rule_version: rule.version,
            currency: program.currency,
            day,
            clicks,
            a_click_minor,
            cap_left_minor,
            declined: false,
            owed_minor: cap_left_minor.map_or(all, |left| all.min(left)),
        });
        let explanation =
            if known.is_some_and(|old| old.declined_because.is_some()) { explanation.declined() } else { explanation };
        let paid = |e: &Explanation| match e {
            Explanation::Clicks(owed) => Some((owed.clicks, owed.owed_minor)),
            _ => None,
        };
        // What the cap leaves changes with every day; only what is paid matters.
        if known.is_some_and(|old| paid(&old.explanation.0) == paid(&explanation)) {
            continue;
        }
        let origin = Origin { day: Some(day), ..Origin::new(period.clone(), program.currency, context.end_of_day(day)) };
        let due = Due { partner, program: program.id, explanation };
        let mut settling = Settling::begin(tx, context, Fact::on(day)).await?;
        settling.bring(tx, known, &due, &origin).await?;
        settling.finish(tx).await?;
    }
    Ok(())
}
