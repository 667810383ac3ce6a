//! The slot's transitions as one table: what may happen, judged against the slot's numbers, and where it leads from each
//! state. The library's slots are held to it, and the spec's diagram is drawn from it.

use sharekey::counter::Generation;
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::SlotError;
use sharekey::slot::{GrantRef, State};

use super::slot::LineModel;

/// What the table says of one state and one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The slot is in this state afterwards (the same one, perhaps, with other content).
    Go(State),
    /// The state stays as it is; the slot's numbers may have changed.
    Stay,
    /// The step is refused.
    Refuse(SlotError),
    /// The event cannot come about in this state.
    Never,
}

/// Something that happens to a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A Done of an Activate or a Deactivate; or an inspection that found no key.
    Done {
        /// Whether the slot is open then.
        activate: bool,
        /// The number that the order took: the lock's floor.
        number: Generation,
    },
    /// The lock proved a key installed.
    Confirm(GrantRef),
    /// A grant is published, or signed.
    Publish(GrantRef),
    /// A grant is claimed by a device.
    Release(Digest, PublicKey),
    /// A grant is withdrawn; at the owner, the answer to that.
    Withdraw(GrantRef),
    /// A grant that another phone of the owner signed.
    Learn(GrantRef),
}

impl LineModel {
    /// What a step is to this slot.
    #[must_use]
    pub fn event(&self, step: Step) -> Event {
        let share = self.share.map(|share| share.key);
        match step {
            Step::Done { number, .. } if number <= self.last_told => {
                if share.is_some_and(|share| share.generation <= number) { Event::DeadAtShare } else { Event::OldDone }
            }
            Step::Done { activate: false, .. } => Event::Deactivate,
            Step::Done { number, .. } if share.is_some_and(|share| share.generation > number) => {
                Event::ActivateBelowShare
            }
            Step::Done { .. } => Event::Activate,
            Step::Confirm(key) if key.generation <= self.floor => Event::OldReceipt,
            Step::Confirm(key) if share == Some(key) => Event::ConfirmCurrent,
            Step::Confirm(key) if share.is_some_and(|share| share.generation > key.generation) => {
                Event::ConfirmBelowShare
            }
            Step::Confirm(_) => Event::ConfirmOther,
            Step::Publish(key) if share == Some(key) => Event::PublishAgain,
            Step::Publish(key) if key.generation <= self.highest => Event::PublishStale,
            Step::Publish(_) if self.is_full() => Event::PublishFull,
            Step::Publish(_) => Event::Publish,
            Step::Release(grant, device) => match self.share {
                Some(share) if share.key.grant != grant => Event::ReleaseOfOtherGrant,
                Some(share) if share.device.is_some_and(|first| first != device) => Event::ReleaseToOtherDevice,
                Some(_) => Event::Release,
                None => Event::ReleaseOfOtherGrant,
            },
            Step::Withdraw(key) if share == Some(key) => Event::WithdrawCurrent,
            Step::Withdraw(_) => Event::WithdrawOther,
            Step::Learn(key) => self.learned(key),
        }
    }

    fn learned(&self, key: GrantRef) -> Event {
        let live = self.live.get(&key);
        let free = self.share.is_none() && live.is_none_or(|live| !live.withdrawn);
        let installed = live.is_some_and(|live| live.confirmed.is_some());
        if key.generation <= self.floor {
            return if installed && free { Event::LearnDownloaded } else { Event::LearnOlder };
        }
        if key.generation > self.highest || free { Event::LearnNewer } else { Event::LearnOlder }
    }
}

macro_rules! outcome {
    ([go $to:ident]) => {
        Outcome::Go(State::$to)
    };
    ([stay]) => {
        Outcome::Stay
    };
    ([refuse $why:ident]) => {
        Outcome::Refuse(SlotError::$why)
    };
    ([never]) => {
        Outcome::Never
    };
}

macro_rules! table {
    ($( $(#[$doc:meta])* $event:ident $inactive:tt $not_shared:tt $sharing:tt $shared:tt )*) => {
        /// What a step is, once it was judged against the slot's numbers.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Event { $( $(#[$doc])* $event, )* }

        impl Event {
            /// Every event.
            pub const ALL: &[Self] = &[ $( Self::$event, )* ];
        }

        /// Where an event leads.
        #[must_use]
        pub const fn next(state: State, event: Event) -> Outcome {
            match (event, state) {
                $(
                    (Event::$event, State::Inactive) => outcome!($inactive),
                    (Event::$event, State::NotShared) => outcome!($not_shared),
                    (Event::$event, State::Sharing) => outcome!($sharing),
                    (Event::$event, State::Shared) => outcome!($shared),
                )*
            }
        }
    };
}

#[rustfmt::skip]
table! {
    // event              Inactive             NotShared            Sharing                     Shared

    /// The lock's highest floor is of an open slot without a key, and no share is above it.
    Activate              [go NotShared]       [go NotShared]       [go NotShared]              [go NotShared]
    /// The lock's highest floor is of an open slot without a key, and below the share's number.
    ActivateBelowShare    [never]              [never]              [stay]                      [stay]
    /// The lock's highest floor is of a closed slot.
    Deactivate            [go Inactive]        [go Inactive]        [go Inactive]               [go Inactive]
    /// Of a floor at or below the last told.
    OldDone               [stay]               [stay]               [stay]                      [stay]
    /// The same, at the number of a share that the lock had proved installed: the key is gone.
    DeadAtShare           [never]              [never]              [never]                     [go NotShared]
    /// The lock proved the share's key installed.
    ConfirmCurrent        [never]              [never]              [go Shared]                 [go Shared]
    /// The lock proved a key installed whose number is below the share's.
    ConfirmBelowShare     [never]              [never]              [stay]                      [stay]
    /// The lock proved another key installed: the slot is open, and any share is overwritten by it.
    ConfirmOther          [go NotShared]       [stay]               [go NotShared]              [go NotShared]
    /// A receipt at or below the proven floor.
    OldReceipt            [stay]               [stay]               [stay]                      [stay]
    /// A grant with a number above the highest seen, and room among the live keys.
    Publish               [refuse NotActive]   [go Sharing]         [refuse AlreadyShared]      [refuse AlreadyShared]
    /// The very grant that is shared.
    PublishAgain          [never]              [never]              [refuse AlreadyPublished]   [refuse AlreadyPublished]
    /// A grant whose number is not above the highest seen.
    PublishStale          [refuse StaleNumber] [refuse StaleNumber] [refuse StaleNumber]        [refuse StaleNumber]
    /// A grant with a good number while too many keys are live.
    PublishFull           [refuse NotActive]   [refuse LiveFull]    [refuse AlreadyShared]      [refuse AlreadyShared]
    /// A claim of the shared grant by its device, or by the first one.
    Release               [never]              [never]              [go Shared]                 [go Shared]
    /// A claim of the shared grant by a device that is not the one it was released to.
    ReleaseToOtherDevice  [never]              [never]              [never]                     [refuse ClaimedByOtherDevice]
    /// A claim of a grant that is not shared.
    ReleaseOfOtherGrant   [refuse NotPublished] [refuse NotPublished] [refuse NotPublished]     [refuse NotPublished]
    /// A withdrawal of the shared grant (at the owner: its answer).
    WithdrawCurrent       [never]              [never]              [go NotShared]              [go NotShared]
    /// A withdrawal of any other grant (at the owner: its answer).
    WithdrawOther         [stay]               [stay]               [stay]                      [stay]
    /// Another phone of the owner signed a grant with a number above the highest seen; or one that may
    /// open and was not withdrawn, while nothing is shared.
    LearnNewer            [stay]               [go Sharing]         [go Sharing]                [go Sharing]
    /// Another phone of the owner signed the grant that the lock proved installed, and nothing is shared.
    LearnDownloaded       [never]              [go Shared]          [never]                     [never]
    /// Another phone of the owner signed any other grant.
    LearnOlder            [stay]               [stay]               [stay]                      [stay]
}
