//! Compiled, an ownership's number would pass for a key's, and an old key for the newest.

use sharekey::counter::Epoch;
use sharekey::crypto::Digest;
use sharekey::slot::GrantRef;

fn numbers_confused(epoch: Epoch, grant: Digest) -> GrantRef {
    GrantRef { generation: epoch, grant } //~ E0308 epoch
}

fn main() {}
