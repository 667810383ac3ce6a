//! Compiled, a firmware could give itself sessions that never end.

use sharekey::lock::purpose::Purpose;

struct Forever;

impl Purpose for Forever { //~ E0277 Forever
    const DEADLINE_MS: u64 = u64::MAX;
    const INDEX: usize = 0;
}

fn main() {}
