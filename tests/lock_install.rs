//! Install: each accept rule, broken alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::stand::Stand;

#[test]
fn a_good_bundle_installs_and_the_key_opens() {
    let (mut stand, key) = Stand::installed();
    let unlocked = stand.open(&key).unwrap();
    assert_eq!(unlocked.action, sharekey::limits::Action::Open);
}
