use serde::{Deserialize, Serialize};

use crate::error::WireError;
use crate::wire::{Bare, Kind, Shape, message, plain, value};

/// What a challenge is asked for. One byte. A lock keeps one session of each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum ConnectFor {
    /// Downloading a key.
    Install,
    /// An unlock, a command, provisioning or a factory reset.
    Operate,
}

plain! {
    ConnectFor: Shape::Named(&[(1, "Install"), (2, "Operate")]), 1, |purpose| [u8::from(purpose)], |byte| value(byte);
}

impl From<ConnectFor> for u8 {
    fn from(purpose: ConnectFor) -> Self {
        match purpose {
            ConnectFor::Install => 1,
            ConnectFor::Operate => 2,
        }
    }
}

impl TryFrom<u8> for ConnectFor {
    type Error = WireError;

    fn try_from(byte: u8) -> Result<Self, WireError> {
        match byte {
            1 => Ok(Self::Install),
            2 => Ok(Self::Operate),
            //= spec/protocol.md#encoding
            //# MSG-6. A decoder MUST refuse a tag byte, an enumeration byte or a flag bit that version 1 does not define.
            _ => Err(WireError::Value),
        }
    }
}

message! {
    /// Whoever comes to a lock asks it for a [`Challenge`](super::Challenge). Proves nothing.
    pub struct Connect: Connect, Bare {
        /// What for.
        pub purpose: ConnectFor,
    }
}

impl Connect {
    /// The whole message that asks for a challenge to download.
    pub const INSTALL: [u8; 5] = Self::message(ConnectFor::Install);
    /// The whole message that asks for a challenge to do anything else.
    pub const OPERATE: [u8; 5] = Self::message(ConnectFor::Operate);

    const fn message(purpose: ConnectFor) -> [u8; 5] {
        let [s, k, version, kind] = Kind::Connect.header();
        let purpose = match purpose {
            ConnectFor::Install => 1,
            ConnectFor::Operate => 2,
        };
        [s, k, version, kind, purpose]
    }
}
