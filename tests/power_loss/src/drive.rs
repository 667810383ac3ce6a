//! Runs a life to its end, stops it at a moment, and goes on from there on whatever the cut left.

use std::collections::BTreeSet;

use sharekey::error::LockError;
use sharekey_model::power::{Flash, Keeping, Stopped, Tear};

use sharekey_stage::ops::For;

use crate::door::{Ask, Caught, Door, Request, Stop, Trap};
use crate::facts::stored;
use crate::script::LIFE;
use crate::world::{Provider, World};

pub struct Run<C: Provider> {
    pub world: World<C>,
    pub door: Door<C>,
}

/// How often a step is tried before it counts as stuck.
const PATIENCE: usize = 5;

impl<C: Provider> Run<C> {
    pub fn new(word: usize) -> Self {
        Self::on(Keeping::TwoPages, word)
    }

    pub fn on(keeping: Keeping, word: usize) -> Self {
        Self { world: World::new(), door: Door::dark(Flash::new(keeping, word, Tear::Between)) }
    }

    /// Lives on to the end, or to the moment at which the power goes: then false.
    pub fn go(&mut self) -> bool {
        self.go_to(LIFE.len())
    }

    /// [`go`](Self::go) up to a step.
    pub fn go_to(&mut self, end: usize) -> bool {
        while let Some(step) = LIFE[..end].get(self.world.at) {
            let mut tries = 0;
            loop {
                match self.world.perform(&mut self.door, *step) {
                    Ok(()) => break,
                    Err(Stop::Cut) => return false,
                    Err(Stop::NoAnswer | Stop::Refused(LockError::SessionSuperseded)) if tries < PATIENCE => tries += 1,
                    Err(other) => panic!("{step:?}: {other:?}"),
                }
            }
            self.world.at += 1;
        }
        true
    }

    /// Stops a run at a moment: what was under way.
    pub fn stop_at(&mut self, moment: usize) -> Caught {
        self.door.trap = Some(Trap::Cut(moment));
        assert!(!self.go(), "there is no moment {moment}");
        self.door.caught.take().unwrap()
    }

    /// The same world at a door with this flash, still dark.
    pub fn dark_at(&self, flash: Flash) -> Self {
        let mut door = Door::dark(flash);
        (door.clock, door.entropy) = (self.door.clock, self.door.entropy.clone());
        Self { world: self.world.clone(), door }
    }

    /// Whether the record of what was under way is there after the boot that `flash` went through; and
    /// nothing but before or after is.
    pub fn judge(&mut self, caught: &Caught) -> bool {
        let arrived = caught
            .record
            .as_ref()
            .is_some_and(|(cell, record)| self.door.flash.read(*cell).bytes() == Some(record.as_slice()));
        self.world.settle(&caught.intent, arrived);
        assert_eq!(stored(&self.door.flash), self.world.facts, "{}: neither before nor after", caught.intent.name);
        arrived
    }

    /// A copy of this run.
    pub fn fork(&self) -> Self {
        self.dark_at(self.door.flash.clone())
    }

    /// The power comes back and stays; every honest party goes on to the end.
    pub fn live_on(mut self, request: Option<&Request>) {
        self.door.boot(&mut self.world).unwrap();
        if let Some(request) = request {
            self.replay(request);
        }
        assert!(self.go());
        self.end();
    }

    pub fn end(&mut self) {
        self.world.spend_all(&mut self.door);
        self.world.try_dead_keys(&mut self.door).unwrap();
    }

    /// Keys open as often as they may from here, no more and no less.
    pub fn probe(mut self) {
        self.door.boot(&mut self.world).unwrap();
        if self.world.facts().owner.is_some() {
            self.world.spend_all(&mut self.door);
        }
    }

    /// What was under way when the power went is sent again, in a session of its own: refused.
    fn replay(&mut self, (to, message): &Request) {
        let Self { world, door } = self;
        let (_, session) = match to.purpose() {
            For::Install => door.challenge(world, For::Install).unwrap(),
            For::Operate => door.challenge_quietly(world),
        };
        let Err(error) = door.quietly(Ask::Send(session, *to, message)) else { panic!("one message was taken twice") };
        assert!(!matches!(error, LockError::Busy | LockError::SessionExpired | LockError::Wire(_)), "{error}");
    }
}

/// How many words the put of the record takes.
pub fn cost(flash: &Flash, caught: &Caught) -> u64 {
    let (mut flash, before) = (flash.clone(), flash.spent());
    put(&mut flash, caught).unwrap();
    flash.spent() - before
}

pub fn put(flash: &mut Flash, caught: &Caught) -> Result<(), Stopped> {
    caught.record.as_ref().map_or(Ok(()), |(cell, record)| flash.store(*cell, record))
}

/// What a cut after so many words leaves.
pub fn torn(flash: &Flash, caught: &Caught, tear: Tear, words: u64) -> Flash {
    let mut flash = flash.clone();
    flash.set_tear(tear);
    flash.cut_after(words);
    let _ = put(&mut flash, caught);
    flash
}

/// Which states of the flash were gone on from already: the rest follows from the state.
#[derive(Default)]
pub struct Seen(BTreeSet<Vec<u8>>);

impl Seen {
    pub fn is_new(&mut self, flash: &Flash) -> bool {
        self.0.insert(flash.image())
    }
}
