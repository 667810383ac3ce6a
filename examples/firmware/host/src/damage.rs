//! Bits of the flash flip while the power is off: what was stored and cannot be read is damaged, and an
//! older copy of it never comes back.

use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::owner::Order;
use sharekey::secret::ActivationSecret;

use super::door::Door;
use super::machine::Firmware;
use super::{Outcome, ensure, entropy};
use sharekey_apps::cloud::Cloud;
use sharekey_apps::phone::OwnerPhone;

const SLOT: SlotId = SlotId::new(0);
/// How the records of that slot begin, and those of the seed.
const SLOT_RECORD: &[u8] = b"SR\x01\x04\x00";
const SEED_RECORD: &[u8] = b"SR\x01\x01\x00";

/// The newest record of a slot decays, of which the flash has an older copy: the slot is damaged.
///
/// # Errors
/// Where the lock takes it for anything else.
pub fn of_a_slot(firmware: Firmware) -> Outcome<()> {
    let (mut door, mut cloud, mut owner) = owned(firmware)?;
    owner.order(&mut door, &mut cloud, Order::Activate { slot: SLOT })?;
    owner.order(&mut door, &mut cloud, Order::Deactivate { slot: SLOT })?;
    door.flip_a_bit_and_boot(SLOT_RECORD)?;
    match owner.order(&mut door, &mut cloud, Order::Inspect { slot: SLOT }) {
        Err(_) if door.refused(LockError::SlotDamaged) => Ok(()),
        other => Err(format!("a decayed record reads as {other:?}").into()),
    }
}

/// The seed's newest record decays: the lock must not be made anew, which would erase it.
///
/// # Errors
/// Where it is.
pub fn of_the_seed(firmware: Firmware) -> Outcome<()> {
    let (mut door, ..) = owned(firmware)?;
    let boots = door.flip_a_bit_and_boot(SEED_RECORD);
    let says = boots.err().map(|error| error.to_string()).unwrap_or_default();
    ensure(says.contains("stopped: Boot.SeedUnreadable"), || format!("a lock without its seed boots; {says}"))
}

pub(super) fn owned(firmware: Firmware) -> Outcome<(Door, Cloud, OwnerPhone)> {
    let card = ActivationSecret::random(&mut entropy());
    let (mut door, mut cloud, mut owner) = (Door::make(firmware, &card)?, Cloud::new()?, OwnerPhone::new()?);
    owner.provision(&mut door, &card, &mut cloud)?;
    Ok((door, cloud, owner))
}
