//! The merchant's home: which channel returned what, who brought it, and what is to be paid. The filters are the URL.

use super::run::{RunCard, card};
use crate::domain::attribution::Model;
use crate::domain::channel::Channel;
use crate::domain::exchange_rate::NoRate;
use crate::domain::money::{Currency, Money};
use crate::domain::time::{FAR_DAY, Period};
use crate::service::report::{self, Dimension, Figures, Question, Report};
use crate::service::{Context, Error};
use crate::store::notice::{self, Notice};
use crate::store::report::span;
use crate::store::{ledger, link, miss, partner, payout};
use crate::web::App;
use crate::web::language::Language;
use crate::web::page::chart::{BarInput, Bars, Columns};
use crate::web::page::form::Fields;
use crate::web::page::{Frame, NONE, answer, words};
use crate::web::who::{PageError, Staff};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{Days, NaiveDate};
use std::collections::HashMap;

/// Rows that the chart draws; the table has them all.
const BARS: usize = 10;
const PARTNERS: usize = 50;
const MISSES: i64 = 5;

#[derive(Template)]
#[template(path = "admin/home.html")]
struct HomePage {
    frame: Frame,
    here: &'static str,
    filters: Filters,
    problem: Option<String>,
    span: String,
    to_do: Vec<String>,
    figures: Vec<FigureView>,
    bars: Option<Bars>,
    columns: Option<[(String, Columns); 2]>,
    chart_title: String,
    total: String,
    not_drawn: Option<String>,
    columns_of_table: Vec<String>,
    /// The column that has a second line, and what that says.
    cost_column: usize,
    cost_note: String,
    totals: Vec<Cell>,
    rows: Vec<(String, Vec<Cell>)>,
    others: Vec<String>,
    /// The same with what is in other currencies converted, and without.
    convert: Option<String>,
    apart: Option<String>,
    rates: Vec<String>,
    partners: Vec<PartnerView>,
    more_partners: Option<String>,
    card: RunCard,
    misses: Vec<MissView>,
    misses_in_all: Option<String>,
}

struct Filters {
    from: String,
    to: String,
    models: Vec<(String, String, bool)>,
    dimensions: Vec<(&'static str, String, bool)>,
    presets: Vec<(String, String, bool)>,
}

struct FigureView {
    name: String,
    value: String,
    note: String,
}

struct Cell {
    text: String,
    sub: Option<String>,
    class: &'static str,
}

struct PartnerView {
    id: String,
    name: String,
    kind: String,
    status: Option<String>,
    links: Vec<String>,
    more_links: Option<String>,
    clicks: String,
    orders: String,
    net_revenue: String,
    commission: String,
    available: String,
}

struct MissView {
    kind: String,
    value: String,
    nearest: Option<String>,
    times: String,
    last: String,
}

/// `GET /admin?from=&to=&model=&group_by=`.
pub async fn home(app: Data<App>, request: HttpRequest, staff: Staff) -> Result<HttpResponse, PageError> {
    // Fresh clicks should be in; without them the page is still right, a moment older.
    let _ = app.mover.move_all().await;
    let db = &app.service.db;
    let context = app.service.context(&staff.0.email);
    let frame = Frame::of(&app, &request, Some(staff.0)).await;
    let lang = frame.lang;
    let data = span(db).await?;
    let usual = usual_question(data, context.today());
    let asked = question(&Fields::of_query(&request), &usual);
    let (question, report, problem) = match asked {
        Ok(question) => match report::channels(&app.service, question.clone()).await {
            Ok(report) => (question, report, None),
            Err(Error::Invalid(_)) => {
                (usual.clone(), report::channels(&app.service, usual.clone()).await?, Some(frame.t("filter-span")))
            }
            Err(Error::NoRate(missing)) => {
                let apart = Question { convert: false, ..question };
                (apart.clone(), report::channels(&app.service, apart).await?, missing.first().map(|none| no_rate(&frame, none)))
            }
            Err(error) => return Err(error.into()),
        },
        Err(key) => (usual.clone(), report::channels(&app.service, usual.clone()).await?, Some(frame.t(key))),
    };
    let names = report::partner_names(db).await?;
    let by_partner = report::partners(&app.service, Question { currency: Some(report.currency), ..question.clone() }).await?;
    let latest_run = payout::list(db, 0, i64::MAX).await?.iter().filter_map(|run| run.period.parse::<Period>().ok()).max();
    let last_month = Period::of(context.today()).first_day().pred_opt().map_or(Period::of(context.today()), Period::of);
    let period = latest_run.map_or(last_month, |latest| latest.max(last_month));

    let by_day = question.group_by == [Dimension::Day];
    let rows = rows_in_order(&report, by_day);
    let drawn = rows.iter().filter(|(_, f)| !f.net_revenue.is_zero() || !f.cost.is_zero()).count();
    let row_name = |keys: &[Option<String>]| name_of(lang, &report.question.group_by, keys, &names);
    let totals = report.figures(&report.totals);
    let (partners, more_partners) = partner_views(&app, &frame, &by_partner).await?;
    let unmarked = link::count_unmarked(db).await?;
    let dumpings = notice::list(db, Some(true), 0, i64::MAX).await?;
    let misses: i64 = miss::counts(db).await?.iter().map(|(_, count)| count).sum();
    let others_there = others(&frame, &report);
    let page = HomePage {
        here: "home",
        filters: filters(&frame, &question, data, context.today()),
        span: frame.say("span", [("from", lang.day(question.from).into()), ("to", lang.day(question.to).into())]),
        to_do: to_do(&frame, &context, &names, unmarked, &dumpings),
        figures: figures(&frame, &totals),
        bars: (!by_day).then(|| bars(&frame, &rows, row_name)).filter(|bars| !bars.rows.is_empty()),
        columns: by_day.then(|| columns(&frame, &question, &rows, report.currency)),
        chart_title: frame.t(if question.group_by == [Dimension::Channel] { "chart-title" } else { "chart-title-other" }),
        total: lang.money(totals.net_revenue),
        not_drawn: (!by_day && drawn > BARS).then(|| frame.say("chart-largest", [("count", (BARS as i64).into())])),
        columns_of_table: columns_of_table(&frame, &question),
        cost_column: 7,
        cost_note: frame.t("column-cost-note"),
        totals: cells(&frame, &totals),
        rows: rows.iter().map(|(keys, f)| (row_name(keys), cells(&frame, f))).collect(),
        partners,
        more_partners,
        card: card(db, &context, &frame, period).await?,
        misses: miss_views(&app, &frame, &context).await?,
        misses_in_all: (misses > 0).then(|| frame.count("count-misses", misses)),
        problem,
        convert: (!others_there.is_empty()).then(|| href_of(&question, true)),
        rates: report.conversions().into_iter().map(|c| format!("{}: {c}", lang.day(c.day))).collect(),
        apart: question.convert.then(|| href_of(&question, false)),
        others: others_there,
        frame,
    };
    let status = if page.problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(answer(status, &page))
}

/// The last 30 days; up to the last order if that was before today.
fn usual_question(data: Option<(NaiveDate, NaiveDate)>, today: NaiveDate) -> Question {
    let to = data.map_or(today, |(_, last)| last.min(today));
    let from = to.checked_sub_days(Days::new(29)).unwrap_or(to);
    Question::usual(from, to)
}

/// The question in the URL; what is left out is as usual. A filter that cannot be read is named by its text.
fn question(query: &Fields, usual: &Question) -> Result<Question, &'static str> {
    fn read<T: std::str::FromStr>(text: &str, usual: T, problem: &'static str) -> Result<T, &'static str> {
        if text.is_empty() { Ok(usual) } else { text.parse().map_err(|_| problem) }
    }
    let group_by = match query.get("group_by") {
        "" => usual.group_by.clone(),
        list => list.split(',').map(|d| d.trim().parse()).collect::<Result<_, _>>().map_err(|_| "filter-group_by")?,
    };
    let model: Model = read(query.get("model"), usual.model, "filter-model")?;
    Ok(Question {
        from: read(query.get("from"), usual.from, "filter-day")?,
        to: read(query.get("to"), usual.to, "filter-day")?,
        model,
        group_by,
        convert: query.is_ticked("convert"),
        ..usual.clone()
    })
}

/// Which rate is missing.
fn no_rate(frame: &Frame, none: &NoRate) -> String {
    let filling = [("from", none.from.code().into()), ("to", none.to.code().into()), ("day", frame.lang.day(none.day).into())];
    frame.say("filter-rate", filling)
}

/// The page with the same question, converting or not.
fn href_of(question: &Question, convert: bool) -> String {
    let group_by = question.group_by.iter().map(|d| d.name()).collect::<Vec<_>>().join(",");
    let convert = if convert { "&convert=1" } else { "" };
    format!("/admin?from={}&to={}&model={}&group_by={group_by}{convert}", question.from, question.to, question.model)
}

fn filters(frame: &Frame, question: &Question, data: Option<(NaiveDate, NaiveDate)>, today: NaiveDate) -> Filters {
    let group_by = question.group_by.iter().map(|d| d.name()).collect::<Vec<_>>().join(",");
    let end = data.map_or(today, |(_, last)| last.min(today));
    let start = data.map_or(end, |(first, _)| first);
    let back = |days: u64| end.checked_sub_days(Days::new(days - 1)).unwrap_or(end);
    let presets = [("preset-7", back(7)), ("preset-30", back(30)), ("preset-90", back(90)), ("preset-all", start)]
        .into_iter()
        .map(|(key, from)| {
            let href = format!("/admin?from={from}&to={end}&model={}&group_by={group_by}", question.model);
            (frame.t(key), href, question.from == from && question.to == end)
        })
        .collect();
    let several = question.group_by.len() != 1;
    // One with numbers of its own is on no list; it is named all the same, for the figures are by it.
    let with_numbers = Some(question.model).filter(|chosen| !Model::ALL.contains(chosen));
    let named = |m: Model| match m {
        Model::Custom(_) => format!("{} ({m})", frame.t(words::model(m))),
        _ => frame.t(words::model(m)),
    };
    Filters {
        from: question.from.to_string(),
        to: question.to.to_string(),
        models: Model::ALL.into_iter().chain(with_numbers).map(|m| (m.to_string(), named(m), m == question.model)).collect(),
        dimensions: Dimension::ALL
            .iter()
            .map(|d| (d.name(), frame.t(words::dimension(*d)), !several && question.group_by.contains(d)))
            .collect(),
        presets,
    }
}

type Row = (Vec<Option<String>>, Figures);

/// Days in order of time, all else as the report has it: best net revenue first.
fn rows_in_order(report: &Report, by_day: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = report.rows.iter().map(|(keys, sums)| (keys.clone(), report.figures(sums))).collect();
    if by_day {
        rows.sort_by(|a, b| b.0.cmp(&a.0));
    }
    rows
}

fn name_of(lang: Language, by: &[Dimension], keys: &[Option<String>], partners: &HashMap<String, String>) -> String {
    let one = |(dimension, key): (&Dimension, &Option<String>)| match (dimension, key) {
        (Dimension::Partner, None) => lang.text("value-no-partner"),
        (_, None) => lang.text("value-not-set"),
        (Dimension::Channel, Some(key)) => key.parse::<Channel>().map_or_else(|_| key.clone(), |c| lang.text(words::channel(c))),
        (Dimension::Partner, Some(key)) => partners.get(key).unwrap_or(key).clone(),
        (Dimension::Day | Dimension::Week, Some(key)) => {
            key.parse::<NaiveDate>().map_or_else(|_| key.clone(), |day| lang.day(day))
        }
        (Dimension::Device, Some(key)) => lang.text(words::device(key)),
        (Dimension::Customer, Some(key)) => lang.text(words::customer(key)),
        (
            Dimension::Source
            | Dimension::Medium
            | Dimension::Campaign
            | Dimension::Content
            | Dimension::Term
            | Dimension::Link
            | Dimension::PromoCode
            | Dimension::Country
            | Dimension::Month,
            Some(key),
        ) => key.clone(),
    };
    by.iter().zip(keys).map(one).collect::<Vec<_>>().join(" · ")
}

fn figures(frame: &Frame, f: &Figures) -> Vec<FigureView> {
    let lang = frame.lang;
    let view = |key: &str, value: String, note: String| FigureView { name: frame.t(key), value, note };
    vec![
        view(
            "figure-net_revenue",
            lang.money(f.net_revenue),
            frame.say("figure-refunds", [("amount", lang.money(f.refunds).into())]),
        ),
        view(
            "figure-cost",
            lang.money(f.cost),
            frame.say("figure-ads", [("ads", lang.money(f.ad_cost).into()), ("commission", lang.money(f.commission).into())]),
        ),
        view(
            "figure-roi",
            lang.percent_or_none(f.roi),
            frame.say("figure-roas", [("roas", lang.number_or_none(f.roas, 2).into())]),
        ),
        view(
            "figure-orders",
            lang.number(f.orders, 0),
            frame.say("figure-new", [("customers", lang.number(f.new_customers, 0).into())]),
        ),
        view(
            "figure-clicks",
            lang.whole(f.clicks),
            frame.say("figure-not_counted", [("clicks", lang.whole(f.clicks_not_counted).into())]),
        ),
        view("figure-cac", lang.money_or_none(f.cac), frame.t("figure-cac-note")),
    ]
}

fn columns_of_table(frame: &Frame, question: &Question) -> Vec<String> {
    let by = question.group_by.iter().map(|d| frame.t(words::dimension(*d))).collect::<Vec<_>>().join(" · ");
    let names = [
        "column-clicks",
        "column-not_counted",
        "column-visitors",
        "column-orders",
        "column-new_customers",
        "column-net_revenue",
        "column-cost",
        "column-roi",
        "column-roas",
        "column-cpc",
        "column-cac",
    ];
    std::iter::once(by).chain(names.into_iter().map(|key| frame.t(key))).collect()
}

fn cells(frame: &Frame, f: &Figures) -> Vec<Cell> {
    let lang = frame.lang;
    let plain = |text: String| Cell { class: if text == NONE { "none" } else { "" }, text, sub: None };
    let commission = (!f.commission.is_zero()).then(|| lang.money(f.commission));
    let roi_class = match f.roi {
        Some(roi) if roi < 0.0 => "bad",
        Some(_) => "good",
        None => "none",
    };
    vec![
        plain(lang.whole(f.clicks)),
        plain(lang.whole(f.clicks_not_counted)),
        plain(lang.whole(f.visitors)),
        plain(lang.number(f.orders, 2)),
        plain(lang.number(f.new_customers, 2)),
        Cell { text: lang.money(f.net_revenue), sub: None, class: "strong" },
        Cell { text: lang.money(f.cost), sub: commission, class: if f.cost.is_zero() { "zero" } else { "" } },
        Cell { text: lang.percent_or_none(f.roi), sub: None, class: roi_class },
        plain(lang.number_or_none(f.roas, 2)),
        plain(lang.money_or_none(f.cpc)),
        plain(lang.money_or_none(f.cac)),
    ]
}

fn bars(frame: &Frame, rows: &[Row], name: impl Fn(&[Option<String>]) -> String) -> Bars {
    let drawn = rows.iter().filter(|(_, f)| !f.net_revenue.is_zero() || !f.cost.is_zero()).take(BARS);
    Bars::of(
        drawn
            .map(|(keys, f)| BarInput {
                label: name(keys),
                value: f.net_revenue.minor(),
                value_text: frame.lang.money(f.net_revenue),
                beside: f.cost.minor(),
                beside_text: if f.cost.is_zero() {
                    frame.t("chart-no-cost")
                } else {
                    frame.say("chart-cost", [("amount", frame.lang.money(f.cost).into())])
                },
            })
            .collect(),
    )
}

/// Net revenue and cost of every day, days without any too.
fn columns(frame: &Frame, question: &Question, rows: &[Row], currency: Currency) -> [(String, Columns); 2] {
    let by_day: HashMap<&str, &Figures> = rows.iter().filter_map(|(keys, f)| Some((keys.first()?.as_deref()?, f))).collect();
    let days: Vec<String> = question.from.iter_days().take_while(|d| *d <= question.to).map(|d| d.to_string()).collect();
    let of = |pick: fn(&Figures) -> Money| {
        let values: Vec<i64> = days.iter().map(|day| by_day.get(day.as_str()).map_or(0, |f| pick(f).minor())).collect();
        Columns::of(&values, |minor| frame.lang.money(Money::new(minor, currency)))
    };
    [(frame.t("column-net_revenue"), of(|f| f.net_revenue)), (frame.t("column-cost"), of(|f| f.cost))]
}

fn others(frame: &Frame, report: &Report) -> Vec<String> {
    let lang = frame.lang;
    report
        .other_currencies
        .iter()
        .map(|other| {
            frame.say(
                "other-currency",
                [
                    ("currency", other.currency.code().into()),
                    ("orders", frame.count("count-orders", other.orders).into()),
                    ("revenue", lang.money(other.revenue).into()),
                    ("cost", lang.money(other.ad_cost).into()),
                ],
            )
        })
        .collect()
}

async fn partner_views(app: &App, frame: &Frame, report: &Report) -> Result<(Vec<PartnerView>, Option<String>), PageError> {
    const LINKS: usize = 3;
    let db = &app.service.db;
    let lang = frame.lang;
    let mut links: HashMap<String, Vec<String>> = HashMap::new();
    for link in link::list(db, None, 0, 10_000).await? {
        if let Some(partner) = link.partner_id {
            links.entry(partner.to_string()).or_default().push(link.code);
        }
    }
    let available: HashMap<String, i64> = ledger::balances(db, None, FAR_DAY)
        .await?
        .into_iter()
        .filter(|(_, currency, _)| *currency == report.currency)
        .map(|(partner, _, balance)| (partner.to_string(), balance.available_minor))
        .collect();
    let places: HashMap<&str, usize> =
        report.rows.iter().enumerate().filter_map(|(index, (keys, _))| Some((keys.first()?.as_deref()?, index))).collect();
    let mut all = partner::list(db, 0, i64::MAX).await?;
    all.sort_by_key(|p| (places.get(p.id.to_string().as_str()).copied().unwrap_or(usize::MAX), p.id));
    let more = all.len().saturating_sub(PARTNERS);
    let views = all
        .into_iter()
        .take(PARTNERS)
        .map(|partner| {
            let id = partner.id.to_string();
            let sums = places.get(id.as_str()).and_then(|place| report.rows.get(*place)).map(|(_, sums)| sums.clone());
            let f = report.figures(&sums.unwrap_or_default());
            let mut codes = links.remove(&id).unwrap_or_default();
            let hidden = codes.len().saturating_sub(LINKS);
            codes.truncate(LINKS);
            PartnerView {
                name: partner.name,
                kind: frame.t(words::partner_kind(partner.kind)),
                status: words::partner_status(partner.status).map(|key| frame.t(key)),
                links: codes.into_iter().map(|code| format!("/r/{code}")).collect(),
                more_links: (hidden > 0).then(|| frame.count("count-more", hidden as i64)),
                clicks: lang.whole(f.clicks),
                orders: lang.number(f.orders, 0),
                net_revenue: lang.money(f.net_revenue),
                commission: lang.money(f.commission),
                available: lang.money(Money::new(available.get(&id).copied().unwrap_or(0), report.currency)),
                id,
            }
        })
        .collect();
    Ok((views, (more > 0).then(|| frame.count("count-more-partners", more as i64))))
}

/// What needs doing, if anything: links without a mark, prices below the minimum and the latest of them.
fn to_do(frame: &Frame, context: &Context, names: &HashMap<String, String>, unmarked: i64, dumpings: &[Notice]) -> Vec<String> {
    const LATEST: usize = 5;
    let lang = frame.lang;
    let mut lines = Vec::new();
    if unmarked > 0 {
        lines.push(frame.count("count-unmarked", unmarked));
    }
    if !dumpings.is_empty() {
        lines.push(frame.count("count-dumping", dumpings.len() as i64));
    }
    lines.extend(dumpings.iter().rev().take(LATEST).map(|n| {
        let partner = names.get(&n.partner_id.to_string()).cloned().unwrap_or_else(|| n.partner_id.to_string());
        frame.say(
            "dumping-line",
            [
                ("partner", partner.into()),
                ("sku", n.sku.as_str().into()),
                ("seen", lang.money(Money::new(n.seen_minor, n.currency)).into()),
                ("minimum", lang.money(Money::new(n.minimum_minor, n.currency)).into()),
                ("day", lang.day(context.day(n.since.0)).into()),
            ],
        )
    }));
    lines
}

async fn miss_views(app: &App, frame: &Frame, context: &Context) -> Result<Vec<MissView>, PageError> {
    let latest = miss::latest(&app.service.db, MISSES).await?;
    Ok(latest
        .into_iter()
        .map(|m| MissView {
            kind: frame.t(words::miss(&m.kind)),
            value: m.value,
            nearest: m.nearest.map(|nearest| frame.say("miss-nearest", [("nearest", nearest.into())])),
            times: frame.count("count-times", m.count),
            last: frame.lang.day(context.day(m.last_at.0)),
        })
        .collect())
}
