//! Compiled, a code would end in a database, from where it opens.

use serde::{Serialize, Serializer};
use sharekey::code::ShareCode;

fn share_code_stored<S: Serializer>(code: &ShareCode, serializer: S) -> Result<S::Ok, S::Error> {
    code.serialize(serializer) //~ E0599 serialize(
}

fn main() {}
