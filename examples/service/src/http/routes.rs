//! What is asked, and of whom.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sharekey::service::place_of;
use sharekey::wire::Kind;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::extract::{After, Asker, Body, From, OfLock, OfSlot, shown};
use super::problem::Problem;
use super::{App, DEADLINE, frames};
use crate::desk::{Asked, Page};
use crate::store::Key;

/// How many places a page has at most.
const PAGE: u32 = 50;

/// Messages as they are, or an answer that is made of them.
type Answer = Result<Message, Problem>;

/// The bytes of a message; 204 where there is nothing to say but that the request was taken in.
#[derive(Debug)]
pub struct Message(Vec<u8>);

impl IntoResponse for Message {
    fn into_response(self) -> Response {
        if self.0.is_empty() {
            return StatusCode::NO_CONTENT.into_response();
        }
        ([(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-store")], self.0)
            .into_response()
    }
}

impl App {
    /// Serves what was sent to a path, where it is for what the path names.
    async fn serve(&self, at: Key, kinds: &[Kind], Body(message): Body) -> Answer {
        let found = Kind::of(&message).map_err(sharekey::error::ServiceError::from)?;
        // Not yet whose a message is that does not belong here.
        if !kinds.contains(&found) || place_of(&message)? != at {
            let title = "the message is not of a kind that belongs here, or not for the lock and slot of the path";
            return Err(Problem::of_caller(StatusCode::BAD_REQUEST, "Http.OtherPlace", title));
        }
        self.limits.lock(at.0)?;
        self.answer(Asked::Message(message.into())).await
    }

    /// Whoever waits is told after a while to send it again; what was asked goes on all the same.
    async fn answer(&self, asked: Asked) -> Answer {
        match timeout(DEADLINE, self.desk.serve(asked)).await {
            Ok(served) => Ok(Message(served?)),
            Err(_) => {
                let title = "it is not served yet: send the same bytes again";
                Err(Problem::later(StatusCode::GATEWAY_TIMEOUT, "Http.OutcomeUnknown", title))
            }
        }
    }
}

/// What an app has to know of the service.
#[derive(Debug, Serialize, ToSchema)]
pub struct About {
    /// The key that a lock is told when it is provisioned, in hexadecimal digits.
    key: String,
    /// The service's time, in seconds since 1970: a request is signed within 300 s of it.
    time: u64,
    /// Of this program.
    version: &'static str,
}

#[utoipa::path(get, path = "/v1/service", tag = "anyone", responses((status = 200, body = About)))]
/// The service's key, and its time
pub async fn service(State(app): State<App>) -> Json<About> {
    let (key, time) = (app.desk.key().to_string(), crate::now().unix_seconds());
    Json(About { key, time, version: env!("CARGO_PKG_VERSION") })
}

#[utoipa::path(
    put, path = "/v1/locks/{lock}/ownership", tag = "anyone",
    params(("lock" = String, Path, pattern = "^[0-9a-fA-F]{64}$", description = "the lock's key, 64 hexadecimal digits")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "a Provisioned, or a Done of a Transfer"),
    responses((status = 204, description = "it is known"), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json"))
)]
/// Tells whose a lock is
pub async fn ownership(State(app): State<App>, OfLock(lock): OfLock, message: Body) -> Answer {
    app.serve((lock, None), &[Kind::Provisioned, Kind::Done], message).await
}

#[utoipa::path(
    post, path = "/v1/locks/{lock}/slots/{slot}/grants", tag = "owner",
    params(("lock" = String, Path, pattern = "^[0-9a-fA-F]{64}$"), ("slot" = u8, Path, maximum = 254)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "a Grant"),
    responses((status = 204, description = "its guest can fetch it"), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json"))
)]
/// Shares a slot
pub async fn grants(State(app): State<App>, OfSlot(lock, slot): OfSlot, message: Body) -> Answer {
    app.serve((lock, Some(slot)), &[Kind::Grant], message).await
}

#[utoipa::path(
    post, path = "/v1/locks/{lock}/slots/{slot}/withdrawals", tag = "owner",
    params(("lock" = String, Path, pattern = "^[0-9a-fA-F]{64}$"), ("slot" = u8, Path, maximum = 254)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "a Withdraw"),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>, description = "a Withdrawn, which says whether it came in time"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")
    )
)]
/// Takes a share back
pub async fn withdrawals(State(app): State<App>, OfSlot(lock, slot): OfSlot, message: Body) -> Answer {
    app.serve((lock, Some(slot)), &[Kind::Withdraw], message).await
}

#[utoipa::path(
    post, path = "/v1/locks/{lock}/slots/{slot}/releases", tag = "guest",
    params(("lock" = String, Path, pattern = "^[0-9a-fA-F]{64}$"), ("slot" = u8, Path, maximum = 254)),
    request_body(
        content = Vec<u8>, content_type = "application/octet-stream",
        description = "a Claim and an Install, each with its length before it in two bytes, the higher first"
    ),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>, description = "a Release, for the lock"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")
    )
)]
/// Downloads a key, standing at the lock
pub async fn releases(State(app): State<App>, OfSlot(lock, slot): OfSlot, Body(body): Body) -> Answer {
    let Some([claim, install]) = frames::split(&body).and_then(|messages| <[&[u8]; 2]>::try_from(messages).ok()) else {
        let title = "the body is a claim and an install, each with its length before it in two bytes";
        return Err(Problem::of_caller(StatusCode::BAD_REQUEST, "Http.Frames", title));
    };
    app.limits.lock(lock)?;
    app.answer(Asked::Release((lock, slot), claim.into(), install.into())).await
}

#[utoipa::path(
    post, path = "/v1/locks/{lock}/slots/{slot}/proofs", tag = "anyone",
    params(("lock" = String, Path, pattern = "^[0-9a-fA-F]{64}$"), ("slot" = u8, Path, maximum = 254)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "a Receipt, or a Done"),
    responses((status = 204, description = "it is known"), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json"))
)]
/// Brings what a lock has signed of a slot
pub async fn proofs(State(app): State<App>, OfSlot(lock, slot): OfSlot, message: Body) -> Answer {
    app.serve((lock, Some(slot)), &[Kind::Receipt, Kind::Done], message).await
}

#[utoipa::path(
    post, path = "/v1/reports", tag = "owner",
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "a ReportRequest, signed within 300 s"),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>, description = "a Report, and the messages that it is of"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")
    )
)]
/// Asks what became of a slot
pub async fn reports(State(app): State<App>, Body(request): Body) -> Answer {
    app.limits.lock(place_of(&request)?.0)?;
    app.answer(Asked::Report(request.into())).await
}

/// A page of messages, and where the next begins.
fn page(page: &Page) -> Response {
    let body = frames::join(page.messages.iter().map(Vec::as_slice));
    let mut response = ([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response();
    if let Some(next) = page.next.and_then(|next| shown(next).parse().ok()) {
        response.headers_mut().insert("next", next);
    }
    response
}

#[utoipa::path(
    post, path = "/v1/grants", tag = "guest", params(After),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "a FindRequest, signed within 300 s"),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>, description = "Grants, each with its length before it in two bytes",
         headers(("next" = String, description = "`after` of the next page, where there is one"))),
        (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")
    )
)]
/// Asks what is shared with the key that signed
pub async fn shared_with_me(
    State(app): State<App>,
    From(after): From,
    Asker(asker): Asker,
) -> Result<Response, Problem> {
    Ok(page(&app.desk.grants(&asker, after, PAGE).await?))
}

#[utoipa::path(
    post, path = "/v1/locks", tag = "owner", params(After),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "a FindRequest, signed within 300 s"),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>,
         description = "the statement of ownership of each lock, each with its length before it in two bytes",
         headers(("next" = String, description = "`after` of the next page, where there is one"))),
        (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")
    )
)]
/// Asks which locks belong to the key that signed
pub async fn locks_of_mine(
    State(app): State<App>,
    From(after): From,
    Asker(asker): Asker,
) -> Result<Response, Problem> {
    Ok(page(&app.desk.locks(&asker, after, PAGE).await?))
}

#[utoipa::path(get, path = "/healthz", tag = "operator", responses((status = 200, description = "the process runs")))]
/// Whether the process runs
pub async fn healthz() -> &'static str {
    "runs"
}

#[utoipa::path(
    get, path = "/readyz", tag = "operator",
    responses((status = 200, description = "it would store now"), (status = 503, body = Problem, content_type = "application/problem+json"))
)]
/// Whether it would store now
pub async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    app.desk.store().ready().await.map_err(|error| Problem::from(crate::desk::Refused::Store(error)))?;
    Ok("ready")
}
