use super::Challenge;
use crate::crypto::{Mac, Nonce, Tag};
use crate::error::SealError;
use crate::id::LockId;
use crate::secret::ActivationSecret;
use crate::wire::{self, Encoded, message};

message! {
    /// Whoever holds the card, and stands at the lock, makes it factory-fresh. Under the card's secret.
    pub struct FactoryReset: FactoryReset, Tag {
        /// The lock.
        pub lock: LockId,
        /// Its nonce.
        pub nonce: Nonce,
    }
}

impl FactoryReset {
    /// The reset of the lock that gave `challenge`, by whoever holds its activation card.
    ///
    /// # Errors
    /// [`SealError::TooLong`], which no reset gives.
    pub fn seal(crypto: &impl Mac, card: &ActivationSecret, challenge: &Challenge) -> Result<Encoded<Self>, SealError> {
        let Challenge { lock, nonce } = *challenge;
        wire::seal_mac(crypto, card.expose(), &Self { lock, nonce }).map(|(message, _)| message)
    }
}
