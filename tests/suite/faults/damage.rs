//! A spool file with a damaged page: it is set aside, a fresh one is opened, and only hits whose own bytes are gone are
//! lost.

use super::nodes::on_both_stores;
use crate::load::*;
use crate::servers::wait_for;
use crate::support::*;
use std::collections::HashSet;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use tributary::service::spool::{Hit, frame};
use uuid::Uuid;

const PAGE: usize = 4_096;

/// The clicks whose records lie in these bytes.
fn clicks_in(bytes: &[u8]) -> HashSet<Uuid> {
    let records = frame::scan(bytes).filter_map(frame::Found::record);
    records.filter_map(|record| Hit::read(record).ok().map(|hit| hit.id)).collect()
}

/// Brings everything from the log into the file itself, and answers the numbers of the table's pages: its root first,
/// then those with rows.
fn pages_of(path: &Path) -> (usize, Vec<usize>) {
    let file = rusqlite::Connection::open(path).unwrap();
    file.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)).unwrap();
    let root: i64 = file.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'batches'", [], |row| row.get(0)).unwrap();
    let root = usize::try_from(root).unwrap();
    drop(file);
    let bytes = std::fs::read(path).unwrap();
    let with_rows = (1..=bytes.len() / PAGE).filter(|page| *page != root && !clicks_in(page_of(&bytes, *page)).is_empty());
    let with_rows: Vec<usize> = with_rows.collect();
    assert!(with_rows.len() > 8, "the table has become a tree");
    (root, with_rows)
}

fn page_of(bytes: &[u8], page: usize) -> &[u8] {
    &bytes[(page - 1) * PAGE..page * PAGE]
}

/// Writes over a page; answers the clicks that were in it and nowhere else.
fn damage(path: &Path, page: usize) -> HashSet<Uuid> {
    let mut bytes = std::fs::read(path).unwrap();
    let mut lost = clicks_in(page_of(&bytes, page));
    let at = (page - 1) * PAGE;
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(&[0xd5; PAGE]).unwrap();
    file.sync_all().unwrap();
    // What a page was used for before may still stand in it: the root held the first rows.
    bytes[at..at + PAGE].fill(0xd5);
    for click in clicks_in(&bytes) {
        lost.remove(&click);
    }
    lost
}

fn files_set_aside(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("spool.db.damaged-") && !name.ends_with("-wal") && !name.ends_with("-shm")).count()
}

on_both_stores! {
    a_spool_file_damaged_while_the_node_was_down_is_set_aside: damaged_while_down;
    a_spool_file_damaged_while_the_node_runs_is_set_aside: damaged_while_running;
}

/// A page without hits: nothing is lost but records longer than a page. One with hits: exactly those.
async fn damaged_while_down(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = fresh_database(kind, &folder).await else { return };
    let (service, _) = with_link(&url).await;
    let mut answered = HashSet::new();
    for round in ["root", "head", "rows"] {
        let data = folder.path().join(round);
        let mut held = node(&url, &data, &[], &["--no-mover"]);
        let load = Load::start(&[&held.url]);
        load.more(300).await;
        // A record that does not fit a page lies in several.
        let long = visitor().get(format!("{}/r/a?q={}", held.url, "x".repeat(8_000))).header("user-agent", BROWSER);
        let long = long.send().await.unwrap();
        let location = long.headers()["location"].to_str().unwrap();
        let long = Uuid::parse_str(&location.split("trb_click=").nth(1).unwrap()[..36]).unwrap();
        held.kill();
        answered.extend(load.end().await);
        answered.insert(long);
        let spool = data.join("spool.db");
        let (root, with_rows) = pages_of(&spool);
        let lost = damage(
            &spool,
            match round {
                "root" => root,
                "head" => 1,
                _ => with_rows[with_rows.len() / 2],
            },
        );
        assert_eq!(lost.is_empty(), round != "rows");
        if round != "rows" {
            // What leads through the file is gone: what lies in several of its pages cannot be put together.
            answered.remove(&long);
        }
        answered.retain(|id| !lost.contains(id));

        let node = node(&url, &data, &[], &[]);
        answered.insert(click(&visitor(), &node.url).await.unwrap());
        all_arrive(&service, &answered).await;
        assert_eq!(files_set_aside(&data), 1, "{round}");
        assert_eq!(metric(&node.url, "tributary_spool_damaged_files_total").await, 1.0);
        assert!(lost.is_disjoint(&stored(&service).await));
    }
}

async fn damaged_while_running(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = fresh_database(kind, &folder).await else { return };
    let (service, _) = with_link(&url).await;
    let data = folder.path().join("data");
    let node = node(&url, &data, &[], &[]);
    // Nobody writes to the store while this transaction lasts: hits gather in the spool.
    let mut held = service.db.begin().await.unwrap();
    if kind == Kind::Postgres {
        tributary::exec!(&mut held, sqlx::query("LOCK TABLE touches IN ACCESS EXCLUSIVE MODE")).unwrap();
    }
    let load = Load::start(&[&node.url]);
    // More than the mover has taken out by now.
    load.more(2_500).await;
    let spool = data.join("spool.db");
    let (_, with_rows) = pages_of(&spool);
    // Rows in the middle of those that wait.
    let lost = damage(&spool, with_rows[with_rows.len() * 2 / 3]);
    assert!(!lost.is_empty());
    drop(held);
    wait_for("the file is set aside", async || (files_set_aside(&data) == 1).then_some(())).await;
    load.more(50).await;
    assert_eq!(load.failed(), 0, "every redirect is a redirect");
    let mut answered = load.end().await;
    answered.retain(|id| !lost.contains(id));
    all_arrive(&service, &answered).await;
    assert_eq!(metric(&node.url, "tributary_spool_damaged_files_total").await, 1.0);
    assert!(lost.is_disjoint(&stored(&service).await), "these were in the page");
}
