//! Compiled, secrets would be compared byte by byte, and the time taken tell how many are right.

use sharekey::secret::PairingKey;

fn secret_ordered(ours: &PairingKey, theirs: &PairingKey) -> bool {
    PartialOrd::lt(ours, theirs) //~ E0277 ours
}

fn main() {}
