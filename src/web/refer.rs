//! A referrer's own page, at an address that is signed and expires: their link and code, what these brought, what is earned.
//! Friends are only counted: no order, no name, no sum of theirs is shown.

use super::App;
use super::language::Language;
use super::page::{Frame, answer, words};
use super::who::PageError;
use crate::domain::link::short_url;
use crate::domain::money::{Currency, Money, RatePpm};
use crate::domain::referral::{PageTokenError, Share, read_page_token};
use crate::domain::time::{FAR_DAY, FIRST_DAY};
use crate::service::Error;
use crate::store::ledger::Balance;
use crate::store::referrer::Referrer;
use crate::store::{ledger, link, order, partner, program, promo, referrer, touch};
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

#[derive(Template)]
#[template(path = "refer.html")]
struct ReferPage {
    frame: Frame,
    /// None: the address opens nothing any more.
    board: Option<Board>,
}

struct Board {
    name: String,
    status: Option<String>,
    short_url: String,
    code: String,
    reward: String,
    friend_discount: Option<String>,
    clicks: String,
    orders: String,
    rewards: Vec<RewardView>,
}

struct RewardView {
    held: String,
    available: String,
    paid: String,
}

/// `GET /refer/{token}`.
pub async fn refer(app: Data<App>, request: HttpRequest, token: Path<String>) -> Result<HttpResponse, PageError> {
    let frame = Frame::of(&app, &request, None).await;
    let context = app.service.context("referrer");
    let (status, board) = match read_page_token(&context.hash_key.0, &token, context.now) {
        Err(PageTokenError::Forged) => (StatusCode::NOT_FOUND, None),
        Err(PageTokenError::Expired) => (StatusCode::GONE, None),
        Ok(id) => match referrer::by_id(&app.service.db, id).await? {
            None => (StatusCode::NOT_FOUND, None),
            Some(found) => {
                // Fresh clicks should be in; without them the page is still right, a moment older.
                let _ = app.mover.move_all().await;
                (StatusCode::OK, Some(board(&app, &frame, &found).await?))
            }
        },
    };
    let mut page = answer(status, &ReferPage { frame, board });
    page.headers_mut().insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    Ok(page)
}

async fn board(app: &App, frame: &Frame, found: &Referrer) -> Result<Board, PageError> {
    let (db, lang) = (&app.service.db, frame.lang);
    let gone = || Error::not_found(found.id);
    let own = partner::by_id(db, found.partner_id).await?.ok_or_else(gone)?;
    let program = program::by_id(db, found.program_id).await?.ok_or_else(gone)?;
    let link = link::by_id(db, found.link_id).await?.ok_or_else(gone)?;
    let code = promo::by_id(db, found.promo_code_id).await?.ok_or_else(gone)?;
    let (clicks, _) = touch::count_of_partner(db, own.id, FIRST_DAY, FAR_DAY).await?;
    let orders: i64 = order::days_of_partner(db, own.id, FIRST_DAY, FAR_DAY).await?.iter().map(|(_, orders)| orders).sum();
    let share = |key: &str, share| frame.say(key, [("share", share_text(lang, share, program.currency).into())]);
    Ok(Board {
        name: own.name,
        status: words::partner_status(own.status).map(|key| frame.t(key)),
        short_url: short_url(&app.public_url, program.link_domains.first().map(String::as_str), &link.code),
        code: code.code,
        reward: program.referral.as_ref().map(|terms| share("refer-reward", terms.reward)).unwrap_or_default(),
        friend_discount: program.referral.and_then(|terms| terms.friend_discount).map(|off| share("refer-discount", off)),
        clicks: lang.whole(clicks),
        orders: lang.whole(orders),
        rewards: rewards(app, lang, found, program.currency).await?,
    })
}

fn share_text(lang: Language, share: Share, currency: Currency) -> String {
    match share {
        Share::PercentPpm(ppm) => RatePpm::from_ppm(ppm).map(|rate| lang.percent_of_text(&rate.percent())).unwrap_or_default(),
        Share::FixedMinor(minor) => lang.money(Money::new(minor, currency)),
    }
}

/// What was earned in each currency; in the program's, before there is anything.
async fn rewards(app: &App, lang: Language, found: &Referrer, programs: Currency) -> Result<Vec<RewardView>, PageError> {
    let db = &app.service.db;
    let mut balances: Vec<(Currency, Balance)> = ledger::balances(db, Some(found.partner_id), FAR_DAY)
        .await?
        .into_iter()
        .map(|(_, currency, balance)| (currency, balance))
        .collect();
    if balances.is_empty() {
        balances.push((programs, Balance::default()));
    }
    let paid = ledger::paid_in_all(db, found.partner_id).await?;
    Ok(balances
        .into_iter()
        .map(|(currency, balance)| {
            let money = |minor| lang.money(Money::new(minor, currency));
            RewardView {
                held: money(balance.on_hold_minor()),
                available: money(balance.available_minor + balance.in_payment_minor),
                paid: money(paid.iter().find(|(c, _)| *c == currency).map_or(0, |(_, minor)| *minor)),
            }
        })
        .collect())
}
