//! Of `command_errors.json`: ticks that step back, across sessions and attempts.

use serde_json::Value;
use sharekey::limits::{Action, Limits, Rights};

use super::bench::{Bench, Given, Key};

fn unlock(bench: &mut Bench, key: &Key, given: Given) {
    bench.send("unlock", given, &key.unlock(Action::Open, given));
}

pub fn ticks() -> Vec<Value> {
    let installed = |name: &str| {
        let (bench, key) = Bench::installed(name, Rights::OPEN_AND_LOCK, Limits::NONE);
        (bench.record(), key)
    };
    let mut cases = Vec::new();
    let (mut bench, key) = installed("a challenge at earlier ticks ends the session of the other purpose");
    bench.ticks = 5_000;
    let install = bench.challenge("Install");
    bench.ticks = 4_999;
    let operate = bench.challenge("Operate");
    let message = bench.chain(install, 0, 3).parts().unchecked_bundle();
    bench.opaque("install", install, &message, "SessionSuperseded");
    unlock(&mut bench, &key, operate);
    cases.push(bench.case("SES-9"));

    for (name, malformed) in [
        ("an attempt at earlier ticks ends the session of the other purpose", false),
        ("a malformed attempt at earlier ticks does so, too", true),
    ] {
        let (mut bench, key) = installed(name);
        bench.ticks = 5_000;
        let (install, operate) = (bench.challenge("Install"), bench.challenge("Operate"));
        bench.ticks = 4_999;
        let message = key.unlock(Action::Open, operate);
        let (message, error) =
            if malformed { (&message[..9], "Wire.Truncated") } else { (&message[..], "SessionExpired") };
        bench.opaque("unlock", operate, message, error);
        bench.ticks = 5_001;
        let message = bench.chain(install, 0, 3).parts().unchecked_bundle();
        bench.opaque("install", install, &message, "SessionSuperseded");
        cases.push(bench.case("SES-9"));
    }
    for (name, malformed) in [
        ("the latest ticks are kept at an attempt", false),
        ("the latest ticks are kept at a malformed attempt", true),
        ("an attempt with a session that is not the newest keeps no ticks", true),
    ] {
        let (mut bench, key) = installed(name);
        let superseded = name.ends_with("no ticks");
        let mut operate = bench.challenge("Operate");
        let install = bench.challenge("Install");
        if superseded {
            let newer = bench.challenge("Operate");
            (operate, _) = (operate, newer);
        }
        bench.ticks += 9_000;
        let message = key.unlock(Action::Open, operate);
        match (superseded, malformed) {
            (true, _) => bench.opaque("unlock", operate, &message, "SessionSuperseded"),
            (false, true) => bench.opaque("unlock", operate, &message[..9], "Wire.Truncated"),
            (false, false) => unlock(&mut bench, &key, operate),
        }
        bench.ticks -= 1;
        let message = bench.chain(install, 0, 3).parts().unchecked_bundle();
        if superseded {
            bench.send("install", install, &message);
        } else {
            bench.opaque("install", install, &message, "SessionExpired");
        }
        cases.push(bench.case("SES-12"));
    }
    cases
}
