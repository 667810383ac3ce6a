//! A guest's phone.

use crate::provider::Provider;
use rand_chacha::ChaCha20Rng;
use sharekey::crypto::PublicKey;
use sharekey::error::{GuestError, ServiceError};
use sharekey::guest::{Account, Claimed, Download, GuestKey, Installing};
use sharekey::limits::Action;
use sharekey::lock::{Session, purpose};
use sharekey::message::Release;
use sharekey::secret::{HoldsSecret, Seed};

use super::cloud::Cloud;
use super::door::Door;
use super::{CLOUD, Place, Stop, Tape, digest, exposed, rng, seed};
use crate::forge;
use crate::stand::BATTERY;

pub struct Guest {
    pub account: Account<Provider>,
    pub claimed: Option<Claimed>,
    pub key: Option<GuestKey>,
    /// What the lock's last refusal told.
    pub told: Option<GuestError>,
    /// Whether the app restarts between any two steps.
    pub restarts: bool,
    pub rng: ChaCha20Rng,
    tape: Tape,
}

impl Guest {
    pub fn new(seed: Seed, tape: &Tape) -> Self {
        let account = Account::from_seed(&Provider, &seed).unwrap();
        let rng = rng(3_000 + u64::from(seed.expose()[0]));
        Self { account, claimed: None, key: None, told: None, restarts: false, rng, tape: tape.clone() }
    }

    /// Another device of the same person.
    pub fn twin(&self, person: u8) -> Self {
        let mut twin = Self::new(seed(person), &self.tape);
        assert_eq!(twin.subject(), self.subject());
        twin.rng = rng(4_000);
        twin
    }

    pub fn subject(&self) -> PublicKey {
        *self.account.public_key()
    }

    pub fn key(&self) -> &GuestKey {
        self.key.as_ref().unwrap()
    }

    pub fn claimed(&self) -> &Claimed {
        self.claimed.as_ref().unwrap()
    }

    pub fn claim(&mut self, grant: &[u8]) -> Result<(), GuestError> {
        let claimed = self.account.claim(&Provider, grant, None, &mut self.rng)?.stored();
        self.tape.note(claimed.claim());
        self.claimed = Some(claimed);
        Ok(())
    }

    /// The record that the claimed grant is in.
    pub fn place(&self) -> Place {
        (self.claimed().lock(), self.claimed().slot())
    }

    /// Asks the lock that gave the challenge to install the claimed key.
    pub fn ask(&mut self, challenge: &[u8]) -> Result<Installing, GuestError> {
        let claimed = self.claimed.as_ref().unwrap();
        let installing = claimed.install(&Provider, challenge, &mut self.rng)?.stored();
        self.tape.note(installing.install());
        Ok(installing)
    }

    /// Connects to the lock and the internet, once, and passes the receipt on.
    pub fn download(&mut self, door: &mut Door, cloud: &mut Cloud) -> Result<(), Stop> {
        let receipt = self.fetch(door, cloud)?;
        cloud.take(self.place(), &receipt)?;
        Ok(())
    }

    /// Downloads, and keeps the receipt to itself. A grant that was claimed once stays claimed, for
    /// this device.
    pub fn fetch(&mut self, door: &mut Door, cloud: &mut Cloud) -> Result<Vec<u8>, Stop> {
        if self.claimed.is_none() {
            let (_, grant) = cloud.find(door.id(), self.subject()).ok_or(ServiceError::NothingShared)?;
            self.claim(&grant)?;
        }
        self.fetch_with(door, |place, claim, install| cloud.take(place, (claim, install)))
    }

    /// Downloads in league with whoever holds the cloud's key.
    pub fn fetch_colluding(&mut self, door: &mut Door) -> Result<Vec<u8>, Stop> {
        self.fetch_with(door, |_, _, install| Ok(forge::signed(&Release { install: digest(install) }, &seed(CLOUD))))
    }

    fn fetch_with(
        &mut self,
        door: &mut Door,
        release: impl FnOnce(Place, &[u8], &[u8]) -> Result<Vec<u8>, ServiceError>,
    ) -> Result<Vec<u8>, Stop> {
        self.claimed = self.claimed.take().map(|claimed| self.restarted(claimed));
        let (challenge, session) = door.challenge::<purpose::Install>()?;
        let installing = self.ask(&challenge)?;
        let installing = self.restarted(installing);
        let release = release(self.place(), self.claimed().claim(), installing.install())?;
        let installing = self.restarted(installing);
        self.finish(door, session, &installing.bundle(&Provider, &release)?)
    }

    /// Takes the bundle to the lock.
    pub fn finish(
        &mut self,
        door: &mut Door,
        session: Session<purpose::Install>,
        download: &Download<'_>,
    ) -> Result<Vec<u8>, Stop> {
        let bundle = self.tape.note(download.bundle());
        let receipt = door.install(session, &bundle).inspect_err(|_| {
            self.told = download.finish(&Provider, &door.refusal).err();
        })?;
        let key = download.finish(&Provider, &receipt)?.stored();
        self.key = Some(self.restarted(key));
        Ok(receipt)
    }

    /// Only the phone and the lock.
    pub fn act(&mut self, door: &mut Door, action: Action) -> Result<(), Stop> {
        let (challenge, session) = door.challenge::<purpose::Operate>()?;
        let key = self.key.as_ref().unwrap();
        let (unlock, awaiting) = key.unlock(&Provider, &challenge, action, &mut self.rng)?;
        let reply = door.unlock(session, &self.tape.note(&unlock)).inspect_err(|_| {
            self.told = key.check_reply(&Provider, &awaiting, &door.refusal).err();
        })?;
        assert_eq!(key.check_reply(&Provider, &awaiting, &reply)?, BATTERY);
        Ok(())
    }

    fn restarted<T: HoldsSecret>(&self, value: T) -> T {
        if self.restarts { exposed(&value) } else { value }
    }
}
