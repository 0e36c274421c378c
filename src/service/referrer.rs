//! Customers who recommend: each gets a link and a code at once, and an address of their own to see what these brought.

use super::catalog::{
    DiscountInput, LinkInput, PartnerInput, PromoCodeInput, find_program, random_code, save_link, save_partner, save_promo_code,
};
use super::input::{DecimalInput, Problems};
use super::{Context, Error, Result};
use crate::domain::id::{PartnerId, ReferrerId};
use crate::domain::money::{Money, RatePpm};
use crate::domain::program::Program;
use crate::domain::referral::{ReferralTerms, Share, page_token};
use crate::domain::text::Email;
use crate::store::referrer::Referrer;
use crate::store::{Tx, audit, partner, referrer};
use chrono::{DateTime, TimeDelta, Utc};

/// How long the address of a referrer's page holds, if nothing is said.
const PAGE_DAYS: i64 = 30;

/// A customer who is to recommend, as sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferrerInput {
    pub customer: Option<ReferrerCustomerInput>,
    pub name: Option<String>,
    /// Id or name of a program of kind `referral`.
    pub program: Option<String>,
    /// For how many days the address of the page holds: 1 to 365, default 30.
    pub page_days: Option<i64>,
}

/// Who the customer is in the shop. Orders with this id or e-mail address are the referrer's own purchases.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferrerCustomerInput {
    pub id: Option<String>,
    pub email: Option<String>,
}

/// A referrer, and the token of a fresh address of their page.
#[derive(Debug, Clone)]
pub struct Joined {
    pub referrer: Referrer,
    pub is_new: bool,
    pub page_token: String,
    pub page_expires_at: DateTime<Utc>,
}

/// Takes a customer into a referral program, once by customer id; a later call with another name or e-mail address changes
/// these. Every call answers a fresh address of the page.
///
/// Errors: no customer id, a program of another kind.
pub async fn join(tx: &mut Tx, context: &Context, input: &ReferrerInput) -> Result<Joined> {
    let mut p = Problems::default();
    let program = find_program(tx, &mut p, &input.program).await?;
    let terms = program.as_ref().and_then(|program| program.referral.clone());
    if let (Some(program), None) = (&program, &terms) {
        p.add("/program", format!("{} is no program of kind referral", program.id));
    }
    let given = input.customer.clone().unwrap_or_default();
    let customer = p.required("/customer/id", given.id.as_deref());
    let customer = customer.and_then(|id| p.take("/customer/id", crate::domain::text::line(id, 200)));
    let email: Option<Email> = p.parse("/customer/email", &given.email);
    let name = p.line("/name", &input.name, 200);
    let page_days = p.number("/page_days", Some(input.page_days.unwrap_or(PAGE_DAYS)), 1, 365);
    let all = program.zip(terms).zip(customer).zip(page_days);
    let (((program, terms), customer), page_days) = p.all(all)?;
    let known = referrer::of_customer(&mut *tx, &customer).await?;
    let person = PartnerInput {
        name,
        email: email.map(|email| email.as_str().to_owned()),
        kind: Some("referrer".to_owned()),
        ..PartnerInput::default()
    };
    let partner = save_person(tx, context, &customer, known.first().map(|r| r.partner_id), person).await?;
    let before = known.into_iter().find(|r| r.program_id == program.id);
    let is_new = before.is_none();
    let referrer = match before {
        Some(before) => before,
        None => enrol(tx, context, &program, &terms, partner, customer).await?,
    };
    let page_expires_at = context.now + TimeDelta::days(page_days);
    let page_token = page_token(&context.hash_key.0, referrer.id, page_expires_at);
    Ok(Joined { referrer, is_new, page_token, page_expires_at })
}

/// The partner that a customer is, with what is new about them.
async fn save_person(
    tx: &mut Tx,
    context: &Context,
    customer: &str,
    known: Option<PartnerId>,
    mut person: PartnerInput,
) -> Result<PartnerId> {
    let Some(id) = known else {
        person.name = person.name.or_else(|| Some(customer.to_owned()));
        return Ok(save_partner(tx, context, None, &person).await?.id);
    };
    let before = partner::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    let other_name = person.name.as_ref().is_some_and(|name| *name != before.name);
    let other_email = person.email.is_some() && person.email != before.email;
    if other_name || other_email {
        save_partner(tx, context, Some(id), &PartnerInput { kind: None, ..person }).await?;
    }
    Ok(id)
}

/// Gives a customer link and code.
async fn enrol(
    tx: &mut Tx,
    context: &Context,
    program: &Program,
    terms: &ReferralTerms,
    partner: PartnerId,
    customer: String,
) -> Result<Referrer> {
    let (program_id, partner_id) = (Some(program.id.to_string()), Some(Some(partner.to_string())));
    let link = LinkInput {
        program: program_id.clone(),
        partner: partner_id.clone(),
        url: Some(terms.url.clone()),
        ..LinkInput::default()
    };
    let link = save_link(tx, context, None, &link).await?;
    let code = PromoCodeInput {
        code: Some(random_code().to_uppercase()),
        program: program_id,
        partner: partner_id,
        discount: terms.friend_discount.and_then(|share| discount(share, program)),
        ..PromoCodeInput::default()
    };
    let code = save_promo_code(tx, context, None, &code).await?;
    let mut new = Referrer {
        id: ReferrerId(0),
        program_id: program.id,
        partner_id: partner,
        customer_id: customer,
        link_id: link.id,
        promo_code_id: code.id,
        created_at: context.at(),
    };
    new.id = referrer::insert(tx, &new).await?;
    let detail = serde_json::json!({ "program": program.id, "partner": partner, "link": link.code, "promo_code": code.code });
    audit::record(tx, &context.actor, "referrer.join", &new.id.to_string(), &detail, context.at()).await?;
    Ok(new)
}

fn discount(share: Share, program: &Program) -> Option<DiscountInput> {
    let decimal = |text: String| Some(DecimalInput::from(text.as_str()));
    Some(match share {
        Share::PercentPpm(ppm) => {
            DiscountInput { percent: decimal(RatePpm::from_ppm(ppm)?.percent()), ..DiscountInput::default() }
        }
        Share::FixedMinor(minor) => {
            DiscountInput { amount: decimal(Money::new(minor, program.currency).decimal()), ..DiscountInput::default() }
        }
    })
}
