//! What the service's own work costs beside the database's: each request by the desk, store and library in this process, beside the
//! bare statement that it comes to, on the same engine and as many connections, in turns of one run. HTTP is apart.
//!
//! A request that writes stands beside a bare update of a row of its size together with a row of the outbox; one that reads beside a bare
//! read. `library` is what deciding takes without a store: signatures, most of it. See `load.sh`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sharekey::crypto::{PublicKey, Ring};
use sharekey::error::ServiceError;
use sharekey::service::{Key, Put, Service};
use sharekey_service::desk::{Asked, Desk};
use sharekey_service::store::{self, Store};
use sharekey_stage::desk::service_seed;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};

use crate::pair::{Pair, find, now};
use crate::stores::block_on;

/// How many requests of a kind each client makes in a turn.
const TURN: usize = 25;
const TURNS: usize = 8;
const CONNECTIONS: u32 = 8;

/// The same database, without the service.
#[derive(Clone)]
enum Bare {
    Sqlite(SqlitePool, SqlitePool),
    Postgres(PgPool),
}

const TELL: &str = "INSERT INTO outbox (lock, slot, version, event) VALUES ($1, 0, 2, $2)";
const UPDATE: &str = "UPDATE records SET version = version + 1, digest = $2, bytes = $3 WHERE lock = $1 AND slot = 0";
const BOTH: &str = "WITH put AS (UPDATE records SET version = version + 1, digest = $2, bytes = $3 WHERE lock = $1 AND slot = 0 \
     RETURNING 1) INSERT INTO outbox (lock, slot, version, event) SELECT $1, 0, 2, $4 FROM put";
const READ: &str = "SELECT bytes FROM records WHERE lock = $1 AND slot = 0";
const EVENT: &str = "{\"Withdrawn\":{\"key\":{\"generation\":2,\"grant\":\"0000000000000000000000000000000000000000000000000000000000000000\"}}}";

impl Bare {
    async fn open(database: &str) -> Self {
        let Some(file) = database.strip_prefix("sqlite:") else {
            return Self::Postgres(PgPoolOptions::new().max_connections(CONNECTIONS).connect(database).await.unwrap());
        };
        let options = SqliteConnectOptions::new().filename(file).journal_mode(SqliteJournalMode::Wal);
        let options = options.synchronous(SqliteSynchronous::Full);
        let pool = |connections| SqlitePoolOptions::new().max_connections(connections).connect_with(options.clone());
        Self::Sqlite(pool(1).await.unwrap(), pool(4).await.unwrap())
    }

    async fn update(&self, lock: &[u8], bytes: &[u8]) {
        let digest = &bytes[..32];
        match self {
            Self::Sqlite(writer, _) => {
                let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
                sqlx::query(UPDATE).bind(lock).bind(digest).bind(bytes).execute(&mut *transaction).await.unwrap();
                sqlx::query(TELL).bind(lock).bind(EVENT).execute(&mut *transaction).await.unwrap();
                transaction.commit().await.unwrap();
            }
            Self::Postgres(pool) => {
                sqlx::query(BOTH).bind(lock).bind(digest).bind(bytes).bind(EVENT).execute(pool).await.unwrap();
            }
        }
    }

    async fn read(&self, lock: &[u8]) {
        let bytes: Vec<u8> = match self {
            Self::Sqlite(_, readers) => sqlx::query_scalar(READ).bind(lock).fetch_one(readers).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_scalar(READ).bind(lock).fetch_one(pool).await.unwrap(),
        };
        assert!(!bytes.is_empty());
    }

    /// A row for the bare update.
    async fn put(&self, lock: &[u8]) {
        const PUT: &str = "INSERT INTO records VALUES ($1, 0, 1, $2, $3, NULL, NULL, 'shared')";
        let (digest, bytes) = (&[0; 32][..], &[7; 700][..]);
        match self {
            Self::Sqlite(pool, _) => sqlx::query(PUT).bind(lock).bind(digest).bind(bytes).execute(pool).await.map(drop),
            Self::Postgres(pool) => sqlx::query(PUT).bind(lock).bind(digest).bind(bytes).execute(pool).await.map(drop),
        }
        .unwrap();
    }

    /// Records that nobody asks for, up to so many.
    async fn fill(&self, records: i64) {
        const SQLITE: &str = "INSERT INTO records WITH RECURSIVE more(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < $1) \
             SELECT randomblob(32), 0, 1, randomblob(32), randomblob(750), NULL, randomblob(32), 'shared' FROM more WHERE $1 > 0";
        const POSTGRES: &str = "INSERT INTO records SELECT sha256(n::TEXT::BYTEA), 0, 1, sha256((n + 1)::TEXT::BYTEA), \
             decode(repeat(md5(n::TEXT), 47), 'hex'), NULL, sha256((n + 2)::TEXT::BYTEA), 'shared' \
             FROM generate_series(1, $1) AS n WHERE $1 > 0 ON CONFLICT DO NOTHING";
        const COUNT: &str = "SELECT count(*) FROM records";
        match self {
            Self::Sqlite(writer, _) => {
                let there: i64 = sqlx::query_scalar(COUNT).fetch_one(writer).await.unwrap();
                sqlx::query(SQLITE).bind((records - there).max(0)).execute(writer).await.unwrap();
            }
            Self::Postgres(pool) => {
                let there: i64 = sqlx::query_scalar(COUNT).fetch_one(pool).await.unwrap();
                sqlx::query(POSTGRES).bind((records - there).max(0)).execute(pool).await.unwrap();
                sqlx::query("VACUUM ANALYZE records").execute(pool).await.unwrap();
            }
        }
    }
}

/// Another lock's row, so that no record is damaged.
fn beside(lock: &PublicKey) -> [u8; 32] {
    lock.as_bytes().map(|byte| byte ^ 1)
}

/// Times of one kind of request.
#[derive(Default)]
struct Took {
    each: Vec<Duration>,
    all: Duration,
}

impl Took {
    fn a_second(&self) -> f64 {
        self.each.len() as f64 / self.all.as_secs_f64()
    }

    fn at(&mut self, part: usize) -> f64 {
        self.each.sort_unstable();
        self.each[(self.each.len() - 1) * part / 100].as_secs_f64() * 1_000.0
    }
}

/// Every client makes its turn of requests, all clients at once.
async fn turn<F: Future<Output = ()> + Send + 'static>(
    took: &mut Took,
    clients: usize,
    ask: impl Fn(usize, usize) -> F,
) {
    let asks: Vec<Vec<F>> = (0..clients).map(|client| (0..TURN).map(|number| ask(client, number)).collect()).collect();
    let began = Instant::now();
    let running: Vec<_> = asks
        .into_iter()
        .map(|asks| {
            tokio::spawn(async move {
                let mut each = Vec::new();
                for ask in asks {
                    let began = Instant::now();
                    ask.await;
                    each.push(began.elapsed());
                }
                each
            })
        })
        .collect();
    for client in running {
        took.each.extend(client.await.unwrap());
    }
    took.all += began.elapsed();
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Publish,
    Find,
    Report,
    Release,
    Withdraw,
}

/// In the order in which they can be asked of one share, and how large the record is then.
const KINDS: [(Kind, &str, usize); 5] = [
    (Kind::Publish, "publish", 646),
    (Kind::Find, "find", 0),
    (Kind::Report, "report", 0),
    (Kind::Release, "release", 749),
    (Kind::Withdraw, "withdraw", 1_233),
];

/// The request is made before it is asked, which is the client's work.
fn ask(desk: Arc<Desk>, kind: Kind, pair: Pair) -> impl Future<Output = ()> + Send + 'static {
    let [.., publish] = pair.opening();
    let asked = match kind {
        Kind::Publish => publish,
        Kind::Find => Asked::Message(find(&pair.subject())),
        Kind::Report => pair.report(1),
        Kind::Release => pair.release(1),
        Kind::Withdraw => pair.withdrawal(),
    };
    async move {
        match (kind, asked) {
            (Kind::Find, Asked::Message(request)) => {
                let asker = desk.asker(&request).unwrap();
                assert_eq!(desk.grants(&asker, None, 50).await.unwrap().messages.len(), 1);
            }
            (_, asked) => drop(desk.serve(asked).await.unwrap()),
        }
    }
}

/// What deciding takes with records in memory, in the mean.
fn library(kind: Kind) -> Duration {
    let service = Service::new(Ring, &service_seed()).unwrap();
    let mut records: HashMap<Key, Vec<u8>> = HashMap::new();
    let mut took = Duration::ZERO;
    let serve = |records: &mut HashMap<Key, Vec<u8>>, asked: &Asked| {
        let load = |key| Ok::<_, ServiceError>(records.get(&key).cloned());
        let decided = service.serve(asked.request(now()), load).unwrap();
        drop(decided.commit(|write| {
            let (Put::New(next) | Put::InPlaceOf { next, .. }) = write.put();
            records.insert(write.key(), next.to_vec());
            Ok::<_, ServiceError>(())
        }));
    };
    for number in 0..100 {
        let pair = Pair::apart(number);
        let [ownership, activation, publish] = pair.opening();
        serve(&mut records, &ownership);
        serve(&mut records, &activation);
        for (other, asked) in [
            (Kind::Publish, publish),
            (Kind::Report, pair.report(1)),
            (Kind::Release, pair.release(1)),
            (Kind::Withdraw, pair.withdrawal()),
        ] {
            let began = Instant::now();
            serve(&mut records, &asked);
            took += if other == kind { began.elapsed() } else { Duration::ZERO };
        }
        if kind == Kind::Find {
            let request = find(&pair.subject());
            let began = Instant::now();
            service.find(&request, now()).unwrap();
            took += began.elapsed();
        }
    }
    took / 100
}

async fn measure(desk: &Arc<Desk>, bare: &Bare, (records, clients, first): (i64, usize, u32)) {
    let count = clients * TURN * TURNS;
    let pairs: Arc<Vec<Pair>> = Arc::new((first..).take(count).map(Pair::apart).collect());
    let opened = futures_util::future::join_all((0..16).map(|worker| {
        let (desk, bare, pairs) = (Arc::clone(desk), bare.clone(), Arc::clone(&pairs));
        tokio::spawn(async move {
            for pair in pairs.iter().skip(worker).step_by(16) {
                bare.put(&beside(pair.lock.key())).await;
                for asked in &pair.opening()[..2] {
                    desk.serve(asked.clone()).await.unwrap();
                }
            }
        })
    }));
    opened.await.into_iter().for_each(Result::unwrap);
    for (kind, name, size) in KINDS {
        let (mut ours, mut theirs) = (Took::default(), Took::default());
        for round in 0..TURNS {
            let pair = |client: usize, number: usize| pairs[(round * clients + client) * TURN + number].clone();
            turn(&mut ours, clients, |client, number| ask(Arc::clone(desk), kind, pair(client, number))).await;
            turn(&mut theirs, clients, |client, number| {
                let (bare, lock) = (bare.clone(), pair(client, number).lock);
                async move {
                    let lock: &PublicKey = lock.key();
                    if size == 0 {
                        bare.read(lock.as_bytes()).await;
                    } else {
                        bare.update(&beside(lock), &vec![7; size]).await;
                    }
                }
            })
            .await;
        }
        let (ratio, deciding) = (ours.a_second() / theirs.a_second(), library(kind));
        println!(
            "| {records} | {clients} | {name} | {:.0} | {:.2} / {:.2} | {:.0} | {:.2} / {:.2} | {ratio:.2} | {} |",
            ours.a_second(),
            ours.at(50),
            ours.at(99),
            theirs.a_second(),
            theirs.at(50),
            theirs.at(99),
            deciding.as_micros(),
        );
    }
}

#[test]
#[ignore = "measures for minutes: load.sh"]
fn load() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = std::env::var("SHAREKEY_POSTGRES");
    let database = database.unwrap_or_else(|_| format!("sqlite:{}", folder.path().join("records.db").display()));
    let sizes = std::env::var("SHAREKEY_RECORDS").unwrap_or_else(|_| "1000".to_owned());
    println!(
        "| records | clients | request | a second | p50 / p99 ms | bare a second | p50 / p99 ms | ratio | library µs |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    block_on(async {
        let store: Arc<dyn Store> = store::open(&database, CONNECTIONS).await.unwrap();
        let desk = Arc::new(Desk::new(Service::new(Ring, &service_seed()).unwrap(), store));
        let bare = Bare::open(&database).await;
        let mut first = 0;
        for records in sizes.split(' ').map(|size| size.parse::<i64>().unwrap()) {
            bare.fill(records).await;
            for clients in [1, 8] {
                measure(&desk, &bare, (records, clients, first)).await;
                first += 10_000;
            }
        }
    });
}
