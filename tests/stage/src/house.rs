//! One lock with its owner, service and guest, all on one provider.

use rand_chacha::ChaCha20Rng;
use sharekey::guest::{Account, Claimed, GuestKey, Installing};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::lock::{Battery, Challenged, Clock, Commanded, Installed, Lock, Now, Session, purpose};
use sharekey::message::{Bundle, Challenge, Command, Done, Grant, Unlock};
use sharekey::owner::{Method, Order, OwnedLock, Owner};
use sharekey::secret::{ActivationSecret, Seed};
use sharekey::service::{Service, ShareRecord};
use sharekey::wire::Encoded;

pub use super::NOON;
use super::provider::Plain as Provider;
use super::rows::{open, serve};
use super::store::Store;
pub use super::store::stored;
use super::{firmware, rng};

pub const NOW: Now =
    Now { ticks: 1_000, clock: Clock::At(Timestamp::from_unix_seconds(NOON)), battery: Battery::UNKNOWN };

const CARD: [u8; 16] = [7; 16];

pub struct House<C: Provider, const SLOTS: usize> {
    pub lock: Lock<C, SLOTS>,
    pub owner: Owner<C>,
    pub service: Service<C>,
    pub account: Account<C>,
    pub view: OwnedLock,
    pub record: ShareRecord,
    pub slot: SlotId,
    /// What the lock signed when the slot was activated.
    pub activated: Encoded<Done>,
    pub rng: ChaCha20Rng,
    crypto: C,
}

impl<C: Provider, const SLOTS: usize> House<C, SLOTS> {
    /// A provisioned lock whose clock is set, and whose last slot is activated.
    pub fn new(number: u64) -> Self {
        let mut rng = rng(number);
        let crypto = C::default();
        let mut lock = firmware::boot(C::default(), CARD, Store::default(), &mut rng);
        let service = Service::new(crypto, &Seed::random(&mut rng)).unwrap();
        let owner = Owner::new(crypto, &Seed::random(&mut rng)).unwrap();
        let account = Account::from_seed(&crypto, &Seed::random(&mut rng)).unwrap();
        let slot = SlotId::new(u8::try_from(SLOTS - 1).unwrap());

        let Ok(given) = lock.challenge::<purpose::Operate>(NOW, &mut rng).unwrap().commit(stored);
        let card = ActivationSecret::from_bytes(CARD);
        let (provision, pending) = owner.provision(&card, &given.challenge, *service.key(), &mut rng).unwrap();
        let Ok(owned) = lock.provision(given.session, &provision, NOW).unwrap().commit(stored);
        let Ok(mut view) = pending.finish(&owner, &owned.provisioned).unwrap().put_new(None, stored);
        let mut record = open(&service, &owned.provisioned, slot).unwrap();

        let mut carry_out = |order| {
            let Ok(given) = lock.challenge::<purpose::Operate>(NOW, &mut rng).unwrap().commit(stored);
            let ordered = owner.order(&mut view, order, &given.challenge, &mut rng).unwrap();
            let Ok((command, pending)) = ordered.commit(stored);
            let Ok(Commanded { done, .. }) = lock.command(given.session, &command, NOW).unwrap().commit(stored);
            let Ok(_) = pending.finish(&owner, &mut view, &done).unwrap().commit(stored);
            done
        };
        let _ = carry_out(Order::SetClock { to: Timestamp::from_unix_seconds(NOON) });
        let done = carry_out(Order::Activate { slot });
        serve(&service, &mut record, &done).unwrap();
        Self { lock, owner, service, account, view, record, slot, activated: done, rng, crypto }
    }

    /// Somebody connects.
    pub fn challenge<P: purpose::Purpose>(&mut self) -> (Encoded<Challenge>, Session<P>) {
        let Ok(Challenged { challenge, session }) =
            self.lock.challenge::<P>(NOW, &mut self.rng).unwrap().commit(stored);
        (challenge, session)
    }

    /// The next grant of the slot to the account, published by nobody yet.
    pub fn grant(&mut self, limits: Limits) -> Encoded<Grant> {
        let subject = *self.account.public_key();
        let rights = Rights::OPEN_AND_LOCK;
        let staged = self.owner.share(&mut self.view, self.slot, subject, Method::Account, rights, limits).unwrap();
        let Ok(grant) = staged.commit(stored);
        grant
    }

    pub fn publish(&mut self, grant: &[u8]) {
        serve(&self.service, &mut self.record, grant).unwrap();
    }

    /// Shares the slot; gives what the guest claimed.
    pub fn share(&mut self, limits: Limits) -> Claimed {
        let grant = self.grant(limits);
        self.publish(&grant);
        self.account.claim(&self.crypto, &grant, None, &mut self.rng).unwrap().stored()
    }

    /// The guest at the door: a session, and what the service is asked with.
    pub fn arrive(&mut self, claimed: &Claimed) -> (Session<purpose::Install>, Installing) {
        let (challenge, session) = self.challenge();
        (session, claimed.install(&self.crypto, &challenge, &mut self.rng).unwrap().stored())
    }

    pub fn release(&mut self, attempt: &Installing) -> Vec<u8> {
        serve(&self.service, &mut self.record, (attempt.claim(), attempt.install())).unwrap()
    }

    /// A session, and a bundle that installs in it: anew at the first, as a re-key from then on.
    pub fn bundle(&mut self, claimed: &Claimed) -> (Session<purpose::Install>, Vec<u8>) {
        let (session, attempt) = self.arrive(claimed);
        let release = self.release(&attempt);
        (session, self.bundled(claimed, &attempt, &release))
    }

    /// Takes the share back, at the service too; gives what the owner sent.
    pub fn withdraw(&mut self) -> Vec<u8> {
        let Ok(withdraw) = self.owner.withdraw(&mut self.view, self.slot).unwrap().commit(stored);
        let answer = serve(&self.service, &mut self.record, &withdraw).unwrap();
        let Ok(_) = self.owner.learn(&mut self.view, &answer).unwrap().commit(stored);
        withdraw.to_vec()
    }

    /// The bundle with this release, whatever it is worth.
    pub fn bundled(&self, claimed: &Claimed, attempt: &Installing, release: &[u8]) -> Vec<u8> {
        let (grant, claim, install) = (claimed.grant(), attempt.claim(), attempt.install());
        Bundle { grant, claim, install, release }.encode().unwrap().to_vec()
    }

    pub fn install(&mut self, session: Session<purpose::Install>, bundle: &[u8]) -> Installed {
        let Ok(installed) = self.lock.install(session, bundle, NOW, &mut self.rng).unwrap().commit(stored);
        installed
    }

    /// The whole download; gives the guest's key.
    pub fn download(&mut self, claimed: &Claimed) -> GuestKey {
        let (session, attempt) = self.arrive(claimed);
        let release = self.release(&attempt);
        let download = attempt.bundle(&self.crypto, &release).unwrap();
        let receipt = self.install(session, download.bundle()).receipt;
        let key = download.finish(&self.crypto, &receipt).unwrap().stored();
        serve(&self.service, &mut self.record, &receipt).unwrap();
        key
    }

    /// A session, and an unlock that opens in it.
    pub fn unlock_message(&mut self, key: &GuestKey) -> (Session<purpose::Operate>, Encoded<Unlock>) {
        let (challenge, session) = self.challenge();
        let (unlock, _) = key.unlock(&self.crypto, &challenge, Action::Open, &mut self.rng).unwrap();
        (session, unlock)
    }

    /// A session, and the owner's order to open, which works in it.
    pub fn command_message(&mut self) -> (Session<purpose::Operate>, Encoded<Command>) {
        let (challenge, session) = self.challenge();
        let staged =
            self.owner.order(&mut self.view, Order::Act { action: Action::Open }, &challenge, &mut self.rng).unwrap();
        let Ok((command, _)) = staged.commit(stored);
        (session, command)
    }
}
