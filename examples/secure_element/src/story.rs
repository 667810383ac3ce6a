//! A key is shared and used at a lock whose own keys are in an element. Nobody else notices.

use std::convert::Infallible;
use std::error::Error;

use sharekey::guest::{Account, GuestKey};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::lock::Effect;
use sharekey::message::Connect;
use sharekey::owner::{Method, Order, Owner};
use sharekey::secret::Seed;
use sharekey::service::Service;

use super::board::{Door, NOW, card, entropy};
use super::element::Inside;

/// A message to the lock, and its answer.
pub fn send(door: &mut Door<'_>, message: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let served = door.serve(message, NOW, None, &mut entropy())?;
    match served.effect() {
        Effect::Refused(error) => Err(error.into()),
        Effect::Nothing | Effect::Bolt { .. } | Effect::Reset => Ok(served.answer().to_vec()),
    }
}

/// Provisions the lock, opens a slot, shares it, and downloads the key. The owner, the service and the
/// guest are on an ordinary provider.
pub fn download(door: &mut Door<'_>) -> Result<GuestKey, Box<dyn Error>> {
    let rng = &mut entropy();
    let hall = SlotId::new(0);
    let owner = Owner::new(Inside, &Seed::random(rng))?;
    let service = Service::new(Inside, &Seed::random(rng))?;
    let account = Account::from_seed(&Inside, &Seed::random(rng))?;

    let challenge = send(door, &Connect::OPERATE)?;
    let (provision, pending) = owner.provision(&card(), &challenge, *service.key(), rng)?;
    let provisioned = send(door, &provision)?;
    let mut view = pending.finish(&owner, &provisioned)?.put_new(None, stored)?;
    let mut record = service.open(&provisioned, hall)?.put_new(stored)?;

    let challenge = send(door, &Connect::OPERATE)?;
    let (command, pending) = owner.order(&mut view, Order::Activate { slot: hall }, &challenge, rng)?.commit(stored)?;
    let done = send(door, &command)?;
    let _ = pending.finish(&owner, &mut view, &done)?.commit(stored)?;
    service.take(&mut record, &done)?.commit(stored)?.answer()?;

    let grant = owner.share(&mut view, hall, *account.public_key(), Method::Account, Rights::OPEN, Limits::NONE)?;
    service.take(&mut record, &grant.commit(stored)?)?.commit(stored)?.answer()?;
    let claimed = account.claim(&Inside, record.grant().ok_or("not published")?, None, rng)?;
    let challenge = send(door, &Connect::INSTALL)?;
    let attempt = claimed.install(&Inside, &challenge, rng)?;
    let release = service.take(&mut record, (attempt.claim(), attempt.install()))?.commit(stored)?.answer()?;
    let download = attempt.bundle(&Inside, &release)?;
    let receipt = send(door, download.bundle())?;
    Ok(download.finish(&Inside, &receipt)?)
}

/// Opens, offline.
pub fn open(door: &mut Door<'_>, key: &GuestKey) -> Result<(), Box<dyn Error>> {
    let challenge = send(door, &Connect::OPERATE)?;
    let (unlock, awaiting) = key.unlock(&Inside, &challenge, Action::Open, &mut entropy())?;
    let reply = send(door, &unlock)?;
    key.check_reply(&Inside, &awaiting, &reply)?;
    Ok(())
}

/// What a phone and a cloud store is not this example's matter.
fn stored<T>(_record: &T) -> Result<(), Infallible> {
    Ok(())
}
