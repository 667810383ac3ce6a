"""The lock ("Lock"): challenges, installs, unlocks, commands, provisioning, factory reset.

Every operation returns a Pending, whose result exists after `stored(pending)`, or a Refusal, whose
`message` goes on the wire. The checks of each operation stand in the order of the specification.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Mapping, Optional, TypeVar, Union

from . import messages, pairing, primitives, records
from .cells import Cells, Pending, Purpose, Session, boot_values
from .errors import DecodeError, KeyRefused, SignatureRefused, TagRefused
from .limits import ABSENT, UNSET, Action, Clock, Reason, judge
from .messages import (
    OWNER,
    OPAQUE,
    Bundle,
    Challenge,
    Command,
    Done,
    FactoryReset,
    Left,
    Message,
    Provision,
    Provisioned,
    Receipt,
    Refused,
    Reply,
    Unlock,
)
from .records import COUNTER, HEADER, SEED, Cell, Key, LockSlot, Owned
from .wire import MAX_U32, MAX_U64, UNKNOWN

COUNTER_LEASE = 65536  # CTR-6
DEADLINE = {Purpose.Install: 120_000, Purpose.Operate: 10_000}  # SES-3, SES-4

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Now:
    """Monotonic milliseconds, the lock's own clock (CLK-1), Absent, Unset or a time, and how full the battery is."""

    ticks: int
    clock: Clock = UNSET
    battery: int = UNKNOWN


@dataclass(frozen=True)
class Refusal:
    """The error of the check that failed, and what goes on the wire."""

    name: str
    reason: Optional[Reason]
    message: bytes


@dataclass(frozen=True)
class Result:
    """What an accepted operation gives: a message for the sender, and what the firmware is to do now."""

    message: bytes
    action: Optional[Action] = None
    set_clock: Optional[int] = None


class _Refuse(Exception):
    """A check failed; nothing changes but the session (ERR-2). Without a reason or an answer of its own, the sender
    gets nothing (ERR-1)."""

    def __init__(self, name: str, reason: Optional[Reason] = None, answer: Optional[bytes] = None) -> None:
        super().__init__(name)
        self.name = name
        self.reason = reason
        self.answer = answer


@dataclass(frozen=True)
class Given:
    """A challenge: its bytes for whoever connects, and the session that the firmware keeps."""

    message: bytes
    session: Session


Outcome = Union[Pending, Refusal]


class Lock(Cells):
    """A running lock."""

    @classmethod
    def boot(cls, store: Mapping[Cell, bytes], slots: int, secret: bytes, make_anyway: bool = False) -> "Lock":
        """Reads the store; raises NeedsMaking where the lock is to be made first (LCK-4, LCK-5)."""
        return cls(**boot_values(store, slots, secret, make_anyway))

    # Challenges and sessions

    def challenge(self, purpose: Purpose, now: Now, entropy: bytes) -> Outcome:
        """CTR-1 to CTR-9. The result is a Given."""
        return self._guard(lambda: self._challenge(purpose, now, entropy))

    def _challenge(self, purpose: Purpose, now: Now, entropy: bytes) -> Pending:
        self._check_free()
        if self.damaged:
            nonce = pairing.rescue_nonce(self.keys.nonce, self.rescue_number, entropy)
            return self._session(purpose, nonce, now, None, None)
        number = self.next_number
        content = None
        if number >= self.counter.ceiling:  # CTR-3
            if number + COUNTER_LEASE > MAX_U64:  # CTR-7
                raise _Refuse("Exhausted")
            content = replace(self.counter, ceiling=number + COUNTER_LEASE, latest=self._latest_at(now))  # CTR-5
        nonce = pairing.challenge_nonce(self.keys.nonce, number, entropy)
        return self._session(purpose, nonce, now, content, number + 1)

    def _session(self, purpose: Purpose, nonce: bytes, now: Now, content: Any, number: Optional[int]) -> Pending:
        session = Session(self.serial + 1, purpose, nonce, now.ticks, self.damaged, now.ticks < self.ticks)
        message = Challenge(self.keys.lock_id, nonce).encode()
        return self.stage(COUNTER, Given(message, session), content, number, session)  # STG-11

    def _spend(self, session: Session, purpose: Purpose, now: Now) -> Optional[str]:
        """Uses a session up (SES-1); what is wrong with it, which is told after the request was decoded."""
        if self.newest.get(session.purpose) != session:
            return "SessionSuperseded"  # SES-2, SES-7, SES-8
        del self.newest[session.purpose]
        if session.purpose is not purpose:
            return "SessionSuperseded"  # SES-6
        if now.ticks < self.ticks:  # SES-5, SES-9
            self.newest = {}
            return "SessionExpired"
        self.ticks = now.ticks
        return "SessionExpired" if now.ticks - session.ticks > DEADLINE[purpose] else None  # SES-3, SES-4

    # What all operations share

    def _guard(self, operation: Callable[[], Pending], request: Optional[bytes] = None) -> Outcome:
        """Runs an operation. A refusal with a reason answers a request with a signed Refused (CMD-9, PRV-10); else it
        is opaque (CMD-8, PRV-9)."""
        try:
            return operation()
        except DecodeError as bad:
            return Refusal(f"Wire.{bad.name}", None, OPAQUE)
        except _Refuse as refuse:
            answer = refuse.answer or OPAQUE
            if refuse.answer is None and refuse.reason is not None and request is not None:
                refused = Refused(primitives.sha256(request), refuse.reason)
                answer = refused.signed(self.keys.lock).encode()
            return Refusal(refuse.name, refuse.reason, answer)

    def _check_free(self) -> None:
        """The lock is not over (RST-8), and seed, header and counter are free (STG-4, STG-7, STG-12)."""
        if self.over:
            raise _Refuse("Resetting")
        if not all(self.state(cell).free for cell in (SEED, HEADER, COUNTER)):
            raise _Refuse("Busy")

    def _begin(self, cls: type[M], request: bytes, session: Session, purpose: Purpose, now: Now) -> M:
        """Decodes, and checks session, cells and damage: what stands before all other checks."""
        wrong = self._spend(session, purpose, now)
        message = cls.decode(request)
        if wrong is not None:
            raise _Refuse(wrong)
        self._check_free()  # INS-20, UNL-17, CMD-11, PRV-12
        if self.damaged:  # DMG-3
            raise _Refuse("Damaged")
        if session.rescue:  # CTR-8
            raise _Refuse("SessionSuperseded")
        return message

    def _ownership(self) -> Owned:
        """INS-21, UNL-18, CMD-3."""
        if self.owned is None:
            raise _Refuse("NotProvisioned")
        return self.owned

    def _slot(self, index: int) -> LockSlot:
        """A slot of this epoch: it exists, is free and is not damaged, as an operation asks (OPR-12)."""
        if index >= self.slot_count:
            raise _Refuse("NoSuchSlot", Reason.NoSuchSlot)
        if not self.state(records.slot_cell(index)).free:
            raise _Refuse("Busy", Reason.Busy)
        found = self.slot_now(index)
        if found is None:
            raise _Refuse("SlotDamaged", Reason.SlotDamaged)
        return found

    def _clock_is_set(self) -> bool:
        """Whether it was in this epoch."""
        return self.owned is not None and self.counter.set_in == self.owned.epoch

    def _clock(self, now: Now) -> Clock:
        """CLK-4, and CLK-2: a clock behind the latest time known is Unset."""
        if isinstance(now.clock, int) and not (self._clock_is_set() and now.clock >= self.counter.latest):
            return UNSET
        return now.clock

    def _latest_at(self, now: Now) -> int:
        """CLK-3."""
        tells = isinstance(now.clock, int) and self._clock_is_set()
        return max(self.counter.latest, now.clock) if tells else self.counter.latest

    # Install

    def install(self, session: Session, request: bytes, now: Now, entropy: bytes) -> Outcome:
        """A bundle; `entropy` is 32 bytes for this install's X25519 key (KDF-1)."""
        return self._guard(lambda: self._install(session, request, now, entropy), request)

    def _install(self, session: Session, request: bytes, now: Now, entropy: bytes) -> Pending:
        parts = self._begin(Bundle, request, session, Purpose.Install, now)  # INS-1, INS-2
        slot = self._check_install(parts, session)
        grant, install = parts.grant, parts.install
        if now.clock == ABSENT and grant.limits.need_time:
            raise _Refuse("NoClock", Reason.NoClock)  # INS-14
        used = self._generation_rule(parts, slot)  # INS-15
        secret = pairing.agreement_secret(self.keys.agreement, entropy, install.digest())
        try:
            shared = primitives.agree(secret, install.agreement)
        except KeyRefused:
            raise _Refuse("NonContributory", Reason.NonContributory) from None  # INS-16
        receipt = Receipt(
            install=install.digest(),
            lock=grant.lock,
            epoch=grant.epoch,
            slot=grant.slot,
            generation=grant.generation,
            grant=grant.digest(),
            device=parts.claim.device,
            agreement=primitives.agreement_key(secret),
        ).signed(self.keys.lock)
        key = Key(
            grant=receipt.grant,
            device=receipt.device,
            pairing=pairing.pairing_key(receipt.digest(), shared),
            rights=grant.rights,
            limits=grant.limits,
            used=used,
        )
        content = LockSlot(grant.epoch, grant.generation, key)
        return self.stage(records.slot_cell(grant.slot), Result(receipt.encode()), content)  # INS-19

    def _check_install(self, parts: Bundle, session: Session) -> LockSlot:
        """INS-21, INS-3 to INS-5. Four signature checks (INS-18); nothing of the lock's but its keys decides before
        them, and what does after them is told (INS-17)."""
        grant, claim, install, release = parts.grant, parts.claim, parts.install, parts.release
        owned = self._ownership()
        if grant.lock != self.keys.lock_id:
            raise _Refuse("WrongLock")
        if grant.by != OWNER:
            raise _Refuse("UnknownSigner")  # INS-22
        self._verify("GrantSignature", grant, owned.owner)  # INS-6
        if claim.grant != grant.digest():
            raise _Refuse("ClaimNamesOtherGrant")  # INS-7
        self._verify("ClaimSignature", claim, grant.subject)  # INS-8
        if install.claim != claim.digest():
            raise _Refuse("InstallNamesOtherClaim")  # INS-9
        if install.nonce != session.nonce:
            raise _Refuse("WrongNonce")  # INS-10
        self._verify("InstallSignature", install, claim.device)  # INS-11
        if release.install != install.digest():
            raise _Refuse("ReleaseNamesOtherInstall")  # INS-12
        self._verify("ReleaseSignature", release, owned.service)  # INS-13
        if grant.epoch != owned.epoch:
            raise _Refuse("WrongEpoch", Reason.WrongEpoch)  # INS-4
        slot = self._slot(grant.slot)  # INS-5
        if isinstance(slot.holding, records.SlotInactive):
            raise _Refuse("SlotInactive", Reason.SlotInactive)
        return slot

    @staticmethod
    def _verify(name: str, message: Message, key: bytes) -> None:
        try:
            message.verify(key)
        except SignatureRefused as bad:
            raise _Refuse(f"{name}.{bad.name}") from None

    @staticmethod
    def _generation_rule(parts: Bundle, slot: LockSlot) -> int:
        """GEN-1 to GEN-4; the uses that the key starts with."""
        grant = parts.grant
        if grant.generation > slot.floor:
            return 0
        held = slot.holding
        same = isinstance(held, Key) and (held.grant, held.device) == (grant.digest(), parts.claim.device)
        if grant.generation == slot.floor and same:
            return held.used  # GEN-2, GEN-3: with the key, its uses go on
        raise _Refuse("StaleGeneration", Reason.StaleGeneration)

    # Unlock

    def unlock(self, session: Session, request: bytes, now: Now) -> Outcome:
        """An unlock. Before the tag held the answer is opaque (UNL-14), after it a Reply (UNL-15)."""
        return self._guard(lambda: self._unlock(session, request, now))

    def _unlock(self, session: Session, request: bytes, now: Now) -> Pending:
        unlock = self._begin(Unlock, request, session, Purpose.Operate, now)  # UNL-1, UNL-2
        self._ownership()
        slot = self._opened_slot(unlock)
        key = slot.holding
        if unlock.lock_nonce != session.nonce:
            raise _Refuse("WrongNonce")  # UNL-4
        try:
            unlock.check_tag(key.pairing)
        except TagRefused:
            raise _Refuse("UnlockMac") from None  # UNL-5
        reason = judge(key.limits, key.rights, key.used, unlock.action, self._clock(now))  # UNL-11
        if reason is not None:
            answer = Reply(messages.UnlockRefused(reason), unlock.auth, now.battery).tagged(key.pairing)
            raise _Refuse(reason.name, reason, answer.encode())
        answer = Reply(messages.Accepted(), unlock.auth, now.battery).tagged(key.pairing)
        result = Result(answer.encode(), action=unlock.action)
        content = None
        if unlock.action is Action.Open and key.limits.uses is not None:  # UNL-12, LIM-13
            content = slot.with_used(key.used + 1)  # UNL-13
        return self.stage(records.slot_cell(unlock.slot), result, content)

    def _opened_slot(self, unlock: Unlock) -> LockSlot:
        """UNL-3; where no key is installed a tag is computed all the same (UNL-16)."""
        name = "NotInstalled"
        try:
            slot = self._slot(unlock.slot)
            if isinstance(slot.holding, Key):
                return slot
        except _Refuse as refuse:
            name = refuse.name
        primitives.mac(bytes(32), unlock.covered())
        raise _Refuse(name)

    # Commands

    def command(self, session: Session, request: bytes, now: Now) -> Outcome:
        """A command of the owner (CMD-1 to CMD-10)."""
        return self._guard(lambda: self._command(session, request, now), request)

    def _command(self, session: Session, request: bytes, now: Now) -> Pending:
        command = self._begin(Command, request, session, Purpose.Operate, now)  # CMD-1, CMD-2
        owned = self._ownership()
        if command.lock != self.keys.lock_id:
            raise _Refuse("WrongLock")  # CMD-4
        if command.lock_nonce != session.nonce:
            raise _Refuse("WrongNonce")  # CMD-6
        if command.by != OWNER:
            raise _Refuse("UnknownSigner")  # CMD-12
        self._verify("CommandSignature", command, owned.owner)  # CMD-7
        if command.epoch != owned.epoch:
            raise _Refuse("WrongEpoch", Reason.WrongEpoch)  # CMD-5
        return self._operate(command, owned, now)

    def _operate(self, command: Command, owned: Owned, now: Now) -> Pending:
        operation = command.operation
        if isinstance(operation, (messages.Activate, messages.Deactivate)):
            return self._take_number(command, operation, owned, now)
        if isinstance(operation, messages.Transfer):
            return self._transfer(command, operation, now)
        if isinstance(operation, messages.SetClock):
            return self._set_clock(command, operation, owned, now)
        if isinstance(operation, messages.Inspect):
            cell = records.slot_cell(operation.slot)
            completed = messages.Inspected(operation.slot, self.slot_count, _left(self._slot(operation.slot)))  # OPR-11
            return self.stage(cell, Result(self._done(command, owned.epoch, completed, now)))
        done = self._done(command, owned.epoch, operation, now)
        return self.stage(HEADER, Result(done, action=operation.action))  # OPR-10, STG-10

    def _done(self, command: Command, epoch: int, completed: Any, now: Now) -> bytes:
        """CMD-13: what the lock tells of itself beside what it did."""
        clock = self._clock(now)
        time = clock if isinstance(clock, int) else 0
        if isinstance(completed, messages.SetClock):
            time = completed.to
        elif isinstance(completed, messages.Transfer):
            time = 0
        said = Done(command.digest(), self.keys.lock_id, epoch, time, now.battery, completed)
        return said.signed(self.keys.lock).encode()

    def _take_number(self, command: Command, operation: Any, owned: Owned, now: Now) -> Pending:
        """Activate and Deactivate (OPR-1 to OPR-4, OPR-14)."""
        slot = self._slot(operation.slot)
        if slot.floor == MAX_U32:
            raise _Refuse("Exhausted", Reason.Exhausted)
        if operation.generation <= slot.floor:
            raise _Refuse("StaleNumber", Reason.StaleNumber)
        activate = isinstance(operation, messages.Activate)
        holding = records.SlotEmpty() if activate else records.SlotInactive()  # OPR-2, OPR-3
        content = LockSlot(owned.epoch, operation.generation, holding)
        kind = messages.Activated if activate else messages.Deactivated
        completed = kind(operation.slot, operation.generation, _left(content))
        result = Result(self._done(command, owned.epoch, completed, now))
        return self.stage(records.slot_cell(operation.slot), result, content)

    def _transfer(self, command: Command, operation: messages.Transfer, now: Now) -> Pending:
        """OPR-5 to OPR-7, OPR-15; KEY-7, STG-6, OPR-6 in this order."""
        _check_good_keys(operation.owner, operation.service)
        self._check_all_free()
        epoch = self.shown + 1
        if epoch > MAX_U32:
            raise _Refuse("Exhausted", Reason.Exhausted)
        content = replace(self.header, owner=Owned(epoch, operation.owner, operation.service))
        completed = messages.Transferred(operation.owner, operation.service, self.slot_count)
        return self.stage(HEADER, Result(self._done(command, epoch, completed, now)), content)

    def _check_all_free(self) -> None:
        """STG-6."""
        if not all(state.free for state in self.states.values()):
            raise _Refuse("Busy", Reason.Busy)

    def _set_clock(self, command: Command, operation: messages.SetClock, owned: Owned, now: Now) -> Pending:
        """OPR-8, OPR-9."""
        if now.clock == ABSENT:
            raise _Refuse("NoClock", Reason.NoClock)
        result = Result(self._done(command, owned.epoch, operation, now), set_clock=operation.to)
        return self.stage(COUNTER, result, replace(self.counter, latest=operation.to, set_in=owned.epoch))

    # Provisioning and factory reset

    def provision(self, session: Session, request: bytes, now: Now) -> Outcome:
        """PRV-1 to PRV-11."""
        return self._guard(lambda: self._provision(session, request, now), request)

    def _provision(self, session: Session, request: bytes, now: Now) -> Pending:
        message = self._begin(Provision, request, session, Purpose.Operate, now)  # PRV-1, PRV-2
        if message.lock_nonce != session.nonce:
            raise _Refuse("WrongNonce")  # PRV-3
        try:
            message.check_tag(self.activation_secret)
        except TagRefused:
            raise _Refuse("CardMac") from None  # PRV-4
        new = Owned(1, message.owner, message.service)  # PRV-7
        if self.owned is not None:
            if self.owned != new:
                raise _Refuse("AlreadyProvisioned", Reason.AlreadyProvisioned)  # PRV-5
            return self.stage(HEADER, Result(self._provisioned(message)))  # PRV-11
        _check_good_keys(message.owner, message.service)
        self._check_all_free()
        if self.shown > 0:
            raise _Refuse("Damaged")  # PRV-13
        return self.stage(HEADER, Result(self._provisioned(message)), replace(self.header, owner=new))  # PRV-8

    def _provisioned(self, message: Provision) -> bytes:
        lock_id = self.keys.lock_id
        card = messages.card_tag(self.activation_secret, message.digest(), lock_id)
        said = Provisioned(lock_id, 1, message.owner, message.service, self.slot_count, card)
        return said.signed(self.keys.lock).encode()

    def factory_reset(self, session: Session, request: bytes, now: Now, entropy: bytes, present: bool) -> Outcome:
        """RST-1 to RST-12; `present` is physical presence inside the door. After it the lock is to be made."""
        return self._guard(lambda: self._factory_reset(session, request, now, entropy, present))  # RST-12

    def _factory_reset(self, session: Session, request: bytes, now: Now, entropy: bytes, present: bool) -> Pending:
        if not present:  # RST-6: no attempt, so no session is used
            raise _Refuse("NoPresence")
        wrong = self._spend(session, Purpose.Operate, now)  # RST-2
        message = FactoryReset.decode(request)
        if wrong is not None:
            raise _Refuse(wrong)
        if self.over:
            raise _Refuse("Resetting")
        if not all(state.free for state in self.states.values()):  # RST-11; damage is no reason (RST-10)
            raise _Refuse("Busy")
        if message.lock != self.keys.lock_id:
            raise _Refuse("WrongLock")  # RST-3
        if message.nonce != session.nonce:
            raise _Refuse("WrongNonce")  # RST-4
        try:
            message.check_tag(self.activation_secret)
        except TagRefused:
            raise _Refuse("CardMac") from None  # RST-5
        seed = pairing.new_seed(self.keys.nonce, entropy)  # LCK-7, LCK-8
        return self.stage(SEED, Result(b""), records.SeedRecord(seed, False))  # RST-7; the secret is not in it (RST-9)


def _left(slot: LockSlot) -> Left:
    """What a Done says of a slot."""
    held = slot.holding
    if isinstance(held, Key):
        return Left(slot.floor, messages.Installed(held.grant, held.device))
    return Left(slot.floor, messages.Empty() if isinstance(held, records.SlotEmpty) else messages.Inactive())


def _check_good_keys(owner: bytes, service: bytes) -> None:
    """KEY-7, PRV-6: before anything is staged."""
    for name, key in (("OwnerKey", owner), ("ServiceKey", service)):
        try:
            primitives.check_public_key(key)
        except KeyRefused as bad:
            raise _Refuse(f"{name}.{bad.name}", Reason.BadKey) from None
