"""Every case of every file of test vectors, positive and negative, with the exact error names."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Callable, Optional

import jsonschema
import pytest

import vectors
from desk import Peer
from desk.form import limits, message_fields
from desk.service import show_slot
from sharekey import code, contacts, guest, pairing, primitives, records, slot
from sharekey.errors import DecodeError, LockError, SharekeyError
from sharekey.limits import Action, judge
from sharekey.lock import Lock
from sharekey.messages import (
    BY_NAME,
    Bundle,
    Empty,
    Grant,
    Inactive,
    Installed,
    KINDS,
    Left,
    NeverReleased,
    Provision,
    Released,
    Settled,
    Withdraw,
    Withdrawn,
    card_tag,
)
from sharekey.slot import SlotRecord

COUNTED: Counter = Counter()


def cases(name: str) -> Any:
    """All cases of a file as parameters."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=label) for label, case in vectors.named(name)])


@pytest.fixture(autouse=True)
def count(request: pytest.FixtureRequest) -> None:
    """Counts the cases that were played, by file."""
    yield
    if "case" in request.fixturenames:
        COUNTED[request.node.callspec.id.split(":")[0]] += 1


def name_of(do: Callable[[], Any]) -> Optional[str]:
    """The error that something gives, or None."""
    try:
        do()
    except SharekeyError as error:
        return error.name
    return None


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


# The files as such


@pytest.mark.parametrize("name", vectors.stated())
def test_a_file_has_the_cases_that_the_page_states(name):
    file = vectors.file(name)
    assert len(file["cases"]) == file["number_of_cases"] >= vectors.stated()[name]
    names = [case["name"] for case in file["cases"]]
    assert len(set(names)) == len(names)


def test_the_page_states_every_file():
    assert {path.name for path in vectors.VECTORS.glob("*.json")} == set(vectors.stated()) | {"schema.json"}


@pytest.mark.parametrize("name", vectors.stated())
def test_a_file_follows_the_schema(name):
    schema = vectors.file("schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(vectors.file(name))


def test_the_schema_knows_the_fields_of_each_kind():
    schema = vectors.file("schema.json")
    message = {"$ref": "#/$defs/message", "$defs": schema["$defs"]}
    good = jsonschema.Draft202012Validator(message)
    seen = set()
    for case in vectors.file("messages.json")["cases"]:
        if case["kind"] not in seen:
            seen.add(case["kind"])
            assert good.is_valid(case)
            assert not good.is_valid({**case, "fields": {**case["fields"], "more": 1}})
            for name in case["fields"]:
                assert not good.is_valid({**case, "fields": {**case["fields"], name: 1.5}})
                less = {other: value for other, value in case["fields"].items() if other != name}
                assert not good.is_valid({**case, "fields": less})


# Files of single facts


@cases("messages.json")
def test_message(case):
    keys = vectors.file("messages.json")["keys"]
    data, kind = raw(case["bytes"]), BY_NAME[case["kind"]]
    message = kind.decode(data)
    assert message.encode() == data
    assert KINDS[data[3]] is kind and kind.MIN_LEN <= len(data) <= kind.MAX_LEN
    assert message.digest().hex() == case["digest"]
    shown = message_fields(message)
    opaque = case["kind"] == "Refused" and message.opaque
    assert {name: value for name, value in shown.items() if not opaque} == case["fields"]
    with_type = case["authenticator"]
    if with_type["type"] == "signature":
        key = keys[with_type["key"]]
        message.verify(raw(key["public"]))
        assert message.signed(raw(key["seed"])).encode() == data
    elif with_type["type"] == "tag":
        key = raw(keys[with_type["key"]]["secret"])
        message.check_tag(key)
        assert message.tagged(key).encode() == data
    else:
        assert message.auth == b""
    if "card_tag" in case:
        over = next(other for other in vectors.file("messages.json")["cases"] if other["name"] == case["card_tag"]["over"])
        provision = Provision.decode(raw(over["bytes"]))
        assert message.card == card_tag(raw(keys[case["card_tag"]["key"]]["secret"]), provision.digest(), message.lock)


@pytest.mark.parametrize("name", vectors.file("messages.json")["keys"])
def test_key_of_the_messages(name):
    key = vectors.file("messages.json")["keys"][name]
    if key["type"] == "Ed25519":
        assert primitives.public_key(raw(key["seed"])).hex() == key["public"]
    elif key["type"] == "X25519":
        assert primitives.agreement_key(raw(key["secret"])).hex() == key["public"]


@cases("decode_errors.json")
def test_decode_error(case):
    kind = BY_NAME[case["kind"]]
    decode = Bundle.divide if kind is Bundle else kind.decode
    with pytest.raises(DecodeError) as error:
        decode(raw(case["bytes"]))
    assert error.value.name == case["error"]


@cases("codes.json")
def test_code(case):
    if case["op"] == "issue":
        assert code.show(code.issue(raw(case["entropy"][0]["hex"]))) == case["code"]
    elif "error" in case:
        assert name_of(lambda: code.read(case["text"])) == case["error"]
    else:
        assert code.show(code.read(case["text"])) == case["code"]
    if case["op"] == "subject":
        seed = guest.code_seed(case["text"])
        assert (seed.hex(), primitives.public_key(seed).hex()) == (case["seed"], case["subject"])


@cases("keys.json")
def test_key(case):
    if case["op"] == "key":
        assert name_of(lambda: primitives.check_public_key(raw(case["public"]))) == case["error"]
    elif case["op"] == "signature":
        sent = (raw(case["public"]), raw(case["message"]), raw(case["signature"]))
        assert name_of(lambda: primitives.verify(*sent)) == case["error"]
    else:
        secret, peer = raw(case["secret"]), raw(case["peer"])
        assert primitives.agreement_key(secret).hex() == case["public"]
        assert name_of(lambda: primitives.agree(secret, peer)) == case["error"]
        if case["error"] is None:
            assert primitives.agree(secret, peer).hex() == case["shared"]


STEPS: dict[str, Callable[[contacts.Book, str, str], Any]] = {
    "add": lambda book, name, text: book.add(name, raw(text)),
    "compare": lambda book, name, text: book.change(name, lambda at: contacts.compared(at, contacts.read(text))),
    "scan": lambda book, name, text: book.change(name, lambda at: contacts.scanned(at, raw(text))),
    "observe": lambda book, name, text: book.change(name, lambda at: contacts.seen(at, raw(text))),
    "accept": lambda book, name, text: book.accept(name, raw(text)),
    # What the owner calls somebody is no matter of the protocol's.
    "rename": lambda book, name, text: book.get(name),
    "delete": lambda book, name, text: book.delete(name),
}


@cases("contacts.json")
def test_contact(case):
    if case["op"] == "read":
        if "error" in case:
            assert name_of(lambda: contacts.read(case["text"])) == case["error"]
        else:
            assert contacts.show(contacts.read(case["text"])) == case["fingerprint"]
        return
    book = contacts.Book()
    for step in case["book"]:
        assert name_of(lambda: STEPS[step["do"]](book, step["contact"], step["with"])) == step["error"]
    found = {name: {"key": at.key.hex(), "verified": at.verified} for name, at in book.contacts.items()}
    assert found == case["contacts"]


def _pairing_key(case):
    for mine, theirs in (("guest", "lock"), ("lock", "guest")):
        secret, public = raw(case[f"{mine}_secret"]), raw(case[f"{theirs}_public"])
        assert primitives.agreement_key(secret).hex() == case[f"{mine}_public"]
        assert primitives.agree(secret, public).hex() == case["shared"]
    return pairing.pairing_key(raw(case["receipt_digest"]), raw(case["shared"])).hex() == case["pairing_key"]


def _lock_keys(case):
    keys = pairing.lock_keys(raw(case["seed"]))
    found = [key.hex() for key in (keys.lock, keys.lock_id, keys.record, keys.nonce, keys.agreement)]
    names = ("lock_key", "lock", "record_key", "nonce_key", "agreement_key")
    return found == [case[name] for name in names]


def _agreement_secret(case):
    inputs = [raw(case[name]) for name in ("agreement_key", "entropy", "install_digest")]
    return pairing.agreement_secret(*inputs).hex() == case["secret"]


def _nonce(case):
    nonce = pairing.rescue_nonce if case["rescue"] else pairing.challenge_nonce
    return nonce(raw(case["nonce_key"]), case["number"], raw(case["entropy"])).hex() == case["nonce"]


DERIVATIONS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "pairing_key": _pairing_key,
    "lock_keys": _lock_keys,
    "agreement_secret": _agreement_secret,
    "nonce": _nonce,
    "seed": lambda case: pairing.new_seed(raw(case["before"]), raw(case["entropy"])).hex() == case["seed"],
    "card_tag": lambda case: card_tag(
        raw(case["activation_secret"]), raw(case["provision_digest"]), raw(case["lock"])
    ).hex()
    == case["tag"],
    "fingerprint": lambda case: contacts.show(contacts.fingerprint(raw(case["public"]))) == case["fingerprint"],
}


@cases("derivations.json")
def test_derivation(case):
    assert DERIVATIONS[case["op"]](case)


@cases("records.json")
def test_record(case):
    file = vectors.file("records.json")
    store = {cell(number): raw(data) for number, data in file["records"].items()}
    which = cell(case["cell"])
    store[which] = raw(case["bytes"])
    if case["found"] not in ("sound", "damaged"):
        with pytest.raises(LockError) as error:
            Lock.boot(store, 3, raw(file["card"]))
        assert error.value.name == case["found"]
        return
    lock = Lock.boot(store, 3, raw(file["card"]))
    content = content_of(lock, which)
    if case["found"] == "damaged":
        assert content is None
        return
    assert case["seed"] == lock.seed.hex()
    assert records.seal(which, content, lock.keys.record) == store[which]
    assert shown_record(content) == case["fields"]


def cell(number: Any) -> records.Cell:
    """A cell by the number under which it is filed."""
    number = int(number)
    return records.slot_cell(number - 3) if number >= 3 else (records.SEED, records.HEADER, records.COUNTER)[number]


def content_of(lock: Lock, which: records.Cell) -> Any:
    """What a booted lock knows of a cell; None where that is damaged."""
    if which == records.SEED:
        return records.SeedRecord(lock.seed, True)
    if which == records.HEADER:
        return lock.header
    if which == records.COUNTER:
        return lock.counter
    return lock.slots[which[1]] if lock.slot_now(which[1]) is not None else None


def shown_record(content: Any) -> Any:
    """The content of a record as the vectors write it."""
    from desk.form import show

    if isinstance(content, records.SeedRecord):
        return {"seed": content.seed.hex(), "initialised": content.initialised}
    if isinstance(content, records.HeaderRecord):
        return {"slots": content.slots, **show(content.owner)}
    if isinstance(content, records.CounterRecord):
        return {"ceiling": content.ceiling, "latest": content.latest, "set_in": content.set_in}
    held = show(content.holding)
    held["type"] = {"SlotInactive": "Inactive", "SlotEmpty": "Empty", "Key": "Installed"}[held["type"]]
    return {"epoch": content.epoch, "floor": content.floor, "content": held}


@cases("limits.json")
def test_limit(case):
    reason = judge(limits(case["limits"]), case["rights"], case["used"], Action[case["action"]], case["clock"])
    assert (None if reason is None else reason.name) == case["error"]


# One slot

PROOF = b"\7" * 32  # the digest of whatever Done or receipt it was


class Line:
    """One slot of one role, and the events that may come to it."""

    def __init__(self) -> None:
        self.record = SlotRecord(1)

    def play(self, event: dict[str, Any]) -> dict[str, Any]:
        """One event, and what it gave."""
        try:
            return self._play(event)
        except slot.PublicationRefused as refused:
            self.record = refused.record
            return {"error": refused.name}
        except SharekeyError as error:
            return {"error": error.name}

    def _play(self, event: dict[str, Any]) -> dict[str, Any]:
        kind, generation = event["type"], event["generation"]
        grant = raw(event["grant"]) if event.get("grant") else None
        device = raw(event["device"]) if event.get("device") else None
        install = raw(event["install"]) if event.get("install") else None
        if kind in ("Activate", "Deactivate"):
            self.record = slot.done_number(self.record, generation, kind == "Activate")
        elif kind == "Inspect":
            holding = {"Inactive": Inactive(), "Empty": Empty(), "Installed": Installed(grant, device)}
            left = Left(generation, holding[event["holding"]])
            self.record = slot.done_inspect(self.record, left, PROOF)
        elif kind == "Receipt":
            self.record = slot.confirm(self.record, generation, grant, device, install, PROOF)
        else:
            return self._said(event, generation, grant, device, install)
        return {}

    def _said(self, event, generation, grant, device, install) -> dict[str, Any]:
        raise NotImplementedError

    def publish(self, generation: int, grant: bytes) -> None:
        """A publication of a grant of which only the digest is known."""
        slot.check_publication(self.record, generation, grant)
        self.record = slot.publish(self.record, Digested(generation, grant))


class ServiceLine(Line):
    """The service's record."""

    def _said(self, event, generation, grant, device, install) -> dict[str, Any]:
        if event["type"] == "Publish":
            self.publish(generation, grant)
        elif event["type"] == "Release":
            share = self.record.share
            if share is not None and (share.generation, share.grant) != (generation, grant):
                return {"error": "NotPublished"}
            self.record = slot.release(self.record, grant, device, install)
        else:
            order = Withdraw(bytes(32), 1, 0, 0, generation, grant)
            self.record, outcome = slot.withdraw(self.record, order)
            return {"outcome": shown_outcome(outcome)}
        return {"error": None}


class OwnerLine(Line):
    """The owner's view."""

    def _said(self, event, generation, grant, device, install) -> dict[str, Any]:
        if event["type"] == "Publish":  # the signing of a grant
            self.publish(generation, grant)
            self.record = slot.note_live(self.record, generation, grant)
        elif event["type"] == "Learn":
            self.record = slot.learn(self.record, generation, grant)
        else:
            outcome = {"NeverReleased": NeverReleased, "Settled": Settled}.get(event["outcome"]["type"])
            said = outcome() if outcome else Released(raw(event["outcome"]["install"]))
            self.record = slot.answered(self.record, Withdrawn(bytes(32), 1, 0, 0, generation, grant, bytes(64), said))
        return {"error": None}


class Digested(Grant):
    """A grant of which only generation and digest are known."""

    def __init__(self, generation: int, grant: bytes) -> None:
        object.__setattr__(self, "generation", generation)
        object.__setattr__(self, "known", grant)

    def digest(self) -> bytes:
        return self.known


def shown_outcome(outcome: Any) -> dict[str, Any]:
    install = {"install": outcome.install.hex()} if isinstance(outcome, Released) else {}
    return {"type": type(outcome).__name__, **install}


@cases("slot.json")
def test_slot(case):
    line = {"service": ServiceLine, "owner": OwnerLine}[case["role"]]()
    for event in case["events"]:
        gave = line.play(event)
    assert gave == case["gave"]
    shown = show_slot(line.record)
    for entry in shown["live"]:
        entry["confirmed"] = entry["confirmed"] is not None
    assert shown == case["slot"]


# Runs: each request, and every byte of each reply


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=label) for name in vectors.runs() for label, case in vectors.named(name)]
)
def test_run(case):
    peer = Peer()
    for number, step in enumerate(case["steps"]):
        reply = peer.handle(json.loads(json.dumps(step["request"])))
        assert reply == step["reply"], f"step {number}: {step['request']['role']} {step['request']['op']}"


def test_zz_all_cases_were_played(request, capsys):
    """The counts, by file; only where the whole of this file was asked for."""
    asked = {item.callspec.id for item in request.session.items if hasattr(item, "callspec")}
    wanted = {label for file in vectors.stated() for label, _ in vectors.named(file)}
    if not wanted <= asked:
        pytest.skip("only some of the cases were asked for")
    lines = [f"{name:24} {COUNTED[name]:4} cases" for name in vectors.stated()]
    with capsys.disabled():
        print("", *lines, f"{'in all':24} {sum(COUNTED.values()):4} cases", sep="\n")
    for name, number in vectors.stated().items():
        assert COUNTED[name] >= number, name
