//! The table that decides a touch's channel: the rules in their order, the first that speaks decides. It reads like the
//! table in `docs/channels.md`, which a test holds against it.

use super::click_id::{self, ClickId};
use super::extension;
use super::ga4::{self, Category, Facts};
use super::merchant::{ChannelRule, RuleSubject};
use super::referrer::{self, Origin};
use super::source::Kind;
use super::{Channel, Classified, Evidence};
use crate::domain::landing::Landing;
use std::borrow::Cow;
use std::cell::OnceCell;

/// What the rules look at: the evidence, read once.
pub(super) struct Seen<'a> {
    evidence: Evidence<'a>,
    source: Option<Cow<'a, str>>,
    medium: Option<Cow<'a, str>>,
    campaign: Option<Cow<'a, str>>,
    paid_click: Option<&'static ClickId>,
    /// What kind of place the UTM source is, by Google's list or ours, and by ours. Looked up when a rule asks.
    place: OnceCell<(Option<Category>, Option<Kind>)>,
    /// Read when a rule asks for it.
    origin: OnceCell<Origin>,
}

/// What a rule says. What it leaves out stays as the UTM have it.
pub(super) struct Verdict<'a> {
    channel: Channel,
    rule: Cow<'a, str>,
    source: Option<Cow<'a, str>>,
    medium: Option<Cow<'a, str>>,
    campaign: Option<Cow<'a, str>>,
    term: Option<Cow<'a, str>>,
}

impl<'a> Verdict<'a> {
    fn new(channel: Channel, rule: impl Into<Cow<'a, str>>) -> Verdict<'a> {
        Verdict { channel, rule: rule.into(), source: None, medium: None, campaign: None, term: None }
    }

    fn at_place(self, source: impl Into<Cow<'a, str>>, medium: &'static str) -> Verdict<'a> {
        Verdict { source: Some(source.into()), medium: Some(Cow::Borrowed(medium)), ..self }
    }
}

/// One line of the table.
pub struct Rule {
    pub name: &'static str,
    pub when: &'static str,
    /// The channel, in the words of the documentation.
    pub gives: &'static str,
    decide: for<'a> fn(&Seen<'a>) -> Option<Verdict<'a>>,
}

pub const OWN_HOST: &str = "own host";
pub const PAYMENT_PROVIDER: &str = "payment provider";
pub const UNASSIGNED: &str = "UTM that matches nothing";
const PAID_OTHER: &str = "GA4 paid other";

/// The table. `PRODUCT` order: the merchant's rules, partners, ad click ids and UTM, the referrer, direct.
pub static TABLE: &[Rule] = &[
    Rule {
        name: "merchant's rule",
        when: "a rule of the merchant's own holds",
        gives: "as the rule says",
        decide: by_merchants_rule,
    },
    Rule {
        name: "partner",
        when: "it came through a partner's link or promo code",
        gives: "affiliate; referral_program for a customer's own link; offline for an offline partner",
        decide: |seen| seen.evidence.partner_kind.map(|kind| Verdict::new(kind.into(), "partner")),
    },
    Rule {
        name: "utm_medium=affiliate",
        when: "`utm_medium` is `affiliate`",
        gives: "affiliate",
        decide: |seen| {
            (seen.medium.as_deref() == Some("affiliate")).then(|| Verdict::new(Channel::Affiliate, "utm_medium=affiliate"))
        },
    },
    Rule {
        name: "affiliate click id",
        when: "the address carries the click id of an affiliate network",
        gives: "affiliate",
        decide: |seen| {
            let id = click_id::first_of(click_id::AFFILIATE, seen.evidence.landing)?;
            Some(Verdict {
                source: seen.utm_or(&seen.source, id.source),
                medium: seen.utm_or(&seen.medium, id.medium),
                ..Verdict::new(id.channel, "affiliate click id")
            })
        },
    },
    Rule {
        name: "ad click id",
        when: "the address carries an ad system's click id that proves a paid click, and its UTM do not name another channel that costs money",
        gives: "by GA4's rules with what the click id tells of source and medium; else the ad system's own channel",
        decide: by_paid_click,
    },
    Rule {
        name: "GA4's rules",
        when: "the UTM fit a rule of GA4's default channel group but its last resort, *paid other*",
        gives: "as that rule says",
        decide: |seen| seen.by_ga4().filter(|verdict| verdict.channel != Channel::PaidOther),
    },
    Rule {
        name: "our extension",
        when: "the UTM fit a rule of our extension",
        gives: "as that rule says",
        decide: |seen| {
            let (facts, kind) = seen.facts()?;
            extension::decide(&facts, kind).map(|(channel, rule)| Verdict::new(channel, rule))
        },
    },
    Rule { name: PAID_OTHER, when: "`utm_medium` is PAID", gives: "paid_other", decide: |seen| seen.by_ga4() },
    Rule {
        name: "OpenStat mark",
        when: "no `utm_source` or `utm_medium`, but `_openstat` names a service",
        gives: "paid_search for Yandex Direct, paid_shopping for Yandex Market, else paid_other",
        decide: by_openstat,
    },
    Rule {
        name: UNASSIGNED,
        when: "there are UTM, and nothing above matches; where they name neither source nor medium, only without a referrer",
        gives: "unassigned",
        decide: |seen| {
            let named = seen.source.is_some() || seen.medium.is_some();
            let silent = || matches!(seen.origin(), Origin::Nothing | Origin::Unreadable | Origin::Own | Origin::PaymentProvider);
            (named || (!seen.evidence.landing.utm.is_empty() && silent())).then(|| Verdict::new(Channel::Unassigned, UNASSIGNED))
        },
    },
    Rule {
        name: OWN_HOST,
        when: "the referrer is the shop's own, or the landing page's host",
        gives: "direct, and a visit is no touch",
        decide: |seen| (*seen.origin() == Origin::Own).then(|| Verdict::new(Channel::Direct, OWN_HOST)),
    },
    Rule {
        name: PAYMENT_PROVIDER,
        when: "the referrer is a payment provider's or a bank's 3-D Secure page",
        gives: "direct, and a visit is no touch",
        decide: |seen| (*seen.origin() == Origin::PaymentProvider).then(|| Verdict::new(Channel::Direct, PAYMENT_PROVIDER)),
    },
    Rule {
        name: "referrer list",
        when: "the referrer is on the list of known places",
        gives: "organic_search, organic_social, organic_video, organic_shopping, messenger, ai_assistant, email, paid_search, paid_social, display, affiliate or referral, as the list says",
        decide: |seen| match seen.origin() {
            Origin::Known(place, term) => {
                let (channel, medium) = place.kind.channel();
                let term = term.clone().map(Cow::Owned);
                Some(Verdict { term, ..Verdict::new(channel, "referrer list").at_place(place.name, medium) })
            }
            _ => None,
        },
    },
    Rule {
        name: "referrer's name",
        when: "the referrer's host says what it is: `webmail.…`, `search.…`, `ads.…`",
        gives: "email, organic_search, display",
        decide: |seen| match seen.origin() {
            Origin::Named(kind, name) => {
                let (channel, medium) = kind.channel();
                Some(Verdict::new(channel, "referrer's name").at_place(name.clone(), medium))
            }
            _ => None,
        },
    },
    Rule {
        name: "any other referrer",
        when: "there is a referrer",
        gives: "referral",
        decide: |seen| match seen.origin() {
            Origin::Other(host) => {
                let (channel, medium) = Kind::Referral.channel();
                Some(Verdict::new(channel, "any other referrer").at_place(host.clone(), medium))
            }
            _ => None,
        },
    },
    Rule {
        name: "unpaid click id",
        when: "no referrer, but the address carries a click id that names the place and proves no payment: `ysclid`, `srsltid`, `fbclid`, `igshid`, `igsh`",
        gives: "organic_search, organic_shopping, organic_social",
        decide: |seen| {
            let id = click_id::first_of(click_id::UNPAID, seen.evidence.landing)?;
            Some(Verdict::new(id.channel, "unpaid click id").at_place(id.source, id.medium))
        },
    },
    Rule {
        name: "nothing known",
        when: "nothing is known",
        gives: "direct",
        decide: |_| Some(Verdict::new(Channel::Direct, "nothing known")),
    },
];

/// Asks the rules in their order.
pub(super) fn decide<'a>(evidence: Evidence<'a>) -> Classified<'a> {
    let seen = Seen::of(evidence);
    let verdict =
        TABLE.iter().find_map(|rule| (rule.decide)(&seen)).unwrap_or_else(|| Verdict::new(Channel::Direct, "nothing known"));
    seen.into_classified(verdict)
}

/// The place in the table of the rule that decides; the last one always does.
pub(super) fn deciding_row(evidence: Evidence<'_>) -> usize {
    let seen = Seen::of(evidence);
    TABLE.iter().position(|rule| (rule.decide)(&seen).is_some()).unwrap_or(TABLE.len() - 1)
}

/// Asks GA4's rules alone. Where there are no UTM, source and medium are what GA4 itself would take them from: Google's
/// click ids, then the referrer.
pub(super) fn decide_by_ga4<'a>(evidence: Evidence<'a>) -> Classified<'a> {
    let mut seen = Seen::of(evidence);
    if seen.source.is_none() && seen.medium.is_none() && seen.campaign.is_none() {
        let landing = evidence.landing;
        let google =
            landing.click_ids.contains("gclid") || landing.click_ids.contains("gbraid") || landing.click_ids.contains("wbraid");
        let place: Option<(Cow<'a, str>, &'static str)> = if google {
            Some((Cow::Borrowed("google"), "cpc"))
        } else {
            match seen.origin() {
                Origin::Known(place, _) if place.kind == Kind::Search => Some((Cow::Borrowed(place.name), "organic")),
                Origin::Known(..) | Origin::Named(..) | Origin::Other(_) => {
                    referrer::host_of(evidence.referrer).map(|host| (Cow::Owned(host), "referral"))
                }
                Origin::Nothing | Origin::Unreadable | Origin::Own | Origin::PaymentProvider => None,
            }
        };
        match place {
            Some((source, medium)) => (seen.source, seen.medium) = (Some(source), Some(Cow::Borrowed(medium))),
            None => {
                let rule = if seen.origin().is_within() { OWN_HOST } else { "GA4 direct" };
                return seen.into_classified(Verdict::new(Channel::Direct, rule));
            }
        }
    }
    let text = |text: &Option<Cow<'a, str>>| text.as_deref().unwrap_or_default().to_owned();
    let (source, medium, campaign) = (text(&seen.source), text(&seen.medium), text(&seen.campaign));
    let facts = Facts::new(&source, &medium, &campaign, ga4::category_of(&source));
    let verdict = match ga4::decide(&facts) {
        Some(rule) => Verdict::new(rule.channel, rule.name),
        None => Verdict::new(Channel::Unassigned, UNASSIGNED),
    };
    seen.into_classified(verdict)
}

impl<'a> Seen<'a> {
    fn of(evidence: Evidence<'a>) -> Seen<'a> {
        let landing: &'a Landing<'a> = evidence.landing;
        Seen {
            evidence,
            source: landing.grouped("source"),
            medium: landing.grouped("medium"),
            campaign: landing.grouped("campaign"),
            paid_click: click_id::first_of(click_id::PAID, landing),
            place: OnceCell::new(),
            origin: OnceCell::new(),
        }
    }

    fn origin(&self) -> &Origin {
        self.origin.get_or_init(|| Origin::of(self.evidence.referrer, self.evidence.landing, self.evidence.own_hosts))
    }

    /// What fills a field that the UTM leave out.
    fn utm_or(&self, field: &Option<Cow<'a, str>>, other: &'static str) -> Option<Cow<'a, str>> {
        field.is_none().then_some(Cow::Borrowed(other))
    }

    /// What the UTM rules look at; `None` without source, medium and campaign.
    fn facts(&self) -> Option<(Facts<'_>, Option<Kind>)> {
        if self.source.is_none() && self.medium.is_none() && self.campaign.is_none() {
            return None;
        }
        Some(self.facts_with("", ""))
    }

    fn facts_with<'s>(&'s self, source: &'s str, medium: &'s str) -> (Facts<'s>, Option<Kind>) {
        let of_source = |source: &str| {
            let kind = extension::kind_of(source);
            (ga4::category_of(source).or_else(|| kind.and_then(extension::category_of)), kind)
        };
        let (source, (category, kind)) = match self.source.as_deref() {
            Some(source) => (source, *self.place.get_or_init(|| of_source(source))),
            None if source.is_empty() => ("", (None, None)),
            None => (source, of_source(source)),
        };
        let (medium, campaign) = (self.medium.as_deref().unwrap_or(medium), self.campaign.as_deref().unwrap_or_default());
        (Facts::new(source, medium, campaign, category), kind)
    }

    fn by_ga4(&self) -> Option<Verdict<'a>> {
        let (facts, _) = self.facts()?;
        ga4::decide(&facts).map(|rule| Verdict::new(rule.channel, rule.name))
    }

    fn into_classified(self, verdict: Verdict<'a>) -> Classified<'a> {
        let landing: &'a Landing<'a> = self.evidence.landing;
        Classified {
            channel: verdict.channel,
            source: verdict.source.or(self.source),
            medium: verdict.medium.or(self.medium),
            campaign: verdict.campaign.or(self.campaign),
            content: landing.grouped("content"),
            term: landing.grouped("term").or(verdict.term),
            rule: verdict.rule,
        }
    }
}

/// A channel that costs money by more than a guess: a click id need not correct it.
fn costs_money(channel: Channel) -> bool {
    match channel {
        Channel::Affiliate
        | Channel::ReferralProgram
        | Channel::Offline
        | Channel::PaidSearch
        | Channel::PaidSocial
        | Channel::PaidShopping
        | Channel::PaidVideo
        | Channel::Display
        | Channel::CrossNetwork
        | Channel::Email
        | Channel::Sms
        | Channel::Push
        | Channel::Audio => true,
        Channel::PaidOther
        | Channel::OrganicSearch
        | Channel::OrganicSocial
        | Channel::OrganicVideo
        | Channel::OrganicShopping
        | Channel::Messenger
        | Channel::AiAssistant
        | Channel::Referral
        | Channel::Direct
        | Channel::Unassigned => false,
    }
}

fn by_merchants_rule<'a>(seen: &Seen<'a>) -> Option<Verdict<'a>> {
    let rules: &'a [ChannelRule] = seen.evidence.rules;
    if rules.is_empty() {
        return None;
    }
    let landing: &'a Landing<'a> = seen.evidence.landing;
    let (content, term) = (landing.grouped("content"), landing.grouped("term"));
    let (landing_host, landing_path) = landing.host_and_path();
    let referrer_host = referrer::host_of(seen.evidence.referrer);
    let click_ids: Vec<&'static str> = landing.click_ids.iter().map(|(name, _)| name).collect();
    let subject = RuleSubject {
        source: seen.source.as_deref(),
        medium: seen.medium.as_deref(),
        campaign: seen.campaign.as_deref(),
        content: content.as_deref(),
        term: term.as_deref(),
        referrer_host: referrer_host.as_deref(),
        landing_host: Some(&*landing_host),
        landing_path: Some(landing_path),
        click_ids: &click_ids,
    };
    let rule = rules.iter().find(|rule| rule.holds(&subject))?;
    let text = |text: Option<&'a str>| text.map(Cow::Borrowed);
    Some(Verdict { source: text(rule.source()), medium: text(rule.medium()), ..Verdict::new(rule.channel(), rule.name()) })
}

fn by_paid_click<'a>(seen: &Seen<'a>) -> Option<Verdict<'a>> {
    let id = seen.paid_click?;
    let channel_of = |(facts, kind): (Facts<'_>, Option<Kind>)| match ga4::decide(&facts) {
        Some(rule) if rule.channel != Channel::PaidOther => Some(rule.channel),
        other => extension::decide(&facts, kind).map(|(channel, _)| channel).or(other.map(|rule| rule.channel)),
    };
    if seen.facts().and_then(channel_of).is_some_and(costs_money) {
        return None;
    }
    let channel = channel_of(seen.facts_with(id.source, id.medium)).filter(|channel| costs_money(*channel)).unwrap_or(id.channel);
    let (source, medium) = (seen.utm_or(&seen.source, id.source), seen.utm_or(&seen.medium, id.medium));
    Some(Verdict { source, medium, ..Verdict::new(channel, "ad click id") })
}

fn by_openstat<'a>(seen: &Seen<'a>) -> Option<Verdict<'a>> {
    if seen.source.is_some() || seen.medium.is_some() {
        return None;
    }
    let (service, campaign) = seen.evidence.landing.openstat()?;
    let channel = match &*service {
        service if service.contains("direct.yandex") => Channel::PaidSearch,
        service if service.contains("market.yandex") => Channel::PaidShopping,
        _ => Channel::PaidOther,
    };
    let campaign = campaign.filter(|_| seen.campaign.is_none()).map(Cow::Owned);
    Some(Verdict { campaign, ..Verdict::new(channel, "OpenStat mark").at_place(service, "cpc") })
}
