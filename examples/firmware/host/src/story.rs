//! The story of `examples/share_a_key`, told to the firmware, and how its lock is reset in the end.

use sharekey::limits::Action;
use sharekey::owner::Order;
use sharekey::secret::ActivationSecret;
use sharekey_apps::Radio as _;
use sharekey_apps::phone::OwnerPhone;
use sharekey_apps::story::{self, ensure, say};

use super::door::Door;
use super::machine::Firmware;
use super::{Outcome, entropy};

/// Plays it.
///
/// # Errors
/// The first step that deviates.
pub fn play(firmware: Firmware) -> Outcome<()> {
    let card = ActivationSecret::random(&mut entropy());
    let mut door = Door::make(firmware, &card)?;
    let (mut cloud, mut otto) = story::play(&mut door, &card)?;

    let before = door.id();
    ensure(door.factory_reset(&card, false).is_err() && door.id() == before, "a card alone resets nothing")?;
    door.factory_reset(&card, true)?;
    ensure(door.id() != before, "the lock is another one")?;
    let opens = otto.order(&mut door, &mut cloud, Order::Act { action: Action::Open });
    ensure(opens.is_err(), "Otto orders nothing any more")?;
    let mut ada = OwnerPhone::new()?;
    ada.provision(&mut door, &card, &mut cloud)?;
    say("Who holds the card and presses the button inside resets the lock: it is another one, and Ada's.");

    say("All as it should be.");
    Ok(())
}
