//! One request in, one answer out, and what is left to do in between: the bolt and the clock.
//!
//! The operations are not inlined: the stack that one needs is then not the sum of what all need.

use arrayvec::ArrayVec;
use core::fmt::{self, Display};
use embedded_storage_async::nor_flash::NorFlash;
use sharekey::crypto::PublicKey;
use sharekey::limits::Action;
use sharekey::lock::{
    Cell, Challenged, Condition, MAX_ANSWER, Now, PhysicalPresence, Refusal, Session, Unlocked, purpose,
};
use sharekey::message::{Operation, Refused};
use sharekey::wire::Kind;

use crate::board::{Board, NoEntropy};
use crate::boot::{self, ThisLock};
use crate::clock::WallClock;
use crate::entropy::Drawn;
use crate::link::{CONNECT_TO_INSTALL, CONNECT_TO_OPERATE};
use crate::store::{Store, StoreFailed};

/// What to send.
pub type Answer = ArrayVec<u8, MAX_ANSWER>;

/// What a request comes to.
#[allow(clippy::large_enum_variant, reason = "there is no heap to put the answer on")]
pub enum Outcome {
    /// Send this.
    Answer(Answer),
    /// Send nothing: a write failed, so it is not known whether it happened.
    Silence,
    /// The lock was reset: send nothing, and [boot](boot::boot) again, which makes it anew.
    Reset,
}

/// Why a request got no answer of its own.
enum Failed {
    Refused(Refusal),
    /// Nothing to refuse with but the opaque form.
    Opaque,
    Write,
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreFailed> for Failed {
    fn from(StoreFailed: StoreFailed) -> Self {
        Self::Write
    }
}

impl From<NoEntropy> for Failed {
    fn from(NoEntropy: NoEntropy) -> Self {
        Self::Opaque
    }
}

/// What a running lock holds beside its records: its open sessions and its clock. A boot loses both.
#[derive(Default)]
pub struct Door {
    install: Option<Session<purpose::Install>>,
    operate: Option<Session<purpose::Operate>>,
    clock: WallClock,
}

/// The parts that a request works on.
pub struct Parts<'a, B, F: NorFlash> {
    /// The lock.
    pub lock: &'a mut ThisLock,
    /// Its records.
    pub store: &'a mut Store<F>,
    /// Everything else.
    pub board: &'a mut B,
}

impl Door {
    /// A lock that has just booted.
    #[must_use]
    pub const fn new() -> Self {
        Self { install: None, operate: None, clock: WallClock::unset() }
    }

    /// Answers one request.
    pub fn handle<B: Board, F: NorFlash>(&mut self, parts: Parts<'_, B, F>, request: &[u8]) -> Outcome {
        let mut parts = parts;
        parts.heal();
        match self.serve(&mut parts, request) {
            Ok(outcome) => outcome,
            Err(Failed::Refused(refusal)) => {
                log_refusal(parts.board, &refusal);
                answer(refusal.answer())
            }
            Err(Failed::Opaque) => {
                parts.board.log(format_args!("refused"));
                answer(&Refused::OPAQUE)
            }
            Err(Failed::Write) => {
                parts.board.log(format_args!("a write failed"));
                Outcome::Silence
            }
        }
    }

    fn serve<B: Board, F: NorFlash>(&mut self, parts: &mut Parts<'_, B, F>, request: &[u8]) -> Result<Outcome, Failed> {
        match request {
            [CONNECT_TO_INSTALL] => {
                let now = self.now(parts.board);
                let Challenged { challenge, session } = parts.challenge(now)?;
                self.install = Some(session);
                Ok(answer(&challenge))
            }
            [CONNECT_TO_OPERATE] => {
                let now = self.now(parts.board);
                let Challenged { challenge, session } = parts.challenge(now)?;
                self.operate = Some(session);
                Ok(answer(&challenge))
            }
            message => self.attempt(parts, message),
        }
    }

    /// A message goes to the operation that it is meant for. What is no request spends no session.
    fn attempt<B: Board, F: NorFlash>(
        &mut self,
        parts: &mut Parts<'_, B, F>,
        message: &[u8],
    ) -> Result<Outcome, Failed> {
        let now = self.now(parts.board);
        match Kind::of(message) {
            Ok(Kind::Bundle) => {
                let session = self.install.take().ok_or(Failed::Opaque)?;
                parts.install(session, message, now)
            }
            Ok(Kind::Unlock) => {
                let session = self.operate.take().ok_or(Failed::Opaque)?;
                parts.unlock(session, message, now)
            }
            Ok(Kind::Command) => {
                let session = self.operate.take().ok_or(Failed::Opaque)?;
                self.command(parts, session, message, now)
            }
            Ok(Kind::Provision) => {
                let session = self.operate.take().ok_or(Failed::Opaque)?;
                parts.provision(session, message, now)
            }
            Ok(Kind::FactoryReset) => {
                let session = self.operate.take().ok_or(Failed::Opaque)?;
                parts.factory_reset(session, message, now)
            }
            _ => Err(Failed::Opaque),
        }
    }

    #[inline(never)]
    fn command<B: Board, F: NorFlash>(
        &mut self,
        parts: &mut Parts<'_, B, F>,
        session: Session<purpose::Operate>,
        message: &[u8],
        now: Now,
    ) -> Result<Outcome, Failed> {
        let commanded = parts.lock.command(session, message, now)?.commit(|record| parts.store.put(record))?;
        match commanded.operation {
            Operation::Act { action } => parts.board.bolt(action, &"the owner"),
            Operation::SetClock { to } => self.clock.set(to, now.ticks),
            _ => {}
        }
        Ok(answer(&commanded.done))
    }

    fn now(&self, board: &impl Board) -> Now {
        self.clock.now(board.ticks())
    }
}

impl<B: Board, F: NorFlash> Parts<'_, B, F> {
    /// A write that failed left its cell busy: by now it can take effect no more, so read what it left.
    fn heal(&mut self) {
        let cells = ThisLock::cells().chain([Cell::Seed]);
        for cell in cells {
            if self.lock.condition(cell) == Ok(Condition::Failed) {
                boot::reload(self.lock, self.store, cell);
            }
        }
    }

    #[inline(never)]
    fn challenge<P: purpose::Purpose>(&mut self, now: Now) -> Result<Challenged<P>, Failed> {
        let mut rng = Drawn::from(self.board)?;
        let staged = self.lock.challenge(now, &mut rng).map_err(|_| Failed::Opaque)?;
        Ok(staged.commit(|record| self.store.put(record))?)
    }

    #[inline(never)]
    fn provision(&mut self, session: Session<purpose::Operate>, message: &[u8], now: Now) -> Result<Outcome, Failed> {
        let owned = self.lock.provision(session, message, now)?.commit(|record| self.store.put(record))?;
        self.board.log(format_args!("provisioned"));
        Ok(answer(&owned.provisioned))
    }

    #[inline(never)]
    fn install(&mut self, session: Session<purpose::Install>, bundle: &[u8], now: Now) -> Result<Outcome, Failed> {
        let mut rng = Drawn::from(self.board)?;
        let staged = self.lock.install(session, bundle, now, &mut rng)?;
        let installed = staged.commit(|record| self.store.put(record))?;
        self.board.log(format_args!("installed"));
        Ok(answer(&installed.receipt))
    }

    #[inline(never)]
    fn unlock(&mut self, session: Session<purpose::Operate>, unlock: &[u8], now: Now) -> Result<Outcome, Failed> {
        let unlocked = self.lock.unlock(session, unlock, now)?.commit(|record| self.store.put(record))?;
        // Only here is there an `Unlocked` to move the bolt by.
        self.board.bolt(unlocked.action, &By::guest(&unlocked));
        Ok(answer(&unlocked.reply))
    }

    #[inline(never)]
    fn factory_reset(
        &mut self,
        session: Session<purpose::Operate>,
        message: &[u8],
        now: Now,
    ) -> Result<Outcome, Failed> {
        if !self.board.button_is_pressed() {
            return Err(Failed::Opaque);
        }
        let presence = PhysicalPresence::button_is_pressed();
        let mut rng = Drawn::from(self.board)?;
        let staged = self.lock.factory_reset(session, message, presence, now, &mut rng)?;
        let _erased = staged.commit(|record| self.store.put(record))?;
        self.board.log(format_args!("reset"));
        Ok(Outcome::Reset)
    }
}

/// Who moved the bolt, as the log has it.
struct By<'a> {
    slot: u8,
    generation: u32,
    device: &'a PublicKey,
}

impl<'a> By<'a> {
    const fn guest(unlocked: &'a Unlocked) -> Self {
        let Unlocked { slot, generation, device, .. } = unlocked;
        Self { slot: slot.index(), generation: generation.value(), device }
    }
}

impl Display for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {} number {} device {}", self.slot, self.generation, self.device)
    }
}

/// The word for what the bolt does.
#[must_use]
pub const fn word(action: Action) -> &'static str {
    match action {
        Action::Open => "open",
        Action::Lock => "lock",
    }
}

fn answer(message: &[u8]) -> Outcome {
    let mut answer = Answer::new();
    // No answer is longer than `MAX_ANSWER`.
    match answer.try_extend_from_slice(message) {
        Ok(()) => Outcome::Answer(answer),
        Err(_) => Outcome::Silence,
    }
}

#[cfg(feature = "reasons")]
fn log_refusal(board: &mut impl Board, refusal: &Refusal) {
    board.log(format_args!("refused: {}", refusal.error()));
}

#[cfg(not(feature = "reasons"))]
fn log_refusal(board: &mut impl Board, _refusal: &Refusal) {
    board.log(format_args!("refused"));
}
