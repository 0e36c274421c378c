//! HTTP: all routes on one screen.

pub mod admin;
pub mod api;
pub mod assets;
pub mod cabinet;
pub mod country;
pub mod documents;
pub mod edge;
pub mod error;
pub mod health;
pub mod language;
mod materials;
pub mod openapi;
pub mod page;
#[cfg(feature = "pdf")]
mod pdf;
pub mod qr;
pub mod refer;
pub mod server;
pub mod signin;
pub mod who;

use crate::service::Tributary;
use crate::service::access::KnownKeys;
use crate::service::linkbook::LinkBook;
use crate::service::mover::Mover;
use crate::service::order::OrderQueue;
use crate::service::spool::Spool;
use actix_web::guard;
use actix_web::middleware::Compress;
use actix_web::web::{self, ServiceConfig, get, post, resource, scope};
use std::sync::Arc;
use std::time::Duration;

/// What all handlers share.
#[derive(Clone)]
pub struct App {
    pub service: Tributary,
    pub spool: Spool,
    pub links: LinkBook,
    pub mover: Mover,
    pub orders: OrderQueue,
    pub keys: Arc<KnownKeys>,
    pub edge: Arc<edge::EdgeSettings>,
    /// Without a slash at its end.
    pub public_url: String,
    /// How long a hit may wait before the node says that it is not ready.
    pub ready_lag: Duration,
}

/// Every route.
pub fn routes(config: &mut ServiceConfig) {
    public_routes(config);
    health_routes(config);
    link_domain_routes(config);
    staff_routes(config);
}

/// What an edge node answers.
pub fn edge_routes(config: &mut ServiceConfig) {
    public_routes(config);
    health_routes(config);
    link_domain_routes(config);
}

/// What a web node answers.
pub fn web_routes(config: &mut ServiceConfig) {
    health_routes(config);
    staff_routes(config);
}

/// What a worker node answers.
pub fn worker_routes(config: &mut ServiceConfig) {
    health_routes(config);
}

fn public_routes(config: &mut ServiceConfig) {
    let options = web::method(actix_web::http::Method::OPTIONS);
    config
        // A prefix, for it is found without a pattern.
        .service(scope("/r").default_service(web::to(edge::under_r)))
        .service(resource("/px.gif").get(edge::pixel))
        .service(resource("/t.js").wrap(Compress::default()).get(edge::snippet))
        .service(resource("/e").post(edge::event).route(options.to(edge::preflight)));
}

/// Links on their programs' own domains; the guard leaves the paths of all other routes alone.
fn link_domain_routes(config: &mut ServiceConfig) {
    let on_link_domain = guard::fn_guard(edge::on_link_domain);
    config.service(resource("/{code}").guard(on_link_domain).to(edge::on_own_domain));
}

fn health_routes(config: &mut ServiceConfig) {
    config
        .route("/healthz", get().to(health::live))
        .route("/readyz", get().to(health::ready))
        .route("/metrics", get().to(health::metrics));
}

fn staff_routes(config: &mut ServiceConfig) {
    let staff = scope("").wrap(Compress::default());
    config.service(
        staff
            .route("/openapi.json", get().to(openapi::document))
            .service(scope("/v1").configure(api_routes))
            .configure(page_routes),
    );
}

fn api_routes(config: &mut ServiceConfig) {
    use api::*;
    config
        .service(resource("/programs").get(programs::list).post(programs::create))
        .service(resource("/programs/{id}").get(programs::one).patch(programs::change))
        .service(resource("/partners").get(partners::list).post(partners::create))
        .service(resource("/partners/{id}").get(partners::one).patch(partners::change))
        .route("/partners/{id}/statement", get().to(partners::statement))
        .service(resource("/links").get(links::list).post(links::create))
        .service(resource("/links/{id}").get(links::one).patch(links::change))
        .service(resource("/creatives").get(creatives::list).post(creatives::create))
        .service(resource("/creatives/{id}").get(creatives::one).patch(creatives::change))
        .service(resource("/promo-codes").get(promo_codes::list).post(promo_codes::create))
        .route("/promo-codes/check", post().to(promo_codes::check))
        .service(resource("/promo-codes/{id}").get(promo_codes::one).patch(promo_codes::change))
        .service(resource("/referrers").get(referrers::list).post(referrers::create))
        .route("/referrers/{id}", get().to(referrers::one))
        .route("/price-lists", get().to(price_lists::list))
        .service(resource("/price-lists/{name}").get(price_lists::one).put(price_lists::put))
        .route("/seen-prices", post().to(seen_prices::create))
        .route("/notices", get().to(seen_prices::notices))
        .service(resource("/commission-rules").get(commission_rules::list).post(commission_rules::create))
        .service(resource("/commission-rules/test").post(commission_rules::test))
        .service(resource("/leads").get(leads::list).post(leads::record))
        .service(resource("/leads/{external_id}").get(leads::one))
        .service(resource("/commissions").get(commissions::list))
        .service(resource("/commissions/{id}").get(commissions::one))
        .service(resource("/commissions/{id}/approve").post(commissions::approve))
        .service(resource("/commissions/{id}/decline").post(commissions::decline))
        .service(resource("/commissions/{id}/restore").post(commissions::restore))
        .service(resource("/commission-rules/{id}").get(commission_rules::one).patch(commission_rules::change))
        .service(resource("/channel-rules").get(channel_rules::list).put(channel_rules::replace))
        .service(resource("/orders").get(orders::list).post(orders::record))
        .route("/orders/{external_id}", get().to(orders::one))
        .route("/orders/{external_id}/refunds", post().to(orders::refund))
        .route("/orders/{external_id}/attribution", get().to(orders::attribution))
        .service(resource("/costs").get(costs::list).post(costs::replace))
        .service(resource("/exchange-rates").get(exchange_rates::list).post(exchange_rates::store))
        .route("/classify", post().to(classify::classify))
        .route("/requisites/check", post().to(requisites::check))
        .route("/reports/channels", get().to(reports::channels))
        .route("/reports/partners", get().to(reports::partners))
        .route("/reports/cohorts", get().to(reports::cohorts))
        .route("/reports/ad-marking", get().to(ad_marking::report))
        .route("/partners/{id}/adjustments", post().to(ledger::adjust))
        .service(resource("/partners/{id}/withholdings").get(ledger::withholdings).post(ledger::withhold))
        .route("/partners/{id}/write-offs", post().to(ledger::write_off))
        .route("/withholdings/{id}/release", post().to(ledger::release))
        .route("/ledger/entries", get().to(ledger::entries))
        .route("/ledger/trial-balance", get().to(ledger::trial_balance))
        .route("/periods/{period}/close", post().to(payouts::close))
        .service(resource("/payout-runs").get(payouts::list).post(payouts::build))
        .route("/payout-runs/{id}", get().to(payouts::one))
        .route("/payout-runs/{id}/approve", post().to(payouts::approve))
        .route("/payout-runs/{id}/export", get().to(payouts::export))
        .route("/payout-runs/{id}/files", get().to(payouts::files))
        .route("/payout-runs/{id}/statement", post().to(payouts::statement))
        .route("/payout-runs/{id}/statement/apply", post().to(payouts::apply_statement))
        .route("/payout-runs/{id}/retake-payer", post().to(payouts::retake_payer))
        .route("/payout-runs/{id}/paid", post().to(payouts::paid))
        .route("/payout-runs/{id}/lines/{partner}/failed", post().to(payouts::line_failed))
        .route("/payout-runs/{id}/cancel", post().to(payouts::cancel))
        .service(resource("/payout-settings").get(payouts::settings).put(payouts::change_settings))
        .service(resource("/payer").get(payer::one).put(payer::replace))
        .service(resource("/documents").get(documents::list).post(documents::issue))
        .route("/documents/{id}", get().to(documents::one))
        .route("/documents/{id}/page", get().to(documents::page))
        .route("/withheld-taxes", get().to(withheld_taxes::list))
        .route("/receipts", get().to(receipts::list))
        .route("/receipts/{id}/received", post().to(receipts::received))
        .route("/receipts/{id}/annul", post().to(receipts::annul))
        .route("/receipts/{id}/reminded", post().to(receipts::reminded))
        .route("/person-merges", get().to(persons::merges))
        .route("/person-merges/{id}/reverse", post().to(persons::reverse))
        .route("/misses", get().to(misses::list))
        .route("/misses/{id}/attach", post().to(misses::attach))
        .route("/rejected-hits", get().to(rejected_hits::list))
        .default_service(web::to(api::unknown_route));
}

fn page_routes(config: &mut ServiceConfig) {
    config
        .route("/", get().to(signin::root))
        .service(resource("/signin").get(signin::page).post(signin::sign_in))
        .route("/signout", post().to(signin::sign_out))
        .route("/language", post().to(signin::choose_language))
        .route("/assets/{file}", get().to(assets::file))
        .route("/admin", get().to(admin::home))
        .route("/admin/orders", get().to(admin::orders))
        .route("/admin/orders/{external_id}", get().to(admin::order))
        .service(resource("/admin/channel-rules").get(admin::channel_rules_page).post(admin::change_channel_rules))
        .route("/admin/channel-rules/edit", get().to(admin::channel_rule_page))
        .route("/admin/ledger", get().to(admin::ledger_page))
        .route("/admin/ledger/{partner}", post().to(admin::move_by_hand))
        .route("/admin/withholdings/{id}/release", post().to(admin::release))
        .service(resource("/admin/commission-rules").get(admin::commission_rules_page).post(admin::save_commission_rule))
        .route("/admin/commission-rules/edit", get().to(admin::commission_rule_page))
        .route("/admin/commissions/{id}/{act}", post().to(admin::judge_commission))
        .route("/admin/leads", get().to(admin::leads))
        .route("/admin/payouts/{period}", get().to(admin::payouts))
        .route("/admin/payouts/{period}/close", post().to(admin::close))
        .route("/admin/payouts/{period}/build", post().to(admin::build))
        .route("/admin/payout-runs/{id}/approve", post().to(admin::approve))
        .route("/admin/payout-runs/{id}/paid", post().to(admin::paid))
        .route("/admin/payout-runs/{id}/export", get().to(admin::export))
        .route("/admin/documents", get().to(admin::documents))
        .route("/admin/documents/issue", post().to(admin::issue))
        .route("/admin/documents/{id}", get().to(admin::document_page))
        .route("/admin/receipts", get().to(admin::receipts))
        .route("/admin/receipts/{id}", post().to(admin::change_receipt))
        .route("/admin/payout-runs/{id}", get().to(admin::payout_run))
        .route("/admin/payout-runs/{id}/lines", post().to(admin::settle_lines))
        .route("/admin/payout-runs/{id}/cancel", post().to(admin::cancel))
        .route("/admin/payout-runs/{id}/statement", post().to(admin::statement))
        .route("/admin/payout-runs/{id}/statement/apply", post().to(admin::apply_statement))
        .service(resource("/admin/payout-settings").get(admin::payout_settings).post(admin::change_payout_settings))
        .route("/cabinet", get().to(cabinet::home))
        .route("/cabinet/documents", get().to(cabinet::documents))
        .route("/cabinet/documents/{id}", get().to(cabinet::document_page))
        .route("/cabinet/receipts/{id}", post().to(cabinet::give_receipt))
        .route("/refer/{token}", get().to(refer::refer))
        .default_service(web::to(signin::nowhere));
}
