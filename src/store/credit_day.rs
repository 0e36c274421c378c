//! Credit added up by day and origin: a set of rows for each model, and one of what is owed to partners.

use super::{Reader, Result, Tx};
use crate::domain::channel::Channel;
use crate::domain::link_target::{Country, Device};
use crate::domain::money::Currency;
use crate::domain::order::CustomerKind;
use crate::{exec, read, run};
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

/// Days, ends included, without some of them.
#[derive(Debug, Clone)]
pub struct Days<'a> {
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub without: &'a [NaiveDate],
}

impl Days<'_> {
    /// `AND day NOT IN (…)`, if any is left out. Days are written by us, so the text is safe.
    pub(super) fn not_in(&self) -> String {
        let left_out: Vec<String> =
            self.without.iter().filter(|day| (self.from..=self.to).contains(*day)).map(|day| format!("'{day}'")).collect();
        if left_out.is_empty() { String::new() } else { format!(" AND day NOT IN ({})", left_out.join(", ")) }
    }
}

/// Sums of some models over days, by the columns that matter; the others are as if none.
pub async fn sums<'a>(
    on: impl Into<Reader<'a>>,
    days: &Days<'_>,
    models: &[&'static str],
    by: &[KeyColumn],
) -> Result<Vec<(CreditDay, CreditSums)>> {
    let mut selected = vec!["model".to_owned(), "currency".to_owned()];
    let mut grouped = selected.clone();
    for column in KeyColumn::ALL {
        let (name, otherwise) = column.sql();
        if by.contains(&column) {
            selected.push(name.to_owned());
            grouped.push(name.to_owned());
        } else {
            selected.push(otherwise.to_owned());
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
    selected.extend(SUMMED.map(|name| format!("CAST(SUM({name}) AS BIGINT) AS {name}")));
    // Each model's days lie together, so each is a search of its own.
    let of_model = |model: &&'static str| {
        format!(
            "SELECT {} FROM credit_days WHERE model = '{model}' AND day >= $1 AND day <= $2{} GROUP BY {}",
            selected.join(", "),
            days.not_in(),
            grouped.join(", ")
        )
    };
    let sql = sqlx::AssertSqlSafe(models.iter().map(of_model).collect::<Vec<_>>().join(" UNION ALL "));
    let rows: Vec<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(days.from).bind(days.to).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| row.read(models)).collect())
}

/// The rows of a span of days, whole.
pub async fn between<'a>(
    on: impl Into<Reader<'a>>,
    from: NaiveDate,
    to: NaiveDate,
    models: &[&'static str],
) -> Result<CreditDays> {
    Ok(sums(on, &Days { from, to, without: &[] }, models, &KeyColumn::ALL).await?.into_iter().collect())
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
