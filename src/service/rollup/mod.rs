//! What reports are added up from. Touches are counted by day in the transaction that stores them ([`crate::store::touch_day`]).
//! Credit and sketches of visitors are kept by day too, and a day that has changed since is marked; what it holds is reckoned
//! anew before anybody is told ([`credit_lines()`] and [`visitors()`] for a report, [`refresh()`] by the clockwork).

mod lines;
mod proof;
mod refresh;
mod stale;
mod visitors;

pub use crate::store::rollup::{Cut, Plan};
pub use lines::{AsTheyAre, Brings, Brought, Sharing, credit_lines};
pub use proof::proofs;
pub use refresh::{mark_all, rebuild, refresh};
pub use stale::{StaleDays, spans_to_reckon};
pub use visitors::{Visitors, visitors};

use crate::domain::attribution::Model;

/// Days that a touch may count after its own: the window of clicks, and the rest of a day that is another in the merchant's zone.
const WINDOW_DAYS: i64 = 91;
/// Orders that are reckoned in one go, so that memory has an end.
const ORDERS_AT_ONCE: i64 = 40_000;
/// Days whose credit is reckoned in one go.
const DAYS_AT_ONCE: usize = 31;

/// The models whose credit is kept by day, as rows name them: all that need no numbers of one's own.
pub fn kept_models() -> Vec<(&'static str, Model)> {
    Model::ALL.into_iter().map(|model| (model.name(), model)).collect()
}
