//! A download chain made by hand: grant, claim, install and release, each naming the one before.

use sharekey::crypto::{AgreementKey, Nonce};
use sharekey::message::{Bundle, Claim, Grant, Install, Release};
use sharekey::secret::Seed;

use super::{digest, forge, public};

/// A download chain, to be changed before it is signed.
pub struct Chain {
    pub grant: Grant,
    pub owner: Seed,
    pub subject: Seed,
    pub device: Seed,
    pub service: Seed,
    pub nonce: Nonce,
    pub agreement: AgreementKey,
}

/// The signed parts of a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parts {
    pub grant: Vec<u8>,
    pub claim: Vec<u8>,
    pub install: Vec<u8>,
    pub release: Vec<u8>,
}

impl Parts {
    pub fn bundle(&self) -> Vec<u8> {
        let Self { grant, claim, install, release } = self;
        Bundle { grant, claim, install, release }.encode().unwrap().to_vec()
    }

    /// The bundle, also of parts that are longer than any message.
    pub fn unchecked_bundle(&self) -> Vec<u8> {
        forge::bundle(&[&self.grant, &self.claim, &self.install, &self.release])
    }
}

impl Chain {
    pub fn claim(&self, grant: &[u8]) -> Claim {
        Claim { grant: digest(grant), device: public(&self.device) }
    }

    pub fn install(&self, claim: &[u8]) -> Install {
        Install { claim: digest(claim), nonce: self.nonce, agreement: self.agreement }
    }

    pub fn parts(&self) -> Parts {
        self.after_grant(forge::signed(&self.grant, &self.owner))
    }

    /// The chain on this grant.
    pub fn after_grant(&self, grant: Vec<u8>) -> Parts {
        let claim = forge::signed(&self.claim(&grant), &self.subject);
        self.after_claim(grant, claim)
    }

    /// The chain on this claim.
    pub fn after_claim(&self, grant: Vec<u8>, claim: Vec<u8>) -> Parts {
        let install = forge::signed(&self.install(&claim), &self.device);
        self.after_install(grant, claim, install)
    }

    /// The chain on this install.
    pub fn after_install(&self, grant: Vec<u8>, claim: Vec<u8>, install: Vec<u8>) -> Parts {
        let release = forge::signed(&Release { install: digest(&install) }, &self.service);
        Parts { grant, claim, install, release }
    }

    pub fn bundle(&self) -> Vec<u8> {
        self.parts().bundle()
    }
}
