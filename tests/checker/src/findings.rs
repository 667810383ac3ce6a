//! What the search found, and was mended since: each as its shortest story.

use std::sync::Arc;

use sharekey::wire::Kind;

use super::cast::{ANA, BEN};
use super::lock::{INSTALL, OPERATE};
use super::net::Msg;
use super::scenario::{Bounds, Order};
use super::scenarios;
use super::system::{Action, State, Who};
use super::world::{For, Input, World};

fn world() -> Arc<World> {
    let scenario = scenarios::two_at_the_lock();
    let bounds = Bounds { grants: 2, withdraws: 2, installs: 2, ..scenario.bounds };
    Arc::new(World::new(super::scenario::Scenario { bounds, ..scenario }))
}

/// Olga's second phone orders, and hears of it; the service does not.
fn order(world: &World, state: &State, order: Order) -> (State, Msg) {
    let state = world.go(state, Who::Lock, Input::Challenge(For::Operate));
    let (_, challenge) = world.locks.get(state.lock).open[OPERATE].unwrap();
    let before = state.net.clone();
    let state = world.go(&state, Who::Phone(1), Input::Order { order, slot: 0, challenge });
    let command = state.net.kind(Kind::Command).iter().copied().find(|command| !before.has(*command)).unwrap();
    let state = world.go(&state, Who::Lock, Input::Command(command));
    let done = state.net.kind(Kind::Done).iter().copied().find(|done| !before.has(*done)).unwrap();
    (world.go(&state, Who::Phone(1), Input::Finish(done)), done)
}

/// A device asks for the newest grant and is released; gives the bundle.
fn release(world: &World, state: &State, device: u8, grant: Msg) -> (State, Input) {
    let state = world.go(state, Who::Lock, Input::Challenge(For::Install));
    let (_, challenge) = world.locks.get(state.lock).open[INSTALL].unwrap();
    let before = state.net.clone();
    let state = world.go(&state, Who::Sender, Input::Ask { device, grant, challenge });
    let new = |kind: Kind, net: &super::net::Net| net.kind(kind).iter().copied().find(|msg| !before.has(*msg)).unwrap();
    let (claim, install) = (new(Kind::Claim, &state.net), new(Kind::Install, &state.net));
    let state = world.go(&state, Who::Service, Input::Release { slot: 0, claim, install });
    let release = new(Kind::Release, &state.net);
    (state, Input::Bundle { grant, claim, install, release })
}

fn grant_to(world: &World, state: &State, subject: u8) -> (State, Msg) {
    let after = world.go(state, Who::Phone(1), Input::Share { subject, slot: 0 });
    let grant = after.net.kind(Kind::Grant).iter().copied().find(|grant| !state.net.has(*grant)).unwrap();
    (world.go(&after, Who::Service, Input::Serve { slot: 0, message: grant }), grant)
}

/// The first phone, which opened the slot itself and sees the newest report, does not say that nobody can open.
fn judge(world: &World, state: &State) {
    let state = world.report_to(state, 0);
    let view = world.phones.get(state.phones[0]).view().unwrap();
    let status = view.status(sharekey::id::SlotId::new(0));
    let nobody = status.inspected && status.may_open.is_empty();
    assert_eq!((world.judge_views(&state), nobody), (Ok(()), false));
}

/// A Deactivate and an Activate whose Dones the service has not heard; a share above both is released and
/// installed; then the service hears of the Deactivate. Its share ends, and no message of its report names
/// the key that it released: the first phone, which opened the slot, shows that nobody can open.
#[test]
fn a_late_done_makes_reports_hide_a_released_key() {
    let world = world();
    let (state, deactivated) = order(&world, &world.start(), Order::Deactivate);
    let (state, _) = order(&world, &state, Order::Activate);
    let (state, grant) = grant_to(&world, &state, ANA);
    let (state, bundle) = release(&world, &state, 0, grant);
    let state = world.go(&state, Who::Lock, bundle);
    let state = world.go(&state, Who::Service, Input::Serve { slot: 0, message: deactivated });
    judge(&world, &state);
}

/// Ana's key is installed, its receipt withheld, and reset; Ben's is released and reset. The report has the
/// answer to the last withdrawal only: the first phone does not hear of Ana's key.
#[test]
fn a_second_reset_makes_reports_hide_the_key_of_the_first() {
    let world = world();
    let mut state = world.start();
    for (device, subject) in [(0, ANA), (1, BEN)] {
        let (shared, grant) = grant_to(&world, &state, subject);
        let (released, bundle) = release(&world, &shared, device, grant);
        state = if subject == ANA { world.go(&released, Who::Lock, bundle) } else { released };
        let before = state.net.clone();
        let key = u8::from(subject == BEN);
        state = world.go(&state, Who::Phone(1), Input::Withdraw { slot: 0, key });
        let message = state.net.kind(Kind::Withdraw).iter().copied().find(|msg| !before.has(*msg)).unwrap();
        state = world.go(&state, Who::Service, Input::Serve { slot: 0, message });
        state = world.report_to(&state, 1);
    }
    judge(&world, &state);
}

/// An action that the search tries in this state too.
fn offered(world: &World, state: &State, who: Who, input: Input) -> State {
    let mut actions = Vec::new();
    world.actions(state, &mut actions);
    assert!(actions.contains(&Action { who, input }), "{who:?} {input:?} is beyond the bounds");
    world.go(state, who, input)
}

fn new_one(kind: Kind, before: &State, after: &State) -> Msg {
    after.net.kind(kind).iter().copied().find(|msg| !before.net.has(*msg)).unwrap()
}

/// The same story among the states of "two phones, two guests", where it is the second phone that hears of no key
/// but by reports.
#[test]
fn the_second_reset_lies_within_the_bounds_of_two_phones_and_two_guests() {
    let (world, start) = World::begun(scenarios::two_phones_two_guests());
    let state = offered(&world, &start, Who::Lock, Input::Challenge(For::Install));
    let (_, challenge) = world.locks.get(state.lock).open[INSTALL].unwrap();
    let grant = *state.net.kind(Kind::Grant).iter().find(|grant| granted_to_ben(&world, **grant)).unwrap();
    let asked = offered(&world, &state, Who::Sender, Input::Ask { device: 1, grant, challenge });
    let (claim, install) = (new_one(Kind::Claim, &state, &asked), new_one(Kind::Install, &state, &asked));
    let released = offered(&world, &asked, Who::Service, Input::Release { slot: 0, claim, install });
    let before = offered(&world, &released, Who::Phone(0), Input::Withdraw { slot: 0, key: 1 });
    let message = new_one(Kind::Withdraw, &released, &before);
    let state = offered(&world, &before, Who::Service, Input::Serve { slot: 0, message });
    let report = *state.net.number(super::net::REPORT).iter().find(|report| !before.net.has(**report)).unwrap();
    let state = offered(&world, &state, Who::Phone(1), Input::See(report));
    let view = world.phones.get(state.phones[1]).view().unwrap();
    let keys = view.status(sharekey::id::SlotId::new(0)).may_open.len();
    assert_eq!((world.judge_views(&state), keys), (Ok(()), 2));
}

fn granted_to_ben(world: &World, grant: Msg) -> bool {
    let grant =
        *sharekey::wire::Unverified::<sharekey::message::Grant>::parse(world.msgs.bytes(grant)).unwrap().claims();
    grant.subject == super::cast::key_of(BEN)
}
