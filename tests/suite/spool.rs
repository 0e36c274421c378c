//! What a spool promises, whichever kind it is: what was appended is read in order, is gone when it is acknowledged, and
//! is read again after a crash when it is not.

use crate::load::{stored, whole};
use crate::servers::{RedisServer, wait_for};
use crate::support::*;
use std::collections::BTreeSet;
use std::path::Path;
use tempfile::TempDir;
use tributary::clock::Clock;
use tributary::service::Tributary;
use tributary::service::linkbook::LinkBook;
use tributary::service::mover::{Mover, Moves};
use tributary::service::spool::disk::{DiskReader, DiskRows};
use tributary::service::spool::redis::{RedisReader, RedisRows, RedisSpool};
use tributary::service::spool::{Hit, HitKind, IfRefused, NotDurable, Spool, frame};
use uuid::Uuid;

/// Where hits are put first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Disk,
    Redis,
}

/// A spool of a kind, and the end that reads it.
struct Tested {
    folder: TempDir,
    server: Option<RedisServer>,
    spool: Spool,
    reader: Reading,
}

enum Reading {
    Disk(DiskReader),
    Redis(RedisReader),
}

/// What was read together.
enum Rows {
    Disk(DiskRows),
    Redis(Vec<RedisRows>),
}

async fn open(folder: &Path, server: Option<&RedisServer>) -> (Spool, Reading) {
    let redis = server.map(|server| RedisSpool::new(&server.url()).unwrap());
    if let Some(redis) = &redis {
        redis.tend().await;
        assert!(redis.is_up());
    }
    let spool = Spool::open(&folder.join("spool.db"), 0, redis.clone(), redis.is_some()).unwrap();
    let reader = match redis {
        Some(redis) => Reading::Redis(redis.reader()),
        None => Reading::Disk(spool.disk().reader()),
    };
    (spool, reader)
}

impl Tested {
    async fn new(place: Place) -> Option<Tested> {
        let folder = tempfile::tempdir().unwrap();
        let server = match place {
            Place::Disk => None,
            Place::Redis => Some(RedisServer::start(&[]).await?),
        };
        let (spool, reader) = open(folder.path(), server.as_ref()).await;
        Some(Tested { folder, server, spool, reader })
    }

    async fn append(&self, hit: &Hit<'_>) {
        self.spool.append(hit, IfRefused::Forget).await.unwrap();
    }

    async fn read(&mut self) -> (Vec<Uuid>, Rows) {
        let (records, rows) = match &mut self.reader {
            Reading::Disk(reader) => {
                let Some(rows) = reader.read(100_000).unwrap() else { return (Vec::new(), Rows::Redis(Vec::new())) };
                let scanned = rows.rows.iter().flat_map(|row| frame::scan(row)).filter_map(frame::Found::record);
                (scanned.map(<[u8]>::to_vec).collect::<Vec<_>>(), Rows::Disk(rows))
            }
            Reading::Redis(reader) => {
                let rows = reader.read(100).await.unwrap();
                (rows.iter().flat_map(|rows| rows.records.clone()).collect(), Rows::Redis(rows))
            }
        };
        (records.iter().map(|record| Hit::read(record).unwrap().id).collect(), rows)
    }

    async fn acknowledge(&mut self, rows: &Rows) {
        match (&mut self.reader, rows) {
            (Reading::Disk(reader), Rows::Disk(rows)) => reader.acknowledge(rows.last),
            (Reading::Redis(reader), Rows::Redis(rows)) => {
                for rows in rows {
                    reader.acknowledge(rows).await.unwrap();
                }
            }
            _ => {}
        }
    }

    /// Reads and acknowledges until so many hits were there.
    async fn take(&mut self, count: usize) -> Vec<Uuid> {
        let mut taken = Vec::new();
        let began = std::time::Instant::now();
        while taken.len() < count {
            let (ids, rows) = self.read().await;
            self.acknowledge(&rows).await;
            taken.extend(ids);
            assert!(began.elapsed() < crate::servers::LONG, "{} of {count} hits were read", taken.len());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        taken
    }

    /// The power goes: of the disk what is synced stays, Redis is killed. Then both come back.
    async fn crash(mut self) -> Tested {
        let folder = tempfile::tempdir().unwrap();
        for name in ["spool.db", "spool.db-wal"] {
            std::fs::copy(self.folder.path().join(name), folder.path().join(name)).unwrap();
        }
        if let Some(server) = &mut self.server {
            server.kill();
            server.restart().await;
        }
        let (spool, reader) = open(folder.path(), self.server.as_ref()).await;
        Tested { folder, spool, reader, server: self.server }
    }
}

fn visit(id: Uuid) -> Hit<'static> {
    let at = chrono::Utc::now().timestamp_micros();
    Hit { url: Some("https://shop.example/"), user_agent: Some(BROWSER), visitor: Some("v"), ..Hit::new(id, at, HitKind::Visit) }
}

fn fresh(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| Uuid::now_v7()).collect()
}

/// Makes `name::disk` and `name::redis` of one body.
macro_rules! both_places {
    ($(async fn $name:ident($spool:ident: Tested) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn body($spool: Tested) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn disk() {
                let Some(spool) = Tested::new(Place::Disk).await else { return };
                body(spool).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn redis() {
                let Some(spool) = Tested::new(Place::Redis).await else { return };
                body(spool).await;
            }
        }
    )*};
}

both_places! {
    async fn what_is_appended_is_read_in_order_and_gone_when_acknowledged(spool: Tested) {
        let mut spool = spool;
        let ids = fresh(250);
        for id in &ids {
            spool.append(&visit(*id)).await;
        }
        assert_eq!(spool.take(ids.len()).await, ids);
        assert!(spool.read().await.0.is_empty());
        // Gone also for the next who looks, once the acknowledgement is on disk.
        wait_for("acknowledged hits are forgotten", async || match &spool.server {
            None => {
                let file = rusqlite::Connection::open(spool.folder.path().join("spool.db")).unwrap();
                let rows: i64 = file.query_row("SELECT COUNT(*) FROM batches", [], |row| row.get(0)).unwrap();
                (rows == 0).then_some(())
            }
            Some(server) => {
                let entries: i64 = server.ask(&["XLEN", "tributary:{0}:hits"]).await;
                (entries == 0).then_some(())
            }
        })
        .await;
        let mut spool = spool.crash().await;
        assert!(spool.read().await.0.is_empty());
    }

    async fn what_is_not_acknowledged_is_read_again_after_a_crash(spool: Tested) {
        let mut spool = spool;
        let ids = fresh(60);
        for id in &ids[..20] {
            spool.append(&visit(*id)).await;
        }
        assert_eq!(spool.take(20).await, ids[..20]);
        for id in &ids[20..40] {
            spool.append(&visit(*id)).await;
        }
        // These are read, and whoever read them is gone before it could say that they are in the store.
        assert_eq!(spool.read().await.0, ids[20..40]);
        for id in &ids[40..] {
            spool.append(&visit(*id)).await;
        }
        let mut spool = spool.crash().await;
        let again: BTreeSet<Uuid> = spool.take(40).await.into_iter().collect();
        assert!(ids[20..].iter().all(|id| again.contains(id)));
    }

    async fn a_record_of_any_size_comes_out_as_it_went_in(spool: Tested) {
        let url = format!("https://shop.example/?q={}", "ы%".repeat(2_700));
        assert!(url.len() > 8_000);
        let ids = fresh(12);
        for (number, id) in ids.iter().enumerate() {
            let url = &url[..if number % 3 == 0 { url.len() } else { 24 }];
            spool.append(&Hit { url: Some(url), ..visit(*id) }).await;
        }
        let mut spool = spool.crash().await;
        let mut found = Vec::new();
        while found.len() < ids.len() {
            let (read, rows) = spool.read().await;
            spool.acknowledge(&rows).await;
            found.extend(read);
        }
        assert_eq!(found, ids);
    }

    async fn hits_that_come_at_once_are_all_there_once(spool: Tested) {
        let mut spool = spool;
        let ids = fresh(1_200);
        let tasks: Vec<_> = ids.chunks(50).map(|ids| {
            let (own, ids) = (spool.spool.clone(), ids.to_vec());
            tokio::spawn(async move {
                for id in ids {
                    own.append(&visit(id), IfRefused::Forget).await.unwrap();
                }
            })
        }).collect();
        for task in tasks {
            task.await.unwrap();
        }
        let mut found = spool.take(ids.len()).await;
        found.sort_unstable();
        let mut ids = ids;
        ids.sort_unstable();
        assert_eq!(found, ids);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_spool_that_is_full_says_so_and_takes_more_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(&folder.path().join("spool.db"), 40_000, None, false).unwrap();
    let mut kept = Vec::new();
    wait_for("the spool is full", async || {
        let id = Uuid::now_v7();
        match spool.append(&visit(id), IfRefused::Forget).await {
            Ok(()) => kept.push(id),
            Err(NotDurable) => return Some(()),
        }
        let at_once = futures_util::future::join_all(
            (0..30).map(|_| Uuid::now_v7()).map(async |id| spool.append(&visit(id), IfRefused::Forget).await.ok().map(|()| id)),
        );
        kept.extend(at_once.await.into_iter().flatten());
        None
    })
    .await;
    let (mut reader, mut read) = (spool.disk().reader(), 0);
    while let Some(rows) = reader.read(10_000).unwrap() {
        read += rows.rows.iter().flat_map(|row| frame::scan(row)).filter_map(frame::Found::record).count();
        reader.acknowledge(rows.last);
    }
    assert_eq!(read, kept.len(), "what was refused is not there, what was taken is");
    wait_for("there is room again", async || spool.append(&visit(Uuid::now_v7()), IfRefused::Forget).await.ok()).await;
}

/// A batch that comes again, with others around it, has the effect of one.
async fn a_replay_counts_once(place: Place, kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = fresh_database(kind, &folder).await else { return };
    let service = Tributary::open(&url, None, Clock::system()).await.unwrap();
    let Some(spool) = Tested::new(place).await else { return };
    let ids = fresh(300);
    let mover = Mover::start(service.clone(), &spool.spool, LinkBook::default(), Moves::DiskAndRedis).unwrap();
    for (from, to) in [(0, 100), (50, 250), (0, 300), (299, 300)] {
        for id in &ids[from..to] {
            spool.append(&visit(*id)).await;
            // And twice in one batch.
            if id.as_u128() % 7 == 0 {
                spool.append(&visit(*id)).await;
            }
        }
        mover.move_all().await.unwrap();
        whole(&service).await;
    }
    assert_eq!(stored(&service).await, ids.into_iter().collect());
}

macro_rules! replays {
    ($($name:ident: $place:ident, $kind:ident;)*) => {
        mod a_batch_that_is_replayed_has_one_effect {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    a_replay_counts_once(Place::$place, Kind::$kind).await;
                }
            )*
        }
    };
}

replays! {
    disk_to_sqlite: Disk, Sqlite;
    disk_to_postgres: Disk, Postgres;
    redis_to_sqlite: Redis, Sqlite;
    redis_to_postgres: Redis, Postgres;
}
