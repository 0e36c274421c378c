//! Moves hits from the spool into the store: in order, in batches, each with exactly one effect however often it is
//! replayed. What a crash left is moved at the next start.

use super::enrich::touch_of;
use super::linkbook::LinkBook;
use super::spool::{Hit, HitKind, Spool, read_batch};
use super::{Context, Error, Result, Tributary, stitch};
use crate::domain::landing::Landing;
use crate::domain::person::{Identifier, IdentifierKind};
use crate::store::event::Event;
use crate::store::{Tx, event, miss, touch};
use chrono::DateTime;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Rows of the spool that one transaction takes.
const BATCHES: i64 = 64;

/// The mover. Clones share it; one moves at a time.
#[derive(Clone)]
pub struct Mover {
    service: Tributary,
    spool: Spool,
    links: LinkBook,
    moving: Arc<Mutex<()>>,
}

impl Mover {
    pub fn new(service: Tributary, spool: Spool, links: LinkBook) -> Mover {
        Mover { service, spool, links, moving: Arc::default() }
    }

    /// Moves everything that is in the spool when it begins; what comes meanwhile keeps nobody waiting. Answers how many hits it moved.
    pub async fn move_all(&self) -> Result<usize> {
        let _alone = self.moving.lock().await;
        let mut moved = 0;
        let end = self.spool.file().last_position().await?;
        loop {
            let batches = self.spool.file().read(BATCHES).await?;
            let Some((last, _)) = batches.last() else { return Ok(moved) };
            let last = *last;
            let mut hits = Vec::new();
            for (position, body) in &batches {
                for line in read_batch(body) {
                    match line {
                        Ok(hit) => hits.push(hit),
                        Err(why) => self.set_aside(*position, body, &why).await?,
                    }
                }
            }
            match self.store(&hits).await {
                Err(Error::Store(error)) if error.is_refusal() => self.store_one_by_one(last, &hits).await?,
                other => other?,
            }
            self.spool.file().acknowledge(last).await?;
            moved += hits.len();
            if last >= end {
                return Ok(moved);
            }
        }
    }

    async fn store(&self, hits: &[Hit]) -> Result<()> {
        let context = self.service.context("mover");
        let mut tx = self.service.db.begin().await?;
        store_hits(&mut tx, &context, &self.links, hits).await?;
        Ok(tx.commit().await?)
    }

    /// After the database has refused a batch: the one hit it cannot take must not keep the others.
    async fn store_one_by_one(&self, position: i64, hits: &[Hit]) -> Result<()> {
        for hit in hits {
            match self.store(std::slice::from_ref(hit)).await {
                Err(Error::Store(error)) if error.is_refusal() => {
                    let body = serde_json::to_vec(hit).unwrap_or_default();
                    self.set_aside(position, &body, &error.to_string()).await?;
                }
                other => other?,
            }
        }
        Ok(())
    }

    async fn set_aside(&self, position: i64, body: &[u8], why: &str) -> Result<()> {
        tracing::error!(position, %why, "a hit in the spool cannot be stored; set aside");
        Ok(self.spool.file().reject(position, body, why).await?)
    }

    /// Moves what comes, until the task is dropped.
    pub async fn run_forever(self) {
        loop {
            let pause = match self.move_all().await {
                Ok(_) => Duration::from_millis(100),
                Err(error) => {
                    tracing::error!(%error, "the spool cannot be moved; it is tried again");
                    Duration::from_secs(1)
                }
            };
            tokio::time::sleep(pause).await;
        }
    }
}

async fn store_hits(tx: &mut Tx, context: &Context, links: &LinkBook, hits: &[Hit]) -> Result<()> {
    let book = links.snapshot();
    let touches: Vec<_> = hits
        .iter()
        .filter_map(|hit| touch_of(hit, &book.own_hosts))
        .map(|touch| {
            let day = context.day(touch.at);
            (touch, day)
        })
        .collect();
    touch::insert(tx, &touches).await?;
    for hit in hits {
        match hit.kind {
            HitKind::UnknownLink => {
                let code = hit.url.as_deref().unwrap_or_default();
                let at = DateTime::from_timestamp_micros(hit.at_micros).unwrap_or(context.now);
                miss::record(tx, "link", code, book.nearest(code), "clicked", at.into()).await?;
            }
            HitKind::Event | HitKind::Lead | HitKind::Identify | HitKind::Order => {
                event::insert(tx, &event_of(context, hit)).await?;
            }
            HitKind::Click | HitKind::Visit | HitKind::Impression => {}
        }
        join_identifiers(tx, context, hit).await?;
    }
    Ok(())
}

fn event_of(context: &Context, hit: &Hit) -> Event {
    let at = DateTime::from_timestamp_micros(hit.at_micros).unwrap_or(context.now);
    let kind = match hit.kind {
        HitKind::Lead => "lead",
        HitKind::Identify => "identify",
        HitKind::Order => "order",
        _ => "event",
    };
    Event {
        id: hit.id,
        at: at.into(),
        day: context.day(at),
        kind: kind.to_owned(),
        name: hit.name.clone(),
        visitor_id: hit.visitor.clone(),
        customer_id: hit.customer.clone(),
        click_id: hit.click.clone(),
        url: hit.url.clone(),
        body: serde_json::json!({ "value": hit.value, "referrer": hit.referrer, "user_agent": hit.user_agent }),
    }
}

/// A hit that names a visitor together with a customer or a click says that they are one person; see
/// [`stitch::attach`] for how far that is believed.
async fn join_identifiers(tx: &mut Tx, context: &Context, hit: &Hit) -> Result<()> {
    let click = hit.click.clone().or_else(|| Landing::of(hit.url.as_deref().unwrap_or_default()).trb_click);
    let mut identifiers = Vec::new();
    if let Some(visitor) = &hit.visitor {
        identifiers.push(Identifier::new(IdentifierKind::Visitor, visitor.clone()));
    }
    if let Some(customer) = &hit.customer {
        identifiers.push(Identifier::new(IdentifierKind::Customer, customer.clone()));
    }
    // A click of a visitor needs no joining: the touch itself has the visitor id.
    if let Some(click) = click.filter(|_| hit.kind != HitKind::Click) {
        identifiers.push(stitch::click_identifier(&click));
    }
    if identifiers.len() >= 2 {
        stitch::attach(tx, context, &identifiers).await?;
    }
    Ok(())
}
