//! The story of the README works as it is printed there, on both databases.

use crate::support::*;
use std::process::Command;

async fn story(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(database_url) = fresh_database(kind, &folder).await else { return };
    let readme = include_str!("../../README.md");
    let block = readme.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let block = block.replace("8080", &port.to_string()).replace("sqlite://shop/tributary.db", &database_url);
    let script = format!("set -euo pipefail\ntrap 'kill $(jobs -p)' EXIT\n{block}");
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_tributary")).parent().unwrap().display().to_string();
    let path = format!("{binary}:{}", std::env::var("PATH").unwrap());
    let output = Command::new("bash").arg("-c").arg(script).current_dir(folder.path()).env("PATH", path).output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{out}\n{}", String::from_utf8_lossy(&output.stderr));
    for said in [
        "latest_click_in_window",
        "10 % × (1200.00 − 200.00 tax) = 100.00 RUB",
        "\"roi\":1100.0",
        "pay_1;",
        ";100.00;RUB",
        "\"state\":\"paid\"",
        "ok      every journal sums to zero",
    ] {
        assert!(out.contains(said), "'{said}' is missing in:\n{out}");
    }
    assert!(!out.contains("BROKEN"));
}

mod the_story_of_the_readme_works_as_printed {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        story(Kind::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        story(Kind::Postgres).await;
    }
}
