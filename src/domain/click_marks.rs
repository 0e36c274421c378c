//! Duplicate and burst clicks: kept, not counted. Looks at clicks in about the order of their time and remembers the
//! last minutes.

use super::touch::{Mark, Touch, TouchKind};
use hashbrown::{DefaultHashBuilder, HashMap};
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr};

/// A second click of one visitor on one link within this many microseconds is a duplicate.
pub const DUPLICATE_MICROS: i64 = 10_000_000;
/// Clicks of one address and user agent on one link that count within [`BURST_MICROS`]; those beyond are a burst. Whole
/// districts share a mobile network's address and popular telephones a user agent, hence not fewer.
pub const BURST_CLICKS: u32 = 60;
pub const BURST_MICROS: i64 = 600_000_000;
/// How many clickers are remembered at most.
const MOST_REMEMBERED: usize = 500_000;

/// What is remembered of the clicks so far.
#[derive(Debug, Default)]
pub struct ClickMarks {
    hasher: DefaultHashBuilder,
    /// The last click of a visitor on a link.
    visitors: HashMap<u64, i64>,
    /// When the window of an address on a link began, and the clicks in it. A burst lasts until it pauses for as long.
    addresses: HashMap<u64, (i64, u32)>,
}

impl ClickMarks {
    /// The mark of the next click; `None` for one that counts, and for what is no click through a link or of a partner.
    pub fn next(&mut self, touch: &Touch) -> Option<(Mark, String)> {
        let target = (touch.link_id, touch.partner_id);
        if touch.kind != TouchKind::Click || target == (None, None) {
            return None;
        }
        self.tidy();
        let at = touch.at.timestamp_micros();
        if let Some(visitor) = &touch.visitor_id {
            let key = self.hasher.hash_one((target, visitor));
            let before = self.visitors.insert(key, at);
            if let Some(before) = before.filter(|before| (at - before).abs() <= DUPLICATE_MICROS) {
                let seconds = (at - before).abs() / 1_000_000;
                return Some((Mark::Duplicate, format!("the same visitor clicked {seconds} s before")));
            }
        }
        let client = client_of(touch.ip.as_deref()?.parse().ok()?);
        let key = self.hasher.hash_one((target, client, &touch.user_agent));
        let (since, clicks) = self.addresses.entry(key).or_insert((at, 0));
        if at - *since > BURST_MICROS || at < *since {
            (*since, *clicks) = (at, 0);
        }
        *clicks += 1;
        if *clicks > BURST_CLICKS {
            *since = at;
        }
        (*clicks > BURST_CLICKS).then(|| (Mark::Burst, format!("click {clicks} of one address without a pause of 10 minutes")))
    }

    fn tidy(&mut self) {
        if self.visitors.len() > MOST_REMEMBERED {
            self.visitors.clear();
        }
        if self.addresses.len() > MOST_REMEMBERED {
            self.addresses.clear();
        }
    }
}

/// Who is taken for one client: an IPv4 address, an IPv6 /64.
pub fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::channel::Channel;
    use crate::domain::id::LinkId;
    use chrono::DateTime;

    fn click(seconds: i64, visitor: &str, ip: &str) -> Touch {
        Touch {
            visitor_id: Some(visitor.to_owned()),
            link_id: Some(LinkId(1)),
            ip: Some(ip.to_owned()),
            user_agent: Some("browser".to_owned()),
            ..Touch::new(uuid::Uuid::nil(), DateTime::from_timestamp(seconds, 0).unwrap(), TouchKind::Click, Channel::Affiliate)
        }
    }

    #[test]
    fn a_second_click_of_a_visitor_is_a_duplicate_for_ten_seconds() {
        let mut marks = ClickMarks::default();
        let mut mark = |touch| marks.next(&touch).map(|(mark, _)| mark);
        assert_eq!(mark(click(0, "a", "198.51.100.1")), None);
        assert_eq!(mark(click(10, "a", "198.51.100.1")), Some(Mark::Duplicate));
        assert_eq!(mark(click(21, "a", "198.51.100.1")), None);
        assert_eq!(mark(click(21, "b", "198.51.100.1")), None);
        assert_eq!(mark(Touch { link_id: Some(LinkId(2)), ..click(22, "b", "198.51.100.1") }), None);
    }

    #[test]
    fn more_than_sixty_clicks_of_one_address_are_a_burst() {
        let mut marks = ClickMarks::default();
        for n in 0..180 {
            let mark = marks.next(&click(n * 4, &format!("v{n}"), &format!("2001:db8::{n:x}"))).map(|(mark, _)| mark);
            let expected = (n >= 60).then_some(Mark::Burst);
            assert_eq!(mark, expected, "{n}");
        }
        assert_eq!(marks.next(&click(720, "other", "2001:db8:0:1::1")), None);
        assert_eq!(marks.next(&click(179 * 4 + 601, "late", "2001:db8::1")), None);
    }
}
