//! What can be asked of a lock, one row an operation. Whoever goes through all of them, or has to know what one is sent
//! as, needs, writes and answers, looks here: the rules of the lock, the attacks, the checker, the refinement, the power
//! cuts and the vectors. An operation that is added gets its row, and each of them is told by the compiler or by a test
//! of its own where it was forgotten.

use sharekey::counter::Generation;
use sharekey::crypto::PublicKey;
use sharekey::id::{SlotCount, SlotId};
use sharekey::limits::{Action, Timestamp};
use sharekey::lock::Cell;
/// For what a challenge is asked.
pub use sharekey::message::ConnectFor as For;
use sharekey::message::{Completed, Connect, Done, Operation, SlotReport};
use sharekey::wire::{Kind, Unverified, encode};

/// An enumeration whose every variant has a row of a table.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident: $row:ty { $($(#[$about:meta])* $variant:ident = $value:expr;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name {
            $($(#[$about])* $variant,)*
        }

        impl $name {
            pub const ALL: [Self; [$(Self::$variant),*].len()] = [$(Self::$variant),*];

            pub const fn row(self) -> $row {
                match self {
                    $(Self::$variant => $value,)*
                }
            }
        }
    };
}

/// A call of the lock that takes a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call {
    /// As the peer's requests name it.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// The purpose of the session that it takes.
    pub purpose: For,
    /// What it draws entropy for.
    pub draws: Option<&'static str>,
    /// Whether the button inside has to be pressed.
    pub presence: bool,
}

impl Call {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, purpose: For::Operate, draws: None, presence: false }
    }
}

table! {
    /// Which call of the lock a message is given to.
    To: Call {
        Install = Call {
            purpose: For::Install,
            draws: Some("the lock's X25519 secret"),
            ..Call::new("install", Kind::Bundle)
        };
        Unlock = Call::new("unlock", Kind::Unlock);
        Command = Call::new("command", Kind::Command);
        Provision = Call::new("provision", Kind::Provision);
        Reset = Call { draws: Some("the next seed"), presence: true, ..Call::new("reset", Kind::FactoryReset) };
    }
}

impl To {
    pub const fn kind(self) -> Kind {
        self.row().kind
    }

    pub const fn purpose(self) -> For {
        self.row().purpose
    }

    /// The call that takes messages of this kind.
    pub fn of(kind: Kind) -> Option<Self> {
        Self::ALL.into_iter().find(|to| to.kind() == kind)
    }

    /// The call that the peer's requests name so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|to| to.row().name == name)
    }
}

/// What is known of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ordering {
    /// The tag on the wire.
    pub tag: u8,
    /// How often chance takes it, beside the others.
    pub weight: u32,
    /// Whether its Done says how many slots the lock has.
    pub counts: bool,
}

table! {
    /// Which operation a command orders.
    Order: Ordering {
        Activate = Ordering { tag: 1, weight: 8, counts: false };
        Deactivate = Ordering { tag: 2, weight: 4, counts: false };
        Transfer = Ordering { tag: 3, weight: 2, counts: true };
        SetClock = Ordering { tag: 4, weight: 3, counts: false };
        Act = Ordering { tag: 5, weight: 2, counts: false };
        Inspect = Ordering { tag: 6, weight: 3, counts: true };
    }
}

/// What the fields of an operation are taken from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct With {
    pub slot: SlotId,
    pub generation: Generation,
    pub owner: PublicKey,
    pub service: PublicKey,
    pub time: Timestamp,
    pub action: Action,
}

impl Order {
    /// A tag that no order has.
    pub const NONE: u8 = Self::ALL[Self::ALL.len() - 1].tag() + 1;

    pub const fn of(operation: &Operation) -> Self {
        match operation {
            Operation::Activate { .. } => Self::Activate,
            Operation::Deactivate { .. } => Self::Deactivate,
            Operation::Transfer { .. } => Self::Transfer,
            Operation::SetClock { .. } => Self::SetClock,
            Operation::Act { .. } => Self::Act,
            Operation::Inspect { .. } => Self::Inspect,
        }
    }

    /// The operation with these fields, as far as it has them.
    pub const fn with(self, with: &With) -> Operation {
        let With { slot, generation, owner, service, time, action } = *with;
        match self {
            Self::Activate => Operation::Activate { slot, generation },
            Self::Deactivate => Operation::Deactivate { slot, generation },
            Self::Transfer => Operation::Transfer { owner, service },
            Self::SetClock => Operation::SetClock { to: time },
            Self::Act => Operation::Act { action },
            Self::Inspect => Operation::Inspect { slot },
        }
    }

    pub const fn tag(self) -> u8 {
        self.row().tag
    }

    /// Each as often as its weight.
    pub fn weighted() -> Vec<Self> {
        let times = |order: Self| std::iter::repeat_n(order, usize::try_from(order.row().weight).unwrap());
        Self::ALL.into_iter().flat_map(times).collect()
    }
}

/// What a Done of this operation says, at a lock of so many slots, where it left `report` in the slot that it is about.
pub fn completed(operation: &Operation, slots: SlotCount, report: &SlotReport) -> Completed {
    // The tag and the fields of the one are those of the other, and then there are the number of slots and the report.
    let zeros = [0; 64];
    let mut done = [&Kind::Done.header()[..], &zeros, &[0; 13]].concat();
    done.extend(encode(operation).unwrap());
    done.extend(Order::of(operation).row().counts.then_some(slots.value()));
    done.extend(operation.slot().into_iter().flat_map(|_| encode(report).unwrap()));
    done.extend(zeros);
    Unverified::<Done>::parse(&done).unwrap().claims().completed
}

/// What is sent to a lock that it may do something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// Somebody connects.
    Nothing,
    To(To),
    Command(Order),
}

impl Sent {
    /// The whole of what says no more than that somebody comes.
    pub const fn connect(purpose: For) -> [u8; 5] {
        match purpose {
            For::Install => Connect::INSTALL,
            For::Operate => Connect::OPERATE,
        }
    }
}

/// Which cell it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Seed,
    Header,
    Counter,
    /// That of the slot which it is about.
    Slot,
}

/// What one operation of a lock is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// What reports call it.
    pub name: &'static str,
    pub sent: Sent,
    /// The cell that it writes, or needs to stay as it is.
    pub place: Place,
    pub writes: bool,
    /// The kind of what the lock answers.
    pub answer: Option<Kind>,
    pub begins_epoch: bool,
}

impl Row {
    const fn new(name: &'static str, sent: Sent, (place, writes): (Place, bool), answer: Kind) -> Self {
        Self { name, sent, place, writes, answer: Some(answer), begins_epoch: false }
    }
}

const fn writes(place: Place) -> (Place, bool) {
    (place, true)
}

const fn holds(place: Place) -> (Place, bool) {
    (place, false)
}

table! {
    /// An operation that is staged.
    Op: Row {
        /// The first challenge after boot.
        Lease = Row::new("challenge that leases", Sent::Nothing, writes(Place::Counter), Kind::Challenge);
        /// Any later one.
        Challenge = Row::new("challenge", Sent::Nothing, holds(Place::Counter), Kind::Challenge);
        Provision = Row {
            begins_epoch: true,
            ..Row::new("provision", Sent::To(To::Provision), writes(Place::Header), Kind::Provisioned)
        };
        /// The same keys again, for a lost answer.
        ProvisionAgain =
            Row::new("provision again", Sent::To(To::Provision), holds(Place::Header), Kind::Provisioned);
        Activate = Row::new("activate", Sent::Command(Order::Activate), writes(Place::Slot), Kind::Done);
        Deactivate = Row::new("deactivate", Sent::Command(Order::Deactivate), writes(Place::Slot), Kind::Done);
        Transfer = Row {
            begins_epoch: true,
            ..Row::new("transfer", Sent::Command(Order::Transfer), writes(Place::Header), Kind::Done)
        };
        SetClock = Row::new("set clock", Sent::Command(Order::SetClock), writes(Place::Counter), Kind::Done);
        Act = Row::new("act", Sent::Command(Order::Act), holds(Place::Header), Kind::Done);
        Inspect = Row::new("inspect", Sent::Command(Order::Inspect), holds(Place::Slot), Kind::Done);
        Install = Row::new("install", Sent::To(To::Install), writes(Place::Slot), Kind::Receipt);
        /// With a key whose uses are counted.
        LimitedUnlock = Row::new("unlock that counts", Sent::To(To::Unlock), writes(Place::Slot), Kind::Reply);
        Unlock = Row::new("unlock", Sent::To(To::Unlock), holds(Place::Slot), Kind::Reply);
        FactoryReset = Row {
            answer: None,
            ..Row::new("factory reset", Sent::To(To::Reset), writes(Place::Seed), Kind::FactoryReset)
        };
    }
}

impl Op {
    /// Those that write a record.
    pub fn writing() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|op| op.writes())
    }

    /// Those that a message asks for; the others, who connects.
    pub fn requests() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|op| op.to().is_some())
    }

    /// The operation that is sent so, and writes or does not.
    pub fn of(sent: Sent, writes: bool) -> Self {
        let is = |op: &Self| (op.row().sent, op.writes()) == (sent, writes);
        Self::ALL.into_iter().find(is).unwrap_or_else(|| panic!("no row for {sent:?}, which writes: {writes}"))
    }

    /// The operation that a command orders.
    pub fn ordered(order: Order) -> Self {
        Self::ALL.into_iter().find(|op| op.row().sent == Sent::Command(order)).unwrap()
    }

    pub const fn writes(self) -> bool {
        self.row().writes
    }

    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The cell that it writes, or needs to stay as it is, where it is about this slot.
    pub const fn cell(self, slot: SlotId) -> Cell {
        match self.row().place {
            Place::Seed => Cell::Seed,
            Place::Header => Cell::Header,
            Place::Counter => Cell::Counter,
            Place::Slot => Cell::Slot(slot),
        }
    }

    /// The cell that it writes, if it writes one.
    pub fn written(self, slot: SlotId) -> Option<Cell> {
        self.writes().then(|| self.cell(slot))
    }

    /// The call that its message is given to; a challenge has none.
    pub const fn to(self) -> Option<To> {
        match self.row().sent {
            Sent::Nothing => None,
            Sent::To(to) => Some(to),
            Sent::Command(_) => Some(To::Command),
        }
    }
}
