//! The machine's clock jumps back. A hit's place in the spool is the time it was written at; what the clock says must
//! neither lose nor hold up any.

use super::nodes::on_both_stores;
use crate::load::*;
use crate::servers::wait_for;
use crate::support::*;
use std::path::Path;
use tributary::service::spool::disk::DiskSpool;
use tributary::service::spool::{Hit, HitKind, frame};
use uuid::Uuid;

const HOUR_MICROS: i64 = 3_600_000_000;

on_both_stores! {
    a_clock_that_jumps_back_between_starts_loses_nothing: between_starts;
    a_clock_that_jumps_back_while_a_node_runs_loses_nothing: while_it_runs;
}

fn shift(path: &Path, micros: i64) {
    let file = rusqlite::Connection::open(path).unwrap();
    // Down from the newest, for positions are unique at every step.
    let mut positions = file.prepare("SELECT position FROM batches ORDER BY position DESC").unwrap();
    let positions: Vec<i64> = positions.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(!positions.is_empty());
    for position in positions {
        file.execute("UPDATE batches SET position = position + ?2 WHERE position = ?1", [position, micros]).unwrap();
    }
}

/// What was written before the restart has positions an hour ahead of the clock.
async fn between_starts(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = fresh_database(kind, &folder).await else { return };
    let (service, _) = with_link(&url).await;
    let mut answered = std::collections::HashSet::new();
    let mut held = node(&url, folder.path(), &[], &["--no-mover"]);
    let load = Load::start(&[&held.url]);
    load.more(100).await;
    held.kill();
    answered.extend(load.end().await);
    shift(&folder.path().join("spool.db"), HOUR_MICROS);
    // First beside them, then when they are gone.
    for serve in [&["--no-mover"][..], &[]] {
        let mut node = node(&url, folder.path(), &[], serve);
        let load = Load::start(&[&node.url]);
        load.more(100).await;
        if serve.is_empty() {
            all_arrive(&service, &answered).await;
            load.more(100).await;
            answered.extend(load.end().await);
            all_arrive(&service, &answered).await;
        } else {
            node.kill();
            answered.extend(load.end().await);
        }
    }
}

/// The spool's newest row was written an hour ahead, is moved and forgotten, and the clock is right again: what comes then
/// lies behind it all the same.
async fn while_it_runs(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = fresh_database(kind, &folder).await else { return };
    let (service, _) = with_link(&url).await;
    let spool = folder.path().join("spool.db");
    let early = Uuid::now_v7();
    drop(DiskSpool::open(&spool, 0).unwrap());
    let mut record = Vec::new();
    Hit { user_agent: Some(BROWSER), ..Hit::new(early, chrono::Utc::now().timestamp_micros(), HitKind::Visit) }
        .write(&mut record);
    let file = rusqlite::Connection::open(&spool).unwrap();
    let ahead = chrono::Utc::now().timestamp_micros() + HOUR_MICROS;
    file.execute("INSERT INTO batches (position, body) VALUES (?1, ?2)", rusqlite::params![ahead, frame::of(&record)]).unwrap();

    let node = node(&url, folder.path(), &[], &[]);
    let mut answered = std::collections::HashSet::from([early]);
    for _ in 0..2 {
        wait_for("the spool is empty", async || {
            let rows: i64 = file.query_row("SELECT COUNT(*) FROM batches", [], |row| row.get(0)).unwrap();
            (rows == 0).then_some(())
        })
        .await;
        let load = Load::start(&[&node.url]);
        load.more(60).await;
        answered.extend(load.end().await);
        all_arrive(&service, &answered).await;
    }
    assert_eq!(metric(&node.url, "tributary_spool_oldest_seconds").await, 0.0);
}
