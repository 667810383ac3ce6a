//! The scenarios in which the lock changes hands.

use super::reach::Milestone::*;
use super::scenario::Order::{Act, Activate, Transfer};
use super::scenario::{Bounds, Scenario, Start, orders};
use super::scenarios::{BASE, NOTHING};

/// Olga sells the house to Otto, and goes on signing; the power may go. Only Otto's phone listens.
pub fn former_owner() -> Scenario {
    Scenario {
        name: "former owner",
        start: Start::Downloaded,
        former_owner: true,
        acting: 0b11,
        listening: 0b10,
        cuts: true,
        bounds: Bounds {
            challenges: 4,
            reboots: 1,
            grants: 2,
            orders: orders(&[(Activate, 2), (Transfer, 1), (Act, 1)]),
            installs: 2,
            forged: 4,
            ..NOTHING
        },
        reach: &[Adopted, Reopened, OwnerSignatureRefused, Rekeyed, RanTakeOver],
        ..BASE
    }
}

/// Then Otto opens the slot and shares it.
pub fn heir() -> Scenario {
    Scenario {
        name: "former owner, and the heir shares",
        cuts: false,
        bounds: Bounds {
            challenges: 5,
            grants: 2,
            orders: orders(&[(Activate, 2), (Transfer, 1)]),
            installs: 2,
            forged: 4,
            ..NOTHING
        },
        reach: &[Adopted, Reopened, OwnerSignatureRefused, Installed, SawDownload],
        ..former_owner()
    }
}

/// Olga hands the lock to herself, which ends the ownership: only the epoch tells old from new.
pub fn to_herself() -> Scenario {
    Scenario {
        name: "transfer to oneself",
        start: Start::Downloaded,
        bounds: Bounds {
            challenges: 5,
            grants: 1,
            orders: orders(&[(Activate, 2), (Transfer, 1)]),
            installs: 2,
            unlocks: 1,
            ..NOTHING
        },
        reach: &[Reopened, OtherEpochRefused, UnlockRefused, RanTakeOver],
        ..BASE
    }
}
