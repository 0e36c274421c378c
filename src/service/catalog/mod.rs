//! What the merchant sets up: programs, partners, links, promo codes, commission rules, channel rules, costs. One file for
//! each.

mod channel_rule;
mod commission_rule;
mod commission_terms;
mod cost;
mod creative;
mod link;
mod link_parts;
mod partner;
mod price_list;
mod program;
mod promo_code;
mod referral;
mod rule_overlap;

pub use channel_rule::{channel_rules, replace_channel_rules, replace_channel_rules_seen, version_of};
pub use commission_rule::{RuleInput, change_rule, check_rule, make_rule};
pub use commission_terms::{BaseInput, CapInput, RecurringInput, StepInput, TiersInput};
pub use cost::{CostInput, cost_channel, replace_cost};
pub use creative::{AdvertiserInput, ContractInput, CreativeInput, save_creative};
pub use link::{LinkInput, random_code, save_link};
pub use link_parts::TargetInput;
pub use partner::{PartnerInput, save_partner};
pub use price_list::{PriceListDetails, PriceListInput, PriceListItemInput, put_price_list};
pub use program::{ProgramInput, save_program};
pub use promo_code::{DiscountInput, PromoCodeInput, save_promo_code};
pub use referral::RewardInput;
pub use rule_overlap::{RuleOverlap, overlaps_among, rule_overlaps};

use crate::domain::id::{PartnerId, ProgramId};
use crate::domain::program::Program;
use crate::service::Result;
use crate::service::input::Problems;
use crate::store::partner::Partner;
use crate::store::{Tx, partner as partners, program as programs};

/// The program that a text names: its id or name; the only one, if there is no text.
pub async fn find_program(tx: &mut Tx, p: &mut Problems, reference: &Option<String>) -> Result<Option<Program>> {
    let Some(reference) = reference.as_deref().map(str::trim).filter(|r| !r.is_empty()) else {
        let mut all = programs::list(&mut *tx, 0, 2).await?;
        if all.len() == 1 {
            return Ok(all.pop());
        }
        p.add("/program", "is required");
        return Ok(None);
    };
    let found = match reference.parse::<ProgramId>() {
        Ok(id) => programs::by_id(&mut *tx, id).await?,
        Err(_) => programs::by_name(&mut *tx, reference).await?,
    };
    if found.is_none() {
        p.add("/program", format!("there is no program '{reference}'"));
    }
    Ok(found)
}

/// The partner that a text names: id, external id or e-mail address. No text: none.
pub async fn find_partner(tx: &mut Tx, p: &mut Problems, reference: &Option<String>) -> Result<Option<Partner>> {
    let Some(reference) = reference.as_deref().map(str::trim).filter(|r| !r.is_empty()) else { return Ok(None) };
    let found = match reference.parse::<PartnerId>() {
        Ok(id) => partners::by_id(&mut *tx, id).await?,
        Err(_) => partners::by_reference(&mut *tx, reference).await?,
    };
    if found.is_none() {
        p.add("/partner", format!("there is no partner '{reference}'"));
    }
    Ok(found)
}
