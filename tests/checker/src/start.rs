//! The state from which a search goes on: what one honest run of the same steps leads to.

use std::collections::BTreeSet;

use sharekey::counter::Epoch;
use sharekey::id::SlotId;
use sharekey::lock::purpose;
use sharekey::secret::ActivationSecret;
use sharekey::wire::Kind;
use sharekey_model::invariant::{Answered, Event, Ledger, Service};
use sharekey_stage::rows::open;

use super::cast::{ANA, BEN, CARD, CLOUD, OLGA, OTTO, entropy, key_of, owner};
use super::cloud::Cloud;
use super::kept;
use super::lock::{Flash, INSTALL, NOW, OPERATE, commit, give, nonce};
use super::net::{Msg, Net, REPORT, Report};
use super::phone::Phone;
use super::scenario::{Order, Start};
use super::system::{Action, State, Who};
use super::world::{For, Input, World};

impl World {
    pub fn start(&self) -> State {
        let state = self.provisioned();
        if self.scenario.start == Start::Provisioned {
            return state;
        }
        let state = self.activate(state);
        if self.scenario.start == Start::Active {
            return state;
        }
        let state = self.download(self.share_with(state, ANA), 0);
        let state = if self.scenario.start == Start::Withheld { state } else { self.confirm(state) };
        if self.scenario.start == Start::Downloaded {
            return state;
        }
        self.share_with(self.withdraw_first(state), BEN)
    }

    /// The lock, fresh from the factory, becomes Olga's.
    fn provisioned(&self) -> State {
        let mut flash = Flash::make();
        let mut lock = flash.run().lock;
        let (given, written) = give::<purpose::Operate>(&mut lock, NOW);
        flash = flash.wrote(&written);
        flash.given += 1;
        let (olga, card) = (owner(OLGA), ActivationSecret::from_bytes(CARD));
        let rng = &mut entropy(&[b"provision"]);
        let (provision, pending) = olga.provision(&card, &given.challenge, key_of(CLOUD), rng).unwrap();
        let (owned, written) = commit(lock.provision(given.session, &provision, NOW).unwrap());
        flash = flash.wrote(&written);
        let Ok(view) = pending.finish(&olga, &owned.provisioned).unwrap().put_new(None, sharekey_stage::store::stored);

        let slots = (0..self.scenario.slots).map(SlotId::new);
        let records: Vec<_> = slots.map(|slot| open(&self.cast.service, &owned.provisioned, slot).unwrap()).collect();
        let reports: Vec<Msg> = (0..).zip(&records).map(|(slot, record)| self.report(slot, record)).collect();
        let cloud = self.clouds.id(Cloud {
            lock: records[0].of_lock().to_bytes(),
            records: records.iter().map(|record| record.of_slot().to_bytes()).collect(),
        });

        let view = kept::stored(&view);
        let phones = [(1, OLGA, Some(view.clone())), self.second_phone(view)].map(|(name, owner, view)| {
            self.phones.id(Phone { name, owner, view, pending: BTreeSet::new(), told: BTreeSet::new() })
        });
        let mut ledger = Ledger::new(self.scenario.service);
        let (lock, answered) = (self.cast.lock, Answered { nonce: nonce(&given.challenge), in_time: true });
        let owned = Event::Owned { lock, epoch: Epoch::FIRST, owner: *olga.key(), answered, command: None };
        ledger.observe(&Event::Challenged { lock, nonce: answered.nonce }).unwrap();
        ledger.observe(&owned).unwrap();
        State {
            lock: self.locks.id(flash),
            cloud,
            phones,
            read: None,
            net: Net(reports.into()),
            ledger: self.ledgers.id(ledger),
            fault: None,
        }
    }

    /// A second phone of Olga's; where she sells the house, the buyer's.
    fn second_phone(&self, view: Vec<u8>) -> (u8, u8, Option<Vec<u8>>) {
        if self.scenario.former_owner { (2, OTTO, None) } else { (2, OLGA, Some(view)) }
    }

    pub fn go(&self, state: &State, who: Who, input: Input) -> State {
        self.take(state, Action { who, input }).unwrap_or_else(|| panic!("{who:?} {input:?} changes nothing"))
    }

    /// As [`go`](Self::go), where the service may be the attacker's.
    fn at_service(&self, state: &State, input: Input) -> State {
        if self.scenario.service == Service::Honest { self.go(state, Who::Service, input) } else { state.clone() }
    }

    pub fn newest(net: &Net, kind: Kind) -> Msg {
        *net.kind(kind).last().unwrap()
    }

    pub fn report_to(&self, state: &State, phone: u8) -> State {
        let version = |report: &&Msg| -> u64 {
            let report: Report = postcard::from_bytes(self.msgs.bytes(**report)).unwrap();
            if report.slot == 0 { report.version } else { 0 }
        };
        let newest = state.net.number(REPORT).iter().max_by_key(version).copied();
        match newest {
            Some(newest) if state.net.number(REPORT).len() > usize::from(self.scenario.slots) => {
                let (who, input) = (Who::Phone(phone), Input::See(newest));
                self.take(state, Action { who, input }).unwrap_or_else(|| state.clone())
            }
            _ => state.clone(),
        }
    }

    pub fn activate(&self, state: State) -> State {
        let state = self.go(&state, Who::Lock, Input::Challenge(For::Operate));
        let (_, challenge) = self.locks.get(state.lock).open[OPERATE].unwrap();
        let state = self.go(&state, Who::Phone(0), Input::Order { order: Order::Activate, slot: 0, challenge });
        let state = self.go(&state, Who::Lock, Input::Command(Self::newest(&state.net, Kind::Command)));
        let done = Self::newest(&state.net, Kind::Done);
        let state = self.go(&state, Who::Phone(0), Input::Finish(done));
        let state = self.at_service(&state, Input::Serve { slot: 0, message: done });
        let state = self.report_to(&state, 0);
        if self.scenario.former_owner { state } else { self.learn_all(state, 1) }
    }

    /// The second phone hears what there is to hear.
    fn learn_all(&self, state: State, phone: u8) -> State {
        let mut state = self.report_to(&state, phone);
        for message in state.net.kind(Kind::Done).to_vec() {
            let action = Action { who: Who::Phone(phone), input: Input::Learn(message) };
            state = self.take(&state, action).unwrap_or(state);
        }
        state
    }

    pub fn share_with(&self, state: State, subject: u8) -> State {
        let before = state.net.clone();
        let state = self.go(&state, Who::Phone(0), Input::Share { subject, slot: 0 });
        let grants = state.net.kind(Kind::Grant).iter();
        let grant = grants.copied().find(|grant| !before.has(*grant)).unwrap();
        let state = self.at_service(&state, Input::Serve { slot: 0, message: grant });
        self.report_to(&state, 0)
    }

    fn download(&self, state: State, device: u8) -> State {
        let state = self.go(&state, Who::Lock, Input::Challenge(For::Install));
        let (_, challenge) = self.locks.get(state.lock).open[INSTALL].unwrap();
        let grant = Self::newest(&state.net, Kind::Grant);
        let state = self.go(&state, Who::Sender, Input::Ask { device, grant, challenge });
        let (claim, install) = (Self::newest(&state.net, Kind::Claim), Self::newest(&state.net, Kind::Install));
        let state = match self.scenario.service {
            Service::Honest => self.go(&state, Who::Service, Input::Release { slot: 0, claim, install }),
            Service::TakenOver => self.go(&state, Who::Sender, Input::ForgeRelease(install)),
        };
        let release = Self::newest(&state.net, Kind::Release);
        self.go(&state, Who::Lock, Input::Bundle { grant, claim, install, release })
    }

    /// Ana's receipt reaches the service and the first phone.
    fn confirm(&self, state: State) -> State {
        let message = Self::newest(&state.net, Kind::Receipt);
        self.through_service(&state, Input::Serve { slot: 0, message }, message)
    }

    /// The service is given a message, and the first phone sees its report; where the service is the
    /// attacker's, it hears the `answer` only.
    fn through_service(&self, state: &State, input: Input, answer: Msg) -> State {
        match self.scenario.service {
            Service::Honest => self.report_to(&self.go(state, Who::Service, input), 0),
            Service::TakenOver => self.go(state, Who::Phone(0), Input::Learn(answer)),
        }
    }

    fn withdraw_first(&self, state: State) -> State {
        let state = self.go(&state, Who::Phone(0), Input::Withdraw { slot: 0, key: 0 });
        let message = Self::newest(&state.net, Kind::Withdraw);
        let state = match self.scenario.service {
            Service::Honest => state,
            // The attacker says so too.
            Service::TakenOver => self.go(&state, Who::Sender, Input::ForgeWithdrawn { withdraw: message, outcome: 1 }),
        };
        let answer = state.net.kind(Kind::Withdrawn).last().copied().unwrap_or(message);
        let state = self.through_service(&state, Input::Serve { slot: 0, message }, answer);
        // What a faulty report leaves out, the phone hears alone: for the search to find, not for the start.
        let answer = Self::newest(&state.net, Kind::Withdrawn);
        self.take(&state, Action { who: Who::Phone(0), input: Input::Learn(answer) }).unwrap_or(state)
    }
}
