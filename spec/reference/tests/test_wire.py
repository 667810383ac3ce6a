"""Messages: round trips, exact decoding, the names of the errors."""

from __future__ import annotations

import hashlib

import pytest
from sharekey import messages as m
from sharekey.errors import DecodeError, SignatureRefused, TagRefused
from sharekey.limits import LIMITS, Action, Limits, Next, Reason, Schedule
from sharekey.wire import Reader
from sharekey import jsonable, primitives

SEED = bytes(range(32))
PUB = primitives.public_key(SEED)


def b(label: str, size: int = 32) -> bytes:
    return hashlib.shake_256(label.encode()).digest(size)


FULL = Limits(10, 20, Schedule(127, 0, 1440, -720, Next(5, 840)), 7)
LEFT = [m.Left(3, m.Inactive()), m.Left(4, m.Empty()), m.Left(5, m.Installed(b("g"), b("d")))]

IN_OPERATIONS = {
    "slot": 255,
    "generation": 2,
    "owner": b("o"),
    "service": b("s"),
    "to": 2**64 - 1,
    "action": Action.Lock,
    "slots": 1,
}


def _grant(limits: Limits) -> m.Grant:
    return m.Grant(b("lock"), 1, 0, 2, 3, PUB, 3, limits)


def samples() -> list[m.Message]:
    out: list[m.Message] = [_grant(Limits()), _grant(FULL), _grant(Limits(None, 5, None, 2**32 - 1))]
    out.append(_grant(Limits(schedule=Schedule(1, 1439, 1, 0))))
    out.append(m.Withdraw(b("l"), 1, 2**32 - 1, 2, 3, b("g")))
    for outcome in (m.NeverReleased(), m.Released(b("i")), m.Settled()):
        out.append(m.Withdrawn(b("l"), 1, 0, 2, 3, b("g"), b("s", 64), outcome))
    out += [m.Claim(b("g"), PUB), m.Install(b("c"), b("n", 16), b("x")), m.Release(b("i"))]
    out.append(m.Receipt(b("i"), b("l"), 1, 2, 3, b("g"), b("d"), b("x")))
    out += [m.Report(b("r"), b("l"), 1, 2, 2**64 - 1, state, 255, b("m")) for state in m.State]
    nonces = (b("n", 16), b("o", 16))
    out += [m.ReportRequest(b("l"), 1, by, 2, nonces[0], 2**64 - 1) for by in (m.OWNER, 2**32 - 1)]
    out.append(m.FindRequest(b("s"), PUB, nonces[0], 5))
    for tag, operation in m.OPERATIONS.items():
        given = {name: IN_OPERATIONS[name] for name, _ in operation.FIELDS}
        out.append(m.Command(b("l"), 1, 0, *nonces, operation(**given)))
        completed = m.COMPLETIONS[tag]
        said = {name: IN_OPERATIONS[name] for name, _ in completed.FIELDS if name != "left"}
        left = [{"left": left} for left in LEFT] if "left" in dict(completed.FIELDS) else [{}]
        out += [m.Done(b("c"), b("l"), 1, 2**64 - 1, 100, completed(**said, **more)) for more in left]
    out += [m.Refused(b("r"), reason) for reason in Reason]
    out = [message.signed(SEED) for message in out]
    tagged = [m.Unlock(1, Action.Open, *nonces), *(m.Reply(m.Accepted(), b("t", 16), full) for full in (0, 100, 255))]
    tagged += [m.Reply(m.UnlockRefused(reason), b("t", 16), 255) for reason in Reason]
    tagged += [m.Provision(*nonces, b("o"), b("s")), m.FactoryReset(b("l"), nonces[0])]
    out += [message.tagged(SEED) for message in tagged]
    out += [m.Challenge(b("l"), nonces[0]), m.Refused(), *(m.Connect(purpose) for purpose in m.Purpose)]
    out.append(m.Provisioned(b("l"), 1, b("o"), b("s"), 10, b("t", 16)).signed(SEED))
    out.append(bundle(Limits()))
    out.append(bundle(FULL))
    return out


def bundle(limits: Limits) -> m.Bundle:
    grant = _grant(limits).signed(SEED)
    claim = m.Claim(grant.digest(), PUB).signed(SEED)
    install = m.Install(claim.digest(), b("n", 16), b("x")).signed(SEED)
    return m.Bundle(grant, claim, install, m.Release(install.digest()).signed(SEED))


SAMPLES = samples()
NAMES = [f"{i}-{type(s).__name__}" for i, s in enumerate(SAMPLES)]


def name_of(cls: type[m.Message], data: bytes) -> str:
    with pytest.raises(DecodeError) as bad:
        cls.decode(data)
    return bad.value.name


@pytest.mark.parametrize("message", SAMPLES, ids=NAMES)
def test_round_trip(message):
    data = message.encode()
    assert type(message).decode(data) == message
    assert message.MIN_LEN <= len(data) <= message.MAX_LEN
    assert jsonable.message(jsonable.to_json(message)) == message
    assert message.digest() == hashlib.sha256(data).digest()


def test_every_length_of_the_table_is_reached():
    for cls in m.KINDS.values():
        lengths = {len(s.encode()) for s in SAMPLES if isinstance(s, cls)}
        assert min(lengths) == cls.MIN_LEN and max(lengths) == cls.MAX_LEN, cls


@pytest.mark.parametrize("message", SAMPLES, ids=NAMES)
def test_frame(message):
    cls, data = type(message), message.encode()
    assert name_of(cls, b"") == name_of(cls, data[:3]) == "Truncated"
    assert name_of(cls, b"\0" + data[1:]) == name_of(cls, data[:1] + b"\0" + data[2:]) == "Magic"
    assert name_of(cls, data[:2] + b"\2" + data[3:]) == "Version"
    for kind in (0, 32, 33, 255, data[3] % 21 + 1):
        assert name_of(cls, data[:3] + bytes([kind]) + data[4:]) == "Kind"
    assert name_of(cls, data + bytes(cls.MAX_LEN + 1 - len(data))) == "TooLong"


@pytest.mark.parametrize("message", SAMPLES, ids=NAMES)
def test_no_prefix_and_no_extension_decodes(message):
    cls, data = type(message), message.encode()
    for size in range(4, len(data)):
        if cls is m.Refused and size == 4:
            continue
        assert name_of(cls, data[:size]) in ("Truncated", "Value", "Option")
    if len(data) < cls.MAX_LEN and cls is not m.Bundle and not (cls is m.Refused and message.opaque):
        assert name_of(cls, data[: len(data) - cls.AUTH] + b"\0" + data[len(data) - cls.AUTH :]) == "Trailing"


@pytest.mark.parametrize("message", SAMPLES, ids=NAMES)
def test_whatever_decodes_encodes_again(message):
    """One byte changed: refused, or the same bytes come back (MSG-4)."""
    cls, data = type(message), message.encode()
    for at in range(4, len(data)):
        for change in (1, 2, 0x80, 0xFF):
            other = data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]
            try:
                assert cls.decode(other).encode() == other
            except DecodeError:
                pass


@pytest.mark.parametrize("message", SAMPLES, ids=NAMES)
def test_authenticators_cover_everything(message):
    if message.AUTH == 0 or message.auth == b"":
        return
    data = message.encode()
    cls = type(message)
    for at in range(4, len(data), 7):
        try:
            other = cls.decode(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        except DecodeError:
            continue
        with pytest.raises((SignatureRefused, TagRefused)):
            other.verify(PUB) if cls.AUTH == 64 else other.check_tag(SEED)


def limits_name(data: bytes) -> str:
    with pytest.raises(DecodeError) as bad:
        reader = Reader(data)
        LIMITS.read(reader)
        reader.end()
    return bad.value.name


def sched(days=1, start=0, end=1, offset=0, tail=b"\0") -> bytes:
    parts = bytes([days]) + start.to_bytes(2, "little") + end.to_bytes(2, "little")
    return b"\0\0\1" + parts + offset.to_bytes(2, "little", signed=True) + tail + b"\0"


def test_limits_refused():
    five, six = (5).to_bytes(8, "little"), (6).to_bytes(8, "little")
    assert limits_name(b"\1" + six + b"\1" + five + b"\0\0") == "Value"  # LIM-1
    assert limits_name(b"\1" + five + b"\1" + five + b"\0\0") == "Value"
    assert limits_name(b"\0\0\0\1\0\0\0\0") == "Value"  # LIM-2
    for bad in (
        sched(days=0),
        sched(days=128),
        sched(start=1440),
        sched(end=0, start=1),
        sched(end=1441),
        sched(start=7, end=7),
        sched(offset=-721),
        sched(offset=841),
        sched(tail=b"\1" + five + (841).to_bytes(2, "little")),
    ):
        assert limits_name(bad) == "Value"
    for at in range(4):
        assert limits_name(bytes(at) + b"\2" + bytes(30)) == "Option"
    for good in (sched(), sched(days=127, start=1439, end=1440), sched(start=1439, offset=-720), sched(offset=840)):
        reader = Reader(good)
        assert LIMITS.write(LIMITS.read(reader)) == good


def test_rights():
    data = _grant(Limits()).signed(SEED).encode()
    for rights in range(256):
        changed = data[:81] + bytes([rights]) + data[82:]
        if rights in (1, 2, 3):
            assert m.Grant.decode(changed).rights == rights
        else:
            assert name_of(m.Grant, changed) == "Value"


def test_undefined_bytes():
    unlock = m.Unlock(0, Action.Open, bytes(16), bytes(16)).tagged(SEED).encode()
    for byte in (0, 3, 255):
        assert name_of(m.Unlock, unlock[:5] + bytes([byte]) + unlock[6:]) == "Value"
    reply = m.Reply(m.UnlockRefused(Reason.Busy), bytes(16), 255).tagged(SEED).encode()
    for byte in (0, 19, 255):
        assert name_of(m.Reply, reply[:5] + bytes([byte]) + reply[6:]) == "Value"
    for byte in (101, 254):
        assert name_of(m.Reply, reply[:22] + bytes([byte]) + reply[23:]) == "Value"  # MSG-7
    provisioned = m.Provisioned(b("l"), 1, b("o"), b("s"), 10, b("t", 16)).signed(SEED).encode()
    assert name_of(m.Provisioned, provisioned[:104] + b"\0" + provisioned[105:]) == "Value"
    refused = m.Refused(bytes(32), Reason.Busy).signed(SEED).encode()
    assert name_of(m.Refused, refused[:36] + b"\0" + refused[37:]) == "Value"
    top = max(m.OPERATIONS)
    for cls, at, top in ((m.Withdrawn, 145, 3), (m.Report, 81, 4), (m.Command, 76, top), (m.Done, 81, top), (m.Reply, 4, 2)):
        data = next(s for s in SAMPLES if isinstance(s, cls)).encode()
        for tag in (0, top + 1, 255):
            assert name_of(cls, data[:at] + bytes([tag]) + data[at + 1 :]) == "Value"


def test_bundle():
    data = bundle(Limits()).encode()
    assert name_of(m.Bundle, data + b"\0") == "Trailing"
    assert name_of(m.Bundle, data[:4] + (151).to_bytes(2, "little") + data[6:]) == "Truncated"
    assert name_of(m.Bundle, data[:4] + (189).to_bytes(2, "little") + data[6:]) == "Truncated"  # MSG-19
    assert name_of(m.Bundle, data[:4] + (65535).to_bytes(2, "little") + data[6:]) == "Truncated"
    at = 4 + 2 + 150
    assert name_of(m.Bundle, data[: at + 2] + b"X" + data[at + 3 :]) == "Magic"
    assert name_of(m.Bundle, data[: at + 2] + b"X" + data[at + 3 :] + b"\0") == "Trailing"
    longer = data[:4] + (151).to_bytes(2, "little") + data[6:at] + b"\0" + data[at:]
    assert name_of(m.Bundle, longer) == "Trailing"  # the grant's


def test_rules_over_several_fields_wait():
    plain = m.Grant(bytes(32), 1, 0, 0, 1, bytes(32), 3, Limits(2, 3, None, 1)).signed(SEED).encode()
    wrong = plain[:83] + b"\x09" + plain[84:]
    assert name_of(m.Grant, wrong) == "Value"
    at = 82 + 18
    assert name_of(m.Grant, wrong[:at] + b"\2" + wrong[at + 1 :]) == "Option"  # LIM-16
    schedule = Schedule(1, 0, 1, 0, Next(5, 0))
    plain = m.Grant(bytes(32), 1, 0, 0, 1, bytes(32), 3, Limits(schedule=schedule)).signed(SEED).encode()
    at = 82 + 3
    assert plain[at : at + 5] == b"\1\0\0\1\0"
    wrong = plain[: at + 3] + b"\0\0" + plain[at + 5 :]
    assert name_of(m.Grant, wrong) == "Value"
    assert name_of(m.Grant, wrong[: at + 7] + b"\2" + wrong[at + 8 :]) == "Option"  # LIM-17


def test_refused_forms():
    assert m.Refused.decode(m.OPAQUE).opaque and len(m.OPAQUE) == 4
    assert name_of(m.Refused, m.OPAQUE + b"\0") == "Truncated"
    assert name_of(m.Refused, m.OPAQUE + bytes(64)) == "Truncated"


def test_strict_order():
    """A message wrong in several ways: the first check names the error."""
    assert name_of(m.Challenge, b"XX\2\0" + bytes(100)) == "Magic"
    assert name_of(m.Challenge, b"SK\2\0" + bytes(100)) == "Version"
    assert name_of(m.Challenge, b"SK\1\0" + bytes(100)) == "Kind"
    assert name_of(m.Challenge, b"SK\1\5" + bytes(100)) == "TooLong"
    assert name_of(m.Release, b"SK\1\7" + bytes(63)) == "Truncated"
