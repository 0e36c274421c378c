//! The fast way in for touches keeps each as it is, whatever stood in the one before.

use crate::support::*;
use chrono::{DateTime, TimeDelta, Utc};
use tributary::domain::channel::Channel;
use tributary::domain::id::{LinkId, PartnerId, ProgramId, PromoCodeId};
use tributary::domain::touch::{Mark, Touch, TouchKind};
use tributary::store::dictionary::Dictionary;
use tributary::store::intake::{Intake, Stored};
use tributary::store::touch;
use uuid::Uuid;

/// A touch of whose fields those are there that a bit of `present` names, their values changing with `number`.
fn touch_with(number: u32, present: u32, at: DateTime<Utc>) -> Touch {
    let has = |bit: u32| present >> bit & 1 == 1;
    let text = |bit: u32, name: &str| has(bit).then(|| format!("{name}{}", number / 3));
    let number_of = |bit: u32| has(bit).then_some(i64::from(number / 3 + 1));
    Touch {
        external_id: has(0).then(|| format!("external{number}")),
        visitor_id: text(1, "visitor"),
        customer_id: text(2, "customer"),
        source: text(3, "source"),
        link_id: number_of(4).map(LinkId),
        target_id: number_of(5),
        partner_id: number_of(6).map(PartnerId),
        program_id: number_of(7).map(ProgramId),
        promo_code_id: number_of(8).map(PromoCodeId),
        mark: has(9).then_some(if number.is_multiple_of(2) { Mark::Bot } else { Mark::Burst }),
        mark_reason: text(9, "reason"),
        consent_denied: has(10),
        url: text(11, "/r/code?a=").map(|url| if has(12) { url } else { "/r/code".to_owned() }),
        referrer: text(13, "https://blog.example/?p=").map(|url| if has(14) { url } else { "https://blog.example/".to_owned() }),
        user_agent: text(15, "browser"),
        language: text(16, "en"),
        ip: text(17, "198.51.100."),
        ..Touch::new(
            Uuid::now_v7(),
            at + TimeDelta::hours(i64::from(number)),
            if has(18) { TouchKind::Visit } else { TouchKind::Click },
            if has(19) { Channel::Email } else { Channel::Affiliate },
        )
    }
}

both_stores! {
    async fn a_touch_takes_nothing_from_the_one_before_it(app: &TestApp) {
        let db = &app.service.db;
        let at = app.now().parse::<DateTime<Utc>>().unwrap();
        // Each field comes, stays, changes and goes, each on its own.
        let touches: Vec<_> = (0_u32..200)
            .map(|number| {
                let touch = touch_with(number, number.wrapping_mul(0x9E37_79B1) >> 7, at);
                let day = touch.at.date_naive();
                (touch, day)
            })
            .collect();
        let mut dictionary = Dictionary::default();
        let mut tx = db.begin().await.unwrap();
        dictionary.learn(&mut tx, &touches).await.unwrap();
        tx.commit().await.unwrap();
        let rows = dictionary.rows(&touches).unwrap();
        assert_eq!(Intake::open(db).unwrap().store(db, &rows).await.unwrap(), Stored::All);
        for (touch, _) in &touches {
            assert_eq!(touch::by_id(db, touch.id).await.unwrap().as_ref(), Some(touch));
        }
    }
}
