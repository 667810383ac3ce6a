//! The download: at the lock and online, once.

use sharekey::error::Retry;
use sharekey::guest::{Keyring, Taken};
use sharekey::id::SlotId;
use sharekey::message::{Bundle, Claim, Connect, Install};
use sharekey::service::Place;
use sharekey::wire::{Encoded, Kind};

use super::Phone;
use crate::cli::Radio;
use crate::home::CRYPTO;
use crate::lock::Firmware;
use crate::refusal::{By as _, Refusal};
use crate::service::Cloud;

/// How the download is to go.
pub struct Way {
    pub again: bool,
    pub new_device: bool,
    pub keep_receipt: bool,
    pub release_with: Option<u32>,
    pub rogue: bool,
    pub radio: Radio,
}

impl Phone<'_> {
    pub fn download(mut self, slot: SlotId, way: &Way) -> anyhow::Result<()> {
        let mut lock = Firmware::boot(self.home, way.radio.crash_after)?;
        let place = (lock.id(), slot);
        let mut ring = self.ring()?;
        let Some(grant) = ring.claimed(place.0, slot).map(|claimed| claimed.grant().clone()) else {
            let how = format!("\"guest {} receive\", or \"redeem\" a code", self.name);
            anyhow::bail!("{} knows of no key to slot {slot} of this lock: {how}", self.name);
        };
        if way.new_device {
            // With the same accounts, and nothing else.
            (self.stored, ring) = ("other-device.json", Keyring::new());
            self.take(&mut ring, &grant)?;
        }
        let cloud = Cloud::open(self.home)?;
        let heard = lock.exchange(self.who(), &Connect::INSTALL, &way.radio, |challenge| {
            self.released(&mut ring, &cloud, place, challenge, way)
        });
        let refused = heard.as_ref().err().and_then(|error| error.downcast_ref::<Refusal>());
        if refused.is_some_and(|refusal| refusal.retry() == Retry::FetchGrant) {
            self.step(ring.set_aside(&CRYPTO, &grant.digest(&CRYPTO)))?;
        }
        let heard = heard?;
        let answer = heard.answer.clone();
        let staged = heard.check(&self.voice(), ring.finish(&CRYPTO, &answer))?;
        let receipt = staged.commit(|next| self.keep(next))?;
        println!("{} has the key to slot {slot}, and opens offline from now on.", self.name);
        if way.keep_receipt { self.step(ring.sent(&receipt)) } else { self.tell(&mut ring, &cloud) }
    }

    /// Asks the service to release the install of this very challenge; gives the bundle for the lock.
    fn released(
        &self,
        ring: &mut Keyring,
        cloud: &Cloud,
        place: Place,
        challenge: &[u8],
        way: &Way,
    ) -> anyhow::Result<Vec<u8>> {
        let made = self.home.draw(|rng| {
            if way.again {
                ring.install_again(&CRYPTO, place, challenge, rng)
            } else {
                ring.install(&CRYPTO, place, challenge, rng)
            }
        });
        let (claim, install): (Encoded<Claim>, Encoded<Install>) = self.step(made)?;
        let mut release = cloud.release(self.who(), place, &claim, &install)?;
        let swapped = way.release_with.map(|number| self.home.wire().read(number)).transpose()?;
        if let (Some(swapped), false) = (&swapped, way.rogue) {
            release.clone_from(swapped);
        }
        let bundle = self.step(ring.bundle(&CRYPTO, &release))?;
        match (&swapped, ring.claimed(place.0, place.1)) {
            (Some(swapped), Some(claimed)) if way.rogue => {
                let parts = Bundle { grant: claimed.grant(), claim: &claim, install: &install, release: swapped };
                Ok(parts.encode().by(&self.voice())?.to_vec())
            }
            _ => Ok(bundle),
        }
    }

    /// Takes a message that somebody brings; says what the phone did with it.
    pub fn hear(&self, message: &[u8]) -> anyhow::Result<&'static str> {
        let mut ring = self.ring()?;
        match Kind::of(message) {
            Ok(Kind::Grant) => Ok(match self.take(&mut ring, message)? {
                Taken::Claimed => "keeps the grant",
                Taken::Known => "has that grant already",
                Taken::Dead => "has a later key: the lock installs that grant no more",
            }),
            Ok(Kind::Receipt) => {
                self.step(ring.finish(&CRYPTO, message))?;
                self.tell(&mut ring, &Cloud::open(self.home)?)?;
                Ok("has the key that this receipt is of")
            }
            _ => {
                self.step(ring.bundle(&CRYPTO, message))?;
                Ok("has that release already")
            }
        }
    }
}
