//! Negative controls: with the settings that are refused, what was acknowledged is lost; with those that are taken, it is not.

use sharekey_service::store::Store as _;
use sharekey_service::store::postgres::PostgresStore;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use crate::stores::{Own, block_on, run};

const COMMITS: i64 = 300;

/// Commits records until the server crashes right after the last; gives how many of the acknowledged are not there afterwards.
fn lost(server: &Own, level: &str) -> i64 {
    let put = "INSERT INTO records (lock, slot, version, digest, bytes) VALUES ($1, 0, 1, '', repeat('x', 500)::BYTEA)";
    block_on(async {
        let options: PgConnectOptions = server.url.parse().unwrap();
        let mut session = PgConnection::connect_with(&options.options([("synchronous_commit", level)])).await.unwrap();
        for number in 0..COMMITS {
            sqlx::query(put).bind(&number.to_be_bytes()[..]).execute(&mut session).await.unwrap();
        }
        server.crash();
    });
    server.start_again();
    block_on(async {
        let mut session = PgConnection::connect(&server.url).await.unwrap();
        let there: i64 = sqlx::query_scalar("SELECT count(*) FROM records").fetch_one(&mut session).await.unwrap();
        COMMITS - there
    })
}

#[test]
fn what_postgres_acknowledged_without_the_disk_is_lost_when_it_crashes() {
    let Some(server) = Own::start(&[]) else { return };
    block_on(async {
        PostgresStore::connect(server.url.parse().unwrap(), 1).await.unwrap().close().await;
    });
    let safe = lost(&server, "on");
    block_on(run(&server.url, "DELETE FROM records"));
    let unsafely = lost(&server, "off");
    println!("lost of {COMMITS}: {safe} with synchronous_commit = on, {unsafely} with off");
    assert_eq!(safe, 0);
    assert!(unsafely > 0, "off lost nothing: is the check of the settings of any use?");
}
