//! Compiled, a key would stand in the open wherever somebody writes what they have as JSON: a log, a crash report.

use serde::{Serialize, Serializer};
use sharekey::guest::GuestKey;

fn secret_stored_without_a_word<S: Serializer>(key: &GuestKey, serializer: S) -> Result<S::Ok, S::Error> {
    Serialize::serialize(key, serializer) //~ E0277 key
}

fn main() {}
