//! PostgreSQL is away, and PostgreSQL is killed: the redirect goes on, and what waited arrives in its order.

use crate::load::*;
use crate::servers::{PostgresServer, wait_for};
use uuid::Uuid;

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
    let service = tributary::service::Tributary::open(&server.url(), None, tributary::clock::Clock::system()).await.unwrap();
    all_arrive(&service, &clicks.iter().copied().collect()).await;
    // As they were written, so they lie.
    let order: Result<Vec<Uuid>, tributary::store::Error> = async {
        Ok(tributary::read!(&service.db, |c| sqlx::query_scalar("SELECT id FROM touches ORDER BY xmin::text::bigint, ctid")
            .fetch_all(c)
            .await)?)
    }
    .await;
    assert_eq!(order.unwrap(), clicks);

    // Killed, with all that it was about to commit.
    let load = Load::start(&[&node.url]);
    for _ in 0..2 {
        load.more(300).await;
        server.kill();
        load.more(300).await;
        server.restart().await;
    }
    assert_eq!(load.failed(), 0, "every redirect is a redirect");
    let service = tributary::service::Tributary::open(&server.url(), None, tributary::clock::Clock::system()).await.unwrap();
    all_arrive(&service, &load.end().await).await;
}
