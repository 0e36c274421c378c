//! Two rules for the same thing: which wins where both hold, and where nothing but their age could tell.

use super::rule::{CustomerCondition, Rule};
use chrono::{DateTime, Utc};

/// Why one of two rules wins where both hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// It names the lead.
    NamesLead,
    MoreDimensions,
    /// The partner before the group, the product before the category.
    Nearer,
    HigherPriority,
    /// Nothing else tells them apart.
    Older,
}

/// What two rules have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// The same dimensions and priority, in force at the same time.
    Contradiction,
    /// Both can hold for one order, lead or click; `first` says whether the first of the two wins there.
    Ranked { first: bool, because: Because },
}

impl Rule {
    /// What the rule has in common with another of its program from `now` on. `None`: no order, lead or click can fall under
    /// both. A draft has nothing in common with any; neither has a rule with its own versions.
    pub fn overlap(&self, other: &Rule, now: DateTime<Utc>) -> Option<Overlap> {
        let same_kind = (self.program, self.kind, self.on) == (other.program, other.kind, other.on);
        if self.id == other.id || !same_kind || !self.published || !other.published || !self.meets_in_time(other, now) {
            return None;
        }
        let texts = |a: &Option<String>, b: &Option<String>| differ(&folded(a), &folded(b));
        let customers = (self.customer != CustomerCondition::Any).then_some(self.customer);
        let others = (other.customer != CustomerCondition::Any).then_some(other.customer);
        let apart = differ(&self.partner, &other.partner)
            || differ(&self.group, &other.group)
            || texts(&self.product, &other.product)
            || texts(&self.category, &other.category)
            || texts(&self.lead, &other.lead)
            || differ(&customers, &others);
        if apart {
            return None;
        }
        if self.lead.is_some() != other.lead.is_some() {
            return Some(Overlap::Ranked { first: self.lead.is_some(), because: Because::NamesLead });
        }
        let (own, theirs) = (self.rank(), other.rank());
        let because = match (own.0 == theirs.0, own.1 == theirs.1, own.2 == theirs.2) {
            (false, ..) => Because::MoreDimensions,
            (_, false, _) => Because::Nearer,
            (_, _, false) => Because::HigherPriority,
            _ if self.same_dimensions(other) => return Some(Overlap::Contradiction),
            _ => Because::Older,
        };
        Some(Overlap::Ranked { first: own > theirs, because })
    }

    fn same_dimensions(&self, other: &Rule) -> bool {
        let own = (self.partner, &self.group, folded(&self.product), folded(&self.category), self.customer, folded(&self.lead));
        own == (other.partner, &other.group, folded(&other.product), folded(&other.category), other.customer, folded(&other.lead))
    }

    fn meets_in_time(&self, other: &Rule, now: DateTime<Utc>) -> bool {
        let from = self.starts_at.max(other.starts_at).max(now);
        let until = [self.ends_at, other.ends_at].into_iter().flatten().min();
        until.is_none_or(|until| from < until)
    }
}

/// Both say something, and not the same.
fn differ<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a != b)
}

fn folded(text: &Option<String>) -> Option<String> {
    text.as_deref().map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::super::{Base, Limits, PaidOn, RuleKind, Terms};
    use super::*;
    use crate::domain::id::{PartnerId, ProgramId, RuleId};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn rule(id: i64) -> Rule {
        Rule {
            id: RuleId(id),
            version: 1,
            program: ProgramId(1),
            kind: RuleKind::Ordinary,
            on: PaidOn::Order,
            lead: None,
            partner: None,
            group: None,
            product: None,
            category: None,
            customer: CustomerCondition::Any,
            terms: Terms::Fixed(100),
            base: Base::default(),
            limits: Limits::default(),
            cap: None,
            recurring: None,
            priority: 0,
            starts_at: DateTime::UNIX_EPOCH,
            ends_at: None,
            published: true,
            cap_left_minor: None,
        }
    }

    #[test]
    fn two_rules_meet_contradict_or_have_nothing_in_common() {
        let now = at("2026-11-22T12:00:00Z");
        let text = |text: &str| Some(text.to_owned());
        let ranked = |first, because| Some(Overlap::Ranked { first, because });
        type Change = fn(&mut Rule);
        let cases: [(Change, Change, Option<Overlap>); 17] = [
            (|_| {}, |_| {}, Some(Overlap::Contradiction)),
            (|a| a.priority = 1, |_| {}, ranked(true, Because::HigherPriority)),
            (|_| {}, |b| b.priority = 1, ranked(false, Because::HigherPriority)),
            (|a| a.partner = Some(PartnerId(1)), |_| {}, ranked(true, Because::MoreDimensions)),
            (|a| a.partner = Some(PartnerId(1)), |b| b.partner = Some(PartnerId(2)), None),
            (|a| a.partner = Some(PartnerId(1)), |b| b.group = Some("vip".into()), ranked(true, Because::Nearer)),
            (|a| a.product = Some("A".into()), |b| b.product = Some("a".into()), Some(Overlap::Contradiction)),
            (|a| a.product = Some("a".into()), |b| b.product = Some("b".into()), None),
            (|a| a.product = Some("a".into()), |b| b.category = Some("tea".into()), ranked(true, Because::Nearer)),
            (|a| a.customer = CustomerCondition::New, |b| b.customer = CustomerCondition::Returning, None),
            (|a| a.customer = CustomerCondition::New, |b| b.category = Some("tea".into()), ranked(false, Because::Nearer)),
            (|a| a.kind = RuleKind::Bonus, |_| {}, None),
            (|a| a.on = PaidOn::Click, |_| {}, None),
            (|a| a.published = false, |_| {}, None),
            (
                |a| a.ends_at = Some("2026-12-01T00:00:00Z".parse().unwrap()),
                |b| b.starts_at = "2026-12-01T00:00:00Z".parse().unwrap(),
                None,
            ),
            (|a| a.ends_at = Some("2026-11-01T00:00:00Z".parse().unwrap()), |_| {}, None),
            (|a| a.program = ProgramId(2), |_| {}, None),
        ];
        for (index, (change_a, change_b, expected)) in cases.into_iter().enumerate() {
            let (mut a, mut b) = (rule(2), rule(1));
            change_a(&mut a);
            change_b(&mut b);
            assert_eq!(a.overlap(&b, now), expected, "case {index}");
            let mirrored = expected.map(|overlap| match overlap {
                Overlap::Contradiction => Overlap::Contradiction,
                Overlap::Ranked { first, because } => Overlap::Ranked { first: !first, because },
            });
            assert_eq!(b.overlap(&a, now), mirrored, "case {index} the other way round");
        }
        let leads = |lead: Option<String>, id| Rule { on: PaidOn::Lead, lead, ..rule(id) };
        assert_eq!(leads(text("won"), 2).overlap(&leads(None, 1), now), ranked(true, Because::NamesLead));
        assert_eq!(leads(text("won"), 2).overlap(&leads(text("Won"), 1), now), Some(Overlap::Contradiction));
        assert_eq!(leads(text("won"), 2).overlap(&leads(text("lost"), 1), now), None);
        assert_eq!(rule(1).overlap(&Rule { version: 2, ..rule(1) }, now), None);
    }
}
