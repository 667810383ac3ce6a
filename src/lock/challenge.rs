//! Challenges and sessions: the replay counter (spec: "Replay counter").

use core::marker::PhantomData;

use rand_core::CryptoRng;

use super::accepted::Accepted;
use super::memory::Change;
use super::plan::{FromPlan, Plan, Turned};
use super::record::{CounterRecord, Write};
use super::{Clock, Lock, Now, Role, purpose};
use crate::counter::Counter;
use crate::crypto::{Crypto, Nonce};
use crate::error::LockError;
use crate::id::LockId;
use crate::message::Challenge;
use crate::wire::{self, Encoded};

/// How many challenges one write of the counter's record is good for.
//= spec/protocol.md#replay-counter
//# CTR-6. COUNTER_LEASE MUST be 65536.
pub const COUNTER_LEASE: u64 = 65_536;

/// The right to one attempt, for the purpose `P`: [`purpose::Install`] or [`purpose::Operate`].
///
/// It is moved into the attempt, a malformed one included, and dies when its deadline passes or a
/// newer challenge for the same purpose is given.
#[must_use = "a session is good for one attempt"]
#[derive(Debug)]
pub struct Session<P> {
    lock: LockId,
    number: Number,
    //= spec/protocol.md#sessions
    //= type=implication
    //= reason=each operation takes a Session of its own purpose, and none turns into the other
    //# SES-6. A session MUST NOT serve another purpose than its own.
    purpose: PhantomData<fn() -> P>,
}

/// What makes a challenge's nonce one that never repeats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Number {
    /// The replay counter's: above every number of every run before.
    Counted(Counter),
    /// On a lock that cannot count, because its records are damaged: only unique in this run, and
    /// good for nothing but a factory reset.
    Rescue(Counter),
}

impl Number {
    /// Label and number, as they go into the nonce. With a label the input is longer, so the two
    /// kinds never meet.
    const fn parts(self) -> (&'static [u8], [u8; 8]) {
        match self {
            Self::Counted(number) => (b"", number.value().to_le_bytes()),
            //= spec/protocol.md#replay-counter
            //# CTR-9. The nonce of such a challenge MUST be HMAC-SHA256(nonce key, `"rescue"` ‖ number as `u64` ‖ 32 bytes of fresh entropy)[..16], with a number that is unique since boot.
            Self::Rescue(number) => (b"rescue", number.value().to_le_bytes()),
        }
    }
}

/// A challenge to send, and the session that answers to it may use.
#[derive(Debug)]
pub struct Challenged<P> {
    /// The challenge, for whoever connects.
    pub challenge: Encoded<Challenge>,
    /// What an answer is accepted with.
    pub session: Session<P>,
}

impl<P> FromPlan for Challenged<P> {
    fn from_plan(plan: &Plan, lock: LockId) -> Self {
        let session = Session { lock, number: plan.number, purpose: PhantomData };
        Self { challenge: Encoded::taken(&plan.answer), session }
    }
}

/// The newest session of one purpose, as the lock remembers it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    purpose: usize,
    number: Number,
    nonce: Nonce,
    ticks: u64,
    /// At this challenge the ticks were seen to have gone backwards.
    backwards: bool,
}

impl Given {
    /// What no other challenge has, as a number.
    pub(super) const fn ticket(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = *self.nonce.as_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

/// The counter in memory, the newest session of each purpose, and the ticks last seen.
#[derive(Debug)]
pub(crate) struct Sessions {
    next: Option<Counter>,
    next_rescue: Counter,
    newest: [Option<Given>; purpose::COUNT],
    ticks: u64,
}

impl Sessions {
    pub(super) const fn new() -> Self {
        //= spec/protocol.md#sessions
        //# SES-8. A boot MUST end all sessions.
        Self { next: None, next_rescue: Counter::ZERO, newest: [None; purpose::COUNT], ticks: 0 }
    }

    /// At the first reading of the counter's record: no number below its ceiling is used again.
    pub(super) fn start_above(&mut self, ceiling: Counter) {
        if self.next.is_none() {
            //= spec/protocol.md#replay-counter
            //# CTR-4. After a boot the counter MUST go on at the stored ceiling.
            self.next = Some(ceiling);
        }
    }

    pub(super) fn give(&mut self, given: Given) {
        match given.number {
            //= spec/protocol.md#replay-counter
            //# CTR-1. Every challenge, other than one of CTR-9, MUST take the next number of the lock's counter.
            Number::Counted(number) => self.next = number.next(),
            // 2^64 challenges in one run do not happen.
            //= spec/protocol.md#replay-counter
            //# CTR-9. The nonce of such a challenge MUST be HMAC-SHA256(nonce key, `"rescue"` ‖ number as `u64` ‖ 32 bytes of fresh entropy)[..16], with a number that is unique since boot.
            Number::Rescue(number) => self.next_rescue = number.next().unwrap_or(number),
        }
        if given.backwards {
            // How old the other sessions are, nobody can say.
            //= spec/protocol.md#sessions
            //# SES-9. A step backwards of the ticks MUST end all sessions.
            self.close_all();
            self.ticks = given.ticks;
        } else {
            self.ticks = self.ticks.max(given.ticks);
        }
        if let Some(newest) = self.newest.get_mut(given.purpose) {
            *newest = Some(given);
        }
    }

    pub(super) const fn close_all(&mut self) {
        self.newest = [None; purpose::COUNT];
    }

    /// Spends a session: it must be the newest of its purpose, and in time.
    #[inline(never)]
    fn spend(&mut self, purpose: usize, deadline: u64, number: Number, ticks: u64) -> Result<Nonce, LockError> {
        let newest = self.newest.get_mut(purpose).ok_or(LockError::SessionSuperseded)?;
        //= spec/protocol.md#sessions
        //# SES-1. A session MUST be good for one attempt, malformed ones included.
        //= spec/protocol.md#sessions
        //# SES-2. A session MUST be refused when a newer challenge for the same purpose was given.
        let given = newest.take_if(|given| given.number == number).ok_or(LockError::SessionSuperseded)?;
        //= spec/protocol.md#sessions
        //# SES-5. A session MUST be refused when the ticks went backwards since its challenge.
        if ticks < self.ticks {
            //= spec/protocol.md#sessions
            //# SES-9. A step backwards of the ticks MUST end all sessions.
            self.close_all();
            return Err(LockError::SessionExpired);
        }
        //= spec/protocol.md#sessions
        //# SES-12. A lock MUST keep the latest ticks that it saw, at a challenge and at an attempt with a newest session, malformed ones included.
        self.ticks = ticks;
        //= spec/protocol.md#sessions
        //# SES-5. A session MUST be refused when the ticks went backwards since its challenge.
        let elapsed = ticks.checked_sub(given.ticks).ok_or(LockError::SessionExpired)?;
        //= spec/protocol.md#sessions
        //# SES-3. A session for Install MUST be refused later than 120000 milliseconds after its challenge.
        //= spec/protocol.md#sessions
        //# SES-4. A session for Operate MUST be refused later than 10000 milliseconds after its challenge.
        if elapsed <= deadline { Ok(given.nonce) } else { Err(LockError::SessionExpired) }
    }
}

impl<C: Crypto, const SLOTS: usize> Lock<C, SLOTS> {
    /// Gives a challenge for one attempt, to whoever connects. Ends the session that there was for the same
    /// purpose.
    ///
    /// `rng` is the fresh entropy in the nonce; a broken one cannot make a nonce repeat, for the
    /// counter is in it too. Writes the counter's record at the first call after boot and once every
    /// [`COUNTER_LEASE`] calls.
    ///
    /// On a lock whose header or counter is damaged, only a factory reset is accepted in the
    /// session.
    ///
    /// # Errors
    /// [`LockError::Busy`], [`LockError::Resetting`], [`LockError::Exhausted`] at the end of the
    /// counter, [`LockError::Seal`].
    pub fn challenge<P: purpose::Purpose>(
        &mut self,
        now: Now,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Accepted<'_, Challenged<P>>, LockError> {
        self.plan(|role, plan| role.challenge(P::INDEX, now, rng, plan)).map_err(|denial| denial.error)
    }
}

impl<C: Crypto, const SLOTS: usize> Role<C, SLOTS> {
    #[inline(never)]
    pub(super) fn challenge(
        &self,
        purpose: usize,
        now: Now,
        rng: &mut (impl CryptoRng + ?Sized),
        plan: &mut Plan,
    ) -> Result<(), Turned> {
        let (number, counter) = self.next_number(now)?;
        let mut entropy = [0; 32];
        rng.fill_bytes(&mut entropy);
        let (label, counted) = number.parts();
        //= spec/protocol.md#replay-counter
        //# CTR-2. The nonce of a challenge MUST be HMAC-SHA256(nonce key, number as `u64` ‖ 32 bytes of fresh entropy)[..16].
        let mac = self.crypto.hmac_sha256(self.keys.nonce.expose(), &[label, &counted, &entropy]);
        let nonce = Nonce::truncated(&mac);
        wire::bare_into(&Challenge { lock: self.id(), nonce }, &mut plan.answer)?;
        let backwards = now.ticks < self.core.sessions.ticks;
        let given = Given { purpose, number, nonce, ticks: now.ticks, backwards };
        plan.number = number;
        //= spec/protocol.md#persist-then-act
        //# STG-11. A challenge MUST hold the counter's cell until its result is taken.
        plan.change = Change::Gives { challenge: given, write: counter.map(Write::Counter) };
        Ok(self.record(plan)?)
    }

    /// The newest session of a purpose, where there is one: for a door that is told what a message is for, and not in
    /// which session it comes.
    pub(super) fn newest<P: purpose::Purpose>(&self) -> Result<Session<P>, LockError> {
        let newest = self.core.sessions.newest.get(P::INDEX).and_then(Option::as_ref);
        let number = newest.ok_or(LockError::SessionSuperseded)?.number;
        Ok(Session { lock: self.id(), number, purpose: PhantomData })
    }

    /// The number of the next challenge, and the record to write where the ceiling is reached.
    fn next_number(&self, now: Now) -> Result<(Number, Option<CounterRecord>), LockError> {
        //= spec/protocol.md#replay-counter
        //# CTR-10. The lock MUST make these checks of a challenge in this order: RST-8, that the seed's, the header's and the counter's cell are free, CTR-7.
        let (header, counter) = match self.core.sound() {
            Ok(sound) => sound,
            Err(LockError::Damaged) => return Ok((Number::Rescue(self.core.sessions.next_rescue), None)),
            Err(other) => return Err(other),
        };
        //= spec/protocol.md#replay-counter
        //# CTR-7. A lock MUST refuse to give a challenge when the counter has no further number.
        let number = self.core.sessions.next.ok_or(LockError::Exhausted)?;
        //= spec/protocol.md#replay-counter
        //# CTR-3. A number MUST NOT be used before a record whose ceiling is above it is stored.
        if number < counter.ceiling {
            return Ok((Number::Counted(number), None));
        }
        //= spec/protocol.md#replay-counter
        //# CTR-5. A lock MUST raise the ceiling by COUNTER_LEASE when it writes it.
        //= spec/protocol.md#replay-counter
        //# CTR-7. A lock MUST refuse to give a challenge when the counter has no further number.
        let ceiling = number.checked_add(COUNTER_LEASE).ok_or(LockError::Exhausted)?;
        let latest = match now.clock {
            //= spec/protocol.md#clock
            //# CLK-3. A lock whose clock was set in the present epoch MUST raise the latest time known, where its clock reads later, whenever it writes the counter's record.
            Clock::At(time) if counter.is_set(header) => counter.latest.max(time),
            Clock::At(_) | Clock::Absent | Clock::Unset => counter.latest,
        };
        Ok((Number::Counted(number), Some(CounterRecord { ceiling, latest, ..*counter })))
    }

    /// Spends a session and gives its nonce, whatever comes of the attempt.
    pub(super) fn spend<P: purpose::Purpose>(&mut self, session: Session<P>, now: Now) -> Result<Nonce, LockError> {
        match session.number {
            Number::Counted(_) => self.spend_rescue(session, now),
            Number::Rescue(_) => {
                self.spend_rescue(session, now)?;
                // Of a lock that can count again, a new challenge is good.
                //= spec/protocol.md#replay-counter
                //# CTR-8. A challenge on a lock whose header or counter is damaged MUST serve a factory reset only.
                Err(self.core.sound().err().unwrap_or(LockError::SessionSuperseded))
            }
        }
    }

    /// [`spend`](Self::spend) for the one operation that a damaged lock still does.
    pub(super) fn spend_rescue<P: purpose::Purpose>(
        &mut self,
        session: Session<P>,
        now: Now,
    ) -> Result<Nonce, LockError> {
        if session.lock != self.id() {
            return Err(LockError::SessionSuperseded);
        }
        self.core.sessions.spend(P::INDEX, P::DEADLINE_MS, session.number, now.ticks)
    }
}
