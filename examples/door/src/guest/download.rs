//! The download: at the lock and online, once.

use std::collections::BTreeMap;

use anyhow::Context as _;
use sharekey::error::GuestError;
use sharekey::guest::{Claimed, GuestKey};
use sharekey::id::SlotId;
use sharekey::message::{Bundle, Connect, Grant};
use sharekey::wire::{Encoded, Kind};

use super::{Attempt, Claims, Phone, invitation};
use crate::cli::Radio;
use crate::files;
use crate::home::CRYPTO;
use crate::lock::Firmware;
use crate::refusal::By as _;
use crate::service::Cloud;

/// How the download is to go.
pub struct Way {
    pub new_device: bool,
    pub keep_receipt: bool,
    pub release_with: Option<u32>,
    pub rogue: bool,
    pub radio: Radio,
}

impl Phone<'_> {
    pub fn download(&self, slot: SlotId, way: &Way) -> anyhow::Result<()> {
        let grant = self.newest_grant(slot)?;
        let mut claims = self.claims(&grant, way.new_device)?;
        let claimed = claims.remove(&digest(&grant)).context("the claim is gone")?;
        let mut lock = Firmware::boot(self.home, way.radio.crash_after)?;
        let cloud = Cloud::open(self.home)?;
        let heard = lock.exchange(self.who(), &Connect::INSTALL, &way.radio, |challenge| {
            self.released(&cloud, &claimed, challenge, way)
        })?;
        let answer = heard.answer.clone();
        let key = heard.check(&self.voice(), self.finish(&answer)?)?;
        self.keep(key, (!way.keep_receipt).then_some(&cloud))?;
        println!("{} has the key to slot {slot}, and opens offline from now on.", self.name);
        Ok(())
    }

    /// Asks the service to release the install of this very challenge; gives the bundle for the lock.
    fn released(&self, cloud: &Cloud, claimed: &Claimed, challenge: &[u8], way: &Way) -> anyhow::Result<Vec<u8>> {
        let voice = self.voice();
        let installing = self.home.draw(|rng| claimed.install(&CRYPTO, challenge, rng)).by(&voice)?;
        let mut attempt = Attempt { installing, release: None };
        self.save("attempt.json", &attempt)?;
        let Attempt { installing, .. } = &attempt;
        let mut release =
            cloud.release(self.who(), (claimed.lock(), claimed.slot()), installing.claim(), installing.install())?;
        let swapped = way.release_with.map(|number| self.home.wire().read(number)).transpose()?;
        if let (Some(swapped), false) = (&swapped, way.rogue) {
            release.clone_from(swapped);
        }
        let mut bundle = installing.bundle(&CRYPTO, &release).by(&voice)?.bundle().to_vec();
        if let (Some(swapped), true) = (&swapped, way.rogue) {
            let (claim, install) = (installing.claim(), installing.install());
            let parts = Bundle { grant: claimed.grant(), claim, install, release: swapped };
            bundle = parts.encode().by(&voice)?.to_vec();
        }
        attempt.release = Some(release);
        self.save("attempt.json", &attempt)?;
        Ok(bundle)
    }

    /// What the last attempt makes of an answer by the lock.
    fn finish(&self, answer: &[u8]) -> anyhow::Result<Result<GuestKey, GuestError>> {
        let attempt = self.attempt()?;
        let release = attempt.release.context("the last download was never released")?;
        let download = attempt.installing.bundle(&CRYPTO, &release).by(&self.voice())?;
        Ok(download.finish(&CRYPTO, answer))
    }

    fn attempt(&self) -> anyhow::Result<Attempt> {
        let attempt = files::read_json(&self.folder.join("attempt.json"))?;
        attempt.with_context(|| format!("{} has never tried to download a key", self.name))
    }

    /// Keeps a new key, and passes its receipt on.
    fn keep(&self, key: GuestKey, cloud: Option<&Cloud>) -> anyhow::Result<()> {
        let receipt = key.receipt().clone();
        self.keep_key(key)?;
        if let Some(cloud) = cloud {
            cloud.take(self.who(), &receipt)?;
        }
        Ok(())
    }

    /// Takes a message that somebody brings; says what the phone did with it.
    pub fn hear(&self, message: &[u8]) -> anyhow::Result<&'static str> {
        match Kind::of(message) {
            Ok(Kind::Grant) => Ok(if self.hear_grant(message)? { "keeps the grant" } else { "has that grant already" }),
            Ok(Kind::Receipt) => {
                let key = self.finish(message)?.by(&self.voice())?;
                self.keep(key, Some(&Cloud::open(self.home)?))?;
                Ok("has the key that this receipt is of")
            }
            _ => {
                self.attempt()?.installing.bundle(&CRYPTO, message).by(&self.voice())?;
                Ok("has that release already")
            }
        }
    }

    /// Takes a grant; gives whether it is new.
    fn hear_grant(&self, grant: &[u8]) -> anyhow::Result<bool> {
        let subject = *invitation(grant)?.subject();
        if !self.accounts()?.iter().any(|account| *account.public_key() == subject) {
            return Err(GuestError::NotTheSubject).by(&self.voice());
        }
        self.keep_grant(grant)
    }

    fn newest_grant(&self, slot: SlotId) -> anyhow::Result<Encoded<Grant>> {
        for grant in self.grants()?.iter().rev() {
            if invitation(grant)?.slot() == slot {
                return Encoded::copy(grant).by(&self.voice());
            }
        }
        anyhow::bail!(
            "{} knows of no key to slot {slot}: \"guest {} receive\", or \"redeem\" a code",
            self.name,
            self.name
        )
    }

    /// The claims, with one for this grant among them: the same as before, so that it stays the same
    /// device, unless a new one is asked for.
    fn claims(&self, grant: &Encoded<Grant>, new_device: bool) -> anyhow::Result<Claims> {
        let mut claims: Claims = self.load::<BTreeMap<_, _>>("claims.json")?;
        let digest = digest(grant);
        if new_device || !claims.contains_key(&digest) {
            let subject = *invitation(grant)?.subject();
            let account = self.accounts()?.into_iter().find(|account| *account.public_key() == subject);
            let account = account.ok_or(GuestError::NotTheSubject).by(&self.voice())?;
            let claimed = self.home.draw(|rng| account.claim(&CRYPTO, grant, None, rng)).by(&self.voice())?;
            claims.insert(digest, claimed);
            if !new_device {
                self.save("claims.json", &claims)?;
            }
        }
        Ok(claims)
    }
}

fn digest(grant: &Encoded<Grant>) -> String {
    grant.digest(&CRYPTO).to_string()
}
