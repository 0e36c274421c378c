//! The whole table at work, and the documentation held against it.

use super::*;
use crate::domain::landing::Landing;

fn classified(url: &str, referrer: &str, rules: &[ChannelRule]) -> (Channel, String, String, String) {
    let landing = Landing::of(url);
    let own = vec!["shop.example".to_owned()];
    let referrer = (!referrer.is_empty()).then_some(referrer);
    let found = classify(Evidence { rules, partner_kind: None, landing: &landing, referrer, own_hosts: &own });
    let text = |text: Option<Cow<'_, str>>| text.unwrap_or_default().into_owned();
    (found.channel, text(found.source), text(found.medium), found.rule.into_owned())
}

fn channel(url: &str, referrer: &str) -> Channel {
    classified(url, referrer, &[]).0
}

#[test]
fn utm_before_click_id_before_referrer_before_direct() {
    for (url, referrer, expected) in [
        ("https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=brand", "", Channel::PaidSearch),
        ("https://shop.example/?utm_source=Facebook&utm_medium=PAID_SOCIAL", "", Channel::PaidSocial),
        ("https://shop.example/?utm_source=google&gclid=x", "", Channel::PaidSearch),
        ("https://shop.example/?utm_source=google", "", Channel::OrganicSearch),
        ("https://shop.example/?utm_source=newsletter&utm_medium=email", "https://vk.com/", Channel::Email),
        ("https://shop.example/?utm_source=newsletter", "", Channel::Unassigned),
        ("https://shop.example/?utm_source=x1&utm_medium=affiliate", "", Channel::Affiliate),
        ("https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=shopping-xmas", "", Channel::PaidShopping),
        ("https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=workshop", "", Channel::PaidSearch),
        ("https://shop.example/?yclid=1", "https://yandex.ru/", Channel::PaidSearch),
        ("https://shop.example/?ysclid=1", "https://yandex.ru/", Channel::OrganicSearch),
        ("https://shop.example/?fbclid=1", "https://l.facebook.com/", Channel::OrganicSocial),
        ("https://shop.example/", "https://www.google.co.uk/", Channel::OrganicSearch),
        ("https://shop.example/", "https://away.vk.com/away.php", Channel::OrganicSocial),
        ("https://shop.example/", "https://t.me/somebody", Channel::Messenger),
        ("https://shop.example/", "https://chatgpt.com/", Channel::AiAssistant),
        ("https://shop.example/", "https://www.avito.ru/", Channel::OrganicShopping),
        ("https://shop.example/", "https://blog.example/post", Channel::Referral),
        ("https://shop.example/", "https://www.shop.example/cart", Channel::Direct),
        ("https://shop.example/", "https://yookassa.ru/payments/1", Channel::Direct),
        ("https://shop.example/", "", Channel::Direct),
        ("https://shop.example/", "not a url", Channel::Direct),
    ] {
        assert_eq!(channel(url, referrer), expected, "{url} from '{referrer}'");
    }
}

#[test]
fn every_rule_speaks_where_it_should() {
    for (query, referrer, expected, source, medium, rule) in [
        ("admitad_uid=x&utm_source=blog&utm_medium=cpa", "", Channel::Affiliate, "blog", "cpa", "affiliate click id"),
        ("awc=1_2_3", "", Channel::Affiliate, "awin", "affiliate", "affiliate click id"),
        ("gclid=x", "https://www.google.ru/", Channel::PaidSearch, "google", "cpc", "ad click id"),
        ("utm_campaign=shopping_ru&gclid=x", "", Channel::PaidShopping, "google", "cpc", "ad click id"),
        ("utm_source=promo&utm_medium=cpc&yclid=1", "", Channel::PaidSearch, "promo", "cpc", "ad click id"),
        ("utm_source=news&utm_medium=email&yclid=1", "", Channel::Email, "news", "email", "GA4 email"),
        ("utm_source=yandex&utm_medium=organic&YCLID=1", "", Channel::PaidSearch, "yandex", "organic", "ad click id"),
        ("rb_clickid=1", "https://vk.com/", Channel::PaidSocial, "vk", "cpc", "ad click id"),
        ("utm_source=vk&utm_medium=cpc", "", Channel::PaidSocial, "vk", "cpc", "GA4 paid social"),
        ("utm_source=vk_ads&utm_medium=cpm", "", Channel::PaidSocial, "vk_ads", "cpm", "GA4 paid social"),
        ("utm_source=Yandex.Direct&utm_medium=CPC", "", Channel::PaidSearch, "yandex.direct", "cpc", "GA4 paid search"),
        ("utm_source=dzen.ru&utm_medium=referral", "", Channel::OrganicSocial, "dzen.ru", "referral", "GA4 organic social"),
        ("utm_source=ozon&utm_medium=cpc", "", Channel::PaidShopping, "ozon", "cpc", "GA4 paid shopping"),
        ("utm_source=telegram&utm_medium=cpc", "", Channel::PaidSocial, "telegram", "cpc", "advertising in a messenger"),
        ("utm_source=tg", "", Channel::Messenger, "tg", "", "messenger"),
        ("utm_source=telegram&utm_medium=social", "", Channel::OrganicSocial, "telegram", "social", "GA4 organic social"),
        ("utm_source=chatgpt.com", "https://chatgpt.com/", Channel::AiAssistant, "chatgpt.com", "", "AI assistant"),
        ("utm_source=admitad&utm_medium=cpa", "", Channel::Affiliate, "admitad", "cpa", "affiliate network"),
        ("utm_source=someone&utm_medium=cpa", "", Channel::PaidOther, "someone", "cpa", "GA4 paid other"),
        (
            "utm_source=base&utm_medium=%D0%A0%D0%B0%D1%81%D1%81%D1%8B%D0%BB%D0%BA%D0%B0",
            "",
            Channel::Email,
            "base",
            "рассылка",
            "medium of our list",
        ),
        ("utm_source=box&utm_medium=QR", "", Channel::Offline, "box", "qr", "medium of our list"),
        ("_openstat=ZGlyZWN0LnlhbmRleC5ydTsxMjM7NDU2O3A", "", Channel::PaidSearch, "direct.yandex.ru", "cpc", "OpenStat mark"),
        ("utm_campaign=spring", "https://vk.com/", Channel::OrganicSocial, "vk", "social", "referrer list"),
        ("utm_campaign=spring", "", Channel::Unassigned, "", "", "UTM that matches nothing"),
        ("utm_content=a", "https://shop.example/", Channel::Unassigned, "", "", "UTM that matches nothing"),
        ("", "https://shop.example/", Channel::Direct, "", "", "own host"),
        ("ysclid=1", "https://shop.example/", Channel::Direct, "", "", "own host"),
        ("", "https://3ds.bank.ru/", Channel::Direct, "", "", "payment provider"),
        ("", "https://docs.google.com/d/1", Channel::Referral, "google", "referral", "referrer list"),
        ("", "https://yabs.yandex.ru/count/1", Channel::PaidSearch, "yandex", "cpc", "referrer list"),
        ("", "https://webmail.provider.example/", Channel::Email, "provider", "email", "referrer's name"),
        ("", "https://www.blog.example/", Channel::Referral, "blog.example", "referral", "any other referrer"),
        ("fbclid=x", "https://blog.example/", Channel::Referral, "blog.example", "referral", "any other referrer"),
        ("fbclid=x", "", Channel::OrganicSocial, "facebook", "social", "unpaid click id"),
        ("ysclid=x", "", Channel::OrganicSearch, "yandex", "organic", "unpaid click id"),
        ("srsltid=x", "", Channel::OrganicShopping, "google", "shopping", "unpaid click id"),
        ("erid=2Vtz", "", Channel::Direct, "", "", "nothing known"),
    ] {
        let found = classified(&format!("https://shop.example/?{query}"), referrer, &[]);
        assert_eq!(found, (expected, source.to_owned(), medium.to_owned(), rule.to_owned()), "{query} from '{referrer}'");
    }
}

#[test]
fn a_partner_link_is_its_partners_whatever_the_utm_say() {
    let landing = Landing::of("?utm_source=google&utm_medium=cpc");
    let by = |kind| {
        classify(Evidence { rules: &[], partner_kind: Some(kind), landing: &landing, referrer: None, own_hosts: &[] }).channel
    };
    assert_eq!(by(PartnerKind::Affiliate), Channel::Affiliate);
    assert_eq!(by(PartnerKind::Referrer), Channel::ReferralProgram);
    assert_eq!(by(PartnerKind::Offline), Channel::Offline);
}

#[test]
fn the_merchants_first_rule_that_holds_comes_before_everything() {
    let rules: Vec<ChannelRule> = serde_json::from_str(
        r#"[
            {"name": "Our blog", "when": [{"field": "referrer_host", "is": "like", "value": "*.blog.example"}], "channel": "email", "source": "Blog", "medium": "own"},
            {"name": "Brand", "when": [{"field": "campaign", "is": "contains", "value": "brand"}, {"field": "click_id", "is": "present"}], "channel": "organic_search"},
            {"name": "All the rest of the brand", "when": [{"field": "campaign", "is": "contains", "value": "BRAND"}], "channel": "paid_other"}
        ]"#,
    )
    .unwrap();
    let by = |url: &str, referrer: &str| classified(url, referrer, &rules);
    let all = |channel, source: &str, medium: &str, rule: &str| (channel, source.to_owned(), medium.to_owned(), rule.to_owned());
    assert_eq!(
        by("/?utm_source=x1", "https://www.blog.example/"),
        all(Channel::Unassigned, "x1", "", "UTM that matches nothing")
    );
    assert_eq!(by("/?utm_source=x1", "https://a.blog.example/"), all(Channel::Email, "blog", "own", "Our blog"));
    assert_eq!(by("/?utm_campaign=Brand&yclid=1", ""), all(Channel::OrganicSearch, "", "", "Brand"));
    assert_eq!(by("/?utm_campaign=Brand", ""), all(Channel::PaidOther, "", "", "All the rest of the brand"));
}

#[test]
fn ga4_alone_knows_nothing_of_our_extension() {
    for (query, referrer, expected, rule) in [
        ("utm_source=vk&utm_medium=cpc", "", Channel::PaidOther, "GA4 paid other"),
        ("utm_source=dzen.ru", "", Channel::Unassigned, "UTM that matches nothing"),
        ("utm_source=Google%20Shopping", "", Channel::OrganicShopping, "GA4 organic shopping"),
        ("utm_source=(direct)&utm_medium=(none)", "", Channel::Direct, "GA4 direct"),
        ("utm_medium=affiliate", "", Channel::Affiliate, "GA4 affiliates"),
        ("admitad_uid=1", "", Channel::Direct, "GA4 direct"),
        ("gclid=1", "https://vk.com/", Channel::PaidSearch, "GA4 paid search"),
        ("", "https://m.facebook.com/", Channel::OrganicSocial, "GA4 organic social"),
        ("", "https://www.bing.com/search?q=x", Channel::OrganicSearch, "GA4 organic search"),
        ("", "https://ok.ru/", Channel::Referral, "GA4 referral"),
        ("", "", Channel::Direct, "GA4 direct"),
    ] {
        let url = format!("https://shop.example/?{query}");
        let landing = Landing::of(&url);
        let referrer = (!referrer.is_empty()).then_some(referrer);
        let found = classify_by_ga4(Evidence { rules: &[], partner_kind: None, landing: &landing, referrer, own_hosts: &[] });
        assert_eq!((found.channel, &*found.rule), (expected, rule), "{query} from {referrer:?}");
    }
}

#[test]
fn the_documentation_says_what_the_code_does() {
    let documented = include_str!("../../../docs/channels.md");
    for table in documentation::tables() {
        assert!(documented.contains(&table), "docs/channels.md should hold:\n\n{table}");
    }
}
