//! Compiled, a grant would leave while its number may still be lost: the phone's store has not answered.

use sharekey::message::Grant;
use sharekey::owner::OwnedLock;
use sharekey::staged::Detached;
use sharekey::wire::Encoded;

fn grant_taken_out_of_detached(waiting: Detached<OwnedLock, Encoded<Grant>>) -> Encoded<Grant> {
    waiting.output //~ E0616 output
}

fn main() {}
