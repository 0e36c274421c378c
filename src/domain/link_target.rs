//! A link's several destinations: which one a visitor is sent to.

use super::id::{LinkId, TargetId};
use super::redirect::Destination;

/// What a visitor holds in hand, as far as the user agent tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    Mobile,
    Tablet,
    Desktop,
}

impl Device {
    pub const ALL: [Device; 3] = [Device::Mobile, Device::Tablet, Device::Desktop];

    pub fn name(self) -> &'static str {
        match self {
            Device::Mobile => "mobile",
            Device::Tablet => "tablet",
            Device::Desktop => "desktop",
        }
    }

    /// A few words tell: Android says `Mobile` on telephones only, and an iPad may say it is a Mac. A television set is no
    /// hand-held; it counts as a desktop.
    pub fn of_user_agent(user_agent: &str) -> Device {
        let any = |words: &[&str]| words.iter().any(|word| user_agent.contains(word));
        let tablet_pc = user_agent.contains("Tablet PC");
        if any(&[
            "SMART-TV",
            "SmartTV",
            "Smart-TV",
            "HbbTV",
            "GoogleTV",
            "Android TV",
            "AppleTV",
            "BRAVIA",
            "CrKey",
            "; AFT",
            "Web0S",
        ]) {
            Device::Desktop
        } else if any(&["iPad", "PlayBook"]) {
            Device::Tablet
        } else if any(&["Opera Mini", "Opera Mobi", "Windows Phone", "IEMobile", "Windows CE"]) {
            Device::Mobile
        } else if (any(&["Tablet", "tablet"]) && !tablet_pc)
            || any(&["Kindle", "Silk/"])
            || (any(&["Android"]) && !any(&["Mobile", "Dalvik"]))
        {
            Device::Tablet
        } else if any(&[
            "Mobi",
            "iPhone",
            "iPod",
            "Android",
            "BlackBerry",
            "BB10",
            "MIDP",
            "Symbian",
            "Series60",
            "UCWEB",
            "KAIOS",
        ]) || ["Nokia", "SonyEricsson", "DoCoMo", "SAMSUNG", "MOT-", "LG-", "KDDI", "SoftBank", "portalmmm"]
            .iter()
            .any(|brand| user_agent.starts_with(brand))
        {
            Device::Mobile
        } else {
            Device::Desktop
        }
    }
}

/// ISO 3166-1 alpha-2, and `XK`, by which address tables name Kosovo.
const COUNTRIES: &str = "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCW\
CXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKI\
KMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPS\
PTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZA\
ZMZW";

/// A country by its two capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

/// The text names no country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a country of two letters (ISO 3166), like RU")]
pub struct NotACountry;

impl Country {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::str::FromStr for Country {
    type Err = NotACountry;
    fn from_str(text: &str) -> Result<Country, NotACountry> {
        let letters: [u8; 2] = text.trim().to_ascii_uppercase().into_bytes().try_into().map_err(|_| NotACountry)?;
        let known = COUNTRIES.as_bytes().chunks_exact(2).any(|country| country == letters);
        if known { Ok(Country(letters)) } else { Err(NotACountry) }
    }
}

impl serde::Serialize for Country {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Country {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Country, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One of a link's several destinations, ready to be sent to.
#[derive(Debug, Clone)]
pub struct Target {
    pub id: TargetId,
    pub destination: Destination,
    /// Its share among those that fit as well; 0: none.
    pub weight: u32,
    pub device: Option<Device>,
    pub country: Option<Country>,
}

/// Where a visitor is sent, and by which target; `None`: by the link's own address.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    pub target: Option<TargetId>,
    pub destination: &'a Destination,
}

/// All destinations of a link.
#[derive(Debug, Clone)]
pub struct Destinations {
    link: LinkId,
    own: Option<Destination>,
    targets: Vec<Target>,
    by_device: bool,
    by_country: bool,
}

impl Destinations {
    /// `own`: the link's address, if it is allowed.
    pub fn new(link: LinkId, own: Option<Destination>, targets: Vec<Target>) -> Destinations {
        let by_device = targets.iter().any(|t| t.device.is_some());
        let by_country = targets.iter().any(|t| t.country.is_some());
        Destinations { link, own, targets, by_device, by_country }
    }

    /// The targets that fit the visitor most closely (country and device, country, device, neither), and among them one
    /// by weight, for the same `visitor` always the same. Where none fits, the link's own address.
    ///
    /// `device` and `country` are asked only where a target names one.
    pub fn choose(
        &self,
        visitor: &str,
        device: impl FnOnce() -> Device,
        country: impl FnOnce() -> Option<Country>,
    ) -> Option<Choice<'_>> {
        let own = self.own.as_ref().map(|destination| Choice { target: None, destination });
        if self.targets.is_empty() {
            return own;
        }
        let device = self.by_device.then(device);
        let country = if self.by_country { country() } else { None };
        let closeness = |t: &Target| {
            let fits =
                (t.country.is_none() || t.country == country) && (t.device.is_none() || t.device == device) && t.weight > 0;
            fits.then(|| 2 * u8::from(t.country.is_some()) + u8::from(t.device.is_some()))
        };
        let Some(closest) = self.targets.iter().filter_map(closeness).max() else { return own };
        let fitting = || self.targets.iter().filter(|t| closeness(t) == Some(closest));
        let total: u64 = fitting().map(|t| u64::from(t.weight)).sum();
        let mut left = share_of(visitor, self.link, total);
        for target in fitting() {
            match left.checked_sub(u64::from(target.weight)) {
                Some(rest) => left = rest,
                None => return Some(Choice { target: Some(target.id), destination: &target.destination }),
            }
        }
        own
    }
}

/// A number below `total` that hangs on the visitor alone, another one for each link: FNV-1a, stirred so that all its
/// bits count.
fn share_of(visitor: &str, link: LinkId, total: u64) -> u64 {
    let bytes = visitor.bytes().chain(link.0.to_le_bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^= hash >> 33;
    ((u128::from(hash) * u128::from(total)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn target(id: i64, weight: u32, device: Option<Device>, country: Option<&str>) -> Target {
        let destination = Destination::compile("https://shop.example/", &Arc::from([]), &Arc::from([]), "", None).unwrap();
        Target { id: TargetId(id), destination, weight, device, country: country.map(|c| c.parse().unwrap()) }
    }

    fn of(targets: Vec<Target>) -> Destinations {
        Destinations::new(LinkId(7), Some(target(0, 1, None, None).destination), targets)
    }

    fn chosen(all: &Destinations, visitor: &str, device: Device, country: Option<&str>) -> Option<i64> {
        all.choose(visitor, || device, || country.map(|c| c.parse().unwrap())).unwrap().target.map(|id| id.0)
    }

    #[test]
    fn user_agents_tell_the_device() {
        for (user_agent, device) in [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1",
                Device::Mobile,
            ),
            ("Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36", Device::Mobile),
            ("Opera/9.80 (J2ME/MIDP; Opera Mini/9.80) Presto/2.12", Device::Mobile),
            (
                "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 Version/12.1 Mobile/15E148 Safari/604.1",
                Device::Tablet,
            ),
            ("Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36", Device::Tablet),
            ("Opera/9.80 (Android; Opera Mini/12.0.1987/37.7327; U; pl) Presto/2.12.423 Version/12.16", Device::Mobile),
            ("Nokia6280/2.0 (03.60) Profile/MIDP-2.0 Configuration/CLDC-1.1", Device::Mobile),
            ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; Tablet PC 2.0)", Device::Desktop),
            ("Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/537.36 Version/5.0 TV Safari/537.36", Device::Desktop),
            ("Mozilla/5.0 (Android 14; Tablet; rv:133.0) Gecko/133.0 Firefox/133.0", Device::Tablet),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36", Device::Desktop),
            ("", Device::Desktop),
        ] {
            assert_eq!(Device::of_user_agent(user_agent), device, "{user_agent}");
        }
    }

    #[test]
    fn countries_are_those_of_iso_3166() {
        assert_eq!("ru".parse::<Country>().unwrap().as_str(), "RU");
        for text in ["", "R", "RUS", "XX", "T1", "DA", "ёж"] {
            assert!(text.parse::<Country>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_closest_fit_wins_and_without_one_the_links_own_address() {
        let all = of(vec![
            target(1, 1, None, None),
            target(2, 1, Some(Device::Mobile), None),
            target(3, 1, None, Some("DE")),
            target(4, 1, Some(Device::Mobile), Some("DE")),
            target(5, 0, Some(Device::Tablet), Some("DE")),
        ]);
        assert_eq!(chosen(&all, "v", Device::Mobile, Some("DE")), Some(4));
        assert_eq!(chosen(&all, "v", Device::Tablet, Some("DE")), Some(3));
        assert_eq!(chosen(&all, "v", Device::Mobile, Some("FR")), Some(2));
        assert_eq!(chosen(&all, "v", Device::Desktop, None), Some(1));
        let either = of(vec![target(2, 1, Some(Device::Mobile), None), target(3, 1, None, Some("DE"))]);
        assert_eq!(chosen(&either, "v", Device::Mobile, Some("DE")), Some(3), "the country before the device");
        let some = of(vec![target(2, 1, Some(Device::Mobile), None), target(3, 0, None, None)]);
        assert_eq!(chosen(&some, "v", Device::Desktop, None), None);
        assert!(Destinations::new(LinkId(7), None, vec![]).choose("v", || Device::Mobile, || None).is_none());
    }

    #[test]
    fn device_and_country_are_not_asked_for_without_need() {
        let all = of(vec![target(1, 1, None, None)]);
        all.choose("v", || panic!("asked for the device"), || panic!("asked for the country"));
    }

    #[test]
    fn weights_share_visitors_out_and_each_stays_where_it_was() {
        let all = of(vec![target(1, 3, None, None), target(2, 1, None, None)]);
        let first = (0..4_000).filter(|n| chosen(&all, &format!("visitor-{n}"), Device::Desktop, None) == Some(1)).count();
        assert!((2_880..3_120).contains(&first), "{first} of 4000 at 3:1");
        for n in 0..50 {
            let visitor = format!("visitor-{n}");
            let once = chosen(&all, &visitor, Device::Desktop, None);
            assert_eq!(chosen(&all, &visitor, Device::Mobile, Some("RU")), once);
        }
        // Known values: a visitor must not move from one version or node to another.
        let sides: Vec<_> = (0..8).map(|n| chosen(&all, &n.to_string(), Device::Desktop, None).unwrap()).collect();
        assert_eq!(sides, [2, 1, 1, 2, 1, 2, 1, 1]);
    }
}
