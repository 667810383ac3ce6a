//! What was reached, and how often each rule fired: so that a run that checks nothing is seen.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::rules::RULES;
use super::scenario::Order;

macro_rules! milestones {
    ($($name:ident),* $(,)?) => {
        /// Something that a scenario must have seen happen.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Milestone { $($name),* }

        impl Milestone {
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

milestones! {
    Installed, Overwritten, Rekeyed, StaleGrantRefused, InactiveSlotRefused, OtherEpochRefused,
    WrongNonceRefused, BrokenChainRefused, ForeignSignatureRefused,
    Opened, LockRefusedSpentKey, UnlockRefused, StaleNumberRefused, OwnerSignatureRefused,
    KilledByDeactivation, KilledByActivation, InspectedKey, InspectedVacant,
    CutAfterInstall, CutAfterUnlock, CutAfterSwitch,
    Published, NumberCollided, PublishedTooLate, Revoked, WithdrawalLost, Settled, WithdrawnBeforePublished,
    ReleasedAgain, SecondDeviceRefused, ReleaseAfterWithdrawRefused, ReceiptTaken, ReceiptOld, DoneTaken, DoneOld,
    StaleWriteRefused, Reopened,
    SawDownload, LearnedOtherPhonesGrant, OlderReportRefused, ForgedReportTaken, Equivocated, Adopted,
    RanInstall, RanRekey, RanOpen, RanReturn, RanTakeOver,
}

const _: () = assert!(Milestone::ALL.len() + Order::ALL.len() <= 64, "more to reach than bits");

/// A set of milestones, and of orders that a lock carried out.
#[derive(Clone, Copy, Default)]
pub struct Reached(u64);

impl Reached {
    pub fn add(&mut self, milestone: Milestone) {
        self.0 |= 1 << milestone as u32;
    }

    pub const fn has(self, milestone: Milestone) -> bool {
        self.0 >> (milestone as u32) & 1 == 1
    }

    pub fn order(&mut self, order: Order) {
        self.0 |= Self::bit_of(order);
    }

    pub const fn has_order(self, order: Order) -> bool {
        self.0 & Self::bit_of(order) != 0
    }

    /// From the other end than the milestones.
    const fn bit_of(order: Order) -> u64 {
        1 << (63 - order as u32)
    }

    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn add_if(&mut self, holds: bool, milestone: Milestone) {
        if holds {
            self.add(milestone);
        }
    }
}

const LANES: usize = 8;

#[derive(Default)]
#[repr(align(128))]
struct Lane {
    tried: [AtomicU64; RULES.len()],
    fired: [AtomicU64; RULES.len()],
    reached: AtomicU64,
}

/// Counts of one run, a lane for each thread.
#[derive(Default)]
pub struct Stats {
    lanes: [Lane; LANES],
}

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static LANE: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed) % LANES);
}

impl Stats {
    fn lane(&self) -> &Lane {
        &self.lanes[LANE.get()]
    }

    pub fn tried(&self, rule: usize) {
        self.lane().tried[rule].fetch_add(1, Ordering::Relaxed);
    }

    pub fn fired(&self, rule: usize) {
        self.lane().fired[rule].fetch_add(1, Ordering::Relaxed);
    }

    pub fn reached(&self, reached: Reached) {
        let lane = self.lane();
        if lane.reached.load(Ordering::Relaxed) | reached.0 != lane.reached.load(Ordering::Relaxed) {
            lane.reached.fetch_or(reached.0, Ordering::Relaxed);
        }
    }

    pub fn all_reached(&self) -> Reached {
        Reached(self.lanes.iter().fold(0, |all, lane| all | lane.reached.load(Ordering::Relaxed)))
    }

    /// Of each rule: its name, how often it was tried, how often it led somewhere.
    pub fn table(&self) -> Vec<(&'static str, u64, u64)> {
        let sum = |of: fn(&Lane) -> &[AtomicU64; RULES.len()], rule: usize| -> u64 {
            self.lanes.iter().map(|lane| of(lane)[rule].load(Ordering::Relaxed)).sum()
        };
        RULES
            .iter()
            .enumerate()
            .map(|(at, name)| (*name, sum(|lane| &lane.tried, at), sum(|lane| &lane.fired, at)))
            .collect()
    }
}
