//! A key is shared and used at a lock whose own keys are in an element. Nobody else notices.

use std::convert::Infallible;
use std::error::Error;

use sharekey::guest::{Account, GuestKey};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::lock::purpose;
use sharekey::owner::{Method, Owner};
use sharekey::secret::Seed;
use sharekey::service::Service;

use super::board::{Board, Door, NOW, card, entropy};
use super::element::Inside;

/// Provisions the lock, opens a slot, shares it, and downloads the key. The owner, the service and the
/// guest are on an ordinary provider.
pub fn download(board: &mut Board, lock: &mut Door) -> Result<GuestKey, Box<dyn Error>> {
    let rng = &mut entropy();
    let hall = SlotId::new(0);
    let owner = Owner::new(Inside, &Seed::random(rng))?;
    let service = Service::new(Inside, &Seed::random(rng))?;
    let account = Account::from_seed(&Inside, &Seed::random(rng))?;

    let given = lock.challenge::<purpose::Operate>(NOW, rng)?.commit(|record| board.put(record))?;
    let (provision, pending) = owner.provision(&card(), &given.challenge, *service.key(), rng)?;
    let owned = lock.provision(given.session, &provision, NOW).map_err(|refusal| refusal.error())?;
    let provisioned = owned.commit(|record| board.put(record))?.provisioned;
    let mut view = pending.finish(&owner, &provisioned)?;
    let mut record = service.open(&provisioned, hall)?;

    let given = lock.challenge::<purpose::Operate>(NOW, rng)?.commit(|record| board.put(record))?;
    let (command, pending) = owner.activate(&mut view, hall, &given.challenge, rng)?.commit(stored)?;
    let done = lock.command(given.session, &command, NOW).map_err(|refusal| refusal.error())?;
    let done = done.commit(|record| board.put(record))?.done;
    let (_done, _learned) = pending.finish(&owner, &mut view, &done)?.commit(stored)?;
    service.done(&mut record, &done)?.commit(stored)?;

    let grant = owner.share(&mut view, hall, *account.public_key(), Method::Account, Rights::OPEN, Limits::NONE)?;
    service.publish(&mut record, &grant.commit(stored)?)?.commit(stored)??;
    let claimed = account.claim(&Inside, record.grant().ok_or("not published")?, None, rng)?;
    let given = lock.challenge::<purpose::Install>(NOW, rng)?.commit(|record| board.put(record))?;
    let attempt = claimed.install(&Inside, &given.challenge, rng)?;
    let release = service.release(&mut record, attempt.claim(), attempt.install())?.commit(stored)?;
    let download = attempt.bundle(&Inside, &release)?;
    let installed = lock.install(given.session, download.bundle(), NOW, rng).map_err(|refusal| refusal.error())?;
    let receipt = installed.commit(|record| board.put(record))?.receipt;
    Ok(download.finish(&Inside, &receipt)?)
}

/// Opens, offline.
pub fn open(board: &mut Board, lock: &mut Door, key: &GuestKey) -> Result<(), Box<dyn Error>> {
    let rng = &mut entropy();
    let given = lock.challenge::<purpose::Operate>(NOW, rng)?.commit(|record| board.put(record))?;
    let (unlock, awaiting) = key.unlock(&Inside, &given.challenge, Action::Open, rng)?;
    let unlocked = lock.unlock(given.session, &unlock, NOW).map_err(|refusal| refusal.error())?;
    let unlocked = unlocked.commit(|record| board.put(record))?;
    Ok(key.check_reply(&Inside, &awaiting, &unlocked.reply)?)
}

/// What a phone and a cloud store is not this example's matter.
fn stored<T>(_record: &T) -> Result<(), Infallible> {
    Ok(())
}
