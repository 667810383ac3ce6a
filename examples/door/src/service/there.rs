//! A service that runs elsewhere (`examples/service`), by HTTP.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use sharekey::crypto::PublicKey;
use sharekey::error::ServiceError;
use sharekey::service::{Request, place_of};
use sharekey::wire::Kind;
use ureq::http::{self, Response};
use ureq::{Agent, Body};

use super::{NAME, Unreachable};
use crate::files;
use crate::home::Home;
use crate::refusal::{By as _, Refusal};

/// How often the same bytes are sent again where no answer came.
const ATTEMPTS: usize = 5;

pub struct There {
    url: String,
    key: PublicKey,
    agent: Agent,
}

/// What is kept of a service: its key is asked for once, and another one later is another service.
#[derive(Serialize, Deserialize)]
struct Known {
    url: String,
    key: PublicKey,
}

impl There {
    pub fn open(home: &Home, url: &str) -> anyhow::Result<Self> {
        ensure!(url.starts_with("http://"), "{url}: this program speaks plain http only, to a service on this machine");
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(15)));
        let (agent, url) = (Agent::from(config.build()), url.trim_end_matches('/').to_owned());
        let path = home.service_folder().join("there");
        let known = files::read_json::<Known>(&path)?.filter(|known| known.url == url);
        let key = match known {
            Some(known) => known.key,
            None if home.is_offline() => return Err(Unreachable.into()),
            None => {
                let mut about = agent.get(format!("{url}/v1/service")).call().map_err(|_| Unreachable)?;
                let about: serde_json::Value = serde_json::from_slice(&about.body_mut().read_to_vec()?)?;
                let key = about
                    .get("key")
                    .and_then(|key| key.as_str())
                    .and_then(|key| key.parse().ok())
                    .context("it does not say its key")?;
                files::write_json(&path, &Known { url: url.clone(), key })?;
                key
            }
        };
        Ok(Self { url, key, agent })
    }

    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Sends a request to where it belongs; gives what comes back.
    pub fn ask(&self, request: Request<'_>) -> anyhow::Result<Vec<u8>> {
        match request {
            Request::Report { request, .. } => Ok(self.send("/v1/reports", request)?.0),
            Request::Release { place: Some((lock, slot)), claim, install } => {
                let body = [framed(claim)?, framed(install)?].concat();
                Ok(self.send(&format!("/v1/locks/{lock}/slots/{slot}/releases"), &body)?.0)
            }
            Request::Message(message) => Ok(self.send(&path_of(message)?, message)?.0),
            _ => bail!("a service elsewhere has to be told the slot"),
        }
    }

    /// What is shared with whoever has signed, page by page.
    pub fn find(&self, request: &[u8]) -> anyhow::Result<Vec<Vec<u8>>> {
        let (mut found, mut path) = (Vec::new(), "/v1/grants".to_owned());
        loop {
            let (body, next) = self.send(&path, request)?;
            let mut rest = body.as_slice();
            while let Some((length, after)) = rest.split_first_chunk::<2>() {
                let split = after.split_at_checked(usize::from(u16::from_be_bytes(*length)));
                let (message, after) = split.context("a page is cut short")?;
                found.push(message.to_vec());
                rest = after;
            }
            let Some(next) = next else { return Ok(found) };
            path = format!("/v1/grants?after={next}");
        }
    }

    /// The body of the answer, and where the next page begins. Where none comes, or the outcome is not known, the same is
    /// sent again: that is always safe.
    fn send(&self, path: &str, body: &[u8]) -> anyhow::Result<(Vec<u8>, Option<String>)> {
        let method = if path.ends_with("/ownership") { "PUT" } else { "POST" };
        for _ in 0..ATTEMPTS {
            let request = http::Request::builder().method(method).uri(format!("{}{path}", self.url)).body(body)?;
            let Ok(mut response) = self.agent.run(request) else { continue };
            let Ok(answer) = response.body_mut().read_to_vec() else { continue };
            if response.status().is_success() {
                let next = response.headers().get("next").and_then(|next| next.to_str().ok());
                return Ok((answer, next.map(str::to_owned)));
            }
            if !response.status().is_server_error() {
                return Err(refused(&response, &answer));
            }
        }
        Err(Unreachable.into())
    }
}

/// The refusal as the library has it, by its code; else the service's own words.
fn refused(response: &Response<Body>, answer: &[u8]) -> anyhow::Error {
    let problem: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    let part = |name| problem.get(name).and_then(|part| part.as_str()).unwrap_or_default();
    match ServiceError::all().find(|error| error.name() == part("code")) {
        Some(error) => Refusal::new(NAME, error).into(),
        None => anyhow::anyhow!("{NAME} answered {}: {} {}", response.status(), part("title"), part("code")),
    }
}

fn framed(message: &[u8]) -> anyhow::Result<Vec<u8>> {
    Ok([&u16::try_from(message.len())?.to_be_bytes()[..], message].concat())
}

fn path_of(message: &[u8]) -> anyhow::Result<String> {
    let (lock, slot) = place_of(message).by(NAME)?;
    let Some(slot) = slot else { return Ok(format!("/v1/locks/{lock}/ownership")) };
    let what = match Kind::of(message).map_err(ServiceError::from).by(NAME)? {
        Kind::Grant => "grants",
        Kind::Withdraw => "withdrawals",
        Kind::ReportRequest => return Ok("/v1/reports".to_owned()),
        _ => "proofs",
    };
    Ok(format!("/v1/locks/{lock}/slots/{slot}/{what}"))
}
