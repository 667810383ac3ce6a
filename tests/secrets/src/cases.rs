//! What is watched, each with the leak that has to be noticed in its place.

use sharekey::crypto::{Ring, RustCrypto};

use crate::provider::{Provider, Secret, Watched};
use crate::watch;

mod code;
mod compare;
mod lock;
mod pairing;

/// One thing that is done with a secret, and the same with a leak.
pub struct Case {
    pub name: &'static str,
    pub provider: &'static str,
    pub clean: Box<dyn FnOnce()>,
    pub controls: Vec<(String, Box<dyn FnOnce()>)>,
}

/// What memcheck said of a case.
pub struct Finding {
    pub name: String,
    pub provider: &'static str,
    pub errors: usize,
    /// Each control, and how often it was noticed.
    pub controls: Vec<(String, usize)>,
}

impl Case {
    #[must_use]
    pub fn run(self) -> Finding {
        let errors = watch::errors(self.clean);
        let controls = self.controls.into_iter().map(|(name, run)| (name, watch::errors(run))).collect();
        Finding { name: self.name.to_owned(), provider: self.provider, errors, controls }
    }
}

impl Finding {
    #[must_use]
    pub fn holds(&self) -> bool {
        self.errors == 0 && !self.controls.is_empty() && self.controls.iter().all(|(_, errors)| *errors > 0)
    }
}

/// All of them, under each provider where one is needed.
#[must_use]
pub fn all() -> Vec<Case> {
    let mut cases = compare::cases();
    cases.extend(code::reading());
    cases.extend(with::<Ring>());
    cases.extend(with::<RustCrypto>());
    cases
}

fn with<P: Provider + 'static>() -> Vec<Case> {
    use Secret::{Agreement, Code, Ikm, MacKey, Seed};
    vec![
        case::<P>("unlock: the guest's MAC, the lock's check, the reply", lock::unlock, &[MacKey]),
        case::<P>("unlock: a wrong MAC, and one for a slot without a key", lock::unlock_refused, &[MacKey]),
        case::<P>("records: written and checked under the lock's key", lock::records, &[MacKey, Ikm]),
        case::<P>("records: one that was altered", lock::record_altered, &[MacKey]),
        case::<P>("lock: made from secret entropy", lock::making, &[MacKey, Ikm, Seed]),
        case::<P>("card: the provision's MAC and the answer's", lock::provision, &[MacKey]),
        case::<P>("card: the factory reset's MAC", lock::factory_reset, &[MacKey]),
        case::<P>("pairing key: derived by the lock", pairing::at_the_lock, &[Agreement, Ikm]),
        case::<P>("pairing key: derived by the guest", pairing::at_the_guest, &[Agreement, Ikm]),
        case::<P>("signatures: keys loaded and used", pairing::signing, &[Seed]),
        case::<P>("share code: the subject's key, 100 000 rounds", code::derivation, &[Code, Seed]),
    ]
}

fn case<P: Provider + 'static>(name: &'static str, run: fn(Watched<P>), leaks: &[Secret]) -> Case {
    let controls = leaks.iter().map(|leak| {
        let leaking = Watched::new(Some(*leak));
        (format!("{leak:?} leaks"), Box::new(move || run(leaking)) as Box<dyn FnOnce()>)
    });
    Case { name, provider: P::NAME, clean: Box::new(move || run(Watched::new(None))), controls: controls.collect() }
}
