//! The whole story: what is told is in `examples/apps/src/story.rs`, one plain line a step, with the phones and the cloud
//! beside it; the lock is in `door.rs`. Exits with an error as soon as anything deviates from it.

#![allow(clippy::arithmetic_side_effects, reason = "a program, not the library")]

mod door;

use sharekey::secret::ActivationSecret;
use sharekey_apps::{Outcome, entropy, story};

fn main() -> Outcome<()> {
    let card = ActivationSecret::random(&mut entropy());
    story::play(&mut door::Door::make(&card)?, &card)?;
    story::say("All as it should be.");
    Ok(())
}
