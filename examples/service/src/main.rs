//! The service, as a program.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use metrics_exporter_prometheus::PrometheusBuilder;
use sharekey::crypto::Ring;
use sharekey::service::Service;
use sharekey_service::desk::Desk;
use sharekey_service::http::{App, Limits, router};
use sharekey_service::{key, store};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Relays and orders what owners, guests and locks sign. With nothing said it listens on this machine only, and keeps
/// its records in a file.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen.
    #[arg(long, env = "SHAREKEY_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// `sqlite:FILE`, or `postgres://USER:PASSWORD@HOST/DATABASE`.
    #[arg(long, env = "SHAREKEY_DATABASE", default_value = "sqlite:sharekey.db", hide_env_values = true)]
    database: String,
    /// The file of the service's key, which is made where there is none.
    #[arg(long, env = "SHAREKEY_KEY", default_value = "sharekey.key")]
    key: PathBuf,
    /// How many connections to a PostgreSQL.
    #[arg(long, env = "SHAREKEY_CONNECTIONS", default_value_t = 8)]
    connections: u32,
    /// How many requests a second one lock may have, and one key; four times as many at once. An address may send twice
    /// and ten times as many.
    #[arg(long, env = "SHAREKEY_LIMITS", default_value_t = 10)]
    limits: u32,
    /// The token with which the operator hears of all locks; without one nobody does.
    #[arg(long, env = "SHAREKEY_OPERATOR", hide_env_values = true)]
    operator: Option<String>,
    /// A folder of pages to serve beside.
    #[arg(long, env = "SHAREKEY_PAGES")]
    pages: Option<PathBuf>,
    /// The database was restored from an older copy: nothing of a lock is released or denied until its owner has
    /// transferred it to himself. Said once, at the first start after it.
    #[arg(long)]
    restored: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let metrics = PrometheusBuilder::new().install_recorder()?;

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let store = store::open(&arguments.database, arguments.connections).await?;
    let service = Service::new(Ring, &key::load_or_make(&arguments.key)?)?;
    let desk = Arc::new(Desk::new(service, store));
    if arguments.restored {
        let marked = desk.mark_restored().await?;
        tracing::warn!(
            marked,
            "restored: nothing of these locks is released or denied until their owners transferred them to themselves"
        );
    }
    let app = App::new(Arc::clone(&desk), Limits::new(arguments.limits), arguments.operator.as_deref());
    let router = router(app, metrics, arguments.pages.as_deref());

    let listener =
        TcpListener::bind(arguments.listen).await.with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let url = format!("http://{}", listener.local_addr()?);
    tracing::info!(url, key = %desk.key(), "serves");
    // For who started it, where the port was left to the system.
    writeln!(std::io::stdout(), "{url}")?;
    let stopping = Arc::clone(&desk);
    let served = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>());
    served
        .with_graceful_shutdown(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("takes no more requests, and serves those that came");
            stopping.stop();
        })
        .await?;
    desk.drain().await;
    Ok(())
}
