//! What a phone needs of a door: to connect, to send, and to hear. The [`Door`] of the stage has it, and so has one behind
//! a serial line.

use sharekey::error::{GuestError, OwnerError, ServiceError};

use super::Stop;
use super::door::Door;
use crate::firmware::{AnySession, For, To};

pub trait Line {
    type Session;
    /// Why somebody stopped: here, or a step further on.
    type Stop: From<OwnerError> + From<GuestError> + From<ServiceError>;

    /// The secret on the card that came with the lock.
    fn card(&self) -> [u8; 16];

    /// Connects for a purpose; gives the challenge.
    fn ask(&mut self, purpose: For) -> Result<(Vec<u8>, Self::Session), Self::Stop>;

    /// Sends a message; gives the answer, where the lock accepts.
    fn send(&mut self, to: To, session: Self::Session, message: &[u8]) -> Result<Vec<u8>, Self::Stop>;

    /// The answer to the last message that was refused.
    fn refusal(&self) -> &[u8];
}

impl Line for Door {
    type Session = AnySession;
    type Stop = Stop;

    fn card(&self) -> [u8; 16] {
        self.card
    }

    fn ask(&mut self, purpose: For) -> Result<(Vec<u8>, AnySession), Stop> {
        Ok(match purpose {
            For::Install => self.challenge().map(|(challenge, session)| (challenge, AnySession::Install(session)))?,
            For::Operate => self.challenge().map(|(challenge, session)| (challenge, AnySession::Operate(session)))?,
        })
    }

    fn send(&mut self, to: To, session: AnySession, message: &[u8]) -> Result<Vec<u8>, Stop> {
        match (to, session) {
            (To::Install, AnySession::Install(session)) => self.install(session, message),
            (To::Unlock, AnySession::Operate(session)) => self.unlock(session, message),
            (To::Command, AnySession::Operate(session)) => self.command(session, message),
            (To::Provision, AnySession::Operate(session)) => self.provision(session, message),
            (To::Reset, AnySession::Operate(session)) => self.factory_reset(session, message).map(|()| Vec::new()),
            (to, _) => panic!("a phone has no session to {to:?} with"),
        }
    }

    fn refusal(&self) -> &[u8] {
        &self.refusal
    }
}
