//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use sharekey::contacts::Fingerprint;
use sharekey::crypto::PublicKey;
use sharekey::id::{AccountId, SlotId};
use sharekey::secret::ActivationSecret;

use crate::args;
use crate::home::Name;
use crate::moment::{Wait, When};
use crate::owner::AtLock;
use crate::schedule::{Days, Hours, Offset};

/// Play every role of sharekey: a lock, its owner, the service and the guests.
#[derive(Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// The folder in which every role keeps its state.
    #[arg(
        long,
        global = true,
        help_heading = "Everywhere",
        env = "DOOR_HOME",
        default_value = "door-home",
        value_name = "DIR"
    )]
    pub home: PathBuf,

    /// What time it is: RFC 3339, or +DURATION after the time of the last call (90s, 15m, 2h, 3d).
    /// From the first one on, time stands still between calls.
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "TIME", value_parser = args::when)]
    pub at: Option<When>,

    /// The service cannot be reached.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub offline: bool,

    /// A service that runs elsewhere (examples/service), in place of the one in the home. It goes by the computer's time: play
    /// no other with --at. Said before the role.
    #[arg(long, help_heading = "Everywhere", env = "DOOR_SERVICE", value_name = "URL")]
    pub service: Option<String>,

    /// For tests only, and unsafe: draw "randomness" from this seed.
    #[arg(long, global = true, env = "DOOR_ENTROPY", hide = true, value_name = "SEED")]
    pub entropy: Option<u64>,

    #[command(subcommand)]
    pub role: Role,
}

#[derive(Subcommand)]
pub enum Role {
    /// Make, show, cut off or reset the lock.
    Lock {
        #[command(subcommand)]
        command: LockCommand,
    },
    /// Act as the lock's owner.
    Owner {
        /// Which owner speaks, where it is not the current one.
        #[arg(long = "as", global = true, value_name = "NAME", value_parser = args::name)]
        by: Option<Name>,
        #[command(subcommand)]
        command: OwnerCommand,
    },
    /// Act as the guest NAME.
    Guest {
        /// Who: letters, digits, "_" and "."
        #[arg(value_parser = args::name)]
        name: Name,
        #[command(subcommand)]
        command: GuestCommand,
    },
    /// See what crossed between the roles, and send it again as an attacker would.
    Wire {
        #[command(subcommand)]
        command: WireCommand,
    },
}

/// What may happen between somebody and the lock.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Between the lock and you")]
pub struct Radio {
    /// How long the answer to the lock's challenge takes.
    #[arg(long, value_name = "DURATION", value_parser = args::wait)]
    pub delay: Option<Wait>,
    /// Cut the lock's power after it has written N bytes to its store (renaming a file counts as one).
    #[arg(long, value_name = "N")]
    pub crash_after: Option<u64>,
    /// Somebody else asks the lock for a challenge before the answer comes.
    #[arg(long)]
    pub interrupt: bool,
    /// The lock's answer gets lost on the way.
    #[arg(long)]
    pub lose_answer: bool,
    /// An attacker delivers message N of the wire in place of the lock's answer.
    #[arg(long, value_name = "N")]
    pub answer_with: Option<u32>,
    /// An attacker delivers message N of the wire in place of the lock's challenge.
    #[arg(long, value_name = "N")]
    pub challenge_with: Option<u32>,
    /// The message never reaches the lock: for [`crate::wire`]'s replays of answers.
    #[arg(skip)]
    pub withhold: bool,
}

#[derive(Subcommand)]
pub enum LockCommand {
    /// Make a lock; prints its activation card.
    New {
        /// How many slots it has: 1 to 10, 16, 32, 64 or 255.
        #[arg(long, default_value_t = sharekey::lock::SLOTS, value_parser = args::slots)]
        slots: usize,
        /// A lock that can never tell the time.
        #[arg(long)]
        no_clock: bool,
        /// Cut its power after it has written N bytes to its store.
        #[arg(long, value_name = "N")]
        crash_after: Option<u64>,
    },
    /// What the lock knows of itself.
    Show,
    /// Cut its power: what is not on its flash is forgotten.
    PowerCut,
    /// Make it another lock, by its card and the button inside.
    Reset {
        #[arg(long, value_parser = args::card)]
        card: Card,
        /// Press the button inside the lock.
        #[arg(long)]
        button: bool,
        #[command(flatten)]
        radio: Radio,
    },
}

/// The secret on an activation card, as it was typed.
#[derive(Clone)]
pub struct Card(pub [u8; 16]);

impl Card {
    pub fn secret(&self) -> ActivationSecret {
        ActivationSecret::from_bytes(self.0)
    }
}

#[derive(Subcommand)]
pub enum OwnerCommand {
    /// Make the lock yours, by its activation card.
    Provision {
        #[arg(long, value_parser = args::card)]
        card: Card,
        #[command(flatten)]
        radio: Radio,
    },
    #[command(flatten)]
    AtLock(AtLock),
    /// At the lock: take over what was handed to you, where the lock's word for it was lost. Ends every key.
    TakeOver {
        /// The epoch that the lost transfer began: one above that of whoever handed it over.
        #[arg(long, value_name = "N")]
        epoch: Option<u32>,
        #[command(flatten)]
        radio: Radio,
    },
    /// Begin with the lock that stands here on a phone that has your key, and neither view nor card. Ends no key.
    Adopt,
    /// The contact list.
    Contact {
        #[command(subcommand)]
        command: ContactCommand,
    },
    /// Share a slot.
    Share(Box<Share>),
    /// Take a share back: a revocation before the download, a reset after it.
    Withdraw {
        /// Which slot, from 0
        #[arg(value_parser = args::slot)]
        slot: SlotId,
    },
    /// What is shared with whom, and which keys may still open.
    Status {
        /// Which slot, from 0
        #[arg(value_parser = args::slot)]
        slot: Option<SlotId>,
        /// For scripts.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub struct Transfer {
    #[arg(long, value_parser = args::name)]
    pub to: Name,
    /// The service that the lock is told to trust, where it is not the one here.
    #[arg(long, value_name = "KEY", value_parser = args::key)]
    pub service: Option<PublicKey>,
    /// Open a slot before the lock boots again: rescues one whose record is damaged.
    #[arg(long, value_name = "SLOT", value_parser = args::slot)]
    pub then_activate: Option<SlotId>,
    #[command(flatten)]
    pub radio: Radio,
}

#[derive(Args)]
#[command(group(clap::ArgGroup::new("with").required(true)))]
#[command(group(clap::ArgGroup::new("schedule").multiple(true)))]
pub struct Share {
    /// Which slot, from 0
    #[arg(value_parser = args::slot)]
    pub slot: SlotId,
    /// Share with this contact.
    #[arg(long, value_name = "ID", group = "with")]
    pub to_id: Option<AccountId>,
    /// Also where nobody compared the contact's key: then it may be somebody else's.
    #[arg(long, requires = "to_id")]
    pub unverified: bool,
    /// Share by a code, for somebody without an account.
    #[arg(long, group = "with")]
    pub to_code: bool,
    /// From when on the key opens: RFC 3339, or +DURATION.
    #[arg(long, value_name = "T", value_parser = args::when)]
    pub from: Option<When>,
    /// From when on it no longer does.
    #[arg(long, value_name = "T", value_parser = args::when)]
    pub until: Option<When>,
    /// On which days: mon-fri, or sat,sun.
    #[arg(long, value_parser = args::days, requires = "offset", group = "schedule")]
    pub days: Option<Days>,
    /// Between which times of the day: 09:00-18:00.
    #[arg(long, value_parser = args::hours, requires = "offset", group = "schedule")]
    pub hours: Option<Hours>,
    /// Days and hours are local time at this offset from UTC.
    #[arg(long, value_name = "+HH:MM", value_parser = args::offset, allow_hyphen_values = true, requires = "schedule")]
    pub offset: Option<Offset>,
    /// How many openings it is good for.
    #[arg(long, value_name = "N")]
    pub uses: Option<u32>,
    /// Share also what can never open.
    #[arg(long)]
    pub anyway: bool,
    /// Allow only one of opening and locking.
    #[arg(long, value_enum)]
    pub only: Option<Only>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Only {
    Open,
    Lock,
}

#[derive(Subcommand)]
pub enum ContactCommand {
    /// Add a contact, pinning its key.
    Add {
        id: AccountId,
        #[arg(value_parser = args::key)]
        key: PublicKey,
    },
    /// Compare the fingerprint that the contact reads from its own device.
    Verify {
        id: AccountId,
        #[arg(value_parser = args::fingerprint)]
        fingerprint: Fingerprint,
    },
    /// Accept another key for a contact, a deleted one too: ask them first.
    Accept {
        id: AccountId,
        #[arg(value_parser = args::key)]
        key: PublicKey,
    },
    /// Delete a contact. What was shared stays shared, and another key under this id is noticed.
    Delete { id: AccountId },
    /// List them.
    List,
}

#[derive(Subcommand)]
pub enum GuestCommand {
    /// Your account: what an owner needs to add you to the contact list.
    Account,
    /// Take a share code.
    Redeem { code: String },
    /// Ask the service what was shared with you.
    Receive,
    /// At the lock and online: download the key to a slot.
    Download {
        /// Which slot, from 0
        #[arg(value_parser = args::slot)]
        slot: SlotId,
        /// Also where you have this key already: it is dead once the lock has installed again, and where the lock's
        /// answer is lost, you have none.
        #[arg(long)]
        again: bool,
        /// Use a new device, as if the phone of the earlier download were another one.
        #[arg(long)]
        new_device: bool,
        /// Keep the lock's receipt from the service and the owner.
        #[arg(long)]
        keep_receipt: bool,
        /// An attacker delivers message N of the wire in place of the service's release.
        #[arg(long, value_name = "N")]
        release_with: Option<u32>,
        /// The guest's app is the attacker's: it sends the other release on instead of checking it.
        #[arg(long, requires = "release_with")]
        rogue: bool,
        #[command(flatten)]
        radio: Radio,
    },
    /// At the lock, offline: open the door with the key to a slot.
    Open {
        /// Which slot, from 0
        #[arg(value_parser = args::slot)]
        slot: SlotId,
        /// Lock it instead.
        #[arg(long)]
        lock: bool,
        #[command(flatten)]
        radio: Radio,
    },
    /// The keys that you downloaded.
    Keys,
}

#[derive(Subcommand)]
pub enum WireCommand {
    /// Every message that crossed between the roles.
    List,
    /// One message, field by field.
    Show { number: u32 },
    /// Send an old message again, to whoever took it.
    Replay {
        number: u32,
        /// To somebody else: lock, service, owner, or a name.
        #[arg(long, value_name = "ROLE", value_parser = args::name)]
        to: Option<Name>,
        /// For a factory reset: the attacker presses the button, too.
        #[arg(long)]
        button: bool,
    },
}
