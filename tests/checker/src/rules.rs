//! What can happen, by name; and which of it the bounds of a scenario allow, so that what never happened is
//! seen.

use sharekey::wire::Kind;
use sharekey_model::invariant::Service;

use super::net::Msg;
use super::scenario::{Order, Start, searched};
use super::system::{Action, State, Who};
use super::world::{Input, World};

pub const RULES: [&str; 24] = [
    "challenge",
    "reboot",
    "bundle",
    "command",
    "unlock",
    "order",
    "finish",
    "learn",
    "see report",
    "share",
    "withdraw",
    "serve grant",
    "serve withdraw",
    "serve receipt",
    "serve done",
    "release",
    "ask",
    "make unlock",
    "forge",
    "forge report",
    "read",
    "stale write",
    "power cut",
    "adopt",
];

/// The place of an action's rule in the list.
pub fn of(action: &Action) -> usize {
    let name = match (action.who, action.input) {
        (Who::LockCut, _) => "power cut",
        (Who::OtherReads, _) => "read",
        (Who::OtherWrites, _) => "stale write",
        (_, Input::Challenge(_)) => "challenge",
        (_, Input::Reboot) => "reboot",
        (_, Input::Bundle { .. }) => "bundle",
        (_, Input::Command(_)) => "command",
        (_, Input::Unlock(_)) => "unlock",
        (_, Input::Order { .. }) => "order",
        (_, Input::Finish(_)) => "finish",
        (_, Input::Learn(_)) => "learn",
        (_, Input::See(_)) => "see report",
        (_, Input::Share { .. }) => "share",
        (_, Input::Withdraw { .. }) => "withdraw",
        (_, Input::Adopt(_)) => "adopt",
        (_, Input::Serve { message, .. }) => serve(message),
        (_, Input::Release { .. }) => "release",
        (_, Input::Ask { .. }) => "ask",
        (_, Input::MakeUnlock { .. }) => "make unlock",
        (_, Input::ForgeReport { .. }) => "forge report",
        _ => "forge",
    };
    RULES.iter().position(|rule| *rule == name).unwrap()
}

fn serve(message: Msg) -> &'static str {
    match message.kind() {
        1 => "serve grant",
        2 => "serve withdraw",
        8 => "serve receipt",
        _ => "serve done",
    }
}

impl World {
    /// Whether the bounds leave room for one more command of this order.
    pub fn may_order(&self, order: Order, net: &super::net::Net) -> bool {
        net.count_sub(Kind::Command, order.tag()) < self.scenario.bounds.orders[order]
    }

    /// Whether the bounds leave room for a rule to change anything after the start: in a search to the end it
    /// must have fired.
    pub fn allows(&self, rule: &str, start: &State) -> bool {
        let (scenario, bounds, net) = (&self.scenario, &self.scenario.bounds, &start.net);
        let honest = scenario.service == Service::Honest;
        let orders = searched().any(|order| self.may_order(order, net));
        let installs = net.count(Kind::Install) < bounds.installs;
        let unlocks = net.count(Kind::Unlock) < bounds.unlocks && (installs || net.count(Kind::Receipt) > 0);
        let grants = net.count(Kind::Grant) < bounds.grants;
        let withdraws = net.count(Kind::Withdraw) < bounds.withdraws;
        // A receipt of a key that another proved before changes nothing; and where Ana's is installed and shared,
        // that has to end first: by a withdrawal, or by handing the lock over, opening the slot and sharing it.
        let handed_over = bounds.orders[Order::Transfer] > 0 && net.count(Kind::Challenge) + 3 <= bounds.challenges;
        let shareable = scenario.start != Start::Downloaded || withdraws || handed_over;
        let unproved = net.count(Kind::Receipt) < bounds.grants && shareable;
        let thief = scenario.devices.iter().any(|device| device.rogue);
        let signs = (!honest || scenario.former_owner || thief) && bounds.forged > 0;
        match rule {
            "challenge" => net.count(Kind::Challenge) < bounds.challenges,
            "reboot" | "power cut" => scenario.cuts && bounds.reboots > 0,
            "bundle" | "ask" => installs,
            "command" | "order" | "finish" => orders,
            "unlock" | "make unlock" => unlocks,
            "learn" => scenario.lone,
            // A service that was taken over opens no record anew: a later owner has no report of it.
            "see report" => honest || scenario.listening & 1 == 1,
            "share" => grants,
            "withdraw" => withdraws,
            "serve grant" => honest && grants,
            "serve withdraw" => honest && (withdraws || net.count(Kind::Withdraw) > 0),
            "serve receipt" => honest && (scenario.start == Start::Withheld || installs && unproved),
            "serve done" => honest && orders,
            "release" => honest && installs,
            "forge" => signs || (!honest && installs),
            "forge report" => !scenario.forged_versions.is_empty(),
            "read" | "stale write" => scenario.instances,
            "adopt" => scenario.former_owner && bounds.orders[Order::Transfer] > 0,
            other => panic!("{other} is no rule"),
        }
    }
}
