//! What went wrong, as RFC 9457 has it; `code`, `fault` and `retry` are the library's (docs/errors.md), and the codes that begin
//! with `Http` those of the way here.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sharekey::error::{Fault, Retry, ServiceError};
use utoipa::ToSchema;

use crate::desk::Refused;
use crate::store::StoreError;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not served (RFC 9457).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// The page that says what `code` means.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status of the response.
    status: u16,
    /// What is wrong, for a person.
    title: String,
    /// What is wrong, for a program: a code never comes to mean anything else.
    code: &'static str,
    /// Whose side has to change something.
    #[schema(value_type = String)]
    fault: Fault,
    /// What to do next.
    #[schema(value_type = String)]
    retry: Retry,
    /// What to do next, for a person.
    detail: String,
}

impl Problem {
    fn new(status: StatusCode, (code, title): (&'static str, String), fault: Fault, retry: Retry) -> Self {
        let (kind, status, detail) =
            ("https://docs.rs/sharekey/latest/sharekey/error", status.as_u16(), retry.to_string());
        Self { kind, status, title, code, fault, retry, detail }
    }

    /// The request is not what this page of the service takes.
    #[must_use]
    pub fn of_caller(status: StatusCode, code: &'static str, title: &str) -> Self {
        Self::new(status, (code, title.to_owned()), Fault::Caller, Retry::OtherInput)
    }

    /// The service cannot serve it now.
    #[must_use]
    pub fn later(status: StatusCode, code: &'static str, title: &str) -> Self {
        Self::new(status, (code, title.to_owned()), Fault::Service, Retry::Later)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(&self)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.retry == Retry::Later {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        metrics::counter!("sharekey_problems_total", "code" => self.code).increment(1);
        response
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        Self::new(status(&error), (error.name(), error.to_string()), error.fault(), error.retry())
    }
}

fn status(error: &ServiceError) -> StatusCode {
    use ServiceError as E;

    match error {
        E::Wire(_) => StatusCode::BAD_REQUEST,
        E::NothingShared => StatusCode::NOT_FOUND,
        E::Busy => StatusCode::SERVICE_UNAVAILABLE,
        E::Exhausted | E::Seal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        E::OwnershipSignature(_) | E::GrantSignature(_) | E::WithdrawSignature(_) | E::RequestSignature(_) => {
            StatusCode::FORBIDDEN
        }
        E::ClaimSignature(_) | E::InstallSignature(_) | E::ReceiptSignature(_) | E::DoneSignature(_) => {
            StatusCode::FORBIDDEN
        }
        E::RequestTime { .. } | E::UnknownSigner => StatusCode::FORBIDDEN,
        _ => StatusCode::CONFLICT,
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        if !matches!(refused, Refused::Service(_)) {
            tracing::error!(error = %refused, "a request was not served");
        }
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        match refused {
            Refused::Service(error) => error.into(),
            Refused::Store(StoreError::Unknown(_)) => {
                let title = "whether it was stored is not known: send the same bytes again".to_owned();
                let status = StatusCode::GATEWAY_TIMEOUT;
                Self::new(status, ("Http.OutcomeUnknown", title), Fault::Service, Retry::Later)
            }
            Refused::Store(StoreError::Unsafe(_)) => {
                Self::later(unavailable, "Http.StoreUnsafe", "the database would lose what it acknowledges")
            }
            Refused::Store(StoreError::Corrupt(_)) | Refused::Record(_) => {
                Self::later(StatusCode::INTERNAL_SERVER_ERROR, "Http.StoreCorrupt", "what is stored cannot be read")
            }
            Refused::Store(StoreError::Unavailable(_)) => {
                Self::later(unavailable, "Http.StoreUnavailable", "the database does not answer")
            }
            Refused::Store(StoreError::Conflict) | Refused::Crowded | Refused::Stopping => {
                Self::later(unavailable, "Http.Busy", "too many ask for the same at once")
            }
        }
    }
}
