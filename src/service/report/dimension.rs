//! By what rows are grouped and filtered.

use crate::domain::channel::Channel;
use crate::domain::id::{LinkId, PartnerId};
use crate::domain::link_target::{Country, Device};
use crate::domain::order::CustomerKind;
use crate::domain::time::Period;
use crate::service::Result;
use crate::store::credit_day::{CreditDay, KeyColumn};
use crate::store::dictionary::{self, OriginTexts};
use crate::store::touch_day::TouchSum;
use crate::store::visitor_sketch::VisitorKey;
use crate::store::{Db, cost, promo};
use chrono::{Datelike, NaiveDate, TimeDelta};
use std::collections::HashMap;

macro_rules! dimensions {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// What rows are grouped by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Dimension { $($variant),* }

        impl Dimension {
            pub const ALL: &'static [Dimension] = &[$(Dimension::$variant),*];

            pub fn name(self) -> &'static str {
                match self { $(Dimension::$variant => $name),* }
            }
        }
    };
}

dimensions!(
    Channel = "channel",
    Source = "source",
    Medium = "medium",
    Campaign = "campaign",
    Content = "content",
    Term = "term",
    Partner = "partner",
    Link = "link",
    PromoCode = "promo_code",
    Country = "country",
    Device = "device",
    Customer = "customer",
    Day = "day",
    Week = "week",
    Month = "month",
);

impl Dimension {
    /// The column of roll-ups that tells it.
    pub(super) fn column(self) -> KeyColumn {
        match self {
            Dimension::Channel => KeyColumn::Channel,
            Dimension::Source | Dimension::Medium | Dimension::Campaign | Dimension::Content | Dimension::Term => {
                KeyColumn::Origin
            }
            Dimension::Partner => KeyColumn::Partner,
            Dimension::Link => KeyColumn::Link,
            Dimension::PromoCode => KeyColumn::PromoCode,
            Dimension::Country => KeyColumn::Country,
            Dimension::Device => KeyColumn::Device,
            Dimension::Customer => KeyColumn::Customer,
            Dimension::Day | Dimension::Week | Dimension::Month => KeyColumn::Day,
        }
    }

    pub fn is_of_time(self) -> bool {
        self.column() == KeyColumn::Day
    }
}

impl std::str::FromStr for Dimension {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Dimension, String> {
        let names = || Dimension::ALL.iter().map(|dimension| dimension.name()).collect::<Vec<_>>().join(", ");
        let found = Dimension::ALL.iter().copied().find(|dimension| dimension.name() == text);
        found.ok_or_else(|| format!("'{}' is not one of {}", text.chars().take(40).collect::<String>(), names()))
    }
}

/// How a filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Is,
    IsNot,
    Contains,
}

impl Comparison {
    const ALL: [(Comparison, &'static str); 3] =
        [(Comparison::Is, "is"), (Comparison::IsNot, "is_not"), (Comparison::Contains, "contains")];
}

/// What a row must be to be counted: `channel:is:email`; several values are parted by `|`, an empty one is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub dimension: Dimension,
    pub comparison: Comparison,
    pub values: Vec<String>,
}

impl Filter {
    pub(super) fn lets_pass(&self, value: Option<&str>) -> bool {
        let value = value.unwrap_or_default();
        match self.comparison {
            Comparison::Is => self.values.iter().any(|wanted| wanted == value),
            Comparison::IsNot => self.values.iter().all(|unwanted| unwanted != value),
            Comparison::Contains => {
                let folded = value.to_lowercase();
                self.values.iter().any(|part| folded.contains(&part.to_lowercase()))
            }
        }
    }
}

impl std::str::FromStr for Filter {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Filter, String> {
        let mut parts = text.splitn(3, ':');
        let (Some(dimension), Some(comparison), Some(values)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("must be like channel:is:email".to_owned());
        };
        let dimension = dimension.trim().parse()?;
        let found = Comparison::ALL.into_iter().find(|(_, name)| *name == comparison.trim()).map(|(found, _)| found);
        let comparison = found.ok_or_else(|| "compares by is, is_not or contains".to_owned())?;
        Ok(Filter { dimension, comparison, values: values.split('|').map(|value| value.trim().to_owned()).collect() })
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = Comparison::ALL.into_iter().find(|(known, _)| *known == self.comparison).map_or("is", |(_, name)| name);
        write!(f, "{}:{name}:{}", self.dimension.name(), self.values.join("|"))
    }
}

/// Everything that a figure may be grouped by.
pub(super) struct Place<'a> {
    pub day: NaiveDate,
    pub channel: Channel,
    pub source: Option<&'a str>,
    pub medium: Option<&'a str>,
    pub campaign: Option<&'a str>,
    pub content: Option<&'a str>,
    pub term: Option<&'a str>,
    pub partner: i64,
    pub link: i64,
    pub promo_code: Option<&'a str>,
    pub country: Option<Country>,
    pub device: Option<Device>,
    pub customer: Option<CustomerKind>,
}

impl<'a> Place<'a> {
    /// Nothing is known but the channel.
    fn of(day: NaiveDate, channel: Channel) -> Place<'a> {
        Place {
            day,
            channel,
            source: None,
            medium: None,
            campaign: None,
            content: None,
            term: None,
            partner: 0,
            link: 0,
            promo_code: None,
            country: None,
            device: None,
            customer: None,
        }
    }

    fn value(&self, dimension: Dimension) -> Option<String> {
        let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        match dimension {
            Dimension::Channel => Some(self.channel.name().to_owned()),
            Dimension::Source => some(self.source),
            Dimension::Medium => some(self.medium),
            Dimension::Campaign => some(self.campaign),
            Dimension::Content => some(self.content),
            Dimension::Term => some(self.term),
            Dimension::Partner => (self.partner != 0).then(|| PartnerId(self.partner).to_string()),
            Dimension::Link => (self.link != 0).then(|| LinkId(self.link).to_string()),
            Dimension::PromoCode => some(self.promo_code),
            Dimension::Country => self.country.map(|country| country.as_str().to_owned()),
            Dimension::Device => self.device.map(|device| device.name().to_owned()),
            Dimension::Customer => self.customer.map(|kind| match kind {
                CustomerKind::New => "new".to_owned(),
                CustomerKind::Returning => "returning".to_owned(),
            }),
            Dimension::Day => Some(self.day.to_string()),
            // Weeks begin on Monday (ISO 8601), and are named by it.
            Dimension::Week => {
                let monday = self.day - TimeDelta::days(i64::from(self.day.weekday().num_days_from_monday()));
                Some(monday.to_string())
            }
            Dimension::Month => Some(Period::of(self.day).to_string()),
        }
    }

    /// The keys of the row it belongs to; `None` if a filter leaves it out.
    pub fn keys(&self, by: &[Dimension], filters: &[Filter]) -> Option<Vec<Option<String>>> {
        let passes = filters.iter().all(|filter| filter.lets_pass(self.value(filter.dimension).as_deref()));
        passes.then(|| by.iter().map(|dimension| self.value(*dimension)).collect())
    }
}

/// What ids in roll-ups stand for.
#[derive(Default)]
pub(super) struct Texts {
    origins: HashMap<i64, OriginTexts>,
    promo_codes: HashMap<i64, String>,
}

impl Texts {
    /// Looks up what is not known yet.
    pub async fn learn(
        &mut self,
        db: &Db,
        origins: impl Iterator<Item = i64>,
        promo_codes: impl Iterator<Item = i64>,
    ) -> Result<()> {
        let mut unknown: Vec<i64> = origins.filter(|id| *id != 0 && !self.origins.contains_key(id)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        self.origins.extend(dictionary::origins(db, &unknown).await?);
        let mut unknown: Vec<i64> = promo_codes.filter(|id| *id != 0 && !self.promo_codes.contains_key(id)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        self.promo_codes.extend(promo::codes(db, &unknown).await?);
        Ok(())
    }

    fn place(&self, day: NaiveDate, channel: Channel, origin: i64) -> Place<'_> {
        let origin = self.origins.get(&origin);
        fn text<'a>(of: Option<&'a OriginTexts>, field: fn(&'a OriginTexts) -> &'a Option<String>) -> Option<&'a str> {
            of.and_then(|origin| field(origin).as_deref())
        }
        Place {
            source: text(origin, |o| &o.source),
            medium: text(origin, |o| &o.medium),
            campaign: text(origin, |o| &o.campaign),
            content: text(origin, |o| &o.content),
            term: text(origin, |o| &o.term),
            ..Place::of(day, channel)
        }
    }

    pub fn of_credit(&self, key: &CreditDay) -> Place<'_> {
        Place {
            partner: key.partner_id,
            link: key.link_id,
            promo_code: self.promo_codes.get(&key.promo_code_id).map(String::as_str),
            country: key.country,
            device: key.device,
            customer: key.customer,
            ..self.place(key.day, key.channel, key.origin_id)
        }
    }

    pub fn of_touches(&self, sum: &TouchSum) -> Place<'_> {
        Place {
            partner: sum.partner_id,
            link: sum.link_id,
            country: sum.country,
            device: sum.device,
            ..self.place(sum.day, sum.channel, sum.origin_id)
        }
    }

    pub fn of_visitors(&self, day: NaiveDate, key: &VisitorKey) -> Place<'_> {
        Place {
            partner: key.partner_id,
            link: key.link_id,
            country: key.country,
            device: key.device,
            ..self.place(day, key.channel, key.origin_id)
        }
    }
}

/// Where an ad cost belongs.
pub(super) fn place_of_cost(sum: &cost::CostSum) -> Place<'_> {
    Place {
        source: Some(&sum.source),
        medium: Some(&sum.medium),
        campaign: Some(&sum.campaign),
        ..Place::of(sum.day, sum.channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_read_back_as_they_were_written() {
        for text in ["channel:is:email", "source:is_not:google|yandex", "campaign:contains:a:b", "partner:is:"] {
            assert_eq!(text.parse::<Filter>().unwrap().to_string(), text);
        }
        for text in ["", "channel", "channel:is", "chanel:is:x", "channel:like:x"] {
            assert!(text.parse::<Filter>().is_err(), "{text}");
        }
    }

    #[test]
    fn filters_let_pass_what_they_say() {
        let passes = |filter: &str, value: Option<&str>| filter.parse::<Filter>().unwrap().lets_pass(value);
        assert!(passes("channel:is:email|sms", Some("sms")) && !passes("channel:is:email", Some("sms")));
        assert!(passes("channel:is_not:email", Some("sms")) && !passes("channel:is_not:email|sms", Some("sms")));
        assert!(passes("campaign:contains:SALE", Some("big-sale")) && !passes("campaign:contains:sale", None));
        assert!(passes("partner:is:", None) && !passes("partner:is:", Some("par_1")));
    }
}
