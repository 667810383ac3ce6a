//! Which step comes next: what the service would do with grants that phones signed, and late, repeated
//! and contradicting proofs, with numbers near what is known and near the end of the line.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

use super::machine::{Machine, PHONES};
use super::steps::{BAD, DEVICES, Grant, Inspected, Install, OWNER, Outcome, Proof, SERVICES, SUBJECTS, Spoil, Step};

pub fn step(state: &Machine) -> BoxedStrategy<Step> {
    if state.calm {
        return prop_oneof![1 => wild(state), 14 => calm(state)].boxed();
    }
    wild(state)
}

/// Share after share, so that many keys are live at once.
fn calm(state: &Machine) -> BoxedStrategy<Step> {
    let line = &state.record.line;
    let (epoch, number) = (line.epoch.value(), line.highest.value().saturating_add(1));
    let (spoil, stored) = (Spoil::None, true);
    if !line.active {
        return Just(Step::Prove { proof: Proof::Turned { epoch, activate: true, number }, spoil, stored }).boxed();
    }
    let learn = match state.grants.last() {
        Some(grant) => {
            let grant = *grant;
            let see = (0..PHONES).prop_map(|phone| Step::See { phone });
            prop_oneof![see, (0..PHONES).prop_map(move |phone| Step::LearnGrant { phone, grant })].boxed()
        }
        None => (0..PHONES).prop_map(|phone| Step::See { phone }).boxed(),
    };
    let serve = match shared(state) {
        None => select(SUBJECTS.to_vec())
            .prop_map(move |subject| Step::Publish {
                grant: Grant { epoch, generation: number, subject },
                spoil,
                stored,
            })
            .boxed(),
        Some(grant) if line.share.is_some_and(|share| share.device.is_none()) => {
            install(Just(grant).boxed()).prop_map(move |install| Step::Release { install, spoil, stored }).boxed()
        }
        Some(grant) => Just(Step::Withdraw { grant, spoil, stored }).boxed(),
    };
    prop_oneof![3 => serve, 1 => learn].boxed()
}

fn wild(state: &Machine) -> BoxedStrategy<Step> {
    let phone = 0..PHONES;
    let (line, stored) = (&state.record.line, prop::bool::weighted(0.95));
    let mut choices: Vec<(u32, BoxedStrategy<Step>)> = vec![
        (6, (phone.clone(), subject()).prop_map(|(phone, subject)| Step::Share { phone, subject }).boxed()),
        (1, phone.clone().prop_map(|phone| Step::Order { phone }).boxed()),
        (5, phone.clone().prop_map(|phone| Step::See { phone }).boxed()),
        (6, learn(state)),
        (1, reopen(state)),
        (if line.active { 4 } else { 30 }, prove(state, stored.boxed())),
    ];
    let spoilt = || {
        let ways = vec![Spoil::Signer, Spoil::Lock, Spoil::Slot, Spoil::Term, Spoil::Names, Spoil::Claim];
        prop_oneof![20 => Just(Spoil::None), 1 => select(ways)]
    };
    let stored = || prop::bool::weighted(0.95);
    let grants = grant(state);
    let publish = (grants.clone(), spoilt(), stored());
    choices.push((9, publish.prop_map(|(grant, spoil, stored)| Step::Publish { grant, spoil, stored }).boxed()));
    let withdraw = (grants.clone(), spoilt(), stored());
    choices.push((2, withdraw.prop_map(|(grant, spoil, stored)| Step::Withdraw { grant, spoil, stored }).boxed()));
    let release = (install(grants), spoilt(), stored());
    choices.push((1, release.prop_map(|(install, spoil, stored)| Step::Release { install, spoil, stored }).boxed()));
    if let Some(shared) = shared(state) {
        let release = (install(Just(shared).boxed()), spoilt(), stored());
        choices
            .push((10, release.prop_map(|(install, spoil, stored)| Step::Release { install, spoil, stored }).boxed()));
        let withdraw = Step::Withdraw { grant: shared, spoil: Spoil::None, stored: true };
        choices.push((9, Just(withdraw).boxed()));
    }
    Union::new_weighted(choices).boxed()
}

fn shared(state: &Machine) -> Option<Grant> {
    let share = state.record.line.share?;
    match super::steps::named(&share.key.grant) {
        super::steps::Named::Grant(grant) => Some(grant),
        _ => None,
    }
}

fn subject() -> BoxedStrategy<u8> {
    prop_oneof![20 => select(SUBJECTS.to_vec()), 1 => Just(BAD)].boxed()
}

fn epoch(state: &Machine) -> BoxedStrategy<u32> {
    let now = state.record.line.epoch.value();
    prop_oneof![60 => Just(now), 1 => Just(now.saturating_sub(1)), 1 => Just(now.saturating_add(1))].boxed()
}

/// A number near something that is known.
fn number(state: &Machine) -> BoxedStrategy<u32> {
    let line = &state.record.line;
    let mut known = vec![line.highest.value(), line.floor.value(), line.last_told.value()];
    known.extend(state.phones.iter().map(|phone| phone.line.highest.value()));
    known.extend(line.live.keys().map(|live| live.generation.value()));
    let near = (select(known), -1..=2_i32).prop_map(|(known, by)| known.saturating_add_signed(by));
    let end = select(vec![0, u32::MAX - 40, u32::MAX - 1, u32::MAX]);
    prop_oneof![120 => near, 1 => end].boxed()
}

/// A grant that was signed, or one by a phone that nobody knows of.
fn grant(state: &Machine) -> BoxedStrategy<Grant> {
    let other = (epoch(state), number(state), subject());
    let other = other.prop_map(|(epoch, generation, subject)| Grant { epoch, generation, subject });
    let next = (state.record.line.epoch.value(), state.record.line.highest.value().saturating_add(1));
    let next = select(SUBJECTS.to_vec()).prop_map(move |subject| Grant { epoch: next.0, generation: next.1, subject });
    if state.grants.is_empty() {
        return prop_oneof![next, other].boxed();
    }
    let newest = *state.grants.last().unwrap();
    prop_oneof![3 => Just(newest), 3 => select(state.grants.clone()), 2 => other, 3 => next].boxed()
}

fn install(grants: BoxedStrategy<Grant>) -> BoxedStrategy<Install> {
    let device = prop_oneof![5 => Just(DEVICES[0]), 1 => Just(DEVICES[1])];
    (grants, device, 0..3_u8).prop_map(|(grant, device, n)| Install { grant, device, n }).boxed()
}

fn proof(state: &Machine) -> BoxedStrategy<Proof> {
    let turned = (epoch(state), prop::bool::weighted(0.75), number(state))
        .prop_map(|(epoch, activate, number)| Proof::Turned { epoch, activate, number });
    let holder = prop_oneof![Just(None), (select(SUBJECTS.to_vec()), select(DEVICES.to_vec())).prop_map(Some)];
    let found = (epoch(state), number(state), holder)
        .prop_map(|(epoch, floor, holder)| Proof::Inspected(Inspected { epoch, floor, holder }));
    let receipt = install(grant(state)).prop_map(Proof::Receipt);
    let mut choices = vec![(2, turned.boxed()), (1, found.boxed()), (2, receipt.boxed())];
    if let Some(shared) = shared(state) {
        choices.push((2, install(Just(shared).boxed()).prop_map(Proof::Receipt).boxed()));
    }
    if !state.proofs.is_empty() {
        choices.push((3, select(state.proofs.clone()).boxed()));
    }
    Union::new_weighted(choices).boxed()
}

fn prove(state: &Machine, stored: BoxedStrategy<bool>) -> BoxedStrategy<Step> {
    let spoil = prop_oneof![20 => Just(Spoil::None), 1 => select(vec![Spoil::Signer, Spoil::Lock, Spoil::Slot])];
    let activate = (state.record.line.highest.value().saturating_add(1), state.record.line.epoch.value());
    let activate = Proof::Turned { epoch: activate.1, activate: true, number: activate.0 };
    let proof = if state.record.line.active { proof(state) } else { prop_oneof![proof(state), Just(activate)].boxed() };
    (proof, spoil, stored).prop_map(|(proof, spoil, stored)| Step::Prove { proof, spoil, stored }).boxed()
}

fn reopen(state: &Machine) -> BoxedStrategy<Step> {
    let now = state.record.line.epoch.value();
    let epoch = prop_oneof![4 => Just(now), 2 => Just(now + 1), 1 => Just(now.saturating_sub(1)), 1 => Just(now + 3)];
    let owner = prop_oneof![14 => Just(OWNER), 1 => Just(2), 1 => Just(BAD)];
    let service = prop_oneof![9 => Just(SERVICES[0]), 1 => Just(SERVICES[1])];
    let spoil = prop_oneof![14 => Just(Spoil::None), 1 => select(vec![Spoil::Signer, Spoil::Lock])];
    (epoch, owner, service, spoil)
        .prop_map(|(epoch, owner, service, spoil)| Step::Reopen { epoch, owner, service, spoil })
        .boxed()
}

fn learn(state: &Machine) -> BoxedStrategy<Step> {
    let phone = || 0..PHONES;
    let behind: Vec<usize> = (0..PHONES).filter(|at| state.phones[*at].line.epoch < state.record.line.epoch).collect();
    let outcome = prop_oneof![
        Just(Outcome::Never),
        install(grant(state)).prop_map(|install| Outcome::Released(install.digest())),
        Just(Outcome::Settled),
    ];
    let answer = (grant(state), outcome);
    let answer = if state.answers.is_empty() {
        answer.boxed()
    } else {
        prop_oneof![4 => select(state.answers.clone()), 1 => answer].boxed()
    };
    let mut choices: Vec<(u32, BoxedStrategy<Step>)> = vec![
        (4, (phone(), grant(state)).prop_map(|(phone, grant)| Step::LearnGrant { phone, grant }).boxed()),
        (6, (phone(), proof(state)).prop_map(|(phone, proof)| Step::LearnProof { phone, proof }).boxed()),
        (
            4,
            (phone(), answer).prop_map(|(phone, (grant, outcome))| Step::LearnAnswer { phone, grant, outcome }).boxed(),
        ),
    ];
    if !behind.is_empty() {
        let epoch = state.record.line.epoch.value();
        choices.push((9, select(behind).prop_map(move |phone| Step::LearnTransfer { phone, epoch }).boxed()));
    }
    Union::new_weighted(choices).boxed()
}
