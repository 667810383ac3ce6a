//! What changes a ring.

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::super::{Account, AwaitingReply, Download};
use super::{Downloading, HeldKey, Keyring, RingChange, outdates};
use crate::crypto::{Crypto, Digest, PublicKey};
use crate::error::{GuestError, RefuseReason};
use crate::guest::Invitation;
use crate::id::{LockId, SlotId};
use crate::limits::Action;
use crate::message::{Battery, Claim, Install, Receipt, Release};
use crate::staged::Counted;
use crate::wire::{Encoded, Kind, Unverified};

/// What became of a grant that a ring was given.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Taken {
    /// It is new, and claimed for this phone.
    Claimed,
    /// It was claimed before, and stays claimed as it was.
    Known,
    /// The lock itself said that it installs this one no more: it is older than a key in the ring.
    Dead,
}

impl Keyring {
    /// Takes in a grant, and claims it for this phone where it is new. It may come from anywhere and again; the
    /// parameters are those of [`Account::claim`].
    ///
    /// # Errors
    /// [`GuestError::Busy`]; [`GuestError::Wire`], [`GuestError::NotTheSubject`], [`GuestError::LockKey`],
    /// [`GuestError::GrantSignature`], [`GuestError::Seal`].
    pub fn take<C: Crypto>(
        &mut self,
        crypto: &C,
        account: &Account<C>,
        grant: &[u8],
        owner: Option<&PublicKey>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> RingChange<'_, Taken> {
        self.free()?;
        let invitation = Invitation::read(grant)?;
        if invitation.subject() != account.public_key() {
            return Err(GuestError::NotTheSubject);
        }
        let mut next = self.clone();
        if let Some(known) = next.downloads.iter_mut().find(|download| download.grant() == &invitation) {
            known.aside = false;
            return Ok(self.staged(next, Taken::Known));
        }
        if self.keys.iter().any(|held| outdates(&held.key, &invitation)) {
            return Ok(self.staged(next, Taken::Dead));
        }
        let claimed = Counted::new(account.claim(crypto, grant, owner, rng)?.stored());
        next.downloads.push(Downloading { claimed, attempt: None, release: None, aside: false });
        next.downloads.sort_by_key(Downloading::rank);
        //= spec/protocol.md#guest
        //# GST-18. A guest MUST store a claim, with its device's seed, before the claim exists for anybody else.
        Ok(self.staged(next, Taken::Claimed))
    }

    /// Asks the lock that gave `challenge` to install the newest key to this slot: gives claim and install, for the
    /// service. The challenge is of the lock that is meant, or nothing is asked.
    ///
    /// # Errors
    /// [`GuestError::Busy`]; [`GuestError::NotClaimed`] where no grant of this slot was [taken](Self::take) in;
    /// [`GuestError::KeyHeld`] where the ring has this very key; otherwise as
    /// [`Claimed::install`](super::super::Claimed::install).
    pub fn install(
        &mut self,
        crypto: &impl Crypto,
        (lock, slot): (LockId, SlotId),
        challenge: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> RingChange<'_, (Encoded<Claim>, Encoded<Install>)> {
        let claimed = self.claimed(lock, slot).ok_or(GuestError::NotClaimed)?;
        //= spec/protocol.md#guest
        //# GST-20. A guest that holds the key of a grant MUST NOT install that grant again unless it is told to.
        if self.holds(&claimed.grant().digest(crypto)) {
            return Err(GuestError::KeyHeld);
        }
        self.install_again(crypto, (lock, slot), challenge, rng)
    }

    /// As [`install`](Self::install), also where the ring has this very key: where the lock does not know it any more, say.
    /// The key that worked is dead once the lock has installed again, and where the lock's answer is lost then, this
    /// phone opens nothing until the next download, which needs the service again. So ask the person first.
    ///
    /// # Errors
    /// As [`install`](Self::install), but for [`GuestError::KeyHeld`].
    pub fn install_again(
        &mut self,
        crypto: &impl Crypto,
        (lock, slot): (LockId, SlotId),
        challenge: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> RingChange<'_, (Encoded<Claim>, Encoded<Install>)> {
        self.free()?;
        let mut next = self.clone();
        let download = self.next(lock, slot).and_then(|at| next.downloads.get_mut(at)).ok_or(GuestError::NotClaimed)?;
        let attempt = download.claimed.install(crypto, challenge, rng)?.stored();
        let messages = (attempt.claim().clone(), attempt.install().clone());
        (download.attempt, download.release) = (Some(Counted::new(attempt)), None);
        Ok(self.staged(next, messages))
    }

    /// Takes the service's release: gives the bundle, for the lock.
    ///
    /// # Errors
    /// [`GuestError::Busy`]; [`GuestError::Wire`]; [`GuestError::ReleaseNamesOtherInstall`] where it is of no attempt
    /// that is under way.
    pub fn bundle(&mut self, crypto: &impl Crypto, release: &[u8]) -> RingChange<'_, Vec<u8>> {
        self.free()?;
        let kept = Encoded::<Release>::copy(release)?;
        let mut next = self.clone();
        for download in &mut next.downloads {
            let Some(attempt) = &download.attempt else { continue };
            if let Ok(bundle) = attempt.bundle(crypto, release).map(|made| made.bundle().to_vec()) {
                download.release = Some(kept);
                return Ok(self.staged(next, bundle));
            }
        }
        Err(GuestError::ReleaseNamesOtherInstall)
    }

    /// Takes the lock's answer to a bundle: a receipt gives the [key](Self::key), which replaces those that the lock
    /// says it ended, and is itself [to be sent](Self::to_send).
    ///
    /// # Errors
    /// [`GuestError::Busy`]; [`GuestError::KeyHeld`] where the receipt is that of a key in the ring, and came again;
    /// [`GuestError::NotReleased`] where no bundle is under way; otherwise as
    /// [`Download::finish`].
    pub fn finish(&mut self, crypto: &impl Crypto, answer: &[u8]) -> RingChange<'_, Encoded<Receipt>> {
        self.free()?;
        let came_again = || self.keys.iter().any(|held| held.key.receipt().as_bytes() == answer);
        let key = match self.under_way(crypto, answer, |download| download.finish(crypto, answer)) {
            Err(GuestError::NotReleased) if came_again() => return Err(GuestError::KeyHeld),
            made => Counted::new(made?.stored()),
        };
        let (mut next, receipt) = (self.clone(), key.receipt().clone());
        let before = next.keys.iter().position(|held| held.key.grant() == key.grant());
        let (opened, spent) =
            before.map(|at| next.keys.remove(at)).map_or((0, false), |held| (held.opened, held.spent));
        //= spec/protocol.md#guest
        //# GST-21. A guest MUST keep a claim until a receipt of the grant's lock shows that the lock installs that grant no more.
        next.downloads.retain_mut(|download| {
            let own = download.claimed.grant().digest(crypto) == key.grant();
            if own {
                (download.attempt, download.release) = (None, None);
            }
            own || !outdates(&key, download.grant())
        });
        let older = |held: &HeldKey| {
            held.key.lock() == key.lock() && (held.key.epoch(), held.key.slot()) <= (key.epoch(), key.slot())
        };
        next.keys.retain(|held| !(older(held) && (held.key.epoch() < key.epoch() || held.key.slot() == key.slot())));
        next.keys.push(HeldKey { key, opened, spent });
        //= spec/protocol.md#guest
        //# GST-8. A guest MUST store the pairing key before it says that the download is done.
        //= spec/protocol.md#guest
        //# GST-22. A guest MUST keep a receipt until the service took it, or refused it for good.
        next.due.push(receipt.clone());
        Ok(self.staged(next, receipt))
    }

    /// What the released attempt that the answer is to makes of it.
    fn under_way<T>(
        &self,
        crypto: &impl Crypto,
        answer: &[u8],
        finish: impl Fn(&Download<'_>) -> Result<T, GuestError>,
    ) -> Result<T, GuestError> {
        let refused = Kind::of(answer)? == Kind::Refused;
        let named = if refused { None } else { Some(Unverified::<Receipt>::parse(answer)?.claims().install) };
        let mut told = GuestError::NotReleased;
        for download in &self.downloads {
            let Some((attempt, release)) = download.attempt.as_ref().zip(download.release.as_ref()) else { continue };
            if named.is_some_and(|install| install != attempt.install().digest(crypto)) {
                told = GuestError::ReceiptNamesOtherInstall;
                continue;
            }
            match finish(&attempt.bundle(crypto, release)?) {
                // Whichever bundle it names.
                Err(error) if refused && !matches!(error, GuestError::Refused(_)) => told = error,
                finished => return finished,
            }
        }
        Err(told)
    }

    /// The service, or the lock in a signed refusal, says to fetch the grant again
    /// ([`Retry::FetchGrant`](crate::error::Retry::FetchGrant)): then the claim of this grant stands behind the others of
    /// its slot until the grant is [taken](Self::take) in again. It is not lost: a service's refusal proves nothing.
    ///
    /// # Errors
    /// [`GuestError::Busy`], [`GuestError::NotClaimed`].
    pub fn set_aside(&mut self, crypto: &impl Crypto, grant: &Digest) -> RingChange<'_, ()> {
        self.free()?;
        let mut next = self.clone();
        let named = |download: &&mut Downloading| download.claimed.grant().digest(crypto) == *grant;
        next.downloads.iter_mut().find(named).ok_or(GuestError::NotClaimed)?.aside = true;
        Ok(self.staged(next, ()))
    }

    /// The service has taken this receipt, or refused it in a way that [never](crate::error::Retry) mends.
    ///
    /// # Errors
    /// [`GuestError::Busy`].
    pub fn sent(&mut self, receipt: &[u8]) -> RingChange<'_, ()> {
        self.free()?;
        let mut next = self.clone();
        next.due.retain(|due| due.as_bytes() != receipt);
        Ok(self.staged(next, ()))
    }

    /// Takes the lock's reply to an unlock: that it acted and how full its battery is, or why not. Where uses count, the ring counts along.
    ///
    /// # Errors
    /// [`GuestError::Busy`]; [`GuestError::NotClaimed`] where the key is gone meanwhile; as
    /// [`GuestKey::check_reply`](super::super::GuestKey::check_reply), but for what the lock says.
    pub fn reply(
        &mut self,
        crypto: &impl Crypto,
        awaiting: &AwaitingReply,
        answer: &[u8],
    ) -> RingChange<'_, Result<Battery, RefuseReason>> {
        self.free()?;
        let mut next = self.clone();
        let held =
            next.keys.iter_mut().find(|held| held.key.grant() == awaiting.grant).ok_or(GuestError::NotClaimed)?;
        let told = match held.key.check_reply(crypto, awaiting, answer) {
            Ok(battery) => Ok(battery),
            Err(GuestError::Refused(reason)) => Err(reason),
            //= spec/protocol.md#guest
            //# GST-23. A guest MUST NOT give up a key because of an answer that proves nothing.
            Err(unproved) => return Err(unproved),
        };
        if held.key.limits().max_uses().is_some() && awaiting.action == Action::Open {
            held.opened = held.opened.saturating_add(u32::from(told.is_ok()));
            held.spent |= told.err() == Some(RefuseReason::UsesSpent);
        }
        Ok(self.staged(next, told))
    }

    /// Deletes what the ring has of a lock: its keys are gone from this phone for good, and its claims too, so that
    /// another device has to be granted anew. For a person who says so.
    ///
    /// # Errors
    /// [`GuestError::Busy`].
    pub fn forget(&mut self, lock: LockId) -> RingChange<'_, ()> {
        self.free()?;
        let mut next = self.clone();
        next.keys.retain(|held| held.key.lock() != lock);
        next.downloads.retain(|download| download.claimed.lock() != lock);
        Ok(self.staged(next, ()))
    }
}
