//! The table that an owner looks at.

use sharekey::contacts::ContactBook;
use sharekey::id::SlotId;
use sharekey::owner::{Delivery, Equivocation, KeyStatus, Method, OwnedLock, Standing, Status, Whom};
use sharekey::slot::State;

use super::Phone;
use crate::show::{self, short, table};
use crate::wire::names::Names;
use crate::{json, moment};

const HEADINGS: [&str; 7] = ["slot", "state", "shared with", "by", "limits", "downloaded", "may open"];

impl Phone<'_> {
    pub fn status(&self, slot: Option<SlotId>) -> anyhow::Result<()> {
        let (view, stale) = self.synced_view()?;
        if view.standing() == Standing::Transferred {
            println!("{} handed the lock over, and knows no more of it.", self.name);
            return Ok(());
        }
        let (names, contacts) = (Names::gather(self.home)?, self.contacts()?);
        let statuses: Vec<Status> = chosen(&view, slot);
        let rows: Vec<Vec<String>> = statuses.iter().map(|status| row(status, &contacts, &names)).collect();
        if rows.is_empty() {
            println!("Every slot is inactive: \"owner activate SLOT\" opens one, at the lock.");
        } else {
            print!("{}", table(&HEADINGS, &rows));
        }
        notes(&view, &statuses);
        for (slot, why) in stale.iter().filter(|(slot, _)| statuses.iter().any(|status| status.slot == *slot)) {
            let as_of =
                view.status(*slot).as_of.map_or_else(|| "of no report".into(), |as_of| moment::show(as_of.time));
            let why = why.to_string().replace('\n', "; ").replace(";   ", "; ");
            println!("Slot {slot} is as of {as_of}: {why}.");
        }
        Ok(())
    }

    /// The same for scripts.
    pub fn print(&self, slot: Option<SlotId>) -> anyhow::Result<()> {
        json::print(&self.synced_view()?.0, &self.contacts()?, slot)
    }
}

/// The slots to show: the one that was asked for, or all of the lock but those that are known to be closed to everybody.
pub fn chosen(view: &OwnedLock, slot: Option<SlotId>) -> Vec<Status> {
    let open = |status: &Status| status.state != Some(State::Inactive) || status.nobody_can_open().is_none();
    slot.map_or_else(|| view.statuses().filter(open).collect(), |slot| vec![view.status(slot)])
}

fn row(status: &Status, contacts: &ContactBook, names: &Names) -> Vec<String> {
    let mut row = vec![status.slot.to_string(), status.state.map_or("Not known", state).into()];
    match &status.shared {
        None => row.extend(["-", "-", "-", "-"].map(String::from)),
        Some(key) => row.extend([whom(key, contacts, names), method(key).into(), limits(key), downloaded(key)]),
    }
    row.push(may_open(status));
    row
}

pub const fn state(state: State) -> &'static str {
    match state {
        State::Inactive => "Inactive",
        State::NotShared => "Not shared",
        State::Sharing => "Sharing",
        State::Shared => "Shared",
    }
}

fn whom(key: &KeyStatus, contacts: &ContactBook, names: &Names) -> String {
    match key.whom(contacts) {
        Whom::Contact(id, _) => id.to_string(),
        Whom::FormerContact(id) => format!("who was {id}"),
        Whom::Code => "whoever has the code".into(),
        Whom::Key(subject) => names.of(&subject),
        Whom::Unknown => "unknown".into(),
    }
}

const fn method(key: &KeyStatus) -> &'static str {
    match key.method {
        Some(Method::Account) => "ID",
        Some(Method::Code) => "code",
        None => "another phone",
    }
}

fn limits(key: &KeyStatus) -> String {
    key.rights().zip(key.limits()).map_or_else(|| "unknown".into(), |(rights, limits)| show::limits(rights, &limits))
}

/// Whether it was downloaded: to which device, and the lock's signed proof.
fn downloaded(key: &KeyStatus) -> String {
    key.downloaded.map_or_else(
        || "no".into(),
        |proof| format!("to device {}, proof {}", short(&proof.device), short(&proof.proof)),
    )
}

/// The numbers of the keys that may still open; "nobody" only where that is proved.
fn may_open(status: &Status) -> String {
    let numbers: Vec<String> = status.may_open.iter().map(|key| format!("key {}", key.key.generation)).collect();
    match (numbers.is_empty(), status.as_of) {
        (false, Some(_)) => numbers.join(", "),
        (false, None) => format!("{}, and others perhaps", numbers.join(", ")),
        (true, _) if status.nobody_can_open().is_some() => "nobody".into(),
        (true, _) => "not known".into(),
    }
}

fn notes(view: &OwnedLock, statuses: &[Status]) {
    if view.may_have_moved() {
        println!(
            "The lock refused an order, and may have changed hands. If it was handed to you, and the answer was lost, \
             \"owner take-over\"."
        );
    }
    for status in statuses {
        for key in status.may_open.iter().filter(|key| key.withdrawing) {
            let (slot, number) = (status.slot, key.key.generation);
            println!("Slot {slot}: key {number} is being withdrawn, and the service has not answered.");
        }
        for key in status.shared.iter().filter(|key| !key.withdrawing) {
            let (slot, number) = (status.slot, key.key.generation);
            match key.delivery {
                Delivery::Held => println!(
                    "Slot {slot}: the code of key {number} was not shown, and nobody has it. \"owner withdraw {slot}\", and share anew."
                ),
                Delivery::Due if status.state == Some(State::Sharing) => {
                    println!("Slot {slot}: the service has not shown key {number} yet; it is sent at each contact.");
                }
                Delivery::Due | Delivery::Heard => {}
            }
        }
    }
    for guilt in view.equivocations() {
        match guilt {
            Equivocation::Release { slot, key, .. } => println!(
                "THE SERVICE LIED about key {} of slot {slot}: it denied a release that there is proof of.",
                key.generation
            ),
            Equivocation::Report { slot, .. } => {
                println!("THE SERVICE LIED about slot {slot}: it signed two reports that contradict each other.");
            }
        }
    }
}
