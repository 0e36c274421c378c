//! One batch of the spool: read, enriched, stored. What the store refuses is set aside, hit by hit, and the rest goes in.

use super::{Source, Worker};
use crate::domain::landing::Landing;
use crate::domain::person::{Identifier, IdentifierKind};
use crate::domain::touch::Touch;
use crate::service::linkbook::Snapshot;
use crate::service::spool::frame::{self, Found};
use crate::service::spool::{Hit, HitKind, hit};
use crate::service::{Context, Error, Result, stitch};
use crate::store::dictionary::Dictionary;
use crate::store::event::Event;
use crate::store::intake::{Intake, Stored};
use crate::store::{Tx, event, miss, missed_hit, rejected_hit, touch};
use chrono::{DateTime, NaiveDate, Utc};
use std::borrow::Cow;
use std::sync::atomic::Ordering;

type DatedTouch = (Touch, NaiveDate);
/// A record that is not stored, with the reason.
type Refused = (Vec<u8>, String);

/// Rows of the spool, read and enriched. Made once, also where storing takes several tries: marks depend on what came before.
pub(super) struct Prepared {
    pub source: Source,
    /// How many hits there were.
    hits: u64,
    touches: Vec<DatedTouch>,
    /// Records that say more than their touch does.
    beside: Vec<Vec<u8>>,
    /// What cannot be read, with the reason.
    unreadable: Vec<Refused>,
    rows: Vec<Vec<u8>>,
}

impl Worker {
    pub(super) fn prepare(&mut self, rows: Vec<Vec<u8>>, source: Source) -> Prepared {
        let context = self.service.context("mover");
        let book = self.links.snapshot();
        let (records, mut unreadable) = records_of(&rows);
        let (mut touches, mut beside, mut days) = (Vec::with_capacity(records.len()), Vec::new(), Days::default());
        for record in &records {
            match Hit::read(record) {
                Ok(hit) => {
                    if says_more_than_a_touch(&hit) {
                        beside.push(record.to_vec());
                    }
                    if let Some(touch) = self.enricher.touch_of(&hit, &book.channel_rules, &book.own_hosts) {
                        let day = days.of(&context, touch.at);
                        touches.push((touch, day));
                    }
                }
                Err(error) => unreadable.push((record.to_vec(), error.to_string())),
            }
        }
        let hits = records.len() as u64;
        drop(records);
        Prepared { source, hits, touches, beside, unreadable, rows }
    }

    pub(super) async fn store(&mut self, prepared: &Prepared) -> Result<()> {
        let context = self.service.context("mover");
        let mut refused = prepared.unreadable.clone();
        refused.extend(self.store_beside(&context, &prepared.beside).await?);
        let touches = self.store_touches(&prepared.touches).await?;
        if !touches.is_empty() {
            let (records, _) = records_of(&prepared.rows);
            for (touch, why) in touches {
                let record = records.iter().find(|record| Hit::read(record).is_ok_and(|hit| hit.id == touch));
                refused.push((record.map(|record| record.to_vec()).unwrap_or_default(), why));
            }
        }
        self.set_aside(&context, refused).await?;
        self.state.moved.fetch_add(prepared.hits, Ordering::Relaxed);
        Ok(())
    }

    /// Stores touches; answers those that the store refuses, with the reason.
    async fn store_touches(&mut self, touches: &[DatedTouch]) -> Result<Vec<(uuid::Uuid, String)>> {
        let mut refused = Vec::new();
        let mut parts = vec![touches];
        // Halves what is refused until the one that cannot be stored stands alone.
        while let Some(part) = parts.pop().filter(|part| !part.is_empty()) {
            match self.store_part(part).await {
                Err(Error::Store(error)) if error.is_refusal() => match part {
                    [(touch, _)] => refused.push((touch.id, error.to_string())),
                    part => {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                    }
                },
                other => other?,
            }
        }
        Ok(refused)
    }

    async fn store_part(&mut self, touches: &[DatedTouch]) -> Result<()> {
        let intake = match &mut self.intake {
            Some(intake) => intake,
            none => none.insert(Intake::open(&self.service.db)?),
        };
        let mut rows = self.dictionary.rows(touches);
        if rows.is_none() {
            let mut tx = self.service.db.begin_beside().await?;
            let learned = match self.dictionary.learn(&mut tx, touches).await {
                Ok(()) => tx.commit().await,
                Err(error) => Err(error),
            };
            if learned.is_err() {
                self.dictionary = Dictionary::default();
            }
            learned?;
            rows = self.dictionary.rows(touches);
        }
        let stored = match rows {
            Some(rows) => intake.store(&self.service.db, &rows).await?,
            None => Stored::SomeKnown,
        };
        if stored == Stored::SomeKnown {
            let mut tx = self.service.db.begin_beside().await?;
            touch::insert(&mut tx, &mut self.dictionary, touches).await?;
            tx.commit().await?;
        }
        self.dictionary.tidy();
        Ok(())
    }

    /// Stores what hits say beside their touch: events, misses, who belongs together. All of it may be stored twice to the same effect.
    async fn store_beside(&mut self, context: &Context, beside: &[Vec<u8>]) -> Result<Vec<Refused>> {
        let book = self.links.snapshot();
        let mut refused = Vec::new();
        let mut parts = vec![beside];
        while let Some(part) = parts.pop().filter(|part| !part.is_empty()) {
            let mut tx = self.service.db.begin().await?;
            let mut stored = Ok(());
            for record in part {
                let Ok(hit) = Hit::read(record) else { continue };
                stored = store_one(&mut tx, context, &book, record, &hit).await;
                if stored.is_err() {
                    break;
                }
            }
            match stored {
                Ok(()) => tx.commit().await?,
                Err(Error::Store(error)) if error.is_refusal() => match part {
                    [record] => refused.push((record.clone(), error.to_string())),
                    part => {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                    }
                },
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }

    async fn set_aside(&self, context: &Context, refused: Vec<Refused>) -> Result<()> {
        if refused.is_empty() {
            return Ok(());
        }
        let mut tx = self.service.db.begin().await?;
        let mut new = 0;
        for (record, why) in &refused {
            let id = Hit::read(record).ok().map(|hit| hit.id);
            if rejected_hit::insert(&mut tx, id, context.at(), why, record).await? {
                tracing::error!(%why, "a hit cannot be stored; it is set aside");
                new += 1;
            }
        }
        tx.commit().await?;
        self.state.rejected.fetch_add(new, Ordering::Relaxed);
        Ok(())
    }
}

/// The merchant's day of an instant; instants of one quarter of an hour have the same, in every zone there is.
#[derive(Default)]
struct Days {
    last: Option<(i64, NaiveDate)>,
}

impl Days {
    fn of(&mut self, context: &Context, at: DateTime<Utc>) -> NaiveDate {
        let quarter = at.timestamp().div_euclid(900);
        match self.last {
            Some((known, day)) if known == quarter => day,
            _ => {
                let day = context.day(at);
                self.last = Some((quarter, day));
                day
            }
        }
    }
}

/// The records in rows of the spool, and what in them is damaged.
fn records_of(rows: &[Vec<u8>]) -> (Vec<Cow<'_, [u8]>>, Vec<Refused>) {
    let (mut records, mut refused) = (Vec::new(), Vec::new());
    for row in rows {
        if row.starts_with(b"{") {
            for line in row.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                match hit::record_of_first_version(line) {
                    Ok(record) => records.push(Cow::Owned(record)),
                    Err(error) => refused.push((line.to_vec(), error.to_string())),
                }
            }
            continue;
        }
        for found in frame::scan(row) {
            match found {
                Found::Record(record) => records.push(Cow::Borrowed(record)),
                Found::Damaged(bytes) => refused.push((bytes.to_vec(), "damaged in the spool".to_owned())),
            }
        }
    }
    (records, refused)
}

fn says_more_than_a_touch(hit: &Hit<'_>) -> bool {
    match hit.kind {
        HitKind::UnknownLink | HitKind::Event | HitKind::Lead | HitKind::Identify | HitKind::Order => true,
        // The touch itself has the visitor id.
        HitKind::Click => hit.customer.is_some(),
        HitKind::Visit | HitKind::Impression => {
            hit.customer.is_some() || hit.click.is_some() || hit.url.is_some_and(|url| url.contains("trb_click="))
        }
    }
}

async fn store_one(tx: &mut Tx, context: &Context, book: &Snapshot, record: &[u8], hit: &Hit<'_>) -> Result<()> {
    let at = DateTime::from_timestamp_micros(hit.at_micros).unwrap_or(context.now);
    match hit.kind {
        HitKind::UnknownLink => {
            let code = hit.name.unwrap_or_default();
            if missed_hit::insert(tx, hit.id, at.into(), &code.to_ascii_lowercase(), record).await? {
                miss::record(tx, "link", code, book.nearest(code), "clicked", at.into()).await?;
            }
        }
        HitKind::Event | HitKind::Lead | HitKind::Identify | HitKind::Order => {
            event::insert(tx, &event_of(context, hit)).await?;
        }
        HitKind::Click | HitKind::Visit | HitKind::Impression => {}
    }
    join_identifiers(tx, context, hit).await
}

fn event_of(context: &Context, hit: &Hit<'_>) -> Event {
    let at = DateTime::from_timestamp_micros(hit.at_micros).unwrap_or(context.now);
    let kind = match hit.kind {
        HitKind::Lead => "lead",
        HitKind::Identify => "identify",
        HitKind::Order => "order",
        _ => "event",
    };
    let text = |text: Option<&str>| text.map(|text| text.replace('\0', ""));
    let value: Option<serde_json::Value> = hit.value.and_then(|value| serde_json::from_str(value).ok());
    Event {
        id: hit.id,
        at: at.into(),
        day: context.day(at),
        kind: kind.to_owned(),
        name: text(hit.name),
        visitor_id: text(hit.visitor),
        customer_id: text(hit.customer),
        click_id: text(hit.click),
        url: text(hit.url),
        body: serde_json::json!({ "value": value, "referrer": text(hit.referrer), "user_agent": text(hit.user_agent) }),
    }
}

/// A hit that names a visitor together with a customer or a click says that they are one person; see
/// [`stitch::attach`] for how far that is believed.
async fn join_identifiers(tx: &mut Tx, context: &Context, hit: &Hit<'_>) -> Result<()> {
    let click = hit.click.map(str::to_owned).or_else(|| Landing::of(hit.url.unwrap_or_default()).trb_click);
    let mut identifiers = Vec::new();
    if let Some(visitor) = hit.visitor {
        identifiers.push(Identifier::new(IdentifierKind::Visitor, visitor.to_owned()));
    }
    if let Some(customer) = hit.customer {
        identifiers.push(Identifier::new(IdentifierKind::Customer, customer.to_owned()));
    }
    if let Some(click) = click.filter(|_| hit.kind != HitKind::Click) {
        identifiers.push(stitch::click_identifier(&click));
    }
    if identifiers.len() >= 2 {
        let at = DateTime::from_timestamp_micros(hit.at_micros).unwrap_or(context.now);
        stitch::attach(tx, context, &identifiers, at, hit.id).await?;
    }
    Ok(())
}
