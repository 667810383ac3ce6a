//! Compiled, a slot would follow rules that neither the service nor the owner has.

use sharekey::slot::Witness;

#[derive(Debug)]
struct Somebody;

impl Witness for Somebody { //~ E0277 Somebody
    const SIGNED_MAY_OPEN: bool = false;
}

fn main() {}
