//! How often somebody may ask: by address before anything is looked at, by lock and by key once it is known who asks.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sharekey::crypto::PublicKey;
use sharekey::id::LockId;

use super::problem::Problem;

/// How many keep a place before those that rest are forgotten.
const CROWD: usize = 100_000;

/// Limits for those who ask.
#[derive(Debug)]
pub struct Limits {
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    locks: DefaultKeyedRateLimiter<LockId>,
    keys: DefaultKeyedRateLimiter<PublicKey>,
}

/// So many at once, and so many in a second after that.
fn quota(burst: u32, per_second: u32) -> Quota {
    let at_least_one = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst))
}

impl Limits {
    /// So many requests a second of one lock, and of one key, and four times as many at once; of one address, behind
    /// which a house may be, twice and ten times as many.
    #[must_use]
    pub fn new(a_second: u32) -> Self {
        let times = |burst, rate| quota(a_second.saturating_mul(burst), a_second.saturating_mul(rate));
        Self {
            addresses: RateLimiter::keyed(times(10, 2)),
            locks: RateLimiter::keyed(times(4, 1)),
            keys: RateLimiter::keyed(times(4, 1)),
        }
    }

    /// # Errors
    /// A [`Problem`] where the lock's share is used up.
    pub fn lock(&self, lock: LockId) -> Result<(), Problem> {
        check(&self.locks, &lock)
    }

    /// # Errors
    /// A [`Problem`] where the key's share is used up.
    pub fn key(&self, key: PublicKey) -> Result<(), Problem> {
        check(&self.keys, &key)
    }
}

fn check<K: Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>, who: &K) -> Result<(), Problem> {
    if limiter.len() > CROWD {
        limiter.retain_recent();
    }
    let too_many = || Problem::later(StatusCode::TOO_MANY_REQUESTS, "Http.TooMany", "you ask too often");
    limiter.check_key(who).map_err(|_| too_many())
}

/// Whoever has a /64 has all of its addresses.
fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        IpAddr::V4(_) => address,
    }
}

/// Turns away who asks too often, before a byte of the body is read.
pub async fn by_address(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|from| household(from.ip()));
    match from.map_or(Ok(()), |from| check(&limits.addresses, &from)) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}
