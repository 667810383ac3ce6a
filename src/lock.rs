//! The lock's side: it decides who enters, offline, from what is on its flash (spec: "Lock").
//!
//! Fixed size, no heap, no panic. Every accepted operation is [`Accepted`]: what it gives exists only
//! after its record was written.
//!
//! # The front door
//!
//! A firmware needs [`Door::boot`] over its [`Board`], and [`Door::serve`] for each frame that comes over the link; it does
//! what [`Served::effect`] says, and sends [`Served::answer`]. Where room is scarce, [`Door::boot_in`] and
//! [`Door::serve_into`] do the same in places of the firmware's. `examples/new_board` of the repository is a whole lock so, in
//! 60 lines. A loop that is asynchronous, or whose store calls back, is as short over [`Lock::step`].
//!
//! # The typed calls
//!
//! They are what the door goes through, for a firmware that decides for itself what a message is for, and in which session
//! it comes:
//!
//! ```text
//! boot       StoredSeed::read → Lock::load → Lock::reload for each of Lock::cells
//!            (or Making::new, the first time)
//! a guest    challenge::<purpose::Install> → install → Installed { receipt }
//!            challenge::<purpose::Operate> → unlock  → Unlocked { action, reply }
//! the owner  challenge::<purpose::Operate> → provision, command
//! the card   challenge::<purpose::Operate> → factory_reset, then Making::new
//! ```
//!
//! What to send then, which [`Served`] knows:
//!
//! | after | send |
//! |---|---|
//! | `challenge` committed | [`Challenged::challenge`] |
//! | an operation committed | the message in its result; of a factory reset, nothing |
//! | an operation refused | [`Refusal::answer`] |
//! | `challenge` refused, no session open, a message that is no request | [`Refused::OPAQUE`](crate::message::Refused::OPAQUE) |
//! | a write failed or was cancelled | nothing: whether it happened is not known |
//!
//! Requests have at most [`MAX_REQUEST`] bytes, answers at most [`MAX_ANSWER`]. A message that is
//! malformed goes to the operation that it was meant for, or spends no session. Move the bolt before the
//! reply is sent; "accepted" says that the bolt was told to move.
//!
//! # A write that fails
//!
//! The door sees to it before the next frame. Over [`Lock::step`] or the typed calls, its cell is busy
//! ([`Lock::condition`] tells) until [`Lock::reload`]. Three things to mind: try to read
//! again what cannot be read, for it counts as damaged; a write that failed must not
//! take effect after its cell was reloaded; and a factory reset whose write failed is healed by reloading
//! [`Cell::Seed`], which [`Lock::cells`] leaves out. Where anything then says
//! [`Resetting`](crate::error::LockError::Resetting), restart: the next boot makes the lock anew.

use crate::crypto::Crypto;
use crate::error::{LockError, ProviderFailed};
use crate::id::{LockId, SlotCount, SlotId};
use crate::limits::Timestamp;
use crate::message::SlotReport;
use crate::secret::ActivationSecret;
use crate::wire::Layout;

mod accepted;
mod cell;
mod challenge;
mod command;
mod door;
mod install;
mod keys;
mod make;
mod memory;
mod pins;
mod plan;
mod provision;
mod record;
mod refusal;
mod reset;
mod step;
mod unlock;

pub use self::accepted::{Accepted, Pending};
pub use self::cell::Condition;
pub use self::challenge::{COUNTER_LEASE, Challenged, Session};
pub use self::command::Commanded;
pub use self::door::{Board, Door, Store};
pub use self::install::Installed;
pub use self::make::Making;
pub use self::memory::Ownership;
pub use self::plan::FromPlan;
pub use self::provision::NewOwner;
pub use self::record::{Cell, Found, MAX_RECORD, Record, StoredSeed};
pub use self::refusal::Refusal;
pub use self::reset::{Erased, PhysicalPresence};
pub use self::step::{Answer, By, ClockSetting, Effect, MAX_ANSWER, MAX_REQUEST, Served, Step};
pub use self::unlock::Unlocked;
pub use crate::error::{BootError, ServeError};
pub use crate::message::Battery;

use self::cell::CellState;
use self::keys::LockKeys;
use self::memory::{Change, Core, Memory};
use self::pins::Pins;
use self::plan::Plan;
use self::record::{OwnSeed, SlotRecord};

/// How many slots a lock has unless its maker says otherwise.
pub const SLOTS: usize = 10;

/// What a challenge is asked for. One session of each purpose can be open.
pub mod purpose {
    /// Downloading a key: within 120 seconds.
    #[derive(Clone, Copy, Debug)]
    pub enum Install {}

    /// An unlock, a command, provisioning or a factory reset: within 10 seconds.
    #[derive(Clone, Copy, Debug)]
    pub enum Operate {}

    /// How many purposes there are.
    pub(crate) const COUNT: usize = 2;

    mod sealed {
        pub trait Sealed {}
        impl Sealed for super::Install {}
        impl Sealed for super::Operate {}
    }

    /// [`Install`] or [`Operate`].
    pub trait Purpose: sealed::Sealed {
        /// How long a session lasts, in milliseconds; an answer at this age is still in time.
        const DEADLINE_MS: u64;
        #[doc(hidden)]
        const INDEX: usize;
    }

    impl Purpose for Install {
        //= spec/protocol.md#sessions
        //# SES-3. A session for Install MUST be refused later than 120000 milliseconds after its challenge.
        const DEADLINE_MS: u64 = 120_000;
        const INDEX: usize = 0;
    }

    impl Purpose for Operate {
        //= spec/protocol.md#sessions
        //# SES-4. A session for Operate MUST be refused later than 10000 milliseconds after its challenge.
        const DEADLINE_MS: u64 = 10_000;
        const INDEX: usize = 1;
    }
}

/// The time, as the firmware knows it at this call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// Milliseconds since boot, running through sleep and never backwards. Deadlines are judged by
    /// it; going backwards counts as expiry.
    pub ticks: u64,
    /// The date and time.
    pub clock: Clock,
    /// How full the battery is: what the lock tells whoever opened, and its owner.
    pub battery: Battery,
}

/// The date and time, as far as the board can tell. Only the owner's `SetClock` sets it, and each owner sets it anew:
/// until then a lock takes whatever it reads for [`Unset`](Self::Unset).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clock {
    /// The lock has no clock and can never tell.
    Absent,
    /// The clock lost its time, or was never set.
    Unset,
    /// The time now.
    At(Timestamp),
}

/// Refuses, when the firmware is compiled, a number of slots that slot ids cannot tell apart.
const fn assert_slots(slots: usize) {
    //= spec/protocol.md#making
    //= type=implication
    //= reason=another number does not compile
    //# LCK-10. A lock MUST have 1 to 255 slots.
    assert!(slots >= 1 && slots <= 255, "a lock has 1 to 255 slots");
}

/// The firmware's number of slots: 1 to 255, as `assert_slots` has it.
fn firmware_slots<const SLOTS: usize>() -> SlotCount {
    u8::try_from(SLOTS).ok().and_then(SlotCount::new).unwrap_or(SlotCount::MAX)
}

/// A lock with `SLOTS` slots (1 to 255).
pub struct Lock<C: Crypto, const SLOTS: usize> {
    role: Role<C, SLOTS>,
    plan: Plan,
}

/// The lock but for its plan, which is written while this is looked at.
struct Role<C: Crypto, const SLOTS: usize> {
    crypto: C,
    card: ActivationSecret,
    keys: LockKeys<C>,
    core: Core,
    slots: [CellState<SlotRecord>; SLOTS],
    pins: Pins<C>,
}

impl<C: Crypto, const SLOTS: usize> Lock<C, SLOTS> {
    /// The lock that `seed` stands for, with nothing read yet: until each of [`cells`](Self::cells)
    /// went through [`reload`](Self::reload), what needs it is refused as busy. `card` is the
    /// secret on the activation card, which survives every reset.
    ///
    /// # Errors
    /// [`ProviderFailed`] when the provider cannot derive the lock's keys.
    pub fn load(crypto: C, card: ActivationSecret, seed: &StoredSeed) -> Result<Self, ProviderFailed> {
        const { assert_slots(SLOTS) };
        let keys = LockKeys::derive(&crypto, seed.seed())?;
        Ok(Self::unread(crypto, card, keys))
    }

    /// The lock that has these keys, with nothing read yet.
    fn unread(crypto: C, card: ActivationSecret, keys: LockKeys<C>) -> Self {
        Self {
            role: Role {
                crypto,
                card,
                core: Core::unread(keys.id()),
                keys,
                slots: [const { CellState::unread() }; SLOTS],
                pins: Pins::none(),
            },
            plan: Plan::empty(),
        }
    }

    /// The cells to read at boot, in any order: all but [`Cell::Seed`], which
    /// [`StoredSeed::read`] takes before.
    pub fn cells() -> impl Iterator<Item = Cell> {
        let slots = (0..=u8::MAX).take(SLOTS).map(|index| Cell::Slot(SlotId::new(index)));
        [Cell::Header, Cell::Counter].into_iter().chain(slots)
    }

    /// Takes what the store holds of a cell now: at boot, after a write failed or was cancelled, or
    /// after a [`Pending`] was lost. A write that failed or was lost must not take effect after this;
    /// while a detached one may, do not reload.
    ///
    /// A damaged cell may be reloaded too, where it could be read after all.
    ///
    /// Missing, unreadable, foreign, damaged, and older than what this run has already seen are one thing: the
    /// cell is damaged. That is no error here; what needs the cell is refused.
    ///
    /// # Errors
    /// [`LockError::NotBusy`] for a cell that needs no reload, [`LockError::NoSuchSlot`],
    /// [`LockError::Resetting`] once a factory reset has begun.
    pub fn reload(&mut self, cell: Cell, found: Found<'_>) -> Result<(), LockError> {
        let Self { role, .. } = self;
        if role.core.is_reset() {
            return Err(LockError::Resetting);
        }
        match cell {
            Cell::Seed => {
                let own = role.is_own_seed(found)?.then_some(OwnSeed);
                role.memory().reload_seed(own)
            }
            Cell::Header => {
                let read = role.decode(cell, found);
                role.memory().reload_header(read)
            }
            Cell::Counter => {
                let read = role.decode(cell, found);
                role.memory().reload_counter(read)
            }
            Cell::Slot(slot) => {
                let read = role.decode(cell, found);
                role.memory().reload_slot(slot, read)
            }
        }
    }

    /// Reports that the record of a detached operation was written durably; gives its result.
    ///
    /// # Errors
    /// [`LockError::NotPending`] when the cell does not wait for this write: it was reloaded since,
    /// or the write is another lock's or another run's.
    pub fn written<T>(&mut self, pending: Pending<T>) -> Result<T, LockError> {
        let mut memory = self.role.memory();
        //= spec/protocol.md#persist-then-act
        //# STG-8. A report of a write that its cell does not wait for any more, or that was begun before the last boot, MUST be refused.
        if !memory.waits_for(pending.change.cell(), pending.ticket) {
            return Err(LockError::NotPending);
        }
        memory.apply(&pending.change);
        //= spec/protocol.md#persist-then-act
        //# STG-1. The result of an accepted operation MUST NOT be given to the caller before its record was stored.
        Ok(pending.output)
    }

    /// Gives up a detached operation that has no record to write: nothing happened, and its cell is
    /// free again.
    ///
    /// # Errors
    /// [`LockError::Busy`] for one that has a record, which may have been written: reload its cell.
    /// [`LockError::NotPending`] as for [`written`](Self::written).
    pub fn abandon<T>(&mut self, pending: Pending<T>) -> Result<(), LockError> {
        let mut memory = self.role.memory();
        if !memory.waits_for(pending.change.cell(), pending.ticket) {
            return Err(LockError::NotPending);
        }
        if pending.change.write().is_some() {
            return Err(LockError::Busy);
        }
        memory.apply(&Change::Holds(pending.change.cell()));
        Ok(())
    }

    /// The lock's identity.
    #[must_use]
    pub const fn id(&self) -> LockId {
        self.role.core.id
    }

    /// Whose the lock is.
    ///
    /// # Errors
    /// [`LockError::NotProvisioned`], [`LockError::Busy`], [`LockError::Damaged`],
    /// [`LockError::Resetting`].
    pub fn ownership(&self) -> Result<Ownership, LockError> {
        self.role.core.ownership()
    }

    /// How a cell stands: what to reload, and whether an attempt now would be refused as busy (which
    /// spends its session).
    ///
    /// # Errors
    /// [`LockError::NoSuchSlot`]; [`LockError::Resetting`] once a factory reset was written: restart.
    pub fn condition(&self, cell: Cell) -> Result<Condition, LockError> {
        memory::condition(&self.role.core, &self.role.slots, cell)
    }

    /// What a slot holds, for the lock's own display or log.
    ///
    /// # Errors
    /// As [`ownership`](Self::ownership), and [`LockError::NoSuchSlot`], [`LockError::SlotDamaged`].
    pub fn report(&self, slot: SlotId) -> Result<SlotReport, LockError> {
        self.role.core.ownership()?;
        memory::view(&self.role.core, &self.role.slots, slot).map(|view| view.report())
    }

    /// Gives the provider and the card's secret back, to make or load a lock with them.
    #[must_use]
    pub fn into_parts(self) -> (C, ActivationSecret) {
        //= spec/protocol.md#factory-reset
        //# RST-9. A factory reset MUST keep the activation secret.
        (self.role.crypto, self.role.card)
    }

    /// A factory reset ended this lock, or its seed is another's by now.
    const fn is_reset(&self) -> bool {
        self.role.core.is_reset()
    }
}

impl<C: Crypto, const SLOTS: usize> Role<C, SLOTS> {
    const fn id(&self) -> LockId {
        self.core.id
    }

    /// How many slots there are: what the firmware has, as far as they were ever written.
    fn slot_count(&self) -> Result<SlotCount, LockError> {
        Ok(self.core.sound()?.0.slots.min(firmware_slots::<SLOTS>()))
    }

    fn memory(&mut self) -> Memory<'_> {
        Memory { core: &mut self.core, slots: &mut self.slots }
    }

    fn decode<T: Layout>(&self, cell: Cell, found: Found<'_>) -> Option<T> {
        let Found::Bytes(bytes) = found else { return None };
        record::decode(&self.crypto, &self.keys, cell, bytes)
    }

    fn is_own_seed(&self, found: Found<'_>) -> Result<bool, LockError> {
        let Ok(seed) = StoredSeed::read(&self.crypto, found) else { return Ok(false) };
        let keys = LockKeys::derive(&self.crypto, seed.seed()).map_err(crate::error::SealError::Provider)?;
        Ok(keys.id() == self.id())
    }

    /// The clock, where one that the present owner did not set, or a reading before the latest time known, counts as
    /// unset.
    fn clock(&self, now: Now) -> Result<Clock, LockError> {
        let (header, counter) = self.core.sound()?;
        Ok(match now.clock {
            //= spec/protocol.md#clock
            //# CLK-4. Until a SetClock of the present epoch was stored, a lock MUST take its clock for Unset, unless it is Absent.
            Clock::At(_) if !counter.is_set(header) => Clock::Unset,
            //= spec/protocol.md#clock
            //# CLK-2. A lock MUST take a clock that reads less than the latest time known for Unset.
            Clock::At(time) if time < counter.latest => Clock::Unset,
            clock => clock,
        })
    }
}

impl<C: Crypto, const SLOTS: usize> core::fmt::Debug for Lock<C, SLOTS> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Lock").field("id", &self.id()).field("slots", &SLOTS).finish_non_exhaustive()
    }
}
