use crate::crypto::{Digest, Signature};
use crate::wire::message;

message! {
    /// The service lets one install go ahead: proves that no withdrawal came first.
    pub struct Release: Release, Signature {
        /// The install.
        pub install: Digest,
    }
}
