//! Click ids that say by themselves where a visitor comes from, by what `data/click_ids.csv` says they prove.

use super::Channel;
use crate::domain::landing::Landing;

/// A click id: its parameter, and the channel, source and medium it stands for.
pub struct ClickId {
    pub parameter: &'static str,
    pub channel: Channel,
    pub source: &'static str,
    pub medium: &'static str,
}

macro_rules! click_ids {
    ($(#[$meta:meta])* $list:ident: $($parameter:literal => $channel:ident, $source:literal, $medium:literal;)*) => {
        $(#[$meta])*
        pub static $list: &[ClickId] =
            &[$(ClickId { parameter: $parameter, channel: Channel::$channel, source: $source, medium: $medium }),*];
    };
}

click_ids! {
    /// Of affiliate networks.
    AFFILIATE:
    "admitad_uid" => Affiliate, "admitad", "affiliate";
    "tagtag_uid" => Affiliate, "admitad", "affiliate";
    "irclickid" => Affiliate, "impact", "affiliate";
    "irclid" => Affiliate, "impact", "affiliate";
    "cjevent" => Affiliate, "cj", "affiliate";
    "awc" => Affiliate, "awin", "affiliate";
    "zanpid" => Affiliate, "awin", "affiliate";
    "sscid" => Affiliate, "shareasale", "affiliate";
    "ranSiteID" => Affiliate, "rakuten", "affiliate";
    "clickref" => Affiliate, "partnerize", "affiliate";
    "pjID" => Affiliate, "pepperjam", "affiliate";
    "tduid" => Affiliate, "tradedoubler", "affiliate";
}

click_ids! {
    /// That prove a click somebody paid for, or a letter.
    PAID:
    "gclid" => PaidSearch, "google", "cpc";
    "wbraid" => PaidSearch, "google", "cpc";
    "gbraid" => PaidSearch, "google", "cpc";
    "msclkid" => PaidSearch, "bing", "cpc";
    "yclid" => PaidSearch, "yandex", "cpc";
    "ymclid" => PaidShopping, "yandex market", "cpc";
    "rb_clickid" => PaidSocial, "vk", "cpc";
    "ttclid" => PaidSocial, "tiktok", "paid_social";
    "twclid" => PaidSocial, "twitter", "paid_social";
    "li_fat_id" => PaidSocial, "linkedin", "paid_social";
    "rdt_cid" => PaidSocial, "reddit", "paid_social";
    "epik" => PaidSocial, "pinterest", "paid_social";
    "ScCid" => PaidSocial, "snapchat", "paid_social";
    "sccid" => PaidSocial, "snapchat", "paid_social";
    "qclid" => PaidSocial, "quora", "paid_social";
    "spclid" => Audio, "spotify", "audio";
    "dclid" => Display, "google", "display";
    "tblci" => Display, "taboola", "display";
    "ob_click_id" => Display, "outbrain", "display";
    "vmcid" => Display, "yahoo!", "display";
    "wickedid" => PaidOther, "wicked reports", "cpc";
    "_kx" => Email, "klaviyo", "email";
    "mc_cid" => Email, "mailchimp", "email";
}

click_ids! {
    /// That name the place, and prove that nobody paid or nothing about it.
    UNPAID:
    "ysclid" => OrganicSearch, "yandex", "organic";
    "srsltid" => OrganicShopping, "google", "shopping";
    "fbclid" => OrganicSocial, "facebook", "social";
    "igshid" => OrganicSocial, "instagram", "social";
    "igsh" => OrganicSocial, "instagram", "social";
}

/// The first of `list` that the landing URL carries.
pub fn first_of(list: &'static [ClickId], landing: &Landing<'_>) -> Option<&'static ClickId> {
    if landing.click_ids.is_empty() {
        return None;
    }
    list.iter().find(|id| landing.click_ids.contains(id.parameter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_click_id_of_the_lists_is_one_that_landing_reads() {
        for id in AFFILIATE.iter().chain(PAID).chain(UNPAID) {
            for name in [id.parameter.to_owned(), id.parameter.to_uppercase()] {
                let query = format!("{name}=AbC");
                let landing = Landing::of_query(&query);
                let (found, value) = landing.click_ids.iter().next().unwrap_or_else(|| panic!("{name} is not read"));
                assert!(found.eq_ignore_ascii_case(id.parameter) && value == "AbC", "{name}");
            }
        }
    }
}
