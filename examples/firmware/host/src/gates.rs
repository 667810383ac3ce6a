//! What the lock's role may take at most: the gates, in one place. `figures.sh` fails where one is missed.
//!
//! With every feature of this version they are 64 KiB of flash, 11 and 18.5 KiB of stack, and 6 KiB of RAM. Of the 7 KiB of
//! flash beyond issue "Small"'s 57, 3 are open now: for the clock of an epoch, the seed's MAC, slots that a firmware has more,
//! the epoch above all that were shown, and what is told behind four signatures.

use crate::Outcome;

/// What is held against the gates.
#[derive(Clone, Copy, Debug)]
pub struct Measures {
    /// Bytes of flash of the lock's role: the image less the bare board's.
    pub flash: u64,
    /// Bytes of stack of the deepest request.
    pub request: u64,
    /// The same with what is above it, lock and buffers; or booting, where that is deeper.
    pub whole: u64,
    /// Bytes of a `Lock` with ten slots.
    pub lock: u64,
    /// How many times the instructions of an unlock go into an install's.
    pub unlocks: u64,
}

/// One gate, and what there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gate {
    what: &'static str,
    is: u64,
    gate: u64,
    /// Whether the gate is the least, not the most.
    least: bool,
}

impl Gate {
    const fn kept(self) -> bool {
        if self.least { self.is >= self.gate } else { self.is <= self.gate }
    }
}

/// All of them.
#[must_use]
pub fn gates(measures: Measures) -> [Gate; 5] {
    let Measures { flash, request, whole, lock, unlocks } = measures;
    let most = |what, is, gate| Gate { what, is, gate, least: false };
    [
        most("flash of the lock's role, bytes", flash, 60 * 1024),
        most("stack of any request, bytes", request, 10 * 1024 + 512),
        most("stack with lock and boot, bytes", whole, 17 * 1024),
        most("RAM of `Lock` with ten slots, bytes", lock, 4 * 1024 + 512),
        Gate { what: "install ÷ unlock, instructions, at least", is: unlocks, gate: 150, least: true },
    ]
}

/// Prints them.
///
/// # Errors
/// Those that are missed.
pub fn judge(measures: Measures) -> Outcome<()> {
    println!("\n## Gates\n\n| | gate | is | |\n|---|---|---|---|");
    let gates = gates(measures);
    for gate in gates {
        println!(
            "| {} | {} | {} | {} |",
            gate.what,
            gate.gate,
            gate.is,
            if gate.kept() { "kept" } else { "**missed**" }
        );
    }
    let missed: Vec<&str> = gates.iter().filter(|gate| !gate.kept()).map(|gate| gate.what).collect();
    if missed.is_empty() { Ok(()) } else { Err(format!("gates missed: {}", missed.join("; ")).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gate_is_kept_at_its_value_and_missed_alone_one_beyond() {
        let at = Measures { flash: 61_440, request: 10_752, whole: 17_408, lock: 4608, unlocks: 150 };
        assert!(judge(at).is_ok());
        let beyond = [
            Measures { flash: 61_441, ..at },
            Measures { request: 10_753, ..at },
            Measures { whole: 17_409, ..at },
            Measures { lock: 4609, ..at },
            Measures { unlocks: 149, ..at },
        ];
        for (index, measures) in beyond.into_iter().enumerate() {
            let kept = gates(measures).map(Gate::kept);
            assert!(kept.iter().enumerate().all(|(at, kept)| *kept == (at != index)), "{measures:?}: {kept:?}");
            assert!(judge(measures).is_err());
        }
    }
}
