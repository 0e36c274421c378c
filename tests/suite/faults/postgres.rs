//! PostgreSQL is away, and PostgreSQL is killed: the redirect goes on, and what waited arrives in its order.

use crate::load::*;
use crate::servers::{PostgresServer, wait_for};
use tributary::clock::Clock;
use tributary::service::Tributary;
use tributary::store::Error;
use uuid::Uuid;

async fn reopened(server: &PostgresServer) -> Tributary {
    Tributary::open(&server.url(), None, Clock::system()).await.unwrap()
}

async fn waiting_for_locks(service: &Tributary) -> Result<i64, Error> {
    Ok(tributary::read!(&service.db, |c| sqlx::query_scalar("SELECT CAST(COUNT(*) AS BIGINT) FROM pg_locks WHERE NOT granted")
        .fetch_one(c)
        .await)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_go_on_without_postgres_and_the_backlog_drains_in_order() {
    let Some(mut server) = PostgresServer::start().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let (service, _) = with_link(&server.url()).await;
    service.db.close().await;
    let node = node(&server.url(), folder.path(), &["--ready-lag-seconds", "1"], &[]);
    assert_eq!(ready(&node.url).await, 200);

    // Away: every click is answered, and no balancer sends this node more than it must.
    let client = visitor();
    let mut clicks = vec![click(&client, &node.url).await.unwrap()];
    server.stop();
    for _ in 0..120 {
        let began = std::time::Instant::now();
        clicks.push(click(&client, &node.url).await.unwrap());
        assert!(began.elapsed().as_secs() < 5, "a redirect waited for the store");
    }
    wait_for("the node is not ready", async || (ready(&node.url).await == 503).then_some(())).await;
    assert!(metric(&node.url, "tributary_spool_oldest_seconds").await > 0.0);
    clicks.push(click(&client, &node.url).await.unwrap());
    server.restart().await;
    wait_for("the node is ready again", async || (ready(&node.url).await == 200).then_some(())).await;
    let service = reopened(&server).await;
    all_arrive(&service, &clicks.iter().copied().collect()).await;
    // As they were written, so they lie.
    let order: Result<Vec<Uuid>, Error> = async {
        Ok(tributary::read!(&service.db, |c| sqlx::query_scalar("SELECT id FROM touches ORDER BY xmin::text::bigint, ctid")
            .fetch_all(c)
            .await)?)
    }
    .await;
    assert_eq!(order.unwrap(), clicks);

    // Killed, with all that it was about to commit.
    let load = Load::start(&[&node.url]);
    load.more(200).await;
    // Nobody writes touches while this transaction lasts: the mover stands in the middle of its own.
    let service = reopened(&server).await;
    let mut held = service.db.begin_beside().await.unwrap();
    tributary::exec!(&mut held, sqlx::query("LOCK TABLE touches IN ACCESS EXCLUSIVE MODE")).unwrap();
    wait_for("the mover is about to write", async || waiting_for_locks(&service).await.ok().filter(|waiting| *waiting > 0)).await;
    server.kill();
    drop(held);
    load.more(300).await;
    server.restart().await;
    // And at any instant.
    load.more(300).await;
    server.kill();
    load.more(100).await;
    server.restart().await;
    assert_eq!(load.failed(), 0, "every redirect is a redirect");
    let service = reopened(&server).await;
    all_arrive(&service, &load.end().await).await;
}
