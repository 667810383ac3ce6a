//! Which step comes next, out of the fuzzer's bytes.

use crate::choices::Choices;
use sharekey_refinement::share::Machine;
use sharekey_refinement::share::machine::PHONES;
use sharekey_refinement::share::steps::{
    BAD, DEVICES, Grant, Inspected, Install, Named, OWNER, Outcome, Proof, SERVICES, SUBJECTS, Spoil, Step, named,
};

pub fn step(choices: &mut Choices<'_>, state: &Machine) -> Step {
    let phone = choices.below(PHONES);
    match choices.below(32) {
        0..=5 => onward(choices, state),
        6..=9 => Step::Publish { grant: grant(choices, state), spoil: spoil(choices), stored: stored(choices) },
        10..=12 => Step::Withdraw { grant: grant(choices, state), spoil: spoil(choices), stored: stored(choices) },
        13..=15 => Step::Release { install: install(choices, state), spoil: spoil(choices), stored: stored(choices) },
        16..=19 => Step::Prove { proof: proof(choices, state), spoil: spoil(choices), stored: stored(choices) },
        20 => reopen(choices, state),
        21..=22 => Step::Share { phone, subject: subject(choices) },
        23 => Step::Order { phone },
        24..=25 => Step::See { phone },
        26..=27 => Step::LearnGrant { phone, grant: grant(choices, state) },
        28..=29 => Step::LearnProof { phone, proof: proof(choices, state) },
        30 => answer(choices, state, phone),
        _ => Step::LearnTransfer { phone, epoch: epoch(choices, state) },
    }
}

/// The next thing of an undisturbed history: activate, publish, release, withdraw, and so on.
fn onward(choices: &mut Choices<'_>, state: &Machine) -> Step {
    let line = &state.record.line;
    let (epoch, number) = (line.epoch.value(), line.highest.value().saturating_add(1));
    let (spoil, stored) = (Spoil::None, true);
    match (line.active, shared(state)) {
        (false, _) => Step::Prove { proof: Proof::Turned { epoch, activate: true, number }, spoil, stored },
        (true, None) => {
            let grant = Grant { epoch, generation: number, subject: choices.pick(&SUBJECTS) };
            Step::Publish { grant, spoil, stored }
        }
        (true, Some(grant)) => {
            let install = Install { grant, device: DEVICES[0], n: choices.any::<u8>() % 3 };
            match choices.below(3) {
                0 => Step::Release { install, spoil, stored },
                1 => Step::Withdraw { grant, spoil, stored },
                _ => Step::Prove { proof: Proof::Receipt(install), spoil, stored },
            }
        }
    }
}

fn shared(state: &Machine) -> Option<Grant> {
    match named(&state.record.line.share?.key.grant) {
        Named::Grant(grant) => Some(grant),
        _ => None,
    }
}

fn stored(choices: &mut Choices<'_>) -> bool {
    !choices.one_in(24)
}

fn spoil(choices: &mut Choices<'_>) -> Spoil {
    match choices.any::<u8>() {
        0..=239 => Spoil::None,
        _ => choices.pick(&[Spoil::Signer, Spoil::Lock, Spoil::Slot, Spoil::Names, Spoil::Claim, Spoil::Term]),
    }
}

fn subject(choices: &mut Choices<'_>) -> u8 {
    if choices.one_in(24) { BAD } else { choices.pick(&SUBJECTS) }
}

fn epoch(choices: &mut Choices<'_>, state: &Machine) -> u32 {
    let now = state.record.line.epoch.value();
    match choices.any::<u8>() {
        0..=239 => now,
        240..=247 => now.saturating_sub(1),
        _ => now.saturating_add(1),
    }
}

/// A number near something that is known.
fn number(choices: &mut Choices<'_>, state: &Machine) -> u32 {
    let line = &state.record.line;
    let mut known = vec![line.highest.value(), line.floor.value(), line.last_told.value()];
    known.extend(state.phones.iter().map(|phone| phone.line.highest.value()));
    known.extend(line.live.keys().map(|live| live.generation.value()));
    match choices.any::<u8>() {
        0..=251 => choices.pick(&known).saturating_add_signed(choices.pick(&[1, 0, -1, 2])),
        _ => choices.pick(&[u32::MAX - 40, u32::MAX - 1, u32::MAX, 0]),
    }
}

/// A grant that was signed, or one by a phone that nobody knows of.
fn grant(choices: &mut Choices<'_>, state: &Machine) -> Grant {
    match choices.below(8) {
        0..=1 if shared(state).is_some() => shared(state).unwrap(),
        0..=2 if !state.grants.is_empty() => *state.grants.last().unwrap(),
        3..=4 if !state.grants.is_empty() => choices.pick(&state.grants),
        _ => {
            let (epoch, generation) = (epoch(choices, state), number(choices, state));
            Grant { epoch, generation, subject: subject(choices) }
        }
    }
}

fn install(choices: &mut Choices<'_>, state: &Machine) -> Install {
    let grant = grant(choices, state);
    Install { grant, device: DEVICES[usize::from(choices.one_in(6))], n: choices.any::<u8>() % 3 }
}

fn proof(choices: &mut Choices<'_>, state: &Machine) -> Proof {
    match choices.below(8) {
        0..=2 => Proof::Receipt(install(choices, state)),
        3..=4 if !state.proofs.is_empty() => choices.pick(&state.proofs),
        5 => {
            let holder = choices.any::<bool>().then(|| (choices.pick(&SUBJECTS), choices.pick(&DEVICES)));
            Proof::Inspected(Inspected { epoch: epoch(choices, state), floor: number(choices, state), holder })
        }
        _ => {
            let (epoch, number) = (epoch(choices, state), number(choices, state));
            Proof::Turned { epoch, activate: !choices.one_in(4), number }
        }
    }
}

fn reopen(choices: &mut Choices<'_>, state: &Machine) -> Step {
    let now = state.record.line.epoch.value();
    let epoch = choices.pick(&[now.saturating_add(1), now, now.saturating_sub(1), now.saturating_add(3)]);
    let (mut owner, mut service, mut spoil) = (OWNER, SERVICES[0], Spoil::None);
    match choices.any::<u8>() {
        0..=199 => {}
        200..=215 => owner = choices.pick(&[2, BAD]),
        216..=239 => service = SERVICES[1],
        _ => spoil = choices.pick(&[Spoil::Signer, Spoil::Lock]),
    }
    Step::Reopen { epoch, owner, service, spoil }
}

fn answer(choices: &mut Choices<'_>, state: &Machine, phone: usize) -> Step {
    if !state.answers.is_empty() && !choices.one_in(3) {
        let (grant, outcome) = choices.pick(&state.answers);
        return Step::LearnAnswer { phone, grant, outcome };
    }
    let outcome = match choices.below(3) {
        0 => Outcome::Never,
        1 => Outcome::Released(install(choices, state).digest()),
        _ => Outcome::Settled,
    };
    Step::LearnAnswer { phone, grant: grant(choices, state), outcome }
}
