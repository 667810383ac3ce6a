//! The scenarios, each with a bound for every test run.

use sharekey::model::invariant::Service;

use super::cast::{ANA, BEN};
use super::reach::Milestone::*;
use super::scenario::{Bounds, Device, Scenario, Start};

const fn device(subject: u8, number: u8) -> Device {
    Device { subject, number, rogue: false }
}

const GUESTS: &[Device] = &[device(ANA, 0), device(BEN, 0)];

const NOTHING: Bounds = Bounds {
    challenges: 0,
    reboots: 0,
    grants: 0,
    withdraws: 0,
    activates: 0,
    deactivates: 0,
    inspects: 0,
    acts: 0,
    transfers: 0,
    installs: 0,
    unlocks: 0,
    forged: 0,
};

const BASE: Scenario = Scenario {
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
            activates: 1,
            deactivates: 1,
            installs: 1,
            unlocks: 1,
            ..NOTHING
        },
        reach: &[Installed, Opened, Published, Revoked, WithdrawalLost, KilledByDeactivation, ReceiptTaken],
        ..BASE
    }
}
