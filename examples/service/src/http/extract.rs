//! What a request names and brings; what it has wrong is a [`Problem`] like any other.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use sharekey::crypto::PublicKey;
use sharekey::id::{LockId, SlotId};
use utoipa::IntoParams;

use super::App;
use super::problem::Problem;
use crate::store::Key;

/// The bytes of a request, at most [`MAX_BODY`](super::MAX_BODY).
pub struct Body(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let rejected = |rejection: BytesRejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::of_caller(StatusCode::PAYLOAD_TOO_LARGE, "Http.TooLarge", "a body has at most 4096 bytes")
            }
            status => Problem::of_caller(status, "Http.Body", "the body did not come whole"),
        };
        Bytes::from_request(request, state).await.map(Self).map_err(rejected)
    }
}

/// Whose key signed a request to find what is shared, or owned; counted against its limit.
pub struct Asker(pub PublicKey);

impl FromRequest<App> for Asker {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let Body(request) = Body::from_request(request, app).await?;
        let asker = app.desk.asker(&request)?;
        app.limits.key(asker)?;
        Ok(Self(asker))
    }
}

/// A lock in a path.
pub struct OfLock(pub LockId);

impl<S: Send + Sync> FromRequestParts<S> for OfLock {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| wrong())?;
        lock(&text).map(Self)
    }
}

/// A lock in a path, and its slot.
pub struct OfSlot(pub LockId, pub SlotId);

impl<S: Send + Sync> FromRequestParts<S> for OfSlot {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((text, slot)) = Path::<(String, u8)>::from_request_parts(parts, state).await.map_err(|_| wrong())?;
        Ok(Self(lock(&text)?, SlotId::new(slot)))
    }
}

fn wrong() -> Problem {
    let title = "a path has a lock's key in 64 hexadecimal digits, and a slot from 0 to 254";
    Problem::of_caller(StatusCode::BAD_REQUEST, "Http.Path", title)
}

fn lock(text: &str) -> Result<LockId, Problem> {
    text.parse().map_err(|_| wrong())
}

/// Where a page goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct After {
    /// What the answer before named as `Next`.
    after: Option<String>,
}

/// The place after which a page begins.
pub struct From(pub Option<Key>);

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let wrong =
            || Problem::of_caller(StatusCode::BAD_REQUEST, "Http.After", "`after` is what an answer named as Next");
        let Query(After { after }) = Query::from_request_parts(parts, state).await.map_err(|_| wrong())?;
        let place = |text: &str| {
            let (lock, slot) = text.split_once('-')?;
            let slot = if slot.is_empty() { None } else { Some(SlotId::new(slot.parse().ok()?)) };
            Some((lock.parse().ok()?, slot))
        };
        after.map(|text| place(&text).ok_or_else(wrong)).transpose().map(Self)
    }
}

/// A place as [`From`] reads it.
pub fn shown((lock, slot): Key) -> String {
    slot.map_or_else(|| format!("{lock}-"), |slot| format!("{lock}-{slot}"))
}
