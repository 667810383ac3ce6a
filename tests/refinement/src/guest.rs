//! The real guest's device in step with its model: challenges, releases and receipts, right and wrong.

use proptest::prelude::*;
use proptest::sample::select;
use rand_chacha::ChaCha20Rng;
use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{Digest, Nonce};
use sharekey::guest::{Account, Claimed, Installing, Unstored};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Limits, Rights};
use sharekey::message::{Challenge, Claim, Grant, Receipt, Release};
use sharekey::wire::Unverified;
use sharekey_model::state::{GuestModel, GuestStep, ReceiptFacts};

use sharekey_stage::rng;

use crate::forge::{Forge, Provider};
use crate::reach::note;

const LOCK: u8 = 99;
const OTHER_LOCK: u8 = 98;

/// In which way a receipt is not the one that the guest waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    Nothing,
    Signer,
    Install,
    Grant,
    Device,
    Epoch,
    Slot,
    Generation,
}

#[derive(Clone, Copy, Debug)]
pub enum Move {
    Challenge {
        right: bool,
    },
    /// A release of the install that was made so many before the last.
    Release {
        back: usize,
    },
    Receipt {
        back: usize,
        wrong: Wrong,
    },
}

pub fn moves() -> impl Strategy<Value = Vec<Move>> {
    let back = || prop_oneof![6 => Just(0_usize), 1 => 1..3_usize];
    let wrong = select(vec![
        Wrong::Signer,
        Wrong::Install,
        Wrong::Grant,
        Wrong::Device,
        Wrong::Epoch,
        Wrong::Slot,
        Wrong::Generation,
    ]);
    let wrong = prop_oneof![1 => Just(Wrong::Nothing), 2 => wrong];
    let step = prop_oneof![
        2 => prop::bool::weighted(0.8).prop_map(|right| Move::Challenge { right }),
        3 => back().prop_map(|back| Move::Release { back }),
        4 => (back(), wrong).prop_map(|(back, wrong)| Move::Receipt { back, wrong }),
    ];
    prop::collection::vec(step, 1..30)
}

struct Guest<C: Provider> {
    claimed: Claimed,
    grant: Vec<u8>,
    installs: Vec<Installing>,
    /// A release of the last install.
    release: Option<Vec<u8>>,
    forge: Forge<C>,
    rng: ChaCha20Rng,
}

/// Runs the moves on both.
pub fn run<C: Provider>(moves: &[Move]) {
    let (forge, mut rng) = (Forge::<C>::new(), rng(3));
    let account = Account::from_seed(&C::default(), &Forge::<C>::seed(21)).unwrap();
    let (lock, place) = (LockId::new(forge.key(LOCK)), (Epoch::new(7), SlotId::new(2), Generation::MAX));
    let body = Grant {
        lock,
        epoch: place.0,
        by: Term::OWNER,
        slot: place.1,
        generation: place.2,
        subject: *account.public_key(),
        rights: Rights::OPEN,
        limits: Limits::NONE,
    };
    let grant = forge.signed(&body, 1, &[]);
    let claimed = account.claim(&C::default(), &grant, None, &mut rng).unwrap().stored();
    let device = Unverified::<Claim>::parse(claimed.claim()).unwrap().claims().device;
    let mut model = GuestModel::claimed(lock, forge.digest(&grant), place, device);
    let mut guest = Guest { claimed, grant, installs: Vec::new(), release: None, forge, rng };
    for step in moves {
        let (facts, really) = guest.step(*step, &model);
        assert_eq!(model.apply(&facts), really, "{step:?}");
        let name = format!("{step:?}");
        note(format!("guest: {} {really}", name.split(' ').next().unwrap()));
    }
}

impl<C: Provider> Guest<C> {
    /// The digest of the install that was made so many before the last.
    fn install(&self, back: usize) -> Digest {
        let install = self.installs.iter().rev().nth(back);
        install.map_or(Digest::from_bytes([0xdd; 32]), |install| self.forge.digest(install.install()))
    }

    fn step(&mut self, step: Move, model: &GuestModel) -> (GuestStep, bool) {
        match step {
            Move::Challenge { right } => {
                let lock = LockId::new(self.forge.key(if right { LOCK } else { OTHER_LOCK }));
                let nonce = Nonce::from_bytes([u8::try_from(self.installs.len()).unwrap(); 16]);
                let challenge = self.forge.bare(&Challenge { lock, nonce });
                let install = self.claimed.install(&C::default(), &challenge, &mut self.rng).ok().map(Unstored::stored);
                let digest = install.as_ref().map(|install| self.forge.digest(install.install()));
                let went = install.is_some();
                if let Some(install) = install {
                    self.installs.push(install);
                    self.release = None;
                }
                (GuestStep::Challenge { lock, install: digest.unwrap_or(Digest::from_bytes([0; 32])) }, went)
            }
            Move::Release { back } => {
                let install = self.install(back);
                let release = self.forge.signed(&Release { install }, 11, &[]);
                let went = self.installs.last().is_some_and(|last| last.bundle(&C::default(), &release).is_ok());
                if went {
                    self.release = Some(release);
                }
                (GuestStep::Release { install }, went)
            }
            Move::Receipt { back, wrong } => self.receipt(back, wrong, model),
        }
    }

    fn receipt(&mut self, back: usize, wrong: Wrong, model: &GuestModel) -> (GuestStep, bool) {
        let forge = self.forge;
        let other = Digest::from_bytes([0xcc; 32]);
        let pick = |is: Wrong, right: Digest| if wrong == is { other } else { right };
        let (epoch, slot, generation) = model.place;
        let body = Receipt {
            install: pick(Wrong::Install, self.install(back)),
            lock: model.lock,
            epoch: if wrong == Wrong::Epoch { Epoch::new(8) } else { epoch },
            slot: if wrong == Wrong::Slot { SlotId::new(3) } else { slot },
            generation: if wrong == Wrong::Generation { Generation::new(u32::MAX - 1) } else { generation },
            grant: pick(Wrong::Grant, forge.digest(&self.grant)),
            device: if wrong == Wrong::Device { forge.key(32) } else { model.device },
            agreement: C::default().agreement_key(&sharekey::secret::AgreementSecret::from_bytes([4; 32])),
        };
        let by = if wrong == Wrong::Signer { OTHER_LOCK } else { LOCK };
        let facts = ReceiptFacts {
            signed_by: LockId::new(forge.key(by)),
            install: body.install,
            grant: body.grant,
            device: body.device,
            place: (body.epoch, body.slot, body.generation),
        };
        let message = forge.signed(&body, by, &[]);
        let download = self.installs.last().zip(self.release.as_ref());
        let went = download.is_some_and(|(install, release)| {
            let download = install.bundle(&C::default(), release).unwrap();
            download.finish(&C::default(), &message).is_ok()
        });
        (GuestStep::Receipt(facts), went)
    }
}
