//! Volumes under rules with tiers or a cap, and the commission that tiers add to a month.

use super::{Due, Fact, Origin, Settling};
use crate::domain::commission::{Explanation, Terms as RuleTerms, Volume, volume_owed};
use crate::domain::id::{PartnerId, ProgramId, RuleId};
use crate::domain::money::Currency;
use crate::domain::time::Period;
use crate::service::terms::Terms;
use crate::service::{Context, Error, Result};
use crate::store::commission::Commission;
use crate::store::commission_volume::{self, VolumeChange};
use crate::store::{Tx, commission, rule};

/// What changes of volumes while an order is settled.
#[derive(Default)]
pub(super) struct Volumes {
    changes: Vec<VolumeChange>,
    /// Months whose tiers are to be reckoned anew.
    months: Vec<(RuleId, PartnerId, String, ProgramId, Currency)>,
}

impl Volumes {
    /// Adds a commission as it stands (`sign` 1), or takes it away (-1).
    pub(super) fn add(&mut self, commission: &Commission, sign: i64) {
        let explanation = &commission.explanation.0;
        let Some(volume) = super::due::counted(explanation) else { return };
        let change = VolumeChange {
            rule: commission.rule_id,
            version: commission.rule_version,
            partner: commission.partner_id,
            period: commission.period.clone(),
            volume: Volume { base_minor: sign * volume.base_minor, orders: sign * volume.orders },
            owed_minor: sign * explanation.owed_minor(),
        };
        let has_tiers = matches!(explanation, Explanation::Order(owed) if matches!(owed.terms, RuleTerms::Tiers(_)));
        let month = (change.rule, change.partner, change.period.clone(), commission.program_id, commission.currency);
        if has_tiers && !self.months.contains(&month) {
            self.months.push(month);
        }
        self.changes.push(change);
    }

    /// Stores the changes and settles the months they touch.
    pub(super) async fn settle(self, tx: &mut Tx, context: &Context, terms: &Terms, fact: Fact) -> Result<()> {
        for change in &self.changes {
            commission_volume::add(tx, change).await?;
        }
        for (rule, partner, period, program, currency) in &self.months {
            let settling = Settling::under(terms.clone(), context, fact);
            settle_month(tx, settling, (*rule, *partner, *program), period, *currency).await?;
        }
        Ok(())
    }
}

/// What the tiers of a rule add to a partner's month, as it stands; none without volume.
pub async fn owed_for_month(
    tx: &mut Tx,
    rule: RuleId,
    partner: PartnerId,
    period: &str,
    currency: Currency,
) -> Result<Option<crate::domain::commission::VolumeOwed>> {
    let mut versions = Vec::new();
    let mut at_once = 0;
    for (version, volume, earned) in commission_volume::of_month(&mut *tx, rule, partner, period).await? {
        let Some(known) = rule::version(&mut *tx, rule, version).await? else { continue };
        if let RuleTerms::Tiers(tiers) = known.terms {
            versions.push((version, tiers, volume));
            at_once += earned;
        }
    }
    if versions.is_empty() {
        return Ok(None);
    }
    let owed = volume_owed((rule, currency), period, versions, at_once);
    Ok(Some(owed.map_err(|e| Error::field("/total", e))?))
}

async fn settle_month(
    tx: &mut Tx,
    mut settling: Settling<'_>,
    (rule, partner, program): (RuleId, PartnerId, ProgramId),
    period: &str,
    currency: Currency,
) -> Result<()> {
    let Some(owed) = owed_for_month(tx, rule, partner, period, currency).await? else { return Ok(()) };
    let old = commission::of_volume(&mut *tx, rule, partner, period).await?;
    let mut explanation = Explanation::Volume(owed);
    if old.as_ref().is_some_and(|old| old.declined_because.is_some()) {
        explanation = explanation.declined();
    }
    let month: Period = period.parse().map_err(|e| Error::field("/period", e))?;
    let origin = Origin::new(period.to_owned(), currency, settling.context.end_of_day(month.last_day()));
    let due = Due { partner, program, explanation };
    // A volume lies under no rule itself.
    settling.bring(tx, old.as_ref(), &due, &origin).await?;
    Ok(())
}

/// Settles anew a commission that is of no order, after a person gave it back. Clicks are settled by the clockwork.
pub(super) async fn settle_again(tx: &mut Tx, context: &Context, said: &Commission) -> Result<()> {
    match &said.explanation.0 {
        Explanation::Volume(_) => {
            let of = (said.rule_id, said.partner_id, said.program_id);
            let settling = Settling::begin(tx, context, Fact::on(context.today())).await?;
            settle_month(tx, settling, of, &said.period, said.currency).await
        }
        _ => super::settle_clicks(tx, context).await,
    }
}
