//! What a scenario allows: who plays, who is taken over, and how often each thing is done.

use std::ops::{Index, IndexMut};

use sharekey::counter::Generation;
use sharekey::crypto::PublicKey;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Timestamp};
#[cfg(test)]
use sharekey::lock::Clock;
use sharekey::message::Operation;
use sharekey_model::invariant::Service;
pub use sharekey_stage::ops::Order;
use sharekey_stage::ops::With;

use super::cast::{CLOUD, key_of};

/// What the owner orders at the lock. Its clock, she sets nowhere: the lock has none here.
pub fn searched() -> impl Iterator<Item = Order> {
    Order::ALL.into_iter().filter(|order| *order != Order::SetClock)
}

/// The order with this number, where it takes one; the lock goes to this owner, and to the same cloud.
pub fn operation(order: Order, slot: SlotId, generation: Generation, owner: PublicKey) -> Operation {
    let time = Timestamp::from_unix_seconds(0);
    order.with(&With { slot, generation, owner, service: key_of(CLOUD), time, action: Action::Open })
}

#[test]
fn every_order_is_searched_but_one() {
    let scenarios = || super::scenarios::quick().into_iter();
    let somewhere = |order: &Order| scenarios().any(|scenario| scenario.bounds.orders[*order] > 0);
    assert_eq!(Order::ALL.into_iter().filter(somewhere).collect::<Vec<_>>(), searched().collect::<Vec<_>>());
    assert_eq!(super::lock::NOW.clock, Clock::Absent);
}

/// From where the search goes on. What leads there is one honest run of the same steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// The lock is Olga's; no slot is open.
    Provisioned,
    /// The first slot is open, and service and both phones know.
    Active,
    /// Ana has downloaded its key, and service and first phone know.
    Downloaded,
    /// Then Olga withdrew it, and shared the slot with Ben.
    SharedAgain,
    /// The same, and Ana's receipt has reached nobody yet.
    Withheld,
}

/// How many messages of a kind there may be in all, those of the start included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    pub challenges: usize,
    pub reboots: u8,
    pub grants: usize,
    pub withdraws: usize,
    pub orders: Orders,
    pub installs: usize,
    pub unlocks: usize,
    /// Of those that the attacker signs by hand.
    pub forged: usize,
}

/// How many commands of each order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Orders([usize; Order::ALL.len()]);

/// So many of these, and none of the others.
pub const fn orders(mut of: &[(Order, usize)]) -> Orders {
    let mut bounds = [0; Order::ALL.len()];
    while let [(order, bound), rest @ ..] = of {
        bounds[*order as usize] = *bound;
        of = rest;
    }
    Orders(bounds)
}

impl Index<Order> for Orders {
    type Output = usize;

    fn index(&self, order: Order) -> &usize {
        &self.0[order as usize]
    }
}

impl IndexMut<Order> for Orders {
    fn index_mut(&mut self, order: Order) -> &mut usize {
        &mut self.0[order as usize]
    }
}

/// A guest's device: whose, and which of its.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Device {
    pub subject: u8,
    pub number: u8,
    /// The attacker's: it got hold of the subject's seed.
    pub rogue: bool,
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: &'static str,
    pub start: Start,
    pub service: Service,
    /// With whom the owner shares.
    pub subjects: &'static [u8],
    pub devices: &'static [Device],
    /// How many openings a grant allows.
    pub uses: Option<u32>,
    pub bounds: Bounds,
    /// Which slots are used.
    pub slots: u8,
    /// Which phones act, beside learning: a bit each.
    pub acting: u8,
    /// Which phones listen at all.
    pub listening: u8,
    /// The power may go at every write, and between any two steps.
    pub cuts: bool,
    /// Signed messages reach the phones one by one too, not only in reports.
    pub lone: bool,
    /// The attacker puts bundles together from parts that do not belong together.
    pub recombine: bool,
    /// A second instance of the service decides on a record that it read before.
    pub instances: bool,
    /// The versions of reports that the attacker makes up.
    pub forged_versions: &'static [u64],
    /// The former owner goes on signing.
    pub former_owner: bool,
    /// Whether progress is checked from every state.
    pub progress: bool,
    /// What must be reached, by name.
    pub reach: &'static [super::reach::Milestone],
}
