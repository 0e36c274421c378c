//! The terms of a referral program, as part of a program: the reward becomes a commission rule of its own.

use super::link_parts::check_destination;
use super::{ProgramInput, RuleInput, change_rule, make_rule};
use crate::domain::id::ProgramId;
use crate::domain::money::Currency;
use crate::domain::referral::{ReferralTerms, Share};
use crate::service::input::{DecimalInput, Problems};
use crate::service::{Context, Result};
use crate::store::{Tx, referrer};

/// What a referrer is paid for each order of a friend: one of the two.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RewardInput {
    pub percent: Option<DecimalInput>,
    pub fixed: Option<DecimalInput>,
}

/// Terms that are right, their rule not made yet.
pub(super) struct Draft {
    reward: Share,
    friend_discount: Option<Share>,
    url: String,
}

/// Checks the terms of a program that had `old`; `is_new` allows a kind. `None` for a program of another kind.
pub(super) fn check(
    p: &mut Problems,
    input: &ProgramInput,
    old: Option<&ReferralTerms>,
    is_new: bool,
    currency: Option<Currency>,
    hosts: &[String],
) -> Option<Draft> {
    let was_referral = old.is_some();
    let is_referral = match input.kind.as_deref().map(str::trim) {
        None | Some("") => was_referral,
        Some("affiliate") => false,
        Some("referral") => true,
        Some(_) => {
            p.add("/kind", "must be affiliate or referral");
            return None;
        }
    };
    if !is_new && is_referral != was_referral {
        p.add("/kind", "cannot be changed");
        return None;
    }
    if !is_referral {
        for (given, pointer) in [
            (input.reward.is_some(), "/reward"),
            (input.friend_discount.as_ref().is_some_and(Option::is_some), "/friend_discount"),
            (input.referral_url.is_some(), "/referral_url"),
        ] {
            if given {
                p.add(pointer, "is for programs of kind referral");
            }
        }
        return None;
    }
    let reward = match &input.reward {
        None => p.required("/reward", old.map(|o| o.reward)),
        Some(RewardInput { percent, fixed }) => check_share(p, "/reward", percent, ("fixed", fixed), currency),
    };
    let friend_discount = match &input.friend_discount {
        None => old.and_then(|o| o.friend_discount),
        Some(None) => None,
        Some(Some(given)) => {
            if given.currency.as_deref().is_some_and(|c| Some(c) != currency.map(Currency::code)) {
                p.add("/friend_discount/currency", "differs from the program's");
            }
            check_share(p, "/friend_discount", &given.percent, ("amount", &given.amount), currency)
        }
    };
    let usual = || old.map(|o| o.url.clone()).or_else(|| hosts.first().map(|host| format!("https://{host}/")));
    let url = match &input.referral_url {
        None => p.required("/referral_url", usual()),
        Some(url) => p.take("/referral_url", check_destination(url, hosts)),
    };
    Some(Draft { reward: reward?, friend_discount, url: url? })
}

fn check_share(
    p: &mut Problems,
    pointer: &str,
    percent: &Option<DecimalInput>,
    (name, amount): (&str, &Option<DecimalInput>),
    currency: Option<Currency>,
) -> Option<Share> {
    let of_amount = format!("{pointer}/{name}");
    match (percent, amount) {
        (Some(_), None) => p.percent(&format!("{pointer}/percent"), percent).map(|rate| Share::PercentPpm(rate.ppm())),
        (None, Some(_)) => p.amount(&of_amount, amount, currency).map(Share::FixedMinor),
        (Some(_), Some(_)) => {
            p.add(&of_amount, "stands beside percent: one of the two");
            None
        }
        (None, None) => {
            p.add(pointer, format!("needs percent or {name}"));
            None
        }
    }
}

/// Makes or changes the rule of a reward, and the discounts of the codes that referrers have.
pub(super) async fn save(
    tx: &mut Tx,
    context: &Context,
    program: ProgramId,
    input: &ProgramInput,
    draft: Draft,
    old: Option<&ReferralTerms>,
) -> Result<ReferralTerms> {
    let given = input.reward.clone().unwrap_or_default();
    let mut rule = RuleInput { percent: given.percent, fixed: given.fixed, ..RuleInput::default() };
    let rule = match old {
        None => {
            rule.program = Some(program.to_string());
            make_rule(tx, context, &rule).await?.id
        }
        Some(old) if old.reward == draft.reward => old.rule,
        Some(old) => change_rule(tx, context, old.rule, &rule).await?.id,
    };
    if old.is_some_and(|old| old.friend_discount != draft.friend_discount) {
        let (ppm, minor) = columns(draft.friend_discount);
        referrer::set_discounts(tx, program, ppm, minor).await?;
    }
    Ok(ReferralTerms { reward: draft.reward, rule, friend_discount: draft.friend_discount, url: draft.url })
}

/// A share as a promo code's columns have it.
fn columns(share: Option<Share>) -> (Option<i64>, Option<i64>) {
    match share {
        None => (None, None),
        Some(Share::PercentPpm(ppm)) => (Some(ppm), None),
        Some(Share::FixedMinor(minor)) => (None, Some(minor)),
    }
}
