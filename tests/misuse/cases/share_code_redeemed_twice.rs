//! Compiled, a code that was used up would stay in memory.

use sharekey::code::ShareCode;
use sharekey::crypto::Stretch;

fn share_code_redeemed_twice(code: ShareCode, crypto: &impl Stretch) {
    let _ = code.redeem(crypto);
    let _ = code.redeem(crypto); //~ E0382 code
}

fn main() {}
