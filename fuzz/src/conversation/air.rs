//! What carries the messages, and alters one.

use sharekey::wire::{HEADER_LEN, Kind};

use super::fault::{Stopped, names};
use crate::choices::Choices;

/// What becomes of the message.
#[derive(Clone, Debug)]
enum Tamper {
    /// These bytes are changed by these bits.
    Alter(Vec<(u16, u8)>),
    Cut(u16),
    Lengthen(Vec<u8>),
    /// It is sent as another kind.
    Relabel(u8),
    /// What was sent so many messages before comes in its place.
    Replace(usize),
}

pub struct Air {
    /// Which message it is.
    at: usize,
    tamper: Tamper,
    /// What was sent so far.
    log: Vec<Vec<u8>>,
    /// What was altered and nobody refused yet.
    pub fired: Option<Fired>,
}

/// An altered message.
#[derive(Clone, Debug)]
pub struct Fired {
    pub original: Vec<u8>,
    pub sent: Vec<u8>,
    /// It is no message that anybody sent before.
    pub is_new: bool,
}

impl Fired {
    pub fn kind(&self) -> Kind {
        Kind::of(&self.original).unwrap()
    }

    pub fn relabelled(&self) -> bool {
        self.sent.get(..HEADER_LEN) != self.original.get(..HEADER_LEN)
    }
}

impl Air {
    pub fn new(data: &[u8]) -> Self {
        let mut choices = Choices::new(data);
        let at = usize::from(choices.any::<u8>()) % 80;
        let tamper = match choices.below(8) {
            0..=2 => {
                let mut changes = vec![choices.any()];
                while choices.more() && changes.len() < 8 {
                    changes.push(choices.any());
                }
                Tamper::Alter(changes)
            }
            3 => Tamper::Cut(choices.any()),
            4 => Tamper::Lengthen(choices.rest().to_vec()),
            5 => Tamper::Relabel(choices.any()),
            _ => Tamper::Replace(choices.any::<u8>().into()),
        };
        Self { at, tamper, log: Vec::new(), fired: None }
    }

    /// What arrives.
    pub fn carry(&mut self, message: &[u8]) -> Vec<u8> {
        let mut sent = message.to_vec();
        if self.log.len() == self.at {
            self.apply(&mut sent);
            if sent != message {
                let is_new = !self.log.contains(&sent);
                self.fired = Some(Fired { original: message.to_vec(), sent: sent.clone(), is_new });
            }
        }
        self.log.push(message.to_vec());
        sent
    }

    fn apply(&self, sent: &mut Vec<u8>) {
        match &self.tamper {
            Tamper::Alter(changes) => {
                for (at, change) in changes {
                    let at = usize::from(*at) % sent.len();
                    sent[at] ^= change;
                }
            }
            Tamper::Cut(length) => sent.truncate(usize::from(*length) % sent.len()),
            Tamper::Lengthen(more) => sent.extend(more),
            Tamper::Relabel(kind) => sent[HEADER_LEN - 1] = *kind,
            Tamper::Replace(back) if self.log.is_empty() => sent.truncate(*back % sent.len()),
            Tamper::Replace(back) => sent.clone_from(&self.log[self.log.len() - 1 - back % self.log.len()]),
        }
    }

    /// A step went wrong: because of the message that was altered, and the error says so.
    pub fn judge(&mut self, stopped: &Stopped) {
        let Some(fired) = self.fired.take() else { panic!("{stopped:?}, and nothing was altered") };
        let _ = stopped.blame().map(crate::blamed);
        assert!(!fired.is_new || names(&fired, stopped), "{stopped:?} for a {:?}: {:?}", fired.kind(), fired.sent);
    }

    /// A step went well.
    pub fn went_well(&mut self) {
        if let Some(fired) = self.fired.take() {
            assert!(!fired.is_new, "an altered {:?} was taken: {:?}", fired.kind(), fired.sent);
        }
    }
}
