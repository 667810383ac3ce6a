//! What happened, as it happens: server-sent events from the outbox, which go on where a listener left off.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream;
use sharekey::id::LockId;
use subtle::ConstantTimeEq as _;

use super::App;
use super::extract::{Body, OfLock};
use super::problem::Problem;
use crate::desk::Desk;
use crate::store::{Cursor, Event};

/// How many events are read at once.
const BATCH: u32 = 100;
/// How often other processes' events are looked for.
const LOOK: Duration = Duration::from_secs(1);

type Events = Sse<KeepAliveStream>;
type KeepAliveStream =
    axum::response::sse::KeepAliveStream<std::pin::Pin<Box<dyn Stream<Item = Result<Sent, Infallible>> + Send>>>;

#[utoipa::path(
    get, path = "/v1/events", tag = "operator",
    params(("last-event-id" = Option<String>, Header, description = "the id of the last event that was heard; without one it begins now")),
    responses(
        (status = 200, content_type = "text/event-stream", body = String, description = "what changed, of all locks"),
        (status = 401, body = Problem), (status = 400, body = Problem)
    ),
    security(("operator" = []))
)]
/// Hears what changes, of all locks
pub async fn of_all(State(app): State<App>, headers: HeaderMap) -> Result<Events, Problem> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let known = app.operator.as_deref().zip(given).is_some_and(|(token, given)| token.as_bytes().ct_eq(given).into());
    if !known {
        let title = "the operator's token is needed, which the service was started with";
        return Err(Problem::of_caller(StatusCode::UNAUTHORIZED, "Http.Operator", title));
    }
    hear(&app, &headers, None).await
}

#[utoipa::path(
    post, path = "/v1/locks/{lock}/events", tag = "owner",
    params(
        ("lock" = String, Path),
        ("last-event-id" = Option<String>, Header, description = "the id of the last event that was heard; without one it begins now")
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "a ReportRequest of any slot of the lock, signed within 300 s"),
    responses(
        (status = 200, content_type = "text/event-stream", body = String, description = "what changed, of this lock"),
        (status = "4XX", body = Problem), (status = "5XX", body = Problem)
    )
)]
/// Hears what changes, of a lock of one's own: then ask for the slot's report
pub async fn of_a_lock(
    State(app): State<App>,
    OfLock(lock): OfLock,
    headers: HeaderMap,
    Body(request): Body,
) -> Result<Events, Problem> {
    app.limits.lock(lock)?;
    app.desk.manages(lock, &request).await?;
    hear(&app, &headers, Some(lock)).await
}

async fn hear(app: &App, headers: &HeaderMap, of: Option<LockId>) -> Result<Events, Problem> {
    let last = headers.get("last-event-id").map(|id| id.to_str().ok().and_then(|id| id.parse().ok()));
    let at = match last {
        Some(None) => {
            return Err(Problem::of_caller(StatusCode::BAD_REQUEST, "Http.LastEventId", "it is the id of an event"));
        }
        Some(Some(at)) => at,
        None => app.desk.store().newest().await.map_err(|error| Problem::from(crate::desk::Refused::from(error)))?,
    };
    let listener =
        Listener { news: app.desk.news(), desk: Arc::clone(&app.desk), at, of, read: Vec::new().into_iter() };
    let events = stream::unfold(listener, |mut listener| async { Some((Ok(listener.next().await?), listener)) });
    let events: std::pin::Pin<Box<dyn Stream<Item = _> + Send>> = Box::pin(events);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

struct Listener {
    desk: Arc<Desk>,
    news: tokio::sync::watch::Receiver<u64>,
    at: Cursor,
    of: Option<LockId>,
    read: std::vec::IntoIter<Event>,
}

impl Listener {
    /// The next event; `None` where the service shuts down or its store does not answer: the listener comes again.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(event) = self.read.by_ref().find(|event| self.of.is_none_or(|lock| event.key.0 == lock)) {
                return Some(Sent::default().id(event.at.to_string()).event("changed").data(data(&event)));
            }
            if self.desk.is_stopping() {
                return None;
            }
            self.news.mark_unchanged();
            let read = self.desk.store().events(self.at, BATCH).await.ok()?;
            match read.last() {
                Some(last) => self.at = last.at,
                None => drop(tokio::time::timeout(LOOK, self.news.changed()).await),
            }
            self.read = read.into_iter();
        }
    }
}

/// An event as JSON.
fn data(event: &Event) -> String {
    let (slot, version) = (event.key.1.map(|slot| slot.index()), event.version);
    let changed: serde_json::Value = serde_json::from_str(&event.event).unwrap_or_default();
    serde_json::json!({ "lock": event.key.0, "slot": slot, "version": version, "changed": changed }).to_string()
}
