//! What a lead owes: a sum for each name or stage that a rule pays for, once.

use super::{Due, Fact, Origin, Settling};
use crate::domain::commission::{Explanation, LeadOwed, Rule, Terms};
use crate::domain::id::{PartnerId, RuleId};
use crate::domain::order::OrderStatus;
use crate::domain::program::Program;
use crate::domain::time::Period;
use crate::service::{Context, Error, Result};
use crate::store::commission::Commission;
use crate::store::lead::Lead;
use crate::store::{Tx, commission, program};

/// What a lead owes by its state and the rules frozen with its decision. For each name or stage that it reached, the rule that
/// names it, else the rule for all leads; each rule once.
pub fn lead_due(
    lead: &Lead,
    program: &Program,
    partner: PartnerId,
    rules: &[Rule],
    declined: impl Fn(RuleId) -> bool,
) -> Vec<Due> {
    let mut dues: Vec<Due> = Vec::new();
    for reached in &lead.stages.0 {
        let best = |named: bool| {
            let fits = move |rule: &&Rule| match &rule.lead {
                Some(wanted) => named && wanted.to_lowercase() == reached.stage.to_lowercase(),
                None => !named,
            };
            rules.iter().filter(fits).max_by_key(|rule| rule.rank())
        };
        let Some(rule) = best(true).or_else(|| best(false)) else { continue };
        let Terms::Fixed(a_lead_minor) = rule.terms else { continue };
        if dues.iter().any(|due| due.explanation.rule() == rule.id) {
            continue;
        }
        let owed = match lead.status {
            OrderStatus::Approved => rule.cap_left_minor.map_or(a_lead_minor, |left| a_lead_minor.min(left)),
            OrderStatus::Pending | OrderStatus::Cancelled => 0,
        };
        let explanation = Explanation::Lead(LeadOwed {
            rule: rule.id,
            rule_version: rule.version,
            currency: program.currency,
            lead: reached.stage.clone(),
            a_lead_minor,
            status: lead.status,
            cap_left_minor: rule.cap_left_minor,
            declined: false,
            owed_minor: owed,
        });
        let explanation = if declined(rule.id) { explanation.declined() } else { explanation };
        dues.push(Due { partner, program: program.id, explanation });
    }
    dues
}

/// Settles a lead, as an order is settled.
pub async fn settle_lead(tx: &mut Tx, context: &Context, lead: &Lead, fact: Fact) -> Result<Vec<Commission>> {
    let before = commission::of_lead(&mut *tx, lead.id).await?;
    let owed_to = lead.decision.as_ref().and_then(|decided| decided.0.owed_to.map(|(p, program)| (p, program, &decided.0.rules)));
    let Some((partner, program, rules)) = owed_to else { return Ok(before) };
    let program = program::by_id(&mut *tx, program).await?.ok_or_else(|| Error::not_found(program))?;
    let declined = |rule| before.iter().any(|c| c.rule_id == rule && c.declined_because.is_some());
    let dues = lead_due(lead, &program, partner, rules, declined);
    let period = Period::of(lead.day).to_string();
    let origin = Origin { lead: Some(lead.id), ..Origin::new(period, program.currency, lead.at.0) };
    let mut settling = Settling::begin(tx, context, fact).await?;
    for due in &dues {
        let old = before.iter().find(|old| old.rule_id == due.explanation.rule());
        settling.bring(tx, old, due, &origin).await?;
    }
    settling.finish(tx).await?;
    Ok(commission::of_lead(&mut *tx, lead.id).await?)
}
