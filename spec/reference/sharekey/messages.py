"""Every message kind ("Messages"): its fields, exact decoding, its authenticator.

A message is a dataclass with the fields in the order of the specification, and `auth`, the authenticator,
last. `covered()` is what the authenticator covers: all bytes before it, header included (MSG-1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, ClassVar, Optional, Type, TypeVar

from . import primitives, wire
from .errors import DecodeError
from .limits import ACTION, LIMITS, REASON, RIGHTS, Action, Limits, Reason
from .wire import BATTERY, DIGEST, KEY, NONCE, SLOTS, TAG, U8, U16, U32, U64, Reader

MAGIC = b"SK"
VERSION = 1
CONTEXT = b"sharekey v1 signature\0"  # MSG-20: under every signature, and not sent
SIGNATURE = 64
TAG_SIZE = 16

M = TypeVar("M", bound="Message")


def header(kind: int) -> bytes:
    """The four bytes in front of every message."""
    return MAGIC + bytes([VERSION, kind])


def check_frame(data: bytes, kind: int, max_len: int, auth: int) -> None:
    """The checks before the fields, in the order of "Encoding" (MSG-9 to MSG-13)."""
    if len(data) < 4:
        raise DecodeError("Truncated", "no whole header")
    if data[:2] != MAGIC:
        raise DecodeError("Magic")  # MSG-11
    if data[2] != VERSION:
        raise DecodeError("Version", str(data[2]))  # MSG-12
    if data[3] != kind:
        raise DecodeError("Kind", f"{data[3]} where {kind} is expected")  # MSG-13, VER-4
    if len(data) > max_len:
        raise DecodeError("TooLong", f"{len(data)} bytes")  # MSG-10
    if len(data) < 4 + auth:
        raise DecodeError("Truncated", "no room for the authenticator")


class Message:
    """What all kinds have in common."""

    KIND: ClassVar[int]
    MIN_LEN: ClassVar[int]
    MAX_LEN: ClassVar[int]
    AUTH: ClassVar[int]
    FIELDS: ClassVar[list]
    auth: bytes

    def covered(self) -> bytes:
        """Header and body."""
        return header(self.KIND) + wire.write_fields(self, self.FIELDS)

    def encode(self) -> bytes:
        """The whole message (MSG-4)."""
        return self.covered() + wire.raw(self.AUTH).write(self.auth)

    def digest(self) -> bytes:
        """SHA-256 over all bytes."""
        return primitives.sha256(self.encode())

    @classmethod
    def decode(cls: Type[M], data: bytes) -> M:
        """Exactly one message of this kind, or a DecodeError."""
        check_frame(data, cls.KIND, cls.MAX_LEN, cls.AUTH)
        split = len(data) - cls.AUTH
        reader = Reader(data[4:split])
        values = {name: codec.read(reader) for name, codec in cls.FIELDS}
        reader.end()
        return cls(**values, auth=data[split:])

    def signed(self: M, seed: bytes) -> M:
        """The same with a signature of the Ed25519 key of this seed."""
        return replace(self, auth=primitives.sign(seed, CONTEXT + self.covered()))

    def verify(self, key: bytes) -> None:
        """Checks the signature under a public key; raises SignatureRefused."""
        primitives.verify(key, CONTEXT + self.covered(), self.auth)

    def tagged(self: M, key: bytes) -> M:
        """The same with a tag."""
        return replace(self, auth=primitives.mac(key, self.covered()))

    def check_tag(self, key: bytes) -> None:
        """Checks the tag; raises TagRefused."""
        primitives.check_tag(key, self.covered(), self.auth)


@dataclass(frozen=True)
class Grant(Message):
    """The owner lets the subject have a key with these rights and limits in this slot."""

    lock: bytes
    epoch: int
    by: int
    slot: int
    generation: int
    subject: bytes
    rights: int
    limits: Limits
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 1, 150, 188, SIGNATURE
    FIELDS = [
        ("lock", KEY),
        ("epoch", U32),
        ("by", U32),
        ("slot", U8),
        ("generation", U32),
        ("subject", KEY),
        ("rights", RIGHTS),
        ("limits", LIMITS),
    ]


WITHDRAW_FIELDS = [
    ("lock", KEY),
    ("epoch", U32),
    ("by", U32),
    ("slot", U8),
    ("generation", U32),
    ("grant", DIGEST),
]


@dataclass(frozen=True)
class Withdraw(Message):
    """The owner takes this grant back."""

    lock: bytes
    epoch: int
    by: int
    slot: int
    generation: int
    grant: bytes
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 2, 145, 145, SIGNATURE
    FIELDS = WITHDRAW_FIELDS


@dataclass(frozen=True)
class NeverReleased:
    """The grant was not released and now never installs."""

    FIELDS: ClassVar[list] = []


@dataclass(frozen=True)
class Released:
    """Released first; the key lives until it is overwritten or deactivated."""

    install: bytes

    FIELDS = [("install", DIGEST)]


@dataclass(frozen=True)
class Settled:
    """A Done or a receipt had already proved the grant dead."""

    FIELDS: ClassVar[list] = []


OUTCOME = wire.variants({1: NeverReleased, 2: Released, 3: Settled})


@dataclass(frozen=True)
class Withdrawn(Message):
    """Which of release and withdrawal came first at the service."""

    lock: bytes
    epoch: int
    by: int
    slot: int
    generation: int
    grant: bytes
    withdraw_signature: bytes
    outcome: Any
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 3, 210, 242, SIGNATURE
    FIELDS = WITHDRAW_FIELDS + [("withdraw_signature", wire.raw(SIGNATURE)), ("outcome", OUTCOME)]

    def asked(self) -> Withdraw:
        """The withdrawal that it answers, as its owner signed it (OWN-31)."""
        return Withdraw(self.lock, self.epoch, self.by, self.slot, self.generation, self.grant, self.withdraw_signature)


@dataclass(frozen=True)
class Claim(Message):
    """The grant's subject chose this device."""

    grant: bytes
    device: bytes
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 4, 132, 132, SIGNATURE
    FIELDS = [("grant", DIGEST), ("device", KEY)]


@dataclass(frozen=True)
class Challenge(Message):
    """The nonce for one attempt. Proves nothing."""

    lock: bytes
    nonce: bytes
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 5, 52, 52, 0
    FIELDS = [("lock", KEY), ("nonce", NONCE)]


@dataclass(frozen=True)
class Install(Message):
    """The claimed device takes part in this very install."""

    claim: bytes
    nonce: bytes
    agreement: bytes
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 6, 148, 148, SIGNATURE
    FIELDS = [("claim", DIGEST), ("nonce", NONCE), ("agreement", KEY)]


@dataclass(frozen=True)
class Release(Message):
    """The service ordered this install before any withdrawal."""

    install: bytes
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 7, 100, 100, SIGNATURE
    FIELDS = [("install", DIGEST)]


@dataclass(frozen=True)
class Receipt(Message):
    """The lock installed this grant's key for this device."""

    install: bytes
    lock: bytes
    epoch: int
    slot: int
    generation: int
    grant: bytes
    device: bytes
    agreement: bytes
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 8, 237, 237, SIGNATURE
    FIELDS = [
        ("install", DIGEST),
        ("lock", KEY),
        ("epoch", U32),
        ("slot", U8),
        ("generation", U32),
        ("grant", DIGEST),
        ("device", KEY),
        ("agreement", KEY),
    ]


def _write_part(value: Message) -> bytes:
    """A length and a whole message."""
    data = value.encode()
    return U16.write(len(data)) + data


def _part(cls: Type[M]) -> wire.Codec:
    """One of the messages in a bundle, which has its own errors."""
    return wire.Codec(write=_write_part, read=lambda reader: cls.decode(reader.take(U16.read(reader))))


@dataclass(frozen=True)
class Bundle(Message):
    """A download, as the lock gets it. Its parts have the authenticators."""

    grant: Grant
    claim: Claim
    install: Install
    release: Release
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 9, 542, 580, 0
    FIELDS = [
        ("grant", _part(Grant)),
        ("claim", _part(Claim)),
        ("install", _part(Install)),
        ("release", _part(Release)),
    ]

    @classmethod
    def decode(cls, data: bytes) -> "Bundle":
        """MSG-19: divided first, whatever the parts hold; then each part."""
        cls.divide(data)
        return super().decode(data)

    @classmethod
    def divide(cls, data: bytes) -> list[bytes]:
        """The bytes of the four parts (MSG-17)."""
        check_frame(data, cls.KIND, cls.MAX_LEN, cls.AUTH)
        reader = Reader(data[4:])
        parts = [reader.take(U16.read(reader)) for _ in cls.FIELDS]
        reader.end()
        return parts


@dataclass(frozen=True)
class Unlock(Message):
    """The holder of the slot's pairing key asks for this action now."""

    slot: int
    action: Action
    lock_nonce: bytes
    guest_nonce: bytes
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 10, 54, 54, TAG_SIZE
    FIELDS = [("slot", U8), ("action", ACTION), ("lock_nonce", NONCE), ("guest_nonce", NONCE)]


@dataclass(frozen=True)
class Accepted:
    """The lock did it."""

    FIELDS: ClassVar[list] = []


@dataclass(frozen=True)
class UnlockRefused:
    """The lock did not, and why."""

    reason: Reason

    FIELDS = [("reason", REASON)]


@dataclass(frozen=True)
class Reply(Message):
    """What the lock did about this unlock."""

    outcome: Any
    unlock: bytes
    battery: int
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 11, 38, 39, TAG_SIZE
    FIELDS = [("outcome", wire.variants({1: Accepted, 2: UnlockRefused})), ("unlock", TAG), ("battery", BATTERY)]


@dataclass(frozen=True)
class Activate:
    slot: int
    generation: int

    FIELDS = [("slot", U8), ("generation", U32)]


@dataclass(frozen=True)
class Deactivate:
    slot: int
    generation: int

    FIELDS = [("slot", U8), ("generation", U32)]


@dataclass(frozen=True)
class Transfer:

    owner: bytes
    service: bytes

    FIELDS = [("owner", KEY), ("service", KEY)]


@dataclass(frozen=True)
class SetClock:
    """Of an operation, and of what was completed."""

    to: int

    FIELDS = [("to", U64)]


@dataclass(frozen=True)
class Act:
    """Of an operation, and of what was completed."""

    action: Action

    FIELDS = [("action", ACTION)]


@dataclass(frozen=True)
class Inspect:
    slot: int

    FIELDS = [("slot", U8)]


OPERATIONS = {1: Activate, 2: Deactivate, 3: Transfer, 4: SetClock, 5: Act, 6: Inspect}
OPERATION = wire.variants(OPERATIONS)


@dataclass(frozen=True)
class Command(Message):
    """The owner orders this operation, for one attempt."""

    lock: bytes
    epoch: int
    by: int
    lock_nonce: bytes
    owner_nonce: bytes
    operation: Any
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 12, 142, 205, SIGNATURE
    FIELDS = [
        ("lock", KEY),
        ("epoch", U32),
        ("by", U32),
        ("lock_nonce", NONCE),
        ("owner_nonce", NONCE),
        ("operation", OPERATION),
    ]


@dataclass(frozen=True)
class Inactive:
    """The slot is closed."""

    FIELDS: ClassVar[list] = []


@dataclass(frozen=True)
class Empty:
    """The slot is open and holds no key."""

    FIELDS: ClassVar[list] = []


@dataclass(frozen=True)
class Installed:
    """The slot holds the key of this grant and device."""

    grant: bytes
    device: bytes

    FIELDS = [("grant", DIGEST), ("device", KEY)]


@dataclass(frozen=True)
class Left:
    """What a slot holds afterwards."""

    floor: int
    holding: Any

    FIELDS = [("floor", U32), ("holding", wire.variants({1: Inactive, 2: Empty, 3: Installed}))]


LEFT = wire.fields(Left)


@dataclass(frozen=True)
class Activated:
    slot: int
    generation: int
    left: Left

    FIELDS = [("slot", U8), ("generation", U32), ("left", LEFT)]


@dataclass(frozen=True)
class Deactivated:
    slot: int
    generation: int
    left: Left

    FIELDS = [("slot", U8), ("generation", U32), ("left", LEFT)]


@dataclass(frozen=True)
class Transferred(Transfer):
    slots: int

    FIELDS = [*Transfer.FIELDS, ("slots", SLOTS)]


@dataclass(frozen=True)
class Inspected:
    slot: int
    slots: int
    left: Left

    FIELDS = [("slot", U8), ("slots", SLOTS), ("left", LEFT)]


COMPLETIONS = {1: Activated, 2: Deactivated, 3: Transferred, 4: SetClock, 5: Act, 6: Inspected}
COMPLETED = wire.variants(COMPLETIONS)
TURNS = (Activated, Deactivated)  # that took a number


def slots_of(message: Any) -> Optional[int]:
    """How many slots the lock has, where a message of the lock says so."""
    return getattr(getattr(message, "completed", message), "slots", None)


def operation_of(completed: Any) -> Any:
    """The operation that a Done echoes: of the same tag, with the same fields."""
    cls = next(OPERATIONS[tag] for tag, done in COMPLETIONS.items() if isinstance(completed, done))
    return cls(**{name: getattr(completed, name) for name, _ in cls.FIELDS})


@dataclass(frozen=True)
class Done(Message):
    """The lock carried out one command, and what that left."""

    command: bytes
    lock: bytes
    epoch: int
    time: int
    battery: int
    completed: Any
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 13, 147, 220, SIGNATURE
    FIELDS = [
        ("command", DIGEST),
        ("lock", KEY),
        ("epoch", U32),
        ("time", U64),
        ("battery", BATTERY),
        ("completed", COMPLETED),
    ]


@dataclass(frozen=True)
class Refused(Message):
    """Signed: the lock refused this very request, and why. Opaque (no request, no reason): nothing."""

    request: Optional[bytes] = None
    reason: Optional[Reason] = None
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 14, 4, 101, SIGNATURE
    FIELDS = [("request", DIGEST), ("reason", REASON)]

    @property
    def opaque(self) -> bool:
        """Whether this is the form that says nothing."""
        return self.request is None

    def encode(self) -> bytes:
        """The opaque form is the header alone."""
        return header(self.KIND) if self.opaque else super().encode()

    @classmethod
    def decode(cls, data: bytes) -> "Refused":
        """A header alone is opaque; anything longer is the signed form."""
        if len(data) == 4:
            check_frame(data, cls.KIND, cls.MAX_LEN, 0)
            return cls()
        return super().decode(data)


OPAQUE = Refused().encode()


@dataclass(frozen=True)
class Provision(Message):
    """The holder of the card makes the lock theirs, for one attempt."""

    lock_nonce: bytes
    owner_nonce: bytes
    owner: bytes
    service: bytes
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 15, 116, 116, TAG_SIZE
    FIELDS = [("lock_nonce", NONCE), ("owner_nonce", NONCE), ("owner", KEY), ("service", KEY)]


@dataclass(frozen=True)
class Provisioned(Message):
    """Whose the lock is; and, by the card tag, that this lock id is that of the lock with the card."""

    lock: bytes
    epoch: int
    owner: bytes
    service: bytes
    slots: int
    card: bytes
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 16, 185, 185, SIGNATURE
    FIELDS = [
        ("lock", KEY),
        ("epoch", U32),  # the owner checks that it is 1 (OWN-21)
        ("owner", KEY),
        ("service", KEY),
        ("slots", SLOTS),
        ("card", TAG),
    ]


def card_tag(activation_secret: bytes, provision_digest: bytes, lock: bytes) -> bytes:
    """MSG-18."""
    return primitives.mac(activation_secret, b"sharekey v1 provisioned" + provision_digest + lock)


@dataclass(frozen=True)
class FactoryReset(Message):
    """The holder of the card wants the lock made anew, for one attempt."""

    lock: bytes
    nonce: bytes
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 17, 68, 68, TAG_SIZE
    FIELDS = [("lock", KEY), ("nonce", NONCE)]


class Purpose(IntEnum):
    """What a challenge is asked for."""

    Install = 1
    Operate = 2


@dataclass(frozen=True)
class Connect(Message):
    """Whoever comes asks the lock for a challenge (SES-10)."""

    purpose: Purpose
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 18, 5, 5, 0
    FIELDS = [("purpose", wire.one_byte(Purpose))]


OWNER = 0  # who signs: the owner


@dataclass(frozen=True)
class ReportRequest(Message):
    """Who manages the lock asks for the report of one slot."""

    lock: bytes
    epoch: int
    by: int
    slot: int
    nonce: bytes
    time: int
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 19, 133, 133, SIGNATURE
    FIELDS = [("lock", KEY), ("epoch", U32), ("by", U32), ("slot", U8), ("nonce", NONCE), ("time", U64)]


class State(IntEnum):
    """The state that a record is in."""

    Inactive = 1
    NotShared = 2
    Sharing = 3
    Shared = 4


@dataclass(frozen=True)
class Report(Message):
    """What the service's record of a slot held when the request came."""

    request: bytes
    lock: bytes
    epoch: int
    slot: int
    version: int
    state: State
    slots: int
    messages: bytes
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 20, 179, 179, SIGNATURE
    FIELDS = [
        ("request", DIGEST),
        ("lock", KEY),
        ("epoch", U32),
        ("slot", U8),
        ("version", U64),
        ("state", wire.one_byte(State)),
        ("slots", SLOTS),
        ("messages", DIGEST),
    ]


@dataclass(frozen=True)
class FindRequest(Message):
    """The subject asks for what is shared with it."""

    service: bytes
    subject: bytes
    nonce: bytes
    time: int
    auth: bytes = b""

    KIND, MIN_LEN, MAX_LEN, AUTH = 21, 156, 156, SIGNATURE
    FIELDS = [("service", KEY), ("subject", KEY), ("nonce", NONCE), ("time", U64)]


KINDS: dict[int, Type[Message]] = {
    cls.KIND: cls
    for cls in (
        Grant,
        Withdraw,
        Withdrawn,
        Claim,
        Challenge,
        Install,
        Release,
        Receipt,
        Bundle,
        Unlock,
        Reply,
        Command,
        Done,
        Refused,
        Provision,
        Provisioned,
        FactoryReset,
        Connect,
        ReportRequest,
        Report,
        FindRequest,
    )
}
BY_NAME: dict[str, Type[Message]] = {cls.__name__: cls for cls in KINDS.values()}
