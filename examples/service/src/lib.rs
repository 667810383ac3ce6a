//! The cloud behind a shared lock, to start from: [`sharekey`]'s service role over a store, by HTTP.

pub mod desk;
pub mod http;
pub mod key;
pub mod store;

use sharekey::limits::Timestamp;

/// This machine's time.
fn now() -> Timestamp {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_unix_seconds(since_1970.map_or(0, |since| since.as_secs()))
}
