//! The scenarios in which the attacker has the service's key: it releases what it likes, answers withdrawals
//! as it likes, and makes up reports.

use sharekey_model::invariant::Service;

use super::cast::{ANA, BEN};
use super::reach::Milestone::*;
use super::scenario::Order::{Act, Activate, Deactivate, Inspect, Transfer};
use super::scenario::{Bounds, Scenario, Start, orders};
use super::scenarios::{self, BASE, NOTHING, device, more};

const TAKEN_OVER: Scenario = Scenario {
    service: Service::TakenOver,
    devices: const { &[device(ANA, 0), device(ANA, 1)] },
    progress: false,
    ..BASE
};

/// One grant, two devices of its subject.
pub fn taken_over() -> Scenario {
    Scenario {
        name: "service taken over",
        bounds: Bounds {
            challenges: 4,
            grants: 1,
            withdraws: 1,
            orders: orders(&[(Activate, 1), (Deactivate, 1)]),
            installs: 2,
            unlocks: 1,
            forged: 2,
            ..NOTHING
        },
        reach: &[Installed, Rekeyed, Opened, Equivocated, KilledByDeactivation],
        ..TAKEN_OVER
    }
}

/// Ana's key is installed and the slot shared with Ben, who has two devices. Reports are made up.
pub fn guest_after_guest() -> Scenario {
    Scenario {
        name: "taken over, guest after guest",
        start: Start::SharedAgain,
        subjects: &[BEN],
        devices: const { &[device(ANA, 0), device(BEN, 0), device(BEN, 1)] },
        forged_versions: &[7, u64::MAX],
        bounds: Bounds {
            challenges: 4,
            grants: 3,
            withdraws: 2,
            orders: orders(&[(Activate, 1)]),
            installs: 3,
            unlocks: 1,
            forged: 2,
            ..NOTHING
        },
        reach: &[
            Overwritten,
            Rekeyed,
            StaleGrantRefused,
            Opened,
            UnlockRefused,
            SawDownload,
            ForgedReportTaken,
            OlderReportRefused,
            Equivocated,
        ],
        ..TAKEN_OVER
    }
}

/// The power may go at every write and between any two steps; a key with one use.
pub fn power() -> Scenario {
    Scenario {
        name: "taken over, power cuts, one use",
        service: TAKEN_OVER.service,
        devices: TAKEN_OVER.devices,
        progress: TAKEN_OVER.progress,
        ..scenarios::power()
    }
}

/// Olga sells the house to Otto, and goes on signing, hand in hand with the service. Only Otto's phone listens.
pub fn former_owner() -> Scenario {
    Scenario {
        name: "taken over, former owner",
        start: Start::Downloaded,
        former_owner: true,
        acting: 0b11,
        listening: 0b10,
        bounds: Bounds {
            challenges: 4,
            grants: 3,
            withdraws: 1,
            orders: orders(&[(Activate, 2), (Transfer, 1)]),
            installs: 2,
            unlocks: 2,
            forged: 3,
            ..NOTHING
        },
        reach: &[Adopted, OwnerSignatureRefused, Installed, Opened, UnlockRefused],
        ..TAKEN_OVER
    }
}

/// Two slots, a grant in each, and bundles, requests and reports in which they are mixed up.
pub fn two_slots() -> Scenario {
    Scenario {
        name: "taken over, two slots, mixed up",
        slots: 2,
        devices: const { &[device(ANA, 0)] },
        recombine: true,
        forged_versions: &[u64::MAX],
        bounds: Bounds {
            challenges: 4,
            grants: 2,
            orders: orders(&[(Activate, 2)]),
            installs: 2,
            unlocks: 1,
            forged: 0,
            ..NOTHING
        },
        reach: &[Installed, BrokenChainRefused, WrongNonceRefused, UnlockRefused, Opened, ForgedReportTaken],
        ..TAKEN_OVER
    }
}

/// The same with wider bounds.
pub fn campaign() -> Vec<Scenario> {
    let versions = Scenario { forged_versions: &[0, 7, u64::MAX], ..guest_after_guest() };
    let both_listen = Scenario { listening: 0b11, cuts: true, ..former_owner() };
    vec![
        more("service taken over, two grants", taken_over(), |b| (b.grants, b.withdraws) = (2, 1)),
        more("service taken over, wide", taken_over(), |b| (b.challenges, b.orders[Inspect], b.installs) = (5, 1, 3)),
        more("taken over, guest after guest, wide", versions, |b| (b.challenges, b.orders[Deactivate]) = (5, 1)),
        more("taken over, power cuts, wide", power(), |b| (b.challenges, b.reboots, b.forged) = (5, 3, 1)),
        more("taken over, former owner, wide", former_owner(), |b| {
            (b.challenges, b.orders[Inspect], b.orders[Act]) = (5, 1, 1)
        }),
        more("taken over, former owner, both listen, power cuts", both_listen, |b| b.reboots = 1),
        more("taken over, two slots, wide", two_slots(), |b| {
            (b.challenges, b.orders[Deactivate], b.forged) = (5, 1, 2)
        }),
    ]
}
