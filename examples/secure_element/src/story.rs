//! A key is shared and used at a lock whose own keys are in an element. Nobody else notices.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;

use sharekey::error::ServiceError;
use sharekey::guest::{Account, GuestKey};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::lock::Effect;
use sharekey::message::Connect;
use sharekey::owner::{Method, Order, Owner};
use sharekey::secret::Seed;
use sharekey::service::{Key, Put, Request, Service, ShareRecord};

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
    let mut rows = Rows::new();
    serve(&service, &mut rows, &provisioned)?;

    let challenge = send(door, &Connect::OPERATE)?;
    let (command, pending) = owner.order(&mut view, Order::Activate { slot: hall }, &challenge, rng)?.commit(stored)?;
    let done = send(door, &command)?;
    let _ = pending.finish(&owner, &mut view, &done)?.commit(stored)?;
    serve(&service, &mut rows, &done)?;

    let grant = owner.share(&mut view, hall, *account.public_key(), Method::Account, Rights::OPEN, Limits::NONE)?;
    serve(&service, &mut rows, &grant.commit(stored)?)?;
    let record = ShareRecord::load((view.lock(), hall), |key| Ok::<_, ServiceError>(rows.get(&key).cloned()))?;
    let claimed = account.claim(&Inside, record.grant().ok_or("not published")?, None, rng)?.stored();
    let challenge = send(door, &Connect::INSTALL)?;
    let attempt = claimed.install(&Inside, &challenge, rng)?.stored();
    let release = serve(&service, &mut rows, (record.place(), attempt.claim(), attempt.install()))?;
    let download = attempt.bundle(&Inside, &release)?;
    let receipt = send(door, download.bundle())?;
    Ok(download.finish(&Inside, &receipt)?.stored())
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
/// The service's store.
type Rows = BTreeMap<Key, Vec<u8>>;

/// Whatever reaches the service: it reads, decides, stores, and only then has something to send.
fn serve<'a>(
    service: &Service<Inside>,
    rows: &mut Rows,
    request: impl Into<Request<'a>>,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let decided = service.serve(request, |key| Ok::<_, ServiceError>(rows.get(&key).cloned()))?;
    let taken = decided.commit(|write| {
        let (Put::New(next) | Put::InPlaceOf { next, .. }) = write.put();
        rows.insert(write.key(), next.to_vec());
        Ok::<_, ServiceError>(())
    })?;
    Ok(taken.answer()?)
}

fn stored<T>(_record: &T) -> Result<(), Infallible> {
    Ok(())
}
