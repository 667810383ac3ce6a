//! Compiled, bytes that nobody checked would be sent as a message of this library.

use sharekey::message::Grant;
use sharekey::wire::Encoded;

fn message_made_up(bytes: &[u8]) -> Encoded<Grant> {
    bytes.into() //~ E0277 into
}

fn main() {}
