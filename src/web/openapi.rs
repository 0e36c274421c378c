//! The OpenAPI 3.1 document, made of the handlers' own descriptions.

use super::api::*;
use super::error::Problem;
use actix_web::HttpResponse;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("A key from `tributary key add`: trb_…")).build();
        document.components.get_or_insert_default().add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tributary",
        description = "Clicks, orders, attribution, commissions and payouts. Amounts are decimal strings; times are RFC 3339; every POST takes an Idempotency-Key; errors are application/problem+json (RFC 9457)."
    ),
    modifiers(&Bearer),
    security(("key" = [])),
    components(schemas(Problem, crate::web::edge::EventInput)),
    paths(
        programs::create, programs::list, programs::one, programs::change,
        partners::create, partners::list, partners::one, partners::change, partners::statement,
        links::create, links::list, links::one, links::change,
        creatives::create, creatives::list, creatives::one, creatives::change, ad_marking::report,
        referrers::create, referrers::list, referrers::one,
        price_lists::put, price_lists::list, price_lists::one, seen_prices::create, seen_prices::notices,
        promo_codes::create, promo_codes::list, promo_codes::one, promo_codes::change, promo_codes::check,
        leads::record, leads::list, leads::one,
        commission_rules::test, commissions::list, commissions::one, commissions::approve, commissions::decline, commissions::restore,
        commission_rules::create, commission_rules::list, commission_rules::one, commission_rules::change,
        orders::record, orders::list, orders::one, orders::refund, orders::attribution,
        channel_rules::list, channel_rules::replace, costs::replace, costs::list, exchange_rates::store, exchange_rates::list, classify::classify, requisites::check, reports::channels, reports::partners, reports::cohorts,
        payouts::close, payouts::build, payouts::list, payouts::one, payouts::approve, payouts::export, payouts::files,
        payouts::statement, payouts::retake_payer, payer::one, payer::replace, payouts::paid, ledger::entries, ledger::trial_balance,
        ledger::adjust, ledger::withhold, ledger::withholdings, ledger::release, ledger::write_off,
        documents::list, documents::issue, documents::one, documents::page,
        receipts::list, receipts::received, receipts::annul, receipts::reminded, withheld_taxes::list,
        payouts::apply_statement, payouts::line_failed, payouts::cancel, payouts::settings, payouts::change_settings,
        persons::merges, persons::reverse, misses::list, misses::attach, rejected_hits::list,
    )
)]
struct Document;

/// The document as JSON text.
pub fn text() -> String {
    Document::openapi().to_pretty_json().unwrap_or_default()
}

pub async fn document() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(text())
}
