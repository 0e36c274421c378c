//! One batch of the spool: read, enriched, stored. What the store refuses is set aside, hit by hit, and the rest goes in.

use super::{Source, Worker};
use crate::domain::landing::Landing;
use crate::domain::person::{Identifier, IdentifierKind};
use crate::domain::touch::Touch;
use crate::service::linkbook::Snapshot;
use crate::service::spool::frame::{self, Found};
use crate::service::spool::{Hit, HitKind, hit};
use crate::service::{Context, Error, Result, stitch};
use crate::store::event::Event;
use crate::store::intake::{Intake, Stored};
use crate::store::{Tx, event, miss, missed_hit, rejected_hit, touch};
use chrono::{DateTime, NaiveDate};
use std::borrow::Cow;
use std::sync::atomic::Ordering;

type DatedTouch = (Touch, NaiveDate);

/// A record, and the hit that it holds.
type Read<'a> = (&'a [u8], Hit<'a>);

/// Rows of the spool with the touches that they become. Made once, also where storing takes several tries: marks depend
/// on what came before.
pub(super) struct Prepared {
    pub source: Source,
    rows: Vec<Vec<u8>>,
    touches: Vec<DatedTouch>,
}

impl Worker {
    pub(super) fn prepare(&mut self, rows: Vec<Vec<u8>>, source: Source) -> Prepared {
        let context = self.service.context("mover");
        let book = self.links.snapshot();
        let (records, _) = records_of(&rows);
        let touches = records
            .iter()
            .filter_map(|record| self.enricher.touch_of(&Hit::read(record).ok()?, &book.own_hosts))
            .map(|touch| {
                let day = context.day(touch.at);
                (touch, day)
            })
            .collect();
        drop(records);
        Prepared { source, touches, rows }
    }

    pub(super) async fn store(&mut self, prepared: &Prepared) -> Result<()> {
        let (records, mut refused) = records_of(&prepared.rows);
        let mut hits: Vec<Read<'_>> = Vec::with_capacity(records.len());
        for record in &records {
            match Hit::read(record) {
                Ok(hit) => hits.push((record, hit)),
                Err(error) => refused.push((record.to_vec(), error.to_string())),
            }
        }
        let context = self.service.context("mover");
        let book = self.links.snapshot();
        refused.extend(self.store_beside(&context, &book, &hits).await?);
        for (touch, why) in self.store_touches(&prepared.touches).await? {
            let record = hits.iter().find(|(_, hit)| hit.id == touch).map(|(record, _)| record.to_vec());
            refused.push((record.unwrap_or_default(), why));
        }
        self.set_aside(&context, refused).await?;
        self.state.moved.fetch_add(hits.len() as u64, Ordering::Relaxed);
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
        if !self.dictionary.knows(touches) {
            let mut tx = self.service.db.begin_beside().await?;
            let learned = self.dictionary.learn(&mut tx, touches).await;
            let learned = match learned {
                Ok(()) => tx.commit().await,
                Err(error) => Err(error),
            };
            if learned.is_err() {
                self.dictionary = Default::default();
            }
            learned?;
        }
        let intake = match &mut self.intake {
            Some(intake) => intake,
            none => none.insert(Intake::open(&self.service.db)?),
        };
        let stored = intake.store(&self.service.db, &self.dictionary.rows(touches)).await?;
        if stored == Stored::SomeKnown {
            let mut tx = self.service.db.begin_beside().await?;
            touch::insert(&mut tx, &mut self.dictionary, touches).await?;
            tx.commit().await?;
        }
        self.dictionary.tidy();
        Ok(())
    }

    /// Stores what hits say beside their touch: events, misses, who belongs together. All of it may be stored twice to the same effect.
    async fn store_beside(&mut self, context: &Context, book: &Snapshot, hits: &[Read<'_>]) -> Result<Vec<(Vec<u8>, String)>> {
        let beside: Vec<&Read<'_>> = hits.iter().filter(|(_, hit)| says_more_than_a_touch(hit)).collect();
        let mut refused = Vec::new();
        let mut parts = vec![beside.as_slice()];
        while let Some(part) = parts.pop().filter(|part| !part.is_empty()) {
            let mut tx = self.service.db.begin().await?;
            let mut stored = Ok(());
            for (record, hit) in part {
                stored = store_one(&mut tx, context, book, record, hit).await;
                if stored.is_err() {
                    break;
                }
            }
            match stored {
                Ok(()) => tx.commit().await?,
                Err(Error::Store(error)) if error.is_refusal() => match part {
                    [(record, _)] => refused.push((record.to_vec(), error.to_string())),
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

    async fn set_aside(&self, context: &Context, refused: Vec<(Vec<u8>, String)>) -> Result<()> {
        if refused.is_empty() {
            return Ok(());
        }
        let mut tx = self.service.db.begin().await?;
        for (record, why) in &refused {
            tracing::error!(%why, "a hit cannot be stored; it is set aside");
            let id = Hit::read(record).ok().map(|hit| hit.id);
            rejected_hit::insert(&mut tx, id, context.at(), why, record).await?;
        }
        tx.commit().await?;
        self.state.rejected.fetch_add(refused.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// The records in rows of the spool, and what in them is damaged.
fn records_of(rows: &[Vec<u8>]) -> (Vec<Cow<'_, [u8]>>, Vec<(Vec<u8>, String)>) {
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
        stitch::attach(tx, context, &identifiers).await?;
    }
    Ok(())
}
