//! The run: provisioned, activated, shared with an account, downloaded, opened, inspected, taken back, shared by a
//! code, overwritten, closed, handed over, and reset.

use rand_chacha::ChaCha20Rng;
use sharekey::code::ShareCode;
use sharekey::guest::{Account, Claimed, GuestKey};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::lock::{Battery, Challenged, Clock, Lock, Now, PhysicalPresence, Refusal, Session, purpose};
use sharekey::message::{Challenge, FactoryReset, ReportAnswer};
use sharekey::owner::{Method, Order, Outgoing, OwnedLock, Owner};
use sharekey::secret::Exposed;
use sharekey::service::{Request, Service, ShareRecord, place_of};
use sharekey::slot::State;
use sharekey::wire::{Kind, Unverified};
use sharekey_model::symbolic::Symbolic;
use sharekey_stage::desk::{NOW, accept, keep};
use sharekey_stage::rows::{open, reopen};
use sharekey_stage::stand::{CARD, NOON, card};
use sharekey_stage::store::Store;
use sharekey_stage::{firmware, rng, seed};

use super::air::Air;
use super::fault::Stopped;

const SLOT: SlotId = SlotId::new(1);
type Step = Result<(), Stopped>;

pub struct World {
    air: Air,
    lock: Lock<Symbolic, 3>,
    store: Store,
    now: Now,
    service: Service<Symbolic>,
    record: Option<ShareRecord>,
    owners: [Owner<Symbolic>; 2],
    /// Whose the lock is.
    current: usize,
    view: Option<OwnedLock>,
    guest: Account<Symbolic>,
    claimed: Option<Claimed>,
    key: Option<GuestKey>,
    rng: ChaCha20Rng,
    kept: Vec<(&'static str, Vec<u8>)>,
}

fn refused(refusal: Refusal) -> Stopped {
    refusal.error().into()
}

impl World {
    pub fn new(air: Air) -> Self {
        let (mut store, mut rng) = (Store::default(), rng(9));
        let owner = |byte| Owner::new(Symbolic, &seed(byte)).unwrap();
        Self {
            air,
            lock: firmware::boot(Symbolic, CARD, &mut store, &mut rng),
            store,
            now: Now { ticks: 0, clock: Clock::At(Timestamp::from_unix_seconds(NOON)), battery: Battery::UNKNOWN },
            service: Service::new(Symbolic, &seed(11)).unwrap(),
            record: None,
            owners: [owner(1), owner(2)],
            current: 0,
            view: None,
            guest: Account::from_seed(&Symbolic, &seed(21)).unwrap(),
            claimed: None,
            key: None,
            rng,
            kept: Vec::new(),
        }
    }

    /// Gives what was stored on the way.
    pub fn live(mut self) -> Vec<(&'static str, Vec<u8>)> {
        self.step(Self::provision);
        self.step(|world| world.order(Order::SetClock { to: Timestamp::from_unix_seconds(NOON) }));
        self.step(|world| world.order(Order::Activate { slot: SLOT }));
        let subject = *self.guest.public_key();
        let limits = Limits::new(None, Some(Timestamp::from_unix_seconds(NOON * 2)), None, Some(9)).unwrap();
        self.step(|world| world.share(subject, Method::Account, limits));
        self.step(Self::download);
        self.step(Self::confirm);
        self.step(|world| world.unlock(Action::Open));
        self.step(|world| world.order(Order::Inspect { slot: SLOT }));
        self.step(Self::withdraw);
        self.step(Self::report);
        self.by_code();
        self.step(|world| world.order(Order::Act { action: Action::Lock }));
        self.step(|world| world.order(Order::Deactivate { slot: SLOT }));
        self.step(Self::report);
        self.step(Self::transfer);
        self.step(Self::reset);
        self.kept
    }

    fn by_code(&mut self) {
        let code = ShareCode::issue(&mut self.rng);
        let subject = code.subject(&Symbolic).unwrap();
        (self.guest, self.claimed) = (Account::redeem(&Symbolic, code).unwrap(), None);
        self.step(|world| world.share(subject, Method::Code, Limits::NONE));
        self.step(Self::download);
        self.step(|world| world.unlock(Action::Open));
        self.step(|world| world.unlock(Action::Lock));
    }

    /// Taken again where it went wrong, which it does at most once.
    fn step(&mut self, step: impl Fn(&mut Self) -> Step) {
        if let Err(stopped) = step(self) {
            self.air.judge(&stopped);
            step(self).unwrap_or_else(|again| panic!("{again:?}, after {stopped:?}"));
        }
        self.air.went_well();
        self.keep_all();
    }

    fn keep<T: serde::Serialize>(&mut self, target: &'static str, tag: Option<u8>, value: &T) {
        let mut bytes: Vec<u8> = tag.into_iter().collect();
        bytes.extend(postcard::to_allocvec(value).unwrap());
        self.kept.push((target, bytes));
    }

    fn keep_all(&mut self) {
        if let Some(record) = self.record.clone() {
            self.keep("decode_share_record", None, record.of_slot());
            self.keep("decode_share_record", None, record.of_lock());
            self.keep("decode_owner_records", Some(3), record.slot());
        }
        if let Some(view) = self.view.clone() {
            self.keep("decode_owner_view", None, &view);
            view.slot(SLOT).into_iter().for_each(|slot| self.keep("decode_owner_records", Some(4), slot));
        }
        if let Some(claimed) = self.claimed.take() {
            self.keep("decode_guest_records", Some(0), &Exposed(&claimed));
            self.claimed = Some(claimed);
        }
        if let Some(key) = self.key.take() {
            self.keep("decode_guest_records", Some(2), &Exposed(&key));
            self.key = Some(key);
        }
    }

    // --- the lock ---

    fn challenge<P: purpose::Purpose>(&mut self) -> (Vec<u8>, Session<P>) {
        self.now.ticks += 10;
        let staged = self.lock.challenge::<P>(self.now, &mut self.rng).unwrap();
        let Challenged { challenge, session } = staged.commit(|record| self.store.put(record)).unwrap();
        (self.air.carry(&challenge), session)
    }

    fn owner(&self) -> &Owner<Symbolic> {
        &self.owners[self.current]
    }

    fn provision(&mut self) -> Step {
        let (challenge, session) = self.challenge::<purpose::Operate>();
        let service = *self.service.key();
        let (provision, pending) = self.owners[0].provision(&card(), &challenge, service, &mut self.rng)?;
        self.keep("decode_owner_records", Some(1), &Exposed(&pending));
        let provision = self.air.carry(&provision);
        let staged = self.lock.provision(session, &provision, self.now).map_err(refused)?;
        let owned = staged.commit(|record| self.store.put(record)).unwrap();
        let provisioned = self.air.carry(&owned.provisioned);
        self.view = Some(keep(pending.finish(&self.owners[0], &provisioned)?));
        let provisioned = self.air.carry(&owned.provisioned);
        self.record = Some(open(&self.service, &provisioned, SLOT)?);
        Ok(())
    }

    fn order(&mut self, order: Order) -> Step {
        let (challenge, session) = self.challenge::<purpose::Operate>();
        let owner = &self.owners[self.current];
        let view = self.view.as_mut().unwrap();
        let before = view.clone();
        let rng = &mut self.rng;
        let (command, pending) = match owner.order(view, order, &challenge, rng) {
            Ok(staged) => accept(staged),
            Err(error) => {
                assert_eq!(*view, before, "refused, and the view changed");
                return Err(error.into());
            }
        };
        self.keep("decode_owner_records", Some(0), &pending);
        let command = self.air.carry(&command);
        let staged = self.lock.command(session, &command, self.now).map_err(refused)?;
        let commanded = staged.commit(|record| self.store.put(record)).unwrap();
        let done = self.air.carry(&commanded.done);
        let _ = accept(pending.finish(&self.owners[self.current], self.view.as_mut().unwrap(), &done)?);
        if pending.operation().slot().is_none() {
            return Ok(());
        }
        let done = self.air.carry(&commanded.done);
        self.serve(&done)?;
        let (view, record) = (self.view.as_ref().unwrap(), self.record.as_ref().unwrap());
        let known = view.slot(SLOT).unwrap();
        if record.slot().last_told() == known.last_told() { Ok(()) } else { Err(Stopped::NoEffect) }
    }

    /// Of an operation that is refused, the record tells nothing.
    fn serve<'a>(&mut self, request: impl Into<Request<'a>>) -> Result<Vec<u8>, Stopped> {
        let record = self.record.as_mut().unwrap();
        let (before, request) = (record.clone(), request.into());
        if let Request::Message(statement) = request
            && let Ok((_, None)) = place_of(statement)
        {
            return Ok(reopen(&self.service, record, statement).map(|_| Vec::new())?);
        }
        let taken = self.service.take(record, request).map(accept);
        assert!(taken.is_ok() || *record == before, "refused, and the record changed");
        Ok(taken?.answer()?)
    }

    // --- sharing ---

    fn share(&mut self, subject: sharekey::crypto::PublicKey, method: Method, limits: Limits) -> Step {
        let view = self.view.as_mut().unwrap();
        if view.status(SLOT).shared.is_none() {
            let rights = Rights::OPEN_AND_LOCK;
            let _grant = accept(self.owners[self.current].share(view, SLOT, subject, method, rights, limits)?);
        }
        let is_grant = |due: &Outgoing<'_>| Kind::of(due.message) == Ok(Kind::Grant);
        let grant = view.outbox().find(is_grant).map(|due| self.air.carry(due.message));
        if let Some(grant) = grant {
            self.serve(&grant)?;
        }
        if self.is_published() { Ok(()) } else { Err(Stopped::NoEffect) }
    }

    fn is_published(&self) -> bool {
        let shared = self.view.as_ref().unwrap().slot(SLOT).and_then(|slot| slot.shared());
        self.record.as_ref().unwrap().slot().shared() == shared
    }

    /// A guest that does not know the owner may have claimed an altered grant, and then claims anew.
    fn download(&mut self) -> Step {
        let result = self.download_once();
        if result.is_err() && self.record.as_ref().unwrap().slot().device().is_none() {
            self.claimed = None;
        }
        result
    }

    fn download_once(&mut self) -> Step {
        if self.claimed.is_none() {
            let grant = self.air.carry(self.record.as_ref().unwrap().grant().unwrap());
            let is_account = self.record.as_ref().unwrap().slot().highest().value() < 3;
            let owner = is_account.then(|| *self.owner().key());
            self.claimed = Some(self.guest.claim(&Symbolic, &grant, owner.as_ref(), &mut self.rng)?.stored());
        }
        let (challenge, session) = self.challenge::<purpose::Install>();
        let claimed = self.claimed.as_ref().unwrap();
        let attempt = claimed.install(&Symbolic, &challenge, &mut self.rng)?.stored();
        let (claim, install) = (self.air.carry(attempt.claim()), self.air.carry(attempt.install()));
        let released = self.serve((&claim, &install))?;
        let release = self.air.carry(&released);
        self.keep("decode_guest_records", Some(1), &Exposed(&attempt));
        let download = attempt.bundle(&Symbolic, &release)?;
        let bundle = self.air.carry(download.bundle());
        let installed = self.lock.install(session, &bundle, self.now, &mut self.rng).map_err(refused)?;
        let receipt = self.air.carry(&installed.commit(|record| self.store.put(record)).unwrap().receipt);
        self.key = Some(download.finish(&Symbolic, &receipt)?.stored());
        Ok(())
    }

    fn confirm(&mut self) -> Step {
        let receipt = self.key.as_ref().unwrap().receipt().as_bytes().to_vec();
        let told = self.air.carry(&receipt);
        self.serve(&told)?;
        let told = self.air.carry(&receipt);
        self.learn(&told)?;
        let shown = self.view.as_ref().unwrap().status(SLOT).shared;
        let downloaded = shown.is_some_and(|share| share.downloaded.is_some());
        if downloaded && self.record.as_ref().unwrap().slot().is_downloaded() { Ok(()) } else { Err(Stopped::NoEffect) }
    }

    fn learn(&mut self, message: &[u8]) -> Step {
        let view = self.view.as_mut().unwrap();
        let before = view.clone();
        let learned = self.owners[self.current].learn(view, message).map(accept).map(drop);
        learned.map_err(|error| {
            assert_eq!(*view, before, "refused, and the view changed");
            error.into()
        })
    }

    fn unlock(&mut self, action: Action) -> Step {
        let (challenge, session) = self.challenge::<purpose::Operate>();
        let key = self.key.as_ref().unwrap();
        let (unlock, awaiting) = key.unlock(&Symbolic, &challenge, action, &mut self.rng)?;
        let unlock = self.air.carry(&unlock);
        let staged = self.lock.unlock(session, &unlock, self.now).map_err(refused)?;
        let unlocked = staged.commit(|record| self.store.put(record)).unwrap();
        assert_eq!(unlocked.action, action);
        let reply = self.air.carry(&unlocked.reply);
        key.check_reply(&Symbolic, &awaiting, &reply)?;
        Ok(())
    }

    fn withdraw(&mut self) -> Step {
        let withdraw = accept(self.owners[self.current].withdraw(self.view.as_mut().unwrap(), SLOT)?);
        let withdraw = self.air.carry(&withdraw);
        let answer = self.serve(&withdraw)?;
        let answer = self.air.carry(&answer);
        self.learn(&answer)?;
        let shared = self.view.as_ref().unwrap().slot(SLOT).and_then(|slot| slot.shared());
        if shared.is_none() { Ok(()) } else { Err(Stopped::NoEffect) }
    }

    /// The phone sees the service's report.
    fn report(&mut self) -> Step {
        let Self { owners, view, rng, .. } = self;
        let owner = &owners[self.current];
        let view = view.as_mut().unwrap();
        let (request, pending) = owner.ask(view, SLOT, NOW, rng)?;
        let request = self.air.carry(&request);
        let answer = self.service.report(self.record.as_ref().unwrap(), &request, NOW)?;
        let parts = ReportAnswer::parse(&answer).unwrap();
        let report = self.air.carry(parts.report);
        let messages: Vec<Vec<u8>> = parts.messages().map(|message| self.air.carry(message)).collect();
        let brought = ReportAnswer::encode(&report, &messages.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let seen = accept(owner.see(view, pending, &brought)?);
        assert!(seen.equivocation.is_none() && brought == answer);
        Ok(())
    }

    // --- the end ---

    fn transfer(&mut self) -> Step {
        let (heir, service) = (*self.owners[1].key(), *self.service.key());
        let (challenge, session) = self.challenge::<purpose::Operate>();
        let Self { owners, view, rng, .. } = self;
        let owned = self.lock.ownership().unwrap();
        let command = if owned.owner == heir {
            // The lock was handed over, and its answer was lost.
            owners[1].take_over((self.lock.id(), owned.epoch), service, &challenge, rng)?.0
        } else {
            let order = Order::Transfer { owner: heir, service };
            accept(owners[0].order(view.as_mut().unwrap(), order, &challenge, rng)?).0
        };
        let command = self.air.carry(&command);
        let staged = self.lock.command(session, &command, self.now).map_err(refused)?;
        let commanded = staged.commit(|record| self.store.put(record)).unwrap();
        let done = self.air.carry(&commanded.done);
        let adopted = keep(self.owners[1].adopt(self.lock.id(), &service, &done)?);
        let done = self.air.carry(&commanded.done);
        self.serve(&done)?;
        let record = self.record.as_ref().unwrap();
        if record.epoch() != adopted.epoch() {
            return Err(Stopped::NoEffect);
        }
        assert_eq!((record.slot().state(), record.owner()), (State::Inactive, &heir));
        (self.current, self.view) = (1, Some(adopted));
        Ok(())
    }

    fn reset(&mut self) -> Step {
        let (challenge, session) = self.challenge::<purpose::Operate>();
        let claims = *Unverified::<Challenge>::parse(&challenge).map_err(sharekey::error::LockError::from)?.claims();
        let reset = FactoryReset::seal(&Symbolic, &card(), &claims).unwrap();
        let reset = self.air.carry(&reset);
        let (now, button) = (self.now, PhysicalPresence::button_is_pressed());
        let staged = self.lock.factory_reset(session, &reset, button, now, &mut self.rng).map_err(refused)?;
        let _erased = staged.commit(|record| self.store.put(record)).unwrap();
        assert!(self.lock.ownership().is_err());
        Ok(())
    }
}
