//! What a lock refuses, by its own name and as whoever asked hears of it.

use sharekey::counter::{Generation, Term};
use sharekey::crypto::AgreementKey;
use sharekey::error::{GuestError, OwnerError, RefuseReason, Retry};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::lock::{Cell, Clock, Condition, Effect, Found as Stored, PhysicalPresence, Step, purpose};
use sharekey::message::{Challenge, Claim, Command, Connect, FactoryReset, Grant, Operation, Refused, Release};
use sharekey::owner::Order;
use sharekey::secret::ActivationSecret;
use sharekey::wire::{Kind, Unverified};
use sharekey_stage::chain::{Chain, Parts};
use sharekey_stage::ops::To;
use sharekey_stage::provider::Provider;
use sharekey_stage::world::door::{DAY, Door, NOON};
use sharekey_stage::world::{ANA, BEN, CLOUD, HALL, OLGA, World, digest, key_of, seed};
use sharekey_stage::{bad, forge, nonce_of};

use super::{Case, Found, Play, stopped, told};

/// Ana downloads, her bundle altered on its way the first time, and opens.
macro_rules! bundle {
    ($code:literal, |$parts:ident| $alter:expr) => {
        (&[$code, "Guest.RefusedOpaquely"], Play::claimed, |play| {
            if !play.first() {
                return play.opens();
            }
            let (session, asked, release) = play.w.released(&mut play.ana);
            let download = asked.bundle(&Provider, &release).unwrap();
            let [grant, claim, install] =
                [play.ana.claimed().grant().to_vec(), asked.claim().to_vec(), asked.install().to_vec()];
            let mut $parts = Parts { grant, claim, install, release: release.clone() };
            $alter;
            let refused = play.w.door.install(session, &$parts.unchecked_bundle()).map(drop);
            play.ana.told = download.finish(&Provider, &play.w.door.refusal).err();
            refused.map_err(stopped)
        })
    };
}

fn spoil(message: &mut [u8]) {
    *message.last_mut().unwrap() ^= 1;
}

fn at(seconds: u64) -> Option<Timestamp> {
    Some(Timestamp::from_unix_seconds(seconds))
}

fn dates(from: Option<Timestamp>, until: Option<Timestamp>) -> Play {
    Play::downloaded_with(Limits::new(from, until, None, None).unwrap())
}

/// Olga orders, and the lock's Done is true.
fn orders(play: &mut Play, order: Order) -> Result<(), Found> {
    let phone = play.twin.as_mut().unwrap_or(&mut play.w.olga);
    phone.command(&mut play.w.door, &mut play.w.cloud, order).map(drop).map_err(stopped)
}

/// A command of Olga's own key that no app of hers makes.
fn forged(play: &mut Play, by: Term, operation: Operation) -> Result<(), Found> {
    let (challenge, session) = play.w.door.connect::<purpose::Operate>();
    let (lock, epoch) = (play.w.door.id(), play.w.olga.view().epoch());
    let owner_nonce = nonce_of(&challenge);
    let body = Command { lock, epoch, by, lock_nonce: nonce_of(&challenge), owner_nonce, operation };
    let message = forge::signed(&body, &seed(OLGA));
    play.w.door.command(session, &message).map(drop).map_err(|stop| {
        play.w.olga.told = reason(play, &message).map(OwnerError::Refused);
        stopped(stop)
    })
}

/// What the lock said of this request.
fn reason(play: &Play, request: &[u8]) -> Option<RefuseReason> {
    Refused::parse(&play.w.door.refusal).unwrap().reason(&Provider, &play.w.door.id(), &digest(request)).unwrap()
}

/// A cell of the lock's is not what was written.
fn spoilt(cell: Cell) -> Play {
    let mut play = Play::active();
    let mut bytes = play.w.door.store.get(cell).unwrap().to_vec();
    spoil(&mut bytes);
    play.w.door.store.set(cell, bytes);
    play.w.door.reboot();
    play
}

/// Another phone of Olga's, whose view is of before the last Activates.
fn restored() -> Play {
    let mut play = Play::active();
    let before = play.w.olga.twin();
    (0..3).for_each(|_| play.w.activate(HALL).unwrap());
    play.twin = Some(before);
    play
}

/// The hall's number line is at its end.
fn at_the_end() -> Play {
    let mut play = Play::active();
    let operation = Operation::Activate { slot: HALL, generation: Generation::MAX };
    forged(&mut play, Term::OWNER, operation).unwrap();
    play
}

pub const CASES: &[Case] = &[
    bundle!("Lock.Wire", |parts| parts.grant.truncate(50)),
    bundle!("Lock.ClaimNamesOtherGrant", |parts| {
        let body = *Unverified::<Grant>::parse(&parts.grant).unwrap().claims();
        parts.grant = forge::signed(&Grant { generation: Generation::new(9), ..body }, &seed(OLGA));
    }),
    bundle!("Lock.ClaimSignature", |parts| spoil(&mut parts.claim)),
    bundle!("Lock.InstallNamesOtherClaim", |parts| {
        parts.claim = forge::signed(&Claim { grant: digest(&parts.grant), device: key_of(BEN) }, &seed(ANA));
    }),
    bundle!("Lock.InstallSignature", |parts| spoil(&mut parts.install)),
    bundle!("Lock.ReleaseNamesOtherInstall", |parts| {
        let body = Release { install: forge::some_digest(1) };
        parts.release = forge::signed(&body, &seed(CLOUD));
    }),
    bundle!("Lock.ReleaseSignature", |parts| spoil(&mut parts.release)),
    (&["Lock.SessionSuperseded", "Guest.RefusedOpaquely"], Play::downloaded, |play| {
        if !play.first() {
            return play.opens();
        }
        let (session, unlock, awaiting) = play.w.asked(&mut play.ana, Action::Open);
        let _newer = play.w.door.connect::<purpose::Operate>();
        let refused = play.w.door.unlock(session, &unlock).map(drop);
        play.ana.told = play.ana.key().check_reply(&Provider, &awaiting, &play.w.door.refusal).err();
        refused.map_err(stopped)
    }),
    (&["Lock.SessionExpired"], Play::downloaded, |play| {
        if !play.first() {
            return play.opens();
        }
        let (session, unlock, _) = play.w.asked(&mut play.ana, Action::Open);
        play.w.door.ticks += 60_000;
        play.w.door.unlock(session, &unlock).map(drop).map_err(stopped)
    }),
    (&["Lock.WrongNonce"], Play::downloaded, |play| {
        if play.first() {
            play.opens().unwrap();
            let old = play.w.tape.last(Kind::Unlock);
            return play.w.door.sent(To::Unlock, &old).map(drop).map_err(stopped);
        }
        play.opens()
    }),
    (&["Lock.Busy"], three_uses, |play| {
        if play.first() {
            fails_to_write(play);
        }
        play.opens()
    }),
    (&["Owner.Refused.Busy"], three_uses, |play| {
        if play.first() {
            fails_to_write(play);
        } else {
            // As `Door::serve` does before the next frame.
            play.follow(Retry::Reload);
        }
        orders(play, Order::Inspect { slot: HALL })
    }),
    (
        &["Lock.Damaged"],
        || spoilt(Cell::Header),
        |play| {
            if play.w.door.lock.condition(Cell::Header) == Ok(Condition::Damaged) {
                return play.w.door.lock.ownership().map(drop).map_err(told);
            }
            orders(play, Order::Act { action: Action::Open })
        },
    ),
    (
        &["Lock.SlotDamaged", "Owner.Refused.SlotDamaged"],
        || spoilt(Cell::Slot(HALL)),
        |play| orders(play, Order::Inspect { slot: HALL }),
    ),
    (&["Lock.NoRequest"], Play::downloaded, |play| {
        let mut frame = Connect::OPERATE.to_vec();
        if play.first() {
            frame[3] = Kind::Grant.byte();
        }
        play.w.door.connects(&frame).map(drop).map_err(stopped)
    }),
    (&["Lock.NotProvisioned"], Play::downloaded, |play| {
        if play.first() {
            play.opens().unwrap();
            play.w.door.reset_by_card().unwrap();
        }
        if play.w.door.lock.ownership().is_err() {
            let old = play.w.tape.last(Kind::Unlock);
            return play.w.door.sent(To::Unlock, &old).map(drop).map_err(stopped);
        }
        play.opens()
    }),
    (&["Lock.AlreadyProvisioned", "Owner.Refused.AlreadyProvisioned"], Play::active, |play| {
        if play.otto.view.is_none() {
            return play.otto.provision(&mut play.w.door, &mut play.w.cloud).map_err(stopped);
        }
        play.otto.act(&mut play.w.door, Action::Open).map_err(stopped)
    }),
    (&["Lock.WrongLock"], Play::active, |play| {
        let mut other = World::active_at(2);
        let (session, ..) = play.w.ordered(Order::Inspect { slot: HALL });
        let (there, command, _) = other.ordered(Order::Inspect { slot: HALL });
        let answer =
            if play.first() { play.w.door.command(session, &command) } else { other.door.command(there, &command) };
        answer.map(drop).map_err(stopped)
    }),
    (&["Lock.WrongEpoch", "Guest.Refused.WrongEpoch"], Play::claimed, |play| {
        if play.first() {
            // To herself; the service is not told.
            play.w.olga.transfer(&mut play.w.door, key_of(OLGA), key_of(CLOUD)).unwrap();
        }
        play.opens()
    }),
    (&["Lock.NoSuchSlot", "Owner.Refused.NoSuchSlot"], Play::active, |play| {
        let slot = if play.first() { SlotId::new(9) } else { HALL };
        orders(play, Order::Inspect { slot })
    }),
    (&["Lock.SlotInactive", "Guest.Refused.SlotInactive"], Play::claimed, |play| {
        if play.first() {
            drop(play.w.olga.order(&mut play.w.door, Order::Deactivate { slot: HALL }).unwrap());
        }
        play.opens()
    }),
    (&["Lock.UnknownSigner"], Play::active, |play| {
        let by = if play.first() { Term::new(1) } else { Term::OWNER };
        forged(play, by, Operation::Inspect { slot: HALL })
    }),
    (&["Lock.GrantSignature"], Play::shared, |play| {
        if play.first() {
            // The service's key is in bad hands, and the grant was altered before it was claimed.
            let mut grant = play.w.tape.last(Kind::Grant);
            spoil(&mut grant);
            play.ana.claim(&grant).unwrap();
        }
        if play.ana.claimed.is_some() && play.ana.key.is_none() {
            return play.ana.fetch_colluding(&mut play.w.door).map(drop).map_err(stopped);
        }
        play.opens()
    }),
    (
        &["Lock.NoClock", "Guest.Refused.NoClock"],
        || dates(None, at(NOON + DAY)),
        |play| {
            play.w.door.clock = Clock::Absent;
            play.opens()
        },
    ),
    (&["Lock.StaleGeneration", "Guest.Refused.StaleGeneration"], Play::claimed, |play| {
        if play.first() {
            play.w.withdraw(HALL).unwrap();
            let _ben = play.w.downloads(HALL, BEN);
        }
        if play.ana.claimed.is_some() {
            return play.ana.fetch_colluding(&mut play.w.door).map(drop).map_err(stopped);
        }
        play.opens()
    }),
    (&["Lock.NotInstalled"], Play::downloaded, |play| {
        if play.first() {
            play.w.deactivate(HALL).unwrap();
        }
        play.opens()
    }),
    (&["Lock.UnlockMac"], Play::downloaded, |play| {
        if play.first() {
            play.w.withdraw(HALL).unwrap();
            let _ben = play.w.downloads(HALL, BEN);
        }
        play.opens()
    }),
    (
        &["Lock.NotYetValid", "Guest.Refused.NotYetValid"],
        || dates(at(NOON), None),
        |play| {
            if play.first() {
                play.w.door.set_time(NOON - DAY);
                play.w.olga.set_clock(&mut play.w.door, Timestamp::from_unix_seconds(NOON - DAY)).unwrap();
            }
            play.opens()
        },
    ),
    (
        &["Lock.Expired", "Guest.Refused.Expired"],
        || dates(None, at(NOON + DAY)),
        |play| {
            if play.first() {
                // A clock that is wrong.
                play.w.door.set_time(NOON + 2 * DAY);
            }
            play.opens()
        },
    ),
    (&["Lock.OutsideSchedule", "Guest.Refused.OutsideSchedule"], noons, |play| {
        if play.first() {
            play.w.door.set_time(NOON + 7_200);
        }
        play.opens()
    }),
    (
        &["Lock.ClockUnset", "Guest.Refused.ClockUnset"],
        || dates(None, at(NOON + DAY)),
        |play| {
            if play.first() {
                play.w.door.clock = Clock::Unset;
            }
            play.opens()
        },
    ),
    (
        &["Lock.UsesSpent", "Guest.Refused.UsesSpent"],
        || Play::downloaded_with(Limits::NONE.uses(1).unwrap()),
        |play| {
            if play.first() {
                play.opens().unwrap();
            }
            play.opens()
        },
    ),
    (&["Lock.ActionNotAllowed", "Guest.Refused.ActionNotAllowed"], may_lock, |play| play.opens()),
    (&["Lock.CommandSignature", "Owner.RefusedOpaque"], Play::active, |play| {
        if !play.first() {
            return orders(play, Order::Inspect { slot: HALL });
        }
        let (session, command, pending) = play.w.ordered(Order::Inspect { slot: HALL });
        let mut bytes = command.to_vec();
        spoil(&mut bytes);
        let refused = play.w.door.command(session, &bytes).map(drop);
        let answer = play.w.door.refusal.clone();
        play.w.olga.told = play.w.olga.change(|owner, view, _| pending.finish(owner, view, &answer)).err();
        refused.map_err(stopped)
    }),
    (&["Lock.StaleNumber", "Owner.Refused.StaleNumber"], restored, |play| orders(play, Order::Activate { slot: HALL })),
    (&["Lock.OwnerKey", "Owner.Refused.BadKey"], Play::active, |play| {
        let owner = if play.first() { bad::keys()[0].0 } else { key_of(OLGA) };
        forged(play, Term::OWNER, Operation::Transfer { owner, service: key_of(CLOUD) })
    }),
    (&["Lock.ServiceKey"], Play::active, |play| {
        let service = if play.first() { bad::keys()[0].0 } else { key_of(CLOUD) };
        forged(play, Term::OWNER, Operation::Transfer { owner: key_of(OLGA), service })
    }),
    (&["Lock.CardMac"], fresh, |play| {
        let card = ActivationSecret::from_bytes(if play.first() { [0; 16] } else { play.w.door.card });
        let (challenge, session) = play.w.door.connect::<purpose::Operate>();
        let World { olga, cloud, door, .. } = &mut play.w;
        let (message, _) = olga.owner.provision(&card, &challenge, cloud.key(), &mut olga.rng).unwrap();
        door.provision(session, &message).map(drop).map_err(stopped)
    }),
    (&["Lock.Exhausted", "Owner.Refused.Exhausted"], at_the_end, |play| {
        let generation = if play.w.olga.view().epoch().value() == 1 { Generation::MAX } else { Generation::new(9) };
        forged(play, Term::OWNER, Operation::Activate { slot: HALL, generation })
    }),
    (&["Lock.NonContributory", "Guest.Refused.NonContributory"], Play::claimed, |play| {
        if !play.first() {
            return play.opens();
        }
        let (challenge, session) = play.w.door.connect::<purpose::Install>();
        let chain = Chain {
            grant: *Unverified::<Grant>::parse(play.ana.claimed().grant()).unwrap().claims(),
            owner: seed(OLGA),
            subject: seed(ANA),
            device: seed(BEN),
            service: seed(CLOUD),
            nonce: nonce_of(&challenge),
            agreement: AgreementKey::from_bytes([0; 32]),
        };
        let bundle = chain.parts().bundle();
        let refused = play.w.door.install(session, &bundle).map(drop);
        play.ana.told = reason(play, &bundle).map(GuestError::Refused);
        refused.map_err(stopped)
    }),
    (&["Lock.Resetting"], Play::active, |play| {
        if play.first() {
            // A reset is written, and the board did not restart yet.
            reset_without_a_restart(play);
        }
        play.w.door.challenge::<purpose::Operate>().map(drop).map_err(stopped)
    }),
    (&["Lock.NoPresence"], Play::active, |play| {
        let (challenge, _session) = play.w.door.connect::<purpose::Operate>();
        let button = (!play.first()).then(PhysicalPresence::button_is_pressed);
        let reset = reset(play, &challenge);
        let now = play.w.door.now();
        match play.w.door.lock.step(&reset, now, button, &mut play.w.door.rng) {
            Step::Served(served) => match served.effect() {
                Effect::Refused(error) => Err(told(error)),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }),
    (&["Lock.NotPending"], Play::active, |play| {
        let now = play.w.door.now();
        if !play.first() {
            assert_eq!(play.w.door.lock.condition(Cell::Counter), Ok(Condition::Ready));
            return Ok(());
        }
        let staged = play.w.door.lock.challenge::<purpose::Operate>(now, &mut play.w.door.rng).unwrap();
        let (_, pending) = staged.detach();
        play.w.door.lock.reload(Cell::Counter, play.w.door.store.found(Cell::Counter)).unwrap();
        play.w.door.lock.written(pending).map(drop).map_err(told)
    }),
    (&["Lock.NotBusy"], Play::active, |play| {
        if !play.first() {
            assert_eq!(play.w.door.lock.condition(Cell::Header), Ok(Condition::Ready));
            return Ok(());
        }
        play.w.door.lock.reload(Cell::Header, Stored::Nothing).map_err(told)
    }),
];

/// Nobody owns the lock yet.
pub fn fresh() -> Play {
    let w = World::fresh(1);
    let ana = w.guest(ANA);
    Play::of((w, ana))
}

fn noons() -> Play {
    let noons = Schedule::new(Weekdays::ALL, 12 * 60, 13 * 60, UtcOffset::UTC, None).unwrap();
    Play::downloaded_with(Limits::new(None, None, Some(noons), None).unwrap())
}

fn may_lock() -> Play {
    let mut play = Play::active();
    play.w.share_with(HALL, &play.ana, Rights::LOCK, Limits::NONE).unwrap();
    play.w.download(&mut play.ana).unwrap();
    play
}

fn three_uses() -> Play {
    Play::downloaded_with(Limits::NONE.uses(3).unwrap())
}

/// An opening is counted, and the record is not written.
fn fails_to_write(play: &mut Play) {
    let (session, unlock, _) = play.w.asked(&mut play.ana, Action::Open);
    let now = play.w.door.now();
    play.w.door.lock.unlock(session, &unlock, now).unwrap().commit(|_| Err(())).unwrap_err();
}

fn reset(play: &Play, challenge: &[u8]) -> Vec<u8> {
    let challenge = *Unverified::<Challenge>::parse(challenge).unwrap().claims();
    let card = ActivationSecret::from_bytes(play.w.door.card);
    FactoryReset::seal(&Provider, &card, &challenge).unwrap().to_vec()
}

fn reset_without_a_restart(play: &mut Play) {
    let (challenge, session) = play.w.door.connect::<purpose::Operate>();
    let message = reset(play, &challenge);
    let now = play.w.door.now();
    let Door { lock, store, rng, .. } = &mut play.w.door;
    let button = PhysicalPresence::button_is_pressed();
    let staged = lock.factory_reset(session, &message, button, now, rng).unwrap();
    let _erased = staged.commit(|record| store.put(record)).unwrap();
}
