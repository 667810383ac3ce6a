//! The service by HTTP: what is sent are the protocol's messages as bytes, what is refused is problem+json.
//!
//! Signatures authorise what changes, and a signed request what is read: there are no accounts, cookies or passwords here, but
//! for the operator's own stream of events.

mod events;
mod extract;
mod frames;
mod limits;
mod problem;
mod routes;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::services::ServeDir;
use tower_http::trace::TraceLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use self::limits::Limits;
pub use self::problem::Problem;
use crate::desk::Desk;

/// The largest body: no message of the protocol is longer, nor a claim with its install.
const MAX_BODY: usize = 4_096;
/// How long a request may take before its sender is told to send it again; it goes on all the same.
const DEADLINE: Duration = Duration::from_secs(10);

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct App {
    desk: Arc<Desk>,
    limits: Arc<Limits>,
    /// The operator's token, where there is one.
    operator: Option<Arc<str>>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "sharekey service",
        description = "Relays and orders what owners, guests and locks sign. Bodies are the protocol's messages (spec/protocol.md)."
    ),
    tags(
        (name = "owner", description = "What an owner's app sends."),
        (name = "guest", description = "What a guest's app sends."),
        (name = "anyone", description = "What a lock has signed, whoever carries it."),
        (name = "operator", description = "For who runs the service.")
    )
)]
struct Api;

/// What owners, guests and locks reach.
fn protocol() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(routes::service))
        .routes(routes!(routes::ownership))
        .routes(routes!(routes::grants))
        .routes(routes!(routes::withdrawals))
        .routes(routes!(routes::releases))
        .routes(routes!(routes::proofs))
        .routes(routes!(routes::reports))
        .routes(routes!(routes::shared_with_me))
        .routes(routes!(routes::locks_of_mine))
        .routes(routes!(events::of_all))
        .routes(routes!(events::of_a_lock))
}

/// What asks often, and is asked on the machine itself.
fn health() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(routes::healthz)).routes(routes!(routes::readyz))
}

/// The page that describes the routes, as JSON: from the same handlers as the routes.
#[must_use]
pub fn openapi() -> String {
    let described = OpenApiRouter::<App>::with_openapi(Api::openapi()).merge(protocol()).merge(health());
    described.into_openapi().to_pretty_json().unwrap_or_default()
}

/// Everything that is served: the routes, their description, metrics, and the screens where there are some.
pub fn router(app: App, metrics: PrometheusHandle, pages: Option<&Path>) -> Router {
    let (limits, description) = (Arc::clone(&app.limits), openapi());
    let limited = protocol().layer(axum::middleware::from_fn_with_state(limits, limits::by_address));
    let (router, _) = limited.merge(health()).split_for_parts();
    let router = router
        .with_state(app)
        .route("/metrics", get(move || std::future::ready(metrics.render())))
        .route("/openapi.json", get(move || std::future::ready(([("content-type", "application/json")], description))));
    let router = match pages {
        Some(folder) => router.fallback_service(ServeDir::new(folder)),
        None => router.fallback(|| async {
            let title = "there is no such page here: see /openapi.json";
            Problem::of_caller(StatusCode::NOT_FOUND, "Http.NoSuchPage", title)
        }),
    };
    let other_method = || async {
        let title = "there is another method for this: see /openapi.json";
        Problem::of_caller(StatusCode::METHOD_NOT_ALLOWED, "Http.Method", title)
    };
    router
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(TraceLayer::new_for_http())
}

impl App {
    /// A desk behind these limits; without a token nobody hears of all locks.
    #[must_use]
    pub fn new(desk: Arc<Desk>, limits: Limits, operator: Option<&str>) -> Self {
        Self { desk, limits: Arc::new(limits), operator: operator.map(Arc::from) }
    }
}
