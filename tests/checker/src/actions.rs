//! Which actions there are in a state: every message that is known to everybody whom it may concern, and
//! whatever the parties may begin within the bounds.

use sharekey::wire::Kind;
use sharekey_model::invariant::Service;

use sharekey_stage::ops::{Op, Place};

use super::cast::{OLGA, key_of};
use super::lock::{INSTALL, OPERATE};
use super::net::{Msg, Net, REPORT};
use super::scenario::{Device, Order, searched};
use super::system::{Action, State, Who};
use super::world::{For, Input, World};

impl World {
    pub fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if self.scenario.service == Service::TakenOver && self.forge_releases(state, actions) {
            return;
        }
        self.at_the_lock(state, actions);
        for which in 0..2 {
            if self.scenario.listening >> which & 1 == 1 {
                self.at_a_phone(state, which, actions);
            }
        }
        if self.scenario.service == Service::Honest {
            self.at_the_service(state, actions);
        } else {
            self.forge_as_service(state, actions);
        }
    }

    fn at_the_lock(&self, state: &State, actions: &mut Vec<Action>) {
        let flash = self.locks.get(state.lock);
        let bounds = &self.scenario.bounds;
        let mut lock = |input: Input, writes: bool| {
            actions.push(Action { who: Who::Lock, input });
            if writes && self.scenario.cuts && flash.reboots < bounds.reboots {
                actions.push(Action { who: Who::LockCut, input });
            }
        };
        if state.net.count(Kind::Challenge) < bounds.challenges {
            lock(Input::Challenge(For::Install), flash.given == 0);
            lock(Input::Challenge(For::Operate), flash.given == 0);
        }
        if self.scenario.cuts && flash.reboots < bounds.reboots {
            lock(Input::Reboot, false);
        }
        if flash.open[INSTALL].is_some() {
            self.bundles(state, &mut |input| lock(input, true));
        }
        if flash.open[OPERATE].is_some() {
            state.net.kind(Kind::Command).iter().for_each(|msg| lock(Input::Command(*msg), true));
            state.net.kind(Kind::Unlock).iter().for_each(|msg| lock(Input::Unlock(*msg), true));
        }
        if let Some((_, challenge)) = flash.open[INSTALL] {
            self.ask_all(state, challenge, actions);
        }
        if let Some((_, challenge)) = flash.open[OPERATE] {
            self.open_all(state, challenge, actions);
        }
    }

    /// The bundle that each release is for, and those with one part of another.
    fn bundles(&self, state: &State, push: &mut impl FnMut(Input)) {
        let net = &state.net;
        for release in net.kind(Kind::Release).iter().copied() {
            let Some((grant, claim, install)) = self.chain(release) else { continue };
            push(Input::Bundle { grant, claim, install, release });
            if !self.scenario.recombine {
                continue;
            }
            let others = |kind: Kind, but: Msg| net.kind(kind).iter().copied().filter(move |msg| *msg != but);
            others(Kind::Grant, grant).for_each(|grant| push(Input::Bundle { grant, claim, install, release }));
            for claim in others(Kind::Claim, claim) {
                // A claim with its own grant, and the install of another claim: of one device, perhaps.
                self.msgs
                    .info(claim)
                    .parent
                    .into_iter()
                    .for_each(|grant| push(Input::Bundle { grant, claim, install, release }));
            }
            others(Kind::Claim, claim).for_each(|claim| push(Input::Bundle { grant, claim, install, release }));
            others(Kind::Install, install).for_each(|install| push(Input::Bundle { grant, claim, install, release }));
        }
        if self.scenario.recombine {
            self.unreleased(state, push);
        }
    }

    /// Whole chains to an install, under a release of another.
    fn unreleased(&self, state: &State, push: &mut impl FnMut(Input)) {
        for install in state.net.kind(Kind::Install).iter().copied() {
            let Some(claim) = self.msgs.info(install).parent else { continue };
            let Some(grant) = self.msgs.info(claim).parent else { continue };
            for release in state.net.kind(Kind::Release).iter().copied() {
                if self.msgs.info(release).parent != Some(install) {
                    push(Input::Bundle { grant, claim, install, release });
                }
            }
        }
    }

    /// What a release names, in turn.
    pub fn chain(&self, release: Msg) -> Option<(Msg, Msg, Msg)> {
        let install = self.msgs.info(release).parent?;
        let claim = self.msgs.info(install).parent?;
        Some((self.msgs.info(claim).parent?, claim, install))
    }

    /// Every device asks for every grant; rogue ones ask for others' claims too.
    fn ask_all(&self, state: &State, challenge: Msg, actions: &mut Vec<Action>) {
        let (net, bounds) = (&state.net, &self.scenario.bounds);
        let room = net.count(Kind::Install) < bounds.installs;
        let mut send = |input| actions.push(Action { who: Who::Sender, input });
        for device in 0..u8::try_from(self.scenario.devices.len()).unwrap() {
            if room {
                let grants = net.kind(Kind::Grant).iter().copied();
                let grants = grants.filter(|grant| self.is_next(net, device, *grant, challenge));
                grants.for_each(|grant| send(Input::Ask { device, grant, challenge }));
            }
            if room && self.device(device).rogue && bounds.forged > 0 {
                let claims = net.kind(Kind::Claim).iter();
                claims.for_each(|claim| send(Input::ForgeInstall { device, claim: *claim, challenge }));
            }
        }
    }

    /// Whether the guest's device before this one has claimed the grant. The devices of a guest are alike, so that
    /// which of them is the first makes no difference.
    fn is_next(&self, net: &Net, device: u8, grant: Msg, challenge: Msg) -> bool {
        let Device { subject, number, rogue } = self.device(device);
        let is_before = |other: &Device| !rogue && other.subject == subject && other.number + 1 == number;
        let Some(before) = self.scenario.devices.iter().position(is_before) else { return true };
        let input = Input::Ask { device: u8::try_from(before).unwrap(), grant, challenge };
        self.step(0, input).is_some_and(|asked| net.has(asked.out[0]))
    }

    /// Every key asks to open; the owner's phones order.
    fn open_all(&self, state: &State, challenge: Msg, actions: &mut Vec<Action>) {
        let (net, bounds) = (&state.net, &self.scenario.bounds);
        if net.count(Kind::Unlock) < bounds.unlocks {
            for receipt in net.kind(Kind::Receipt).iter().copied() {
                let released = |release: &&Msg| self.msgs.info(**release).parent == self.msgs.info(receipt).parent;
                let Some(release) = net.kind(Kind::Release).iter().find(released).copied() else { continue };
                for slot in 0..self.scenario.slots {
                    let input = Input::MakeUnlock { receipt, release, challenge, slot };
                    actions.push(Action { who: Who::Sender, input });
                }
            }
        }
        for order in searched().filter(|order| self.may_order(*order, net)) {
            let slots = if Op::ordered(order).row().place == Place::Slot { self.scenario.slots } else { 1 };
            for slot in 0..slots {
                let acting = (0..2).filter(|which| self.scenario.acting >> which & 1 == 1);
                let input = Input::Order { order, slot, challenge };
                actions.extend(acting.map(|which| Action { who: Who::Phone(which), input }));
            }
        }
        if self.scenario.former_owner {
            self.forge_as_former_owner(state, challenge, actions);
        }
    }

    fn forge_as_former_owner(&self, state: &State, challenge: Msg, actions: &mut Vec<Action>) {
        let owned = self.ledgers.get(state.ledger).owned(self.cast.lock);
        if owned.is_none_or(|(_, owner)| owner == key_of(OLGA)) {
            return;
        }
        let mut send = |input| actions.push(Action { who: Who::Sender, input });
        if state.net.count(Kind::Command) < self.scenario.bounds.forged {
            for (order, epoch) in searched().flat_map(|order| [(order, 1), (order, 2)]) {
                send(Input::ForgeCommand { order, epoch, challenge });
            }
        }
        if state.net.count(Kind::Grant) < self.scenario.bounds.grants {
            [1, 2].into_iter().for_each(|epoch| send(Input::ForgeGrant { epoch }));
        }
    }

    fn at_a_phone(&self, state: &State, which: u8, actions: &mut Vec<Action>) {
        let (net, bounds) = (&state.net, &self.scenario.bounds);
        let mut phone = |input| actions.push(Action { who: Who::Phone(which), input });
        net.number(REPORT).iter().for_each(|report| phone(Input::See(*report)));
        net.kind(Kind::Done).iter().for_each(|done| phone(Input::Finish(*done)));
        if self.scenario.lone {
            for kind in [Kind::Grant, Kind::Receipt, Kind::Done, Kind::Withdrawn] {
                net.kind(kind).iter().for_each(|message| phone(Input::Learn(*message)));
            }
        }
        if self.scenario.former_owner && which == 1 {
            net.kind(Kind::Done)
                .iter()
                .filter(|done| done.sub() == Order::Transfer.tag())
                .for_each(|done| phone(Input::Adopt(*done)));
        }
        if self.scenario.acting >> which & 1 == 0 {
            return;
        }
        for slot in 0..self.scenario.slots {
            if net.count(Kind::Grant) < bounds.grants {
                self.scenario.subjects.iter().for_each(|subject| phone(Input::Share { subject: *subject, slot }));
            }
            if net.count(Kind::Withdraw) < bounds.withdraws {
                (0..3).for_each(|key| phone(Input::Withdraw { slot, key }));
            }
        }
    }

    fn at_the_service(&self, state: &State, actions: &mut Vec<Action>) {
        let who = Who::Service;
        self.requests(state, &mut |input| actions.push(Action { who, input }));
        if !self.scenario.instances {
            return;
        }
        match state.read {
            None => actions.push(Action { who: Who::OtherReads, input: Input::Reboot }),
            Some(_) => self.requests(state, &mut |input| actions.push(Action { who: Who::OtherWrites, input })),
        }
    }

    fn requests(&self, state: &State, push: &mut impl FnMut(Input)) {
        let net = &state.net;
        for slot in 0..self.scenario.slots {
            for kind in [Kind::Grant, Kind::Withdraw, Kind::Receipt, Kind::Done] {
                net.kind(kind).iter().for_each(|message| push(Input::Serve { slot, message: *message }));
            }
            for install in net.kind(Kind::Install).iter().copied() {
                let Some(named) = self.msgs.info(install).parent else { continue };
                let claims = net.kind(Kind::Claim).iter().copied();
                let claims = claims.filter(|claim| self.scenario.recombine || *claim == named);
                claims.for_each(|claim| push(Input::Release { slot, claim, install }));
            }
        }
    }

    /// Whoever has the service's key releases every install. Nothing else is tried before that: what the
    /// attacker may send later it may have ready now, and a release hinders nobody.
    fn forge_releases(&self, state: &State, actions: &mut Vec<Action>) -> bool {
        let released = state.net.kind(Kind::Release).iter().map(|release| self.msgs.info(*release).parent);
        let mut installs = state.net.kind(Kind::Install).iter().copied();
        let missing = installs.find(|install| !released.clone().any(|named| named == Some(*install)));
        let forged = missing.map(|install| Action { who: Who::Sender, input: Input::ForgeRelease(install) });
        actions.extend(forged);
        forged.is_some()
    }

    /// To each phone, in a report of either slot.
    fn forge_reports(&self, state: &State, which: u8, actions: &mut Vec<Action>) {
        let signed = [Kind::Grant, Kind::Receipt, Kind::Done, Kind::Withdrawn];
        let signed = signed.into_iter().flat_map(|kind| state.net.kind(kind).iter().copied().map(Some));
        let messages: Vec<Option<Msg>> = signed.chain([None]).collect();
        for (slot, version) in (0..self.scenario.slots)
            .flat_map(|slot| self.scenario.forged_versions.iter().map(move |version| (slot, *version)))
        {
            let input = |message| Input::ForgeReport { slot, version, message };
            actions.extend(messages.iter().map(|message| Action { who: Who::Phone(which), input: input(*message) }));
        }
    }

    fn forge_as_service(&self, state: &State, actions: &mut Vec<Action>) {
        let (net, bounds) = (&state.net, &self.scenario.bounds);
        for which in (0..2).filter(|which| self.scenario.listening >> which & 1 == 1) {
            self.forge_reports(state, which, actions);
        }
        let mut send = |input| actions.push(Action { who: Who::Sender, input });
        if net.count(Kind::Withdrawn) < bounds.forged {
            let asked = net.kind(Kind::Withdraw).iter();
            for (withdraw, outcome) in asked.flat_map(|withdraw| (0..3).map(move |way| (*withdraw, way))) {
                send(Input::ForgeWithdrawn { withdraw, outcome });
            }
        }
    }
}
