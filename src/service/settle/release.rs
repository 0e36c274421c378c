//! The end of the hold: what has been held long enough becomes available, many at once.

use crate::domain::commission::CommissionState;
use crate::domain::id::CommissionId;
use crate::domain::ledger::{Account, Journal, JournalKind};
use crate::domain::time::Period;
use crate::service::{Context, Result};
use crate::store::commission::HeldOver;
use crate::store::ledger::{Because, Posting};
use crate::store::{Tx, commission, ledger, payout};
use chrono::{DateTime, NaiveDate, Utc};

/// Commissions read at once: their number bounds what is in memory.
const AT_ONCE: i64 = 50_000;

/// So many are released in the store's usual room.
const FEW: usize = 5_000;

/// Makes available what has been held long enough. Safe to run at any time and twice.
pub async fn release(tx: &mut Tx, context: &Context) -> Result<usize> {
    let latest_closed = payout::latest_closed(&mut *tx).await?;
    let (mut released, mut after) = (0, None);
    loop {
        let mut over = commission::hold_over(&mut *tx, context.at(), after, AT_ONCE).await?;
        let Some(last) = over.last() else { break };
        if over.len() > FEW {
            tx.for_many().await?;
        }
        after = Some((last.hold_until, last.id));
        let ids: Vec<CommissionId> = over.iter().map(|held| held.id).collect();
        commission::set_states(tx, &ids, CommissionState::Approved, context.at()).await?;
        // What is of one partner lies together in the store: posted one after the other, it is looked up once.
        over.sort_by_key(|held| held.partner_id);
        let postings: Vec<Posting> = over.iter().filter_map(|held| posting(context, latest_closed.as_deref(), held)).collect();
        ledger::post_all(tx, &postings, context.at()).await?;
        released += over.len();
    }
    Ok(released)
}

/// On the day the hold was over, or the last on which something was posted there; today if that month is closed.
/// Time made it so, whoever asked first: it is the clockwork's.
fn posting(context: &Context, latest_closed: Option<&str>, held: &HeldOver) -> Option<Posting> {
    let over_on = context.day(DateTime::<Utc>::from(held.hold_until));
    let day: NaiveDate = over_on.max(held.last_day.unwrap_or(over_on));
    let is_closed = latest_closed.is_some_and(|closed| Period::of(day).to_string().as_str() <= closed);
    let day = if is_closed { context.today() } else { day.min(context.today()) };
    let (from, to) = (Account::Held(held.partner_id), Account::Available(held.partner_id));
    let journal = Journal::transfer(JournalKind::Released, held.currency, from, to, held.amount_minor)?;
    let because = Because { order: held.order_id, commission: Some(held.id), ..Because::by("clockwork") };
    Some(Posting { journal, day, because })
}
