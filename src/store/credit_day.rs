//! Credit added up by day and origin: a set of rows for each model, and one of what is owed to partners.

use super::rollup::{Cut, Plan};
use super::{Dialect, Reader, Result, Tx};
use crate::domain::channel::Channel;
use crate::domain::link_target::{Country, Device};
use crate::domain::money::Currency;
use crate::domain::order::CustomerKind;
use crate::domain::time::Period;
use crate::{exec, run};
use chrono::NaiveDate;
use sqlx::QueryBuilder;
use std::collections::BTreeMap;

/// The rows of what is owed: orders by payable credit, and commissions.
pub const PAYABLE: &str = "payable";

/// What a sum is of; 0 stands for none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CreditDay {
    /// A model's name, or [`PAYABLE`].
    pub model: &'static str,
    pub day: NaiveDate,
    /// None: of leads.
    pub currency: Option<Currency>,
    pub channel: Channel,
    pub origin_id: i64,
    pub link_id: i64,
    pub partner_id: i64,
    pub promo_code_id: i64,
    pub country: Option<Country>,
    pub device: Option<Device>,
    /// None: of leads, or of what no order brought.
    pub customer: Option<CustomerKind>,
}

/// Sums; what is shared is counted in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CreditSums {
    pub orders_millionths: i64,
    pub leads_millionths: i64,
    pub revenue_minor: i64,
    pub net_revenue_minor: i64,
    /// What buyers were let off.
    pub discount_minor: i64,
    /// Each order's net revenue squared, in whole major units: how widely orders are scattered.
    pub net_revenue_squares: i64,
    pub commission_minor: i64,
}

impl std::ops::AddAssign for CreditSums {
    fn add_assign(&mut self, other: CreditSums) {
        self.orders_millionths += other.orders_millionths;
        self.leads_millionths += other.leads_millionths;
        self.revenue_minor += other.revenue_minor;
        self.net_revenue_minor += other.net_revenue_minor;
        self.discount_minor += other.discount_minor;
        self.net_revenue_squares = self.net_revenue_squares.saturating_add(other.net_revenue_squares);
        self.commission_minor += other.commission_minor;
    }
}

/// Sums by what they are of.
pub type CreditDays = BTreeMap<CreditDay, CreditSums>;

/// A column of the key, as reports group by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyColumn {
    Day,
    Channel,
    Origin,
    Link,
    Partner,
    PromoCode,
    Country,
    Device,
    Customer,
}

impl KeyColumn {
    pub(super) const ALL: [KeyColumn; 9] = [
        KeyColumn::Day,
        KeyColumn::Channel,
        KeyColumn::Origin,
        KeyColumn::Link,
        KeyColumn::Partner,
        KeyColumn::PromoCode,
        KeyColumn::Country,
        KeyColumn::Device,
        KeyColumn::Customer,
    ];

    /// Whether touches are counted by it too.
    pub(super) fn is_of_touches(self) -> bool {
        !matches!(self, KeyColumn::PromoCode | KeyColumn::Customer)
    }

    /// The column, and what stands for it where it does not matter.
    pub(super) fn sql(self) -> (&'static str, &'static str) {
        match self {
            KeyColumn::Day => ("day", "MIN(day) AS day"),
            KeyColumn::Channel => ("channel", "'' AS channel"),
            KeyColumn::Origin => ("origin_id", "CAST(0 AS BIGINT) AS origin_id"),
            KeyColumn::Link => ("link_id", "CAST(0 AS BIGINT) AS link_id"),
            KeyColumn::Partner => ("partner_id", "CAST(0 AS BIGINT) AS partner_id"),
            KeyColumn::PromoCode => ("promo_code_id", "CAST(0 AS BIGINT) AS promo_code_id"),
            KeyColumn::Country => ("country", "'' AS country"),
            KeyColumn::Device => ("device", "'' AS device"),
            KeyColumn::Customer => ("customer", "'' AS customer"),
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    model: String,
    day: NaiveDate,
    currency: String,
    channel: String,
    origin_id: i64,
    link_id: i64,
    partner_id: i64,
    promo_code_id: i64,
    country: String,
    device: String,
    customer: String,
    orders_millionths: i64,
    leads_millionths: i64,
    revenue_minor: i64,
    net_revenue_minor: i64,
    discount_minor: i64,
    net_revenue_squares: i64,
    commission_minor: i64,
}

fn customer_name(customer: Option<CustomerKind>) -> &'static str {
    match customer {
        Some(CustomerKind::New) => "new",
        Some(CustomerKind::Returning) => "returning",
        None => "",
    }
}

impl Row {
    fn read(self, models: &[&'static str]) -> (CreditDay, CreditSums) {
        let key = CreditDay {
            model: models.iter().find(|model| **model == self.model).copied().unwrap_or_default(),
            day: self.day,
            currency: self.currency.parse().ok(),
            channel: self.channel.parse().unwrap_or(Channel::Direct),
            origin_id: self.origin_id,
            link_id: self.link_id,
            partner_id: self.partner_id,
            promo_code_id: self.promo_code_id,
            country: self.country.parse().ok(),
            device: Device::ALL.into_iter().find(|device| device.name() == self.device),
            customer: [CustomerKind::New, CustomerKind::Returning]
                .into_iter()
                .find(|kind| customer_name(Some(*kind)) == self.customer),
        };
        let sums = CreditSums {
            orders_millionths: self.orders_millionths,
            leads_millionths: self.leads_millionths,
            revenue_minor: self.revenue_minor,
            net_revenue_minor: self.net_revenue_minor,
            discount_minor: self.discount_minor,
            net_revenue_squares: self.net_revenue_squares,
            commission_minor: self.commission_minor,
        };
        (key, sums)
    }
}

const SUMMED: [&str; 7] = [
    "orders_millionths",
    "leads_millionths",
    "revenue_minor",
    "net_revenue_minor",
    "discount_minor",
    "net_revenue_squares",
    "commission_minor",
];

/// The first day of a month's span.
fn first_day(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "span || '-01'",
        Dialect::Postgres => "CAST(span || '-01' AS DATE)",
    }
}

fn day_of(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "span",
        Dialect::Postgres => "CAST(span AS DATE)",
    }
}

/// Sums of some models over a span, by the columns that matter; the others are as if none. Days that are out of date are left
/// out. `of_partners`: only what is some partner's.
pub async fn sums<'a>(
    on: impl Into<Reader<'a>>,
    plan: &Plan,
    models: &[&'static str],
    by: &[KeyColumn],
    of_partners: bool,
) -> Result<Vec<(CreditDay, CreditSums)>> {
    let mut connection = on.into().connect().await?;
    let dialect = connection.dialect();
    let mut grouped = vec!["model", "currency"];
    let mut selected = grouped.clone();
    for column in KeyColumn::ALL {
        let (name, otherwise) = column.sql();
        let matters = by.contains(&column);
        selected.push(if matters { name } else { otherwise });
        grouped.extend(matters.then_some(name));
    }
    let mut parts = Vec::new();
    let cut = plan.cut.name();
    let only = if of_partners { " AND partner_id <> 0" } else { "" };
    // A model's days lie together, so each is a search of its own; each is summed before the sums of all are.
    let mut part = |table: &str, day: &str, condition: String| {
        let selected: Vec<String> = selected.iter().map(|column| column.replace("MIN(day)", &format!("MIN({day})"))).collect();
        let selected = selected.iter().map(|column| if column == "day" { format!("{day} AS day") } else { column.clone() });
        let grouped = grouped.iter().map(|column| if *column == "day" { day } else { column });
        parts.push(format!(
            "SELECT {}, {} FROM {table} WHERE {condition}{only} GROUP BY {}",
            selected.collect::<Vec<_>>().join(", "),
            SUMMED.map(|name| format!("CAST(SUM({name}) AS BIGINT) AS {name}")).join(", "),
            grouped.collect::<Vec<_>>().join(", ")
        ));
    };
    for model in models {
        if let Some(months) = plan.months_in() {
            part("credit_sums", first_day(dialect), format!("cut = '{cut}' AND model = '{model}' AND span {months}"));
        }
        for (from, to) in &plan.days {
            match plan.cut {
                Cut::All => {
                    let but = plan.but_stale("day", (*from, *to));
                    part("credit_days", "day", format!("model = '{model}' AND day >= '{from}' AND day <= '{to}'{but}"));
                }
                Cut::Origin => {
                    let but = plan.but_stale("span", (*from, *to));
                    let condition = format!(
                        "cut = '{cut}' AND model = '{model}' AND span >= '{from}' AND span <= '{to}' AND LENGTH(span) = 10{but}"
                    );
                    part("credit_sums", day_of(dialect), condition);
                }
            }
        }
    }
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    // Parts of one key are added up by whoever reads them.
    let sql = sqlx::AssertSqlSafe(parts.join(" UNION ALL "));
    let rows: Vec<Row> = run!(connection, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| row.read(models)).collect())
}

/// The rows of a span of days, whole.
pub async fn between<'a>(
    on: impl Into<Reader<'a>>,
    from: NaiveDate,
    to: NaiveDate,
    models: &[&'static str],
) -> Result<CreditDays> {
    let plan = Plan { cut: Cut::All, months: Vec::new(), days: vec![(from, to)], stale: Vec::new() };
    Ok(sums(on, &plan, models, &KeyColumn::ALL, false).await?.into_iter().collect())
}

/// Puts the rows of some models on some days in the place of those that were there.
pub async fn replace(tx: &mut Tx, days: &[NaiveDate], models: &[&'static str], rows: &CreditDays) -> Result<()> {
    let list = days.iter().map(|day| format!("'{day}'")).collect::<Vec<_>>().join(", ");
    for model in models {
        let sql = format!("DELETE FROM credit_days WHERE model = '{model}' AND day IN ({list})");
        exec!(tx, sqlx::query(sqlx::AssertSqlSafe(sql.clone())))?;
    }
    let rows: Vec<(&CreditDay, &CreditSums)> = rows.iter().collect();
    for chunk in rows.chunks(500) {
        run!(tx, |c| {
            let mut query = QueryBuilder::new(
                "INSERT INTO credit_days (model, day, currency, channel, origin_id, link_id, partner_id, promo_code_id, country, device, \
                 customer, orders_millionths, leads_millionths, revenue_minor, net_revenue_minor, discount_minor, net_revenue_squares, \
                 commission_minor) ",
            );
            query.push_values(chunk, |mut row, (key, sums)| {
                row.push_bind(key.model)
                    .push_bind(key.day)
                    .push_bind(key.currency.map_or("", Currency::code))
                    .push_bind(key.channel.name())
                    .push_bind(key.origin_id)
                    .push_bind(key.link_id)
                    .push_bind(key.partner_id)
                    .push_bind(key.promo_code_id)
                    .push_bind(key.country.map_or(String::new(), |country| country.as_str().to_owned()))
                    .push_bind(key.device.map_or("", Device::name))
                    .push_bind(customer_name(key.customer))
                    .push_bind(sums.orders_millionths)
                    .push_bind(sums.leads_millionths)
                    .push_bind(sums.revenue_minor)
                    .push_bind(sums.net_revenue_minor)
                    .push_bind(sums.discount_minor)
                    .push_bind(sums.net_revenue_squares)
                    .push_bind(sums.commission_minor);
            });
            query.build().execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

const ADDED_UP: &str = "currency, channel, origin_id, link_id, partner_id, promo_code_id, country, device, customer";

/// What of a row's key a cut keeps, in the order of [`ADDED_UP`].
fn kept_by(cut: Cut) -> &'static str {
    match cut {
        Cut::All => ADDED_UP,
        Cut::Origin => "currency, channel, origin_id, 0, 0, 0, '', '', customer",
    }
}

fn summed() -> String {
    SUMMED.map(|name| format!("CAST(SUM({name}) AS BIGINT)")).join(", ")
}

/// Adds up days by origin anew, from their rows.
pub async fn add_up_days(tx: &mut Tx, days: &[NaiveDate], models: &[&'static str]) -> Result<()> {
    for day in days {
        for model in models {
            let delete = format!("DELETE FROM credit_sums WHERE cut = 'origin' AND model = '{model}' AND span = '{day}'");
            exec!(tx, sqlx::query(sqlx::AssertSqlSafe(delete.clone())))?;
            let insert = format!(
                "INSERT INTO credit_sums (cut, model, span, {ADDED_UP}, {}) SELECT 'origin', model, '{day}', {}, {} FROM credit_days \
                 WHERE model = '{model}' AND day = '{day}' GROUP BY model, currency, channel, origin_id, customer",
                SUMMED.join(", "),
                kept_by(Cut::Origin),
                summed()
            );
            exec!(tx, sqlx::query(sqlx::AssertSqlSafe(insert.clone())))?;
        }
    }
    Ok(())
}

/// Adds up a month anew, from the rows of its days.
pub async fn add_up_month(tx: &mut Tx, month: Period) -> Result<()> {
    let (first, last) = (month.first_day(), month.last_day());
    exec!(tx, sqlx::query("DELETE FROM credit_sums WHERE span = $1").bind(month.to_string()))?;
    for cut in Cut::ALL {
        let grouped = match cut {
            Cut::All => ADDED_UP,
            Cut::Origin => "currency, channel, origin_id, customer",
        };
        let insert = format!(
            "INSERT INTO credit_sums (cut, model, span, {ADDED_UP}, {}) SELECT '{}', model, '{month}', {}, {} FROM credit_days \
             WHERE day >= '{first}' AND day <= '{last}' GROUP BY model, {grouped}",
            SUMMED.join(", "),
            cut.name(),
            kept_by(cut),
            summed()
        );
        exec!(tx, sqlx::query(sqlx::AssertSqlSafe(insert.clone())))?;
    }
    Ok(())
}

/// Sums that are not those of the days they are of: cut, span, model; days that are named and months they lie in are left out.
pub async fn wrong_sums<'a>(on: impl Into<Reader<'a>>, built_to: Period) -> Result<Vec<(String, String, String)>> {
    let mut connection = on.into().connect().await?;
    let (text, month) = match connection.dialect() {
        Dialect::Sqlite => ("day", "SUBSTR(day, 1, 7)"),
        Dialect::Postgres => ("CAST(day AS TEXT)", "SUBSTR(CAST(day AS TEXT), 1, 7)"),
    };
    let numbers: Vec<String> =
        SUMMED.iter().enumerate().map(|(place, name)| format!("{name} * {}", [1, 3, 7, 11, 13, 17, 19][place])).collect();
    // Each number has a weight of its own, so that what goes to another does not go unseen.
    let weighed = numbers.join(" + ");
    let part = |cut: Cut, span: &str| {
        format!(
            "SELECT '{}' AS cut, {span} AS span, model, {ADDED_UP_AS}, {weighed} AS kept FROM credit_days",
            cut.name(),
            ADDED_UP_AS = as_named(cut)
        )
    };
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT cut, span, model FROM (SELECT cut, span, model, {ADDED_UP}, -({weighed}) AS kept FROM credit_sums \
         UNION ALL {} UNION ALL {} WHERE {month} <= '{built_to}' UNION ALL {} WHERE {month} <= '{built_to}') t \
         WHERE LENGTH(span) = 10 OR span <= '{built_to}' GROUP BY cut, span, model, {ADDED_UP} HAVING SUM(kept) <> 0 ORDER BY span LIMIT 2000",
        part(Cut::Origin, text),
        part(Cut::Origin, month),
        part(Cut::All, month),
    ));
    Ok(run!(connection, |c| sqlx::query_as(sql).fetch_all(c).await)?)
}

fn as_named(cut: Cut) -> &'static str {
    match cut {
        Cut::All => ADDED_UP,
        Cut::Origin => {
            "currency, channel, origin_id, 0 AS link_id, 0 AS partner_id, 0 AS promo_code_id, '' AS country, '' AS device, customer"
        }
    }
}
