//! Rules that hold for the same thing: told of where they are ranked, refused where only their age could tell them apart.

use crate::domain::commission::{Because, Overlap, Rule};
use crate::domain::id::RuleId;
use crate::service::{Context, Error, Result};
use crate::store::{Reader, Tx, rule as rules};
use chrono::{DateTime, Utc};

/// So many are named.
const MOST: usize = 20;

/// A rule that can hold where another holds too, and which of the two wins there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct RuleOverlap {
    /// The other rule.
    pub rule: RuleId,
    pub wins: RuleId,
    pub because: Because,
}

impl RuleOverlap {
    /// What a rule and another have in common from `now` on.
    pub(in crate::service) fn of(rule: &Rule, other: &Rule, now: DateTime<Utc>) -> Option<RuleOverlap> {
        let (first, because) = match rule.overlap(other, now)? {
            Overlap::Contradiction => (rule.id < other.id, Because::Older),
            Overlap::Ranked { first, because } => (first, because),
        };
        Some(RuleOverlap { rule: other.id, wins: if first { rule.id } else { other.id }, because })
    }

    pub fn detail(&self) -> String {
        let why = match self.because {
            Because::NamesLead => "it names the lead",
            Because::MoreDimensions => "it matches in more dimensions",
            Because::Nearer => "it stands nearer: partner before group, product before category",
            Because::HigherPriority => "its priority is higher",
            Because::Older => "it is older, and nothing else tells them apart",
        };
        format!("{} can hold for the same; {} wins there: {why}", self.rule, self.wins)
    }
}

/// The rules of the same program that can hold where a rule holds, from now on.
pub async fn rule_overlaps<'a>(on: impl Into<Reader<'a>>, context: &Context, rule: &Rule) -> Result<Vec<RuleOverlap>> {
    Ok(overlaps_among(&rules::of_program(on, rule.program).await?, rule, context.now))
}

/// [`rule_overlaps`] among versions of rules that are at hand, in the order of their rules.
pub fn overlaps_among(all: &[Rule], rule: &Rule, now: DateTime<Utc>) -> Vec<RuleOverlap> {
    let mut found: Vec<RuleOverlap> = all.iter().filter_map(|other| RuleOverlap::of(rule, other, now)).collect();
    found.dedup_by_key(|overlap| overlap.rule);
    found.truncate(MOST);
    found
}

/// Refuses a rule that says another thing for the same as a rule in force at the same time, with the same priority. What stood
/// so before (`before`) may stay.
pub(super) async fn refuse_contradiction(tx: &mut Tx, context: &Context, rule: &Rule, before: Option<&Rule>) -> Result<()> {
    let stood = |other: &Rule| before.is_some_and(|before| before.overlap(other, context.now) == Some(Overlap::Contradiction));
    let all = rules::of_program(&mut *tx, rule.program).await?;
    let contradicted = all.iter().find(|other| rule.overlap(other, context.now) == Some(Overlap::Contradiction) && !stood(other));
    contradicted.map_or(Ok(()), |other| Err(Error::Contradiction { rule: other.id }))
}
