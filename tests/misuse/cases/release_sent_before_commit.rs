//! Compiled, a service that crashed here would call a key never released that opens the door.

use sharekey::message::Release;
use sharekey::service::ShareRecord;
use sharekey::staged::Staged;
use sharekey::wire::Encoded;

fn release_sent_before_commit(staged: Staged<'_, ShareRecord, Encoded<Release>>) -> Encoded<Release> {
    staged.output //~ E0616 output
}

fn main() {}
