use super::state::{Inactive, NotShared, Shared, Sharing, State};
use crate::error::SlotError;

/// What the table says of one state and one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The slot is in this state afterwards (the same one, perhaps, with other content).
    Go(State),
    /// The state stays as it is; the slot's numbers may have changed.
    Stay,
    /// The step is refused.
    Refuse(SlotError),
    /// The guards never give this event in this state. Would stay.
    Never,
}

/// The typed form of one `go` of the table: from `Self`, on `E`, to `Next`.
pub(super) trait On<E> {
    type Next;
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

macro_rules! arrow {
    ($from:ident $event:ident [go $to:ident]) => {
        impl On<event::$event> for $from {
            type Next = $to;
        }
    };
    ($from:ident $event:ident [$($other:tt)*]) => {};
}

macro_rules! table {
    ($( $(#[$doc:meta])* $event:ident $inactive:tt $not_shared:tt $sharing:tt $shared:tt )*) => {
        /// What happened, once the guards have judged it against the slot's numbers.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Event { $( $(#[$doc])* $event, )* }

        impl Event {
            /// Every event.
            pub const ALL: &[Self] = &[ $( Self::$event, )* ];
        }

        /// The events as types, for the typed transitions.
        #[allow(dead_code, reason = "every event has its type; a typed transition uses few of them")]
        pub(super) mod event { $( pub(in crate::slot) enum $event {} )* }

        /// The transition table (spec: "Slots"): the one place that says where an event leads.
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

        $(
            arrow!(Inactive $event $inactive);
            arrow!(NotShared $event $not_shared);
            arrow!(Sharing $event $sharing);
            arrow!(Shared $event $shared);
        )*
    };
}

#[rustfmt::skip]
table! {
    // event              Inactive             NotShared            Sharing                     Shared

    /// The newest Done is an Activate, and no share is above its number.
    Activate              [go NotShared]       [go NotShared]       [go NotShared]              [go NotShared]
    /// The newest Done is an Activate below the share's number.
    ActivateBelowShare    [never]              [never]              [stay]                      [stay]
    /// The newest Done is a Deactivate.
    Deactivate            [go Inactive]        [go Inactive]        [go Inactive]               [go Inactive]
    /// A Done that is not above the last one.
    OldDone               [stay]               [stay]               [stay]                      [stay]
    /// An inspection found no key, and the share's number is not above the lock's floor.
    VacantAtShare         [never]              [never]              [go NotShared]              [go NotShared]
    /// An inspection found no key, and there is no share, or it is above the lock's floor.
    Vacant                [stay]               [stay]               [stay]                      [stay]
    /// The lock proved the share's key installed.
    ConfirmCurrent        [never]              [never]              [go Shared]                 [go Shared]
    /// The lock proved a key installed whose number is below the share's.
    ConfirmBelowShare     [never]              [never]              [stay]                      [stay]
    /// The lock proved another key installed: any share is overwritten by it.
    ConfirmOther          [stay]               [stay]               [go NotShared]              [go NotShared]
    /// A receipt at or below the proven floor.
    OldReceipt            [stay]               [stay]               [stay]                      [stay]
    //= spec/protocol.md#number-line
    //# SLO-11. A publication MUST be refused unless the state is NotShared.
    /// A grant with a number above the highest seen, and room among the live keys.
    Publish               [refuse NotActive]   [go Sharing]         [refuse AlreadyShared]      [refuse AlreadyShared]
    /// The very grant that is shared.
    PublishAgain          [never]              [never]              [refuse AlreadyPublished]   [refuse AlreadyPublished]
    /// A grant whose number is not above the highest seen.
    PublishStale          [refuse StaleNumber] [refuse StaleNumber] [refuse StaleNumber]        [refuse StaleNumber]
    /// A grant with a good number while too many keys are live.
    PublishFull           [refuse NotActive]   [refuse LiveFull]    [refuse AlreadyShared]      [refuse AlreadyShared]
    //= spec/protocol.md#release
    //# SLO-15. A release MUST make the state Shared and the grant's generation live.
    /// A claim of the shared grant by its device, or by the first one.
    Release               [never]              [never]              [go Shared]                 [go Shared]
    /// A claim of the shared grant by a device that is not the one it was released to.
    ReleaseToOtherDevice  [never]              [never]              [never]                     [refuse ClaimedByOtherDevice]
    /// A claim of a grant that is not shared.
    ReleaseOfOtherGrant   [refuse NotPublished] [refuse NotPublished] [refuse NotPublished]     [refuse NotPublished]
    //= spec/protocol.md#withdrawal
    //# SLO-17. A withdrawal of the grant that is being shared MUST end the share.
    /// A withdrawal of the shared grant (at the owner: its answer).
    WithdrawCurrent       [never]              [never]              [go NotShared]              [go NotShared]
    //= spec/protocol.md#withdrawal
    //# SLO-18. A withdrawal of a grant that is not being shared MUST NOT end a share.
    /// A withdrawal of any other grant (at the owner: its answer).
    WithdrawOther         [stay]               [stay]               [stay]                      [stay]
    //= spec/protocol.md#owner
    //# OWN-17. A view in which nothing is shared MUST show a grant that it learns as shared, unless the slot is Inactive, the grant was proved dead or its withdrawal was answered.
    /// Another phone of the owner signed a grant with a number above the highest seen; or one that may
    /// open and was not withdrawn, while nothing is shared.
    LearnNewer            [stay]               [go Sharing]         [go Sharing]                [go Sharing]
    /// Another phone of the owner signed the grant that the lock proved installed, and nothing is shared.
    LearnDownloaded       [stay]               [go Shared]          [never]                     [never]
    /// Another phone of the owner signed any other grant.
    LearnOlder            [stay]               [stay]               [stay]                      [stay]
}
