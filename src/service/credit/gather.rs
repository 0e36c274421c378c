//! The touches of everybody, in order: by one pass over all of them where null journeys are wanted too, else by looking
//! up those of the buyers.

use super::fits::MonthFits;
use super::people::People;
use crate::domain::attribution::CreditTouch;
use crate::domain::touch::label;
use crate::service::Result;
use crate::store::journey::{self, BareTouch, OwnedIdentifier, OwnedTouch, Owner};
use crate::store::{Db, Error};
use chrono::DateTime;
use std::sync::Arc;
use uuid::Uuid;

/// What is being done, for people who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// How many touches were read.
    Touches(u64),
    /// How many months are done, of how many.
    Months(usize, usize),
}

/// Touches by person.
#[derive(Debug)]
pub struct Gathered {
    /// Sorted by person, then in order of time.
    pub touches: Vec<OwnedTouch>,
    /// Of each person: where their touches are.
    pub of: Vec<std::ops::Range<usize>>,
}

/// A touch as models see it.
pub fn credit_touch(touch: &BareTouch) -> CreditTouch {
    // What is no instant was refused when it came in; PostgreSQL cannot even hold it.
    let at = DateTime::from_timestamp_micros(touch.at_micros).unwrap_or_default();
    CreditTouch { at, kind: touch.kind, channel: touch.channel, mark: None }
}

struct Scan {
    people: Arc<People>,
    owned: Vec<OwnedTouch>,
    months: MonthFits,
    /// Whose touches are coming by: a visitor or a customer, and their person if they are known.
    owner: (bool, String),
    person: Option<u32>,
    lone: Vec<CreditTouch>,
    read: u64,
    on_stage: Arc<dyn Fn(Stage) + Send + Sync>,
}

impl Scan {
    fn next(&mut self, owner: Owner<'_>, touch: BareTouch) {
        self.read += 1;
        if self.read.is_multiple_of(100_000) {
            (self.on_stage)(Stage::Touches(self.read));
        }
        let by_click = if self.people.clicks.is_empty() { None } else { self.people.clicks.get(&touch.id).copied() };
        self.owned.extend(by_click.map(|person| (person, touch)));
        let (is_visitor, id, alone) = match owner {
            Owner::Visitor(id) => (true, id, true),
            Owner::Customer { id, alone } => (false, id, alone),
            Owner::Nobody => {
                if by_click.is_none() {
                    self.end_lone();
                    self.months.add_nulls(&[credit_touch(&touch)], &[0]);
                }
                return;
            }
        };
        if self.owner.0 != is_visitor || self.owner.1 != id {
            self.end_lone();
            self.owner.0 = is_visitor;
            id.clone_into(&mut self.owner.1);
            self.person = if is_visitor { self.people.visitors.get(id) } else { self.people.customers.get(id) }.copied();
        }
        match self.person {
            Some(person) => self.owned.push((person, touch)),
            None if alone && by_click.is_none() => self.lone.push(credit_touch(&touch)),
            None => {}
        }
    }

    /// Whoever is known to nobody has ordered nothing.
    fn end_lone(&mut self) {
        if !self.lone.is_empty() {
            self.months.add_nulls(&self.lone, &[]);
            self.lone.clear();
        }
    }
}

/// Goes through all touches; null journeys of those who are nobody's go into `months`.
pub async fn scan(
    db: &Db,
    people: Arc<People>,
    months: MonthFits,
    on_stage: Arc<dyn Fn(Stage) + Send + Sync>,
) -> Result<(Gathered, MonthFits)> {
    let count = people.count();
    let scan = Scan {
        people,
        owned: Vec::new(),
        months,
        owner: (true, String::new()),
        person: None,
        lone: Vec::new(),
        read: 0,
        on_stage,
    };
    let mut scan = journey::scan(db, scan, Scan::next).await?;
    scan.end_lone();
    Ok((in_order(db, vec![scan.owned], count).await?, scan.months))
}

/// Looks up the touches of some persons alone.
pub async fn look_up(db: &Db, people: &People, identifiers: Vec<OwnedIdentifier>) -> Result<Gathered> {
    let parts = journey::of_owners(db, people.numbered(identifiers)).await?;
    in_order(db, parts, people.count()).await
}

/// Sorts by person, time and id.
fn by_person(parts: &[Vec<OwnedTouch>], persons: usize) -> Vec<OwnedTouch> {
    // Each to the next place of its person, then the few of a person among themselves: the fastest way by far.
    let mut places = vec![0; persons + 1];
    for (person, _) in parts.iter().flatten() {
        places[*person as usize + 1] += 1;
    }
    for person in 0..persons {
        places[person + 1] += places[person];
    }
    let mut sorted = parts.concat();
    for touch in parts.iter().flatten() {
        let place: &mut usize = &mut places[touch.0 as usize];
        sorted[*place] = *touch;
        *place += 1;
    }
    for run in sorted.chunk_by_mut(|a, b| a.0 == b.0) {
        run.sort_unstable_by_key(|(_, touch)| (touch.at_micros, touch.id));
    }
    sorted
}

/// Sorts by person, time and id, each touch of a person once.
async fn in_order(db: &Db, parts: Vec<Vec<OwnedTouch>>, persons: usize) -> Result<Gathered> {
    let sorted = tokio::task::spawn_blocking(move || {
        let mut touches = by_person(&parts, persons);
        touches.dedup_by_key(|(person, touch)| (*person, touch.id));
        touches
    });
    let mut touches = sorted.await.map_err(|error| Error::Unreadable(error.to_string()))?;
    break_ties(db, &mut touches).await?;
    let mut of = vec![0..0; persons];
    let mut from = 0;
    for run in touches.chunk_by(|a, b| a.0 == b.0) {
        of[run[0].0 as usize] = from..from + run.len();
        from += run.len();
    }
    Ok(Gathered { touches, of })
}

/// Touches of one instant go by the id that people know them by, which an import may have given.
async fn break_ties(db: &Db, touches: &mut [OwnedTouch]) -> Result<()> {
    let tied = |a: &OwnedTouch, b: &OwnedTouch| a.0 == b.0 && a.1.at_micros == b.1.at_micros;
    let ids: Vec<Uuid> = touches.chunk_by(tied).filter(|run| run.len() > 1).flatten().map(|(_, touch)| touch.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let names = journey::external_ids(db, &ids).await?;
    for run in touches.chunk_by_mut(tied).filter(|run| run.len() > 1) {
        run.sort_by_cached_key(|(_, touch)| label(touch.id, names.get(&touch.id).map(String::as_str)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::channel::Channel;
    use crate::domain::touch::TouchKind;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn touches_are_put_in_order_as_sorting_them_would(touches in prop::collection::vec((0..9_u32, 0..5_i64, 0..5_u128), 0..60), part in 1_usize..70) {
            let touch = |at_micros, id| BareTouch { id: Uuid::from_u128(id), at_micros, kind: TouchKind::Visit, channel: Channel::Direct };
            let touches: Vec<OwnedTouch> = touches.into_iter().map(|(person, at, id)| (person, touch(at, id))).collect();
            let mut sorted = touches.clone();
            sorted.sort_by_key(|(person, touch)| (*person, touch.at_micros, touch.id));
            let parts: Vec<Vec<OwnedTouch>> = touches.chunks(part).map(<[OwnedTouch]>::to_vec).collect();
            prop_assert_eq!(by_person(&parts, 9), sorted);
        }
    }
}
