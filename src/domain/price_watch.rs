//! Resellers' prices against the minimum: from when to when a price was too low.

use super::money::Currency;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// A price that was seen, with the minimum in force then; none: nothing was agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPrice {
    pub at: DateTime<Utc>,
    /// Where; empty if nobody said.
    pub url: String,
    pub currency: Currency,
    pub price_minor: i64,
    pub minimum_minor: Option<i64>,
}

impl SeenPrice {
    pub fn is_too_low(&self) -> bool {
        self.minimum_minor.is_some_and(|minimum| self.price_minor < minimum)
    }
}

/// A span of time in which a price was too low somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dumping {
    pub since: DateTime<Utc>,
    /// The latest price in it that was too low.
    pub last: SeenPrice,
    /// When it was back everywhere; none: it is not.
    pub closed_at: Option<DateTime<Utc>>,
}

/// The spans of one partner's prices of one SKU, in order of time. A price stands until the next is seen at the same
/// address, so a span ends when no address has one that is too low.
pub fn dumpings(mut seen: Vec<SeenPrice>) -> Vec<Dumping> {
    seen.sort_by(|a, b| (a.at, &a.url).cmp(&(b.at, &b.url)));
    let mut spans: Vec<Dumping> = Vec::new();
    let mut low: BTreeSet<String> = BTreeSet::new();
    for price in seen {
        let open = spans.last_mut().filter(|span| span.closed_at.is_none());
        if price.is_too_low() {
            low.insert(price.url.clone());
            match open {
                Some(span) => span.last = price,
                None => spans.push(Dumping { since: price.at, last: price, closed_at: None }),
            }
        } else if low.remove(&price.url)
            && low.is_empty()
            && let Some(span) = open
        {
            span.closed_at = Some(price.at);
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(second: i64, url: &str, price_minor: i64, minimum_minor: Option<i64>) -> SeenPrice {
        let at = DateTime::from_timestamp(second, 0).unwrap();
        SeenPrice { at, url: url.to_owned(), currency: Currency::RUB, price_minor, minimum_minor }
    }

    fn brief(seen: Vec<SeenPrice>) -> Vec<(i64, i64, i64, Option<i64>)> {
        let line =
            |d: &Dumping| (d.since.timestamp(), d.last.at.timestamp(), d.last.price_minor, d.closed_at.map(|at| at.timestamp()));
        dumpings(seen).iter().map(line).collect()
    }

    #[test]
    fn a_span_goes_from_the_first_low_price_until_it_is_back() {
        let min = Some(100);
        assert_eq!(brief(vec![seen(1, "", 100, min), seen(2, "", 99, min), seen(3, "", 90, min)]), [(2, 3, 90, None)]);
        assert_eq!(
            brief(vec![seen(2, "", 99, min), seen(4, "", 100, min), seen(5, "", 101, min), seen(6, "", 1, min)]),
            [(2, 2, 99, Some(4)), (6, 6, 1, None)]
        );
        assert_eq!(brief(vec![seen(1, "", 1, None)]), [], "nothing was agreed on");
        assert_eq!(brief(vec![seen(1, "", 1, min), seen(2, "", 1, None)]), [(1, 1, 1, Some(2))], "no longer on the list");
    }

    #[test]
    fn a_good_price_elsewhere_ends_nothing() {
        let min = Some(100);
        let two = vec![seen(1, "a", 90, min), seen(2, "b", 120, min), seen(3, "b", 95, min), seen(4, "a", 100, min)];
        assert_eq!(brief(two.clone()), [(1, 3, 95, None)]);
        assert_eq!(brief([two, vec![seen(5, "b", 100, min)]].concat()), [(1, 3, 95, Some(5))]);
    }

    proptest! {
        #[test]
        fn the_order_in_which_prices_arrive_changes_nothing(
            prices in prop::collection::vec((0_i64..20, 0_usize..3, 80_i64..120), 0..20),
        ) {
            let mut prices = prices;
            prices.sort_unstable();
            prices.dedup_by_key(|(at, url, _)| (*at, *url));
            let all: Vec<SeenPrice> = prices.iter().map(|(at, url, price)| seen(*at, ["a", "b", "c"][*url], *price, Some(100))).collect();
            let spans = dumpings(all.clone());
            prop_assert_eq!(&dumpings(all.iter().rev().cloned().collect()), &spans);
            // One is open at most, the last; no two overlap; one is open just if some address's latest price is too low.
            prop_assert!(spans.windows(2).all(|pair| pair[0].closed_at.is_some_and(|end| end <= pair[1].since)));
            let latest = |url: &str| all.iter().rfind(|price| price.url == url);
            let low = ["a", "b", "c"].iter().filter_map(|url| latest(url)).any(SeenPrice::is_too_low);
            prop_assert_eq!(spans.last().is_some_and(|span| span.closed_at.is_none()), low);
        }
    }
}
