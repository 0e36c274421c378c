//! Who is who: persons by number, the identifiers they are found by, and what they ordered.

use crate::domain::attribution::{CreditTouch, Window, touches_before};
use crate::domain::channel::Channel;
use crate::domain::id::{OrderId, PersonId};
use crate::domain::person::IdentifierKind;
use crate::domain::time::{FAR_DAY, FIRST_DAY};
use crate::domain::touch::TouchKind;
use crate::service::Result;
use crate::store::journey::{self, CreditOrder, OwnedIdentifier, OwnerOfTouches};
use crate::store::{Db, report};
use chrono::{DateTime, Utc};
use hashbrown::HashMap;
use uuid::Uuid;

/// Everybody who has more than one browser's touches or an order.
#[derive(Debug, Default)]
pub struct People {
    numbers: HashMap<PersonId, u32>,
    pub visitors: HashMap<String, u32>,
    pub customers: HashMap<String, u32>,
    pub clicks: HashMap<Uuid, u32>,
    /// All approved orders, those of a person one after the other.
    pub orders: Vec<CreditOrder>,
    /// Of each person: where their orders are.
    pub orders_of: Vec<std::ops::Range<usize>>,
    /// Of each person: when leads came in.
    pub leads: Vec<Vec<DateTime<Utc>>>,
    /// By order: the channels of the partners whose codes are on it.
    promos: HashMap<OrderId, Vec<Channel>>,
}

impl People {
    /// Reads orders, leads and codes; and identifiers, of all persons or of those who ordered.
    pub async fn load(db: &Db, everybody: bool) -> Result<(People, Vec<OwnedIdentifier>)> {
        let (orders, identifiers) = tokio::join!(journey::orders(db), journey::identifiers(db));
        let (mut orders, mut identifiers) = (orders?, identifiers?);
        orders.sort_unstable_by_key(|order| (order.person, order.placed_at, order.id));
        let mut people = People::default();
        for order in &orders {
            people.number(order.person);
        }
        if everybody {
            for (_, _, person) in &identifiers {
                people.number(*person);
            }
        } else {
            identifiers.retain(|(_, _, person)| people.numbers.contains_key(person));
        }
        people.orders_of = vec![0..0; people.numbers.len()];
        for run in orders.chunk_by(|a, b| a.person == b.person) {
            // Runs follow each other, so the next begins where the last ended.
            let from = people.orders.len();
            people.orders.extend_from_slice(run);
            if let Some(number) = run.first().and_then(|order| people.numbers.get(&order.person)) {
                people.orders_of[*number as usize] = from..people.orders.len();
            }
        }
        people.leads = vec![Vec::new(); people.numbers.len()];
        for (person, leads) in journey::leads(db).await? {
            if let Some(number) = people.numbers.get(&person) {
                people.leads[*number as usize] = leads;
            }
        }
        for promo in report::order_promos(db, FIRST_DAY, FAR_DAY).await? {
            people.promos.entry(promo.order_id).or_default().push(promo.kind.into());
        }
        Ok((people, identifiers))
    }

    fn number(&mut self, person: PersonId) -> u32 {
        let next = self.numbers.len() as u32;
        *self.numbers.entry(person).or_insert(next)
    }

    pub fn count(&self) -> usize {
        self.numbers.len()
    }

    /// The steps that count for an order, in order of time; partners' codes on it are the last. `touches` are its person's.
    pub fn steps_of<'a>(
        &'a self,
        order: &'a CreditOrder,
        touches: &'a [CreditTouch],
        window: Window,
    ) -> impl Iterator<Item = CreditTouch> + 'a {
        let at = order.placed_at;
        let promo = move |channel: &Channel| CreditTouch { at, kind: TouchKind::Promo, channel: *channel, mark: None };
        let before = touches_before(touches, at, window).map(|place| touches[place]);
        before.chain(self.promos.get(&order.id).into_iter().flatten().map(promo))
    }

    /// Makes the identifiers findable.
    pub fn learn(&mut self, identifiers: Vec<OwnedIdentifier>) {
        for (kind, value, person) in identifiers {
            let Some(number) = self.numbers.get(&person).copied() else { continue };
            match kind {
                IdentifierKind::Visitor => {
                    self.visitors.insert(value, number);
                }
                IdentifierKind::Customer => {
                    self.customers.insert(value, number);
                }
                IdentifierKind::Click => {
                    if let Ok(id) = Uuid::try_parse(&value) {
                        self.clicks.insert(id, number);
                    }
                }
                IdentifierKind::Email | IdentifierKind::Phone => {}
            }
        }
    }

    /// The identifiers with their persons' numbers.
    pub fn numbered(&self, identifiers: Vec<OwnedIdentifier>) -> Vec<OwnerOfTouches> {
        let number = |person| self.numbers.get(&person).copied();
        identifiers.into_iter().filter_map(|(kind, value, person)| Some((kind, value, number(person)?))).collect()
    }
}
