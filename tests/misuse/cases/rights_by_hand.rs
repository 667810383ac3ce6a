//! Compiled, a grant could carry rights that this version does not define.

use sharekey::limits::Rights;

fn rights_by_hand() -> Rights {
    Rights(0x80) //~ E0423 Rights
}

fn main() {}
