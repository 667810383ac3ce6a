//! The scenarios, each with a bound for every test run.

use sharekey_model::invariant::Service;

use super::cast::{ANA, BEN};
use super::handovers::{former_owner, heir, to_herself};
use super::reach::Milestone::*;
use super::scenario::Order::{Act, Activate, Deactivate, Inspect};
use super::scenario::{Bounds, Device, Scenario, Start, orders};
use super::takeover;

pub const fn device(subject: u8, number: u8) -> Device {
    Device { subject, number, rogue: false }
}

pub const GUESTS: &[Device] = &[device(ANA, 0), device(BEN, 0)];

pub const NOTHING: Bounds = Bounds {
    challenges: 0,
    reboots: 0,
    grants: 0,
    withdraws: 0,
    orders: orders(&[]),
    installs: 0,
    unlocks: 0,
    forged: 0,
};

pub const BASE: Scenario = Scenario {
    name: "",
    start: Start::Active,
    service: Service::Honest,
    subjects: &[ANA],
    devices: GUESTS,
    uses: None,
    bounds: NOTHING,
    slots: 1,
    acting: 0b01,
    listening: 0b01,
    cuts: false,
    lone: true,
    recombine: false,
    instances: false,
    forged_versions: &[],
    former_owner: false,
    progress: true,
    reach: &[],
};

/// One share from beginning to end, and everything that can come between.
pub fn honest() -> Scenario {
    Scenario {
        name: "honest",
        bounds: Bounds {
            challenges: 4,
            grants: 1,
            withdraws: 1,
            orders: orders(&[(Activate, 1), (Deactivate, 1), (Inspect, 1)]),
            installs: 1,
            unlocks: 1,
            ..NOTHING
        },
        reach: &[
            Installed,
            Opened,
            Published,
            PublishedTooLate,
            Revoked,
            WithdrawalLost,
            WithdrawnBeforePublished,
            KilledByDeactivation,
            ReceiptTaken,
            SawDownload,
            UnlockRefused,
            ReleaseAfterWithdrawRefused,
            RanInstall,
            RanOpen,
            RanReturn,
        ],
        ..BASE
    }
}

/// Two phones of one owner, which do not speak to each other, take numbers of one line.
pub fn two_phones() -> Scenario {
    Scenario {
        name: "two phones",
        subjects: &[ANA],
        acting: 0b11,
        listening: 0b11,
        bounds: Bounds {
            challenges: 2,
            grants: 2,
            withdraws: 1,
            orders: orders(&[(Activate, 1)]),
            installs: 1,
            ..NOTHING
        },
        reach: &[Installed, Published, NumberCollided, Revoked, WithdrawalLost, LearnedOtherPhonesGrant],
        ..BASE
    }
}

/// Two phones of one owner, which do not speak to each other, and two guests, one with two devices. Ana's key
/// is installed and withdrawn, her receipt withheld, and the slot shared with Ben.
pub fn two_phones_two_guests() -> Scenario {
    Scenario {
        name: "two phones, two guests",
        start: Start::Withheld,
        subjects: &[ANA, BEN],
        devices: const { &[device(ANA, 0), device(BEN, 0), device(BEN, 1)] },
        acting: 0b11,
        listening: 0b11,
        lone: false,
        bounds: Bounds {
            challenges: 3,
            grants: 3,
            withdraws: 2,
            orders: orders(&[(Activate, 1)]),
            installs: 3,
            ..NOTHING
        },
        reach: &[
            LearnedOtherPhonesGrant,
            NumberCollided,
            Overwritten,
            SecondDeviceRefused,
            OlderReportRefused,
            SawDownload,
            Revoked,
            WithdrawalLost,
        ],
        ..BASE
    }
}

/// The two phones order at the lock, each by its own count of the numbers.
pub fn two_at_the_lock() -> Scenario {
    Scenario {
        name: "two phones at the lock",
        acting: 0b11,
        listening: 0b11,
        bounds: Bounds { challenges: 4, orders: orders(&[(Activate, 2), (Deactivate, 1), (Inspect, 1)]), ..NOTHING },
        reach: &[StaleNumberRefused, InspectedVacant, DoneOld],
        ..BASE
    }
}

/// Ana's key is installed and withdrawn, and the slot shared with Ben, who has two devices.
pub fn overwrite() -> Scenario {
    Scenario {
        name: "overwrite",
        start: Start::SharedAgain,
        subjects: &[BEN],
        devices: const { &[device(ANA, 0), device(BEN, 0), device(BEN, 1)] },
        bounds: Bounds {
            challenges: 5,
            grants: 2,
            withdraws: 2,
            orders: orders(&[(Activate, 1)]),
            installs: 3,
            unlocks: 1,
            ..NOTHING
        },
        reach: &[
            Overwritten,
            Rekeyed,
            ReleasedAgain,
            SecondDeviceRefused,
            UnlockRefused,
            Opened,
            ReceiptOld,
            WrongNonceRefused,
            RanRekey,
        ],
        ..BASE
    }
}

/// Deactivations, activations and inspections, whose Dones are late, against a download.
pub fn late_dones() -> Scenario {
    Scenario {
        name: "late Dones",
        start: Start::Downloaded,
        bounds: Bounds {
            challenges: 4,
            grants: 1,
            withdraws: 1,
            orders: orders(&[(Activate, 2), (Deactivate, 1), (Inspect, 2), (Act, 1)]),
            installs: 1,
            ..NOTHING
        },
        reach: &[
            KilledByDeactivation,
            KilledByActivation,
            InspectedKey,
            InspectedVacant,
            DoneTaken,
            DoneOld,
            Settled,
            OlderReportRefused,
        ],
        ..BASE
    }
}

/// The slot is opened anew or closed while a download is under way.
pub fn reopened() -> Scenario {
    Scenario {
        name: "closed and opened over a download",
        start: Start::Downloaded,
        bounds: Bounds {
            challenges: 5,
            grants: 1,
            withdraws: 1,
            orders: orders(&[(Activate, 2), (Deactivate, 1)]),
            installs: 2,
            ..NOTHING
        },
        reach: &[StaleGrantRefused, InactiveSlotRefused, Rekeyed, KilledByActivation, KilledByDeactivation],
        ..BASE
    }
}

/// The power may go at every write and between any two steps; a key with one use.
pub fn power() -> Scenario {
    Scenario {
        name: "power cuts, one use",
        uses: Some(1),
        cuts: true,
        bounds: Bounds {
            challenges: 4,
            reboots: 2,
            grants: 1,
            orders: orders(&[(Activate, 1), (Deactivate, 1)]),
            installs: 2,
            unlocks: 2,
            ..NOTHING
        },
        reach: &[
            Installed,
            Rekeyed,
            Opened,
            LockRefusedSpentKey,
            CutAfterInstall,
            CutAfterUnlock,
            CutAfterSwitch,
            KilledByDeactivation,
            WrongNonceRefused,
        ],
        ..BASE
    }
}

/// The share code leaked: a thief claims for its own device, one and the same for each grant.
pub fn leaked() -> Scenario {
    Scenario {
        name: "share code leaked",
        devices: const { &[device(ANA, 0), Device { subject: ANA, number: 9, rogue: true }] },
        recombine: true,
        bounds: Bounds {
            challenges: 3,
            grants: 2,
            withdraws: 1,
            orders: orders(&[(Activate, 1)]),
            installs: 3,
            unlocks: 1,
            forged: 1,
            ..NOTHING
        },
        reach: &[Installed, SecondDeviceRefused, BrokenChainRefused, ForeignSignatureRefused, Opened, WithdrawalLost],
        ..BASE
    }
}

/// Two slots, a grant in each, and bundles and requests in which they are mixed up.
pub fn two_slots() -> Scenario {
    Scenario {
        name: "two slots, mixed up",
        slots: 2,
        subjects: &[ANA],
        devices: const { &[device(ANA, 0)] },
        recombine: true,
        bounds: Bounds {
            challenges: 4,
            grants: 2,
            orders: orders(&[(Activate, 2)]),
            installs: 2,
            unlocks: 1,
            ..NOTHING
        },
        reach: &[Installed, BrokenChainRefused, WrongNonceRefused, UnlockRefused, Opened],
        ..BASE
    }
}

/// Two instances of the service over one store.
pub fn instances() -> Scenario {
    Scenario {
        name: "two instances of the service",
        devices: const { &[device(ANA, 0), device(ANA, 1)] },
        instances: true,
        bounds: Bounds {
            challenges: 2,
            grants: 1,
            withdraws: 1,
            orders: orders(&[(Activate, 1)]),
            installs: 2,
            ..NOTHING
        },
        reach: &[StaleWriteRefused, Revoked, WithdrawalLost, Installed, SecondDeviceRefused],
        ..BASE
    }
}

/// What every `cargo test` searches.
pub fn quick() -> Vec<Scenario> {
    vec![
        two_phones(),
        overwrite(),
        late_dones(),
        reopened(),
        power(),
        takeover::taken_over(),
        takeover::guest_after_guest(),
        takeover::power(),
        takeover::former_owner(),
        takeover::two_slots(),
        leaked(),
        former_owner(),
        to_herself(),
        instances(),
    ]
}

/// … and what CI searches beside that: one share with all that can come between, and the wider ones.
pub fn all() -> Vec<Scenario> {
    let former =
        more("taken over, former owner, again", takeover::former_owner(), |b| (b.challenges, b.installs) = (5, 3));
    let wider = [former, honest(), two_at_the_lock(), two_slots(), heir(), two_phones_two_guests()];
    quick().into_iter().chain(wider).collect()
}

pub fn more(name: &'static str, scenario: Scenario, bounds: impl FnOnce(&mut Bounds)) -> Scenario {
    let mut scenario = Scenario { name, ..scenario };
    bounds(&mut scenario.bounds);
    scenario
}

/// The same with wider bounds, for a machine that has the time.
pub fn campaign() -> Vec<Scenario> {
    let two_guests = Scenario { lone: true, ..two_phones_two_guests() };
    let both_listen = Scenario { listening: 0b11, ..former_owner() };
    let scenarios = vec![
        more("honest, wide", honest(), |b| b.orders[Act] = 1),
        more("honest, two installs", honest(), |b| (b.installs, b.unlocks) = (2, 2)),
        more("two phones, wide", two_phones(), |b| (b.challenges, b.withdraws, b.orders[Activate]) = (3, 2, 2)),
        more("two phones, two guests, wide", two_phones_two_guests(), |b| (b.challenges, b.unlocks) = (5, 1)),
        more("two phones, two guests, each message alone", two_guests, |b| b.orders[Deactivate] = 1),
        more("two phones at the lock, and a grant", two_at_the_lock(), |b| (b.grants, b.installs) = (1, 1)),
        more("overwrite, wide", overwrite(), |b| (b.orders[Deactivate], b.unlocks) = (1, 2)),
        more("late Dones, wide", late_dones(), |b| b.challenges = 5),
        more("closed and opened over a download, wide", reopened(), |b| {
            (b.challenges, b.grants, b.unlocks) = (6, 2, 1)
        }),
        more("power cuts, wide", power(), |b| b.challenges = 5),
        more("share code leaked, wide", leaked(), |b| b.challenges = 5),
        more("two slots, wide", two_slots(), |b| b.challenges = 5),
        more("former owner, wide", both_listen, |b| b.unlocks = 1),
        more("former owner, and the heir shares, wide", heir(), |b| {
            (b.challenges, b.orders[Act], b.unlocks) = (6, 1, 1)
        }),
        more("transfer to oneself, wide", to_herself(), |b| (b.challenges, b.grants, b.orders[Inspect]) = (6, 2, 1)),
        more("two instances, wide", instances(), |b| b.challenges = 3),
    ];
    scenarios.into_iter().chain(takeover::campaign()).collect()
}
