//! An order may be quicker than its click, which is still in the spool of another node or in Redis. What is decided on
//! an order stays, so the click is waited for a little.

use super::Result;
use crate::domain::touch::touch_id;
use crate::store::{Db, touch};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::{Duration, Instant};

/// How long a click may be on its way: an older one that is not there is not waited for.
const YOUNG: TimeDelta = TimeDelta::hours(1);
/// How long is waited.
const LONGEST: Duration = Duration::from_secs(2);
const BETWEEN: Duration = Duration::from_millis(40);

/// Waits until a click of ours is in the store, if it can still be on its way; `now` is the machine's, as click ids
/// have it. Called outside of any transaction.
pub async fn wait_for_click(db: &Db, click_id: &str, now: DateTime<Utc>) -> Result<()> {
    if !is_young(click_id, now) {
        return Ok(());
    }
    let (id, began) = (touch_id(click_id), Instant::now());
    while !touch::is_stored(db, id).await? {
        if began.elapsed() > LONGEST {
            tracing::warn!(click_id, "an order names a click that has not arrived; it is decided without it");
            return Ok(());
        }
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(())
}

/// Whether this is a click id as the edge makes them (UUIDv7), of the last hour.
pub(super) fn is_young(click_id: &str, now: DateTime<Utc>) -> bool {
    let made = uuid::Uuid::try_parse(click_id).ok().filter(|id| id.get_version_num() == 7).and_then(|id| id.get_timestamp());
    let made = made.and_then(|made| DateTime::from_timestamp(i64::try_from(made.to_unix().0).ok()?, 0));
    made.is_some_and(|made| (made - now).abs() < YOUNG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fresh_id_of_ours_is_waited_for() {
        let id = "019aa000-0000-7000-8000-000000000001";
        let made = DateTime::from_timestamp_millis(0x019a_a000_0000).unwrap();
        assert!(is_young(id, made + TimeDelta::minutes(59)));
        assert!(is_young(id, made - TimeDelta::seconds(5)), "the clocks of two nodes differ");
        assert!(!is_young(id, made + TimeDelta::minutes(61)));
        assert!(!is_young("019aa000-0000-4000-8000-000000000001", made), "not made by an edge");
        assert!(!is_young("c000001", made));
    }
}
