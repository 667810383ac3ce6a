//! What a scenario allows: who plays, who is taken over, and how often each thing is done.

use sharekey_model::invariant::Service;

/// An order of the owner at the lock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Op {
    Activate,
    Deactivate,
    Inspect,
    Act,
    /// To the heir; to herself where there is none.
    Transfer,
}

impl Op {
    pub const ALL: [Self; 5] = [Self::Activate, Self::Deactivate, Self::Inspect, Self::Act, Self::Transfer];

    /// As in the number of a message.
    pub const fn sub(self) -> u8 {
        match self {
            Self::Activate => 1,
            Self::Deactivate => 2,
            Self::Transfer => 3,
            Self::Act => 5,
            Self::Inspect => 6,
        }
    }
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
    pub activates: usize,
    pub deactivates: usize,
    pub inspects: usize,
    pub acts: usize,
    pub transfers: usize,
    pub installs: usize,
    pub unlocks: usize,
    /// Of those that the attacker signs by hand.
    pub forged: usize,
}

impl Bounds {
    pub const fn of(&self, op: Op) -> usize {
        match op {
            Op::Activate => self.activates,
            Op::Deactivate => self.deactivates,
            Op::Inspect => self.inspects,
            Op::Act => self.acts,
            Op::Transfer => self.transfers,
        }
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
