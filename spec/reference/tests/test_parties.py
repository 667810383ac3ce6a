"""Owner, contacts, service and guest: their own checks, one by one; and the entry point."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sharekey import contacts, guest, jsonable, messages, owner, primitives
from sharekey.cells import Purpose
from sharekey.errors import SharekeyError
from sharekey.limits import Limits, Next, Reason, Schedule
from sharekey.messages import Activate, Inspect, NeverReleased, Provisioned, Refused, Released, Settled, Transfer
from sharekey.service import Lost, Service
from world import World, ready

OTHER = bytes(range(1, 33))


def name_of(call, kind=SharekeyError) -> str:
    with pytest.raises(kind) as bad:
        call()
    return bad.value.name


# Owner


def under_way(w: World) -> tuple[owner.Provisioning, Provisioned]:
    challenge, session = w.challenge()
    sent = owner.provision(w.owner_seed, w.secret, w.service.key, challenge, w.entropy(16))
    result = w.finish(w.lock.provision(session, sent.provision.encode(), w.now))
    return sent, Provisioned.decode(result.message)


def test_provisioned_is_checked():
    w = World()
    sent, answer = under_way(w)
    assert owner.provisioned(sent, answer).lock == w.lock.keys.lock_id
    key = w.lock.keys.lock
    bad = replace(answer, owner=OTHER)
    assert name_of(lambda: owner.provisioned(sent, bad)) == "ProvisionedSignature.Mismatch"  # OWN-1
    assert name_of(lambda: owner.provisioned(sent, replace(answer, card=bytes(16)).signed(key))) == "CardTag"
    assert name_of(lambda: owner.provisioned(sent, replace(answer, owner=OTHER).signed(key))) == "WrongOwner"
    assert name_of(lambda: owner.provisioned(sent, replace(answer, service=OTHER).signed(key))) == "WrongService"
    again, second = under_way(w)
    assert name_of(lambda: owner.provisioned(again, answer)) == "CardTag"  # an earlier answer
    assert owner.provisioned(again, second).lock == answer.lock


def test_an_order_is_stored_before_its_message():
    w = ready()
    one = w.owner.grant(0, w.owner.key, 3, Limits())
    two = w.owner.grant(0, w.owner.key, 3, Limits())
    w.owner.stored(one)
    assert name_of(lambda: w.owner.stored(two)) == "SLO-6"
    assert w.owner.view(0)[1].live_generations == {2} and w.owner.view(0)[1].state == "Sharing"


def test_numbers_are_never_given_twice():
    w = ready()
    challenge, _ = w.challenge()
    w.owner.stored(w.owner.command(Activate(0, 2), challenge, w.entropy(16)))
    assert w.owner.next_number(0) == 3
    assert name_of(lambda: w.owner.command(Activate(0, 2), challenge, w.entropy(16))) == "SLO-6"


def test_done_answers_its_own_command():
    w = ready()
    done = w.command(Inspect(0), tell=False)
    assert w.owner.done(done).operation == Inspect(0)
    assert w.owner.done(done) is None  # OWN-5
    assert name_of(lambda: w.owner.done(done.signed(OTHER))) == "DoneSignature.Mismatch"
    assert name_of(lambda: w.owner.done(replace(done, lock=OTHER).signed(w.lock.keys.lock))) == "WrongLock"


def test_refused():
    w = ready()
    outcome = w.order(Activate(7, 1))
    message = Refused.decode(outcome.message)
    assert message.reason is Reason.NoSuchSlot
    assert name_of(lambda: w.owner.refused(message.signed(OTHER))) == "RefusalSignature.Mismatch"
    assert w.owner.refused(Refused()) is None  # OWN-13
    assert w.owner.refused(message).operation == Activate(7, 1)


def test_withdrawn_is_checked():
    w = ready()
    d = w.share()
    order = w.owner.withdraw(0, 2, d.grant.digest())
    answer = w.service.withdraw(order)
    fresh = copy.deepcopy(w.owner)
    assert name_of(lambda: w.owner.withdrawn(answer.signed(OTHER))) == "WithdrawnSignature.Mismatch"  # OWN-7
    for name, change in (("WrongLock", {"lock": OTHER}), ("WrongEpoch", {"epoch": 2})):
        assert name_of(lambda: w.owner.withdrawn(replace(answer, **change).signed(w.service.seed))) == name
    signature = {"withdraw_signature": order.signed(w.service.seed).auth}
    for change in (signature, {"generation": 3}, {"grant": OTHER}):  # OWN-31
        unasked = replace(answer, **change).signed(w.service.seed)
        assert name_of(lambda: w.owner.withdrawn(unasked)) == "WithdrawSignature.Mismatch"
    steward = replace(answer, by=1, withdraw_signature=replace(order, by=1).signed(w.owner_seed).auth)
    assert name_of(lambda: w.owner.withdrawn(steward.signed(w.service.seed))) == "UnknownSigner"  # OWN-32
    assert w.owner.view(0)[1].state == "Sharing"
    for outcome in (Released(OTHER), Settled()):
        w.owner.withdrawn(replace(answer, outcome=outcome).signed(w.service.seed))
        assert w.owner.view(0)[1].live_generations == {2}  # OWN-15
    w.owner.withdrawn(answer)
    assert w.owner.view(0)[1].live_generations == {2}  # OWN-19: said to be released before
    assert len(w.owner.equivocations) == 1  # OWN-23
    assert w.owner.view(0)[1].share is None  # OWN-29
    fresh.withdrawn(answer)
    assert not fresh.view(0)[1].live  # OWN-14
    high = _withdrawn(w, 2**32 - 1, OTHER, NeverReleased())
    w.owner.withdrawn(high.signed(w.service.seed))
    # Who has the owner's key can end the line, until a transfer to oneself.
    assert name_of(lambda: w.owner.next_number(0)) == "Slot.Exhausted"
    w.command(Transfer(w.owner.key, w.service.key))
    assert w.owner.next_number(0) == 1


def _withdrawn(w: World, number: int, grant: bytes, outcome) -> messages.Withdrawn:
    """What a service may say of a withdrawal that the owner signed."""
    asked = messages.Withdraw(w.owner.lock, 1, 0, 0, number, grant).signed(w.owner_seed)
    return messages.Withdrawn(w.owner.lock, 1, 0, 0, number, grant, asked.auth, outcome)


def test_learning():
    w = ready()
    other = copy.deepcopy(w.owner)
    d = w.share()
    assert name_of(lambda: other.learn(d.grant.signed(OTHER))) == "GrantSignature.Mismatch"  # OWN-26
    other.learn(d.grant)
    assert other.view(0)[1].state == "Sharing" and other.next_number(0) == 3
    answer = w.withdraw(d)
    other.withdrawn(answer)
    other.learn(d.grant)
    assert other.view(0)[1].state == "NotShared" and not other.view(0)[1].live  # OWN-17: answered
    late = copy.deepcopy(other)
    late.slots = {}
    late.learn(d.grant)
    assert late.view(0)[1].state == "Inactive" and late.view(0)[1].live_generations == {2}
    w.activate()
    other.done(w.command(Inspect(0)))
    other.learn(d.grant)
    assert other.view(0)[1].share is None and not other.view(0)[1].live  # proved dead


def test_learning_of_a_released_and_reset_grant_keeps_it_live():
    w = ready()
    d = w.share()
    w.install(d, tell=False)
    w.withdraw(d)
    w.owner.learn(d.grant)
    assert w.owner.view(0)[1].state == "NotShared" and w.owner.view(0)[1].live_generations == {2}


def test_a_newer_grant_is_shown_in_place_of_the_share():
    w = ready()
    other = copy.deepcopy(w.owner)
    mine = w.share()
    other.learn(mine.grant)
    w.withdraw(mine)
    newer = w.share()
    other.learn(newer.grant)
    record = other.view(0)[1]
    assert record.share.generation == 3 and record.live_generations == {2, 3}  # OWN-18
    older = replace(newer.grant, generation=2).signed(w.owner_seed)
    other.learn(older)
    assert other.view(0)[1].share.generation == 3 and len(other.view(0)[1].live) == 3


def test_too_many_live_grants_are_not_learned():
    w = ready()
    for number in range(2, 18):
        made = _withdrawn(w, number, bytes([number]) * 32, Released(OTHER))
        w.owner.withdrawn(made.signed(w.service.seed))
    one_more = _withdrawn(w, 18, OTHER, Released(OTHER)).signed(w.service.seed)
    assert name_of(lambda: w.owner.withdrawn(one_more)) == "Slot.LiveFull"  # OWN-25
    assert name_of(lambda: w.owner.grant(0, w.owner.key, 3, Limits())) == "Slot.LiveFull"
    w.activate()
    assert not w.owner.view(0)[1].live  # the cure


def test_a_transferred_view_signs_nothing():
    w = ready()
    w.command(Transfer(primitives.public_key(w.entropy()), w.service.key))
    assert name_of(lambda: w.owner.grant(0, w.owner.key, 3, Limits())) == "Transferred"


def test_done_must_echo_the_order():
    w = ready()
    challenge, _ = w.challenge()
    command = w.owner.stored(w.owner.command(Inspect(0), challenge, w.entropy(16)))
    key = w.lock.keys.lock

    def said(completed, epoch=1, answers=command.digest()):
        return messages.Done(answers, w.owner.lock, epoch, 0, 255, completed).signed(key)

    left = messages.Left(1, messages.Empty())
    assert name_of(lambda: w.owner.answer(said(messages.Inspected(0, 2, left), answers=OTHER))) == "OtherCommand"
    assert name_of(lambda: w.owner.answer(said(messages.Inspected(0, 2, left), epoch=2))) == "WrongEpoch"  # OWN-30
    assert name_of(lambda: w.owner.answer(said(messages.Inspected(1, 2, left)))) == "OtherOperation"
    assert w.owner.answer(said(messages.Inspected(0, 2, left))) == command


def test_provisioned_of_another_epoch_or_lock():
    w = World()
    challenge, session = w.challenge()
    sent = owner.provision(w.owner_seed, w.secret, w.service.key, challenge, w.entropy(16))
    key = w.lock.keys.lock
    answer = Provisioned.decode(w.finish(w.lock.provision(session, sent.provision.encode(), w.now)).message)
    assert name_of(lambda: owner.provisioned(sent, replace(answer, epoch=2).signed(key))) == "WrongEpoch"  # OWN-21
    assert name_of(lambda: owner.provisioned(sent, replace(answer, lock=OTHER).signed(key))) == "WrongLock"  # OWN-22
    own = replace(answer, lock=primitives.public_key(OTHER)).signed(OTHER)
    assert name_of(lambda: owner.provisioned(sent, own)) == "ProvisionedSignature.Mismatch"


def test_new_owner_takes_up_only_its_own_transfer():
    w = ready()
    seed = w.entropy()
    done = w.command(Transfer(primitives.public_key(seed), w.service.key), tell=False)
    service = w.service.key
    assert owner.adopted(seed, done.lock, service, done).epoch == 2
    assert name_of(lambda: owner.adopted(OTHER, done.lock, service, done)) == "WrongOwner"
    assert name_of(lambda: owner.adopted(seed, done.lock, w.owner.key, done)) == "WrongService"  # OWN-20
    assert name_of(lambda: owner.adopted(seed, w.owner.key, service, done)) == "DoneSignature.Mismatch"


def test_owner_without_a_view_takes_up_a_provisioned():
    w = ready()
    said = Provisioned(w.owner.lock, 1, w.owner.key, w.service.key, 2, bytes(16)).signed(w.lock.keys.lock)
    begin = partial(owner.adopted, w.owner_seed, w.owner.lock, w.service.key)
    assert begin(said).epoch == 1  # OWN-44: whatever its card tag answers
    assert name_of(lambda: begin(replace(said, epoch=2).signed(w.lock.keys.lock))) == "WrongEpoch"
    assert name_of(lambda: begin(said.signed(OTHER))) == "ProvisionedSignature.Mismatch"
    assert name_of(lambda: owner.adopted(OTHER, w.owner.lock, w.service.key, said)) == "WrongOwner"
    assert name_of(lambda: owner.adopted(w.owner_seed, w.owner.lock, w.owner.key, said)) == "WrongService"


# Contacts


def test_contacts():
    key = primitives.public_key(OTHER)
    contact = contacts.pin(key)
    assert not contact.verified
    groups = contacts.fingerprint(key)
    assert contacts.read(contacts.show(groups)) == groups == contacts.read("".join(groups) + "\n")
    for typed, name in (("12 34x", "NotADigit"), ("1" * 29, "TooShort"), ("1" * 31, "TooLong")):
        assert name_of(lambda: contacts.read(typed)) == name
    assert len(groups) == 6 and all(len(g) == 5 and g.isdigit() for g in groups)
    verified = contacts.compared(contact, groups)
    assert verified.verified and contacts.scanned(contact, key).verified
    assert name_of(lambda: contacts.compared(contact, groups[::-1])) == "FingerprintMismatch"
    new = primitives.public_key(bytes(32))
    assert name_of(lambda: contacts.seen(verified, new)) == "KeyChanged"
    assert contacts.accept(verified, new) == contacts.Contact(new, False)
    assert name_of(lambda: contacts.pin(bytes(32))) == "Key.SmallOrder"
    w = ready()
    assert w.owner.grant(0, verified, 3, Limits()).message.subject == key


# Service


def test_opening():
    w = World()
    _, answer = under_way(w)
    assert name_of(lambda: w.service.open(answer.signed(OTHER))) == "OwnershipSignature.Mismatch"
    assert name_of(lambda: Service(OTHER).open(answer)) == "OtherService"
    w.service.open(answer)
    w.service.open(answer)
    assert name_of(lambda: w.service.open(replace(answer, owner=OTHER).signed(w.lock.keys.lock))) == "Contradiction"


def test_an_epoch_never_goes_down():
    w = World()
    _, answer = under_way(w)
    w.owner = owner.Owner(w.owner_seed, answer.lock, 1, w.service.key)
    done = w.command(Transfer(w.owner.key, w.service.key), tell=False)
    w.service.open(done)
    assert name_of(lambda: w.service.open(answer)) == "OldEpoch"


def test_publication_refused():
    w = ready()
    make = lambda **change: replace(w.owner.grant(0, w.owner.key, 3, Limits()).message, **change)
    seed = w.owner_seed
    assert name_of(lambda: w.service.publish(make().signed(OTHER))) == "GrantSignature.Mismatch"
    assert name_of(lambda: w.service.publish(make(lock=OTHER).signed(seed))) == "UnknownLock"
    assert name_of(lambda: w.service.publish(make(epoch=2).signed(seed))) == "WrongEpoch"
    bad = make(subject=bytes(32), generation=7).signed(seed)
    assert name_of(lambda: w.service.publish(bad)) == "SubjectKey.SmallOrder"
    assert w.service.view(w.owner.lock, 0)[1].highest == 7  # SLO-9
    assert name_of(lambda: w.service.publish(make().signed(seed))) == "Slot.StaleNumber"


@pytest.mark.parametrize(
    "name,change",
    [
        ("ClaimNamesOtherGrant", {"claim": {"grant": OTHER}}),
        ("ClaimSignature.Mismatch", {"subject": OTHER}),
        ("InstallNamesOtherClaim", {"install": {"claim": OTHER}}),
        ("InstallSignature.Mismatch", {"device": OTHER}),
    ],
)
def test_release_refused(name, change):
    from test_lock import Forge

    w = ready()
    identity = w.entropy()
    forge = Forge(w)
    grant = w.owner.stored(w.owner.grant(0, primitives.public_key(identity), 3, Limits()))
    w.service.publish(grant)
    forge.grant, forge.identity = grant, identity
    bundle = forge.bundle(**change)
    before = dict(w.service.store.values)
    assert name_of(lambda: w.service.release(grant.lock, 0, bundle.claim, bundle.install)) == name
    assert w.service.store.values == before
    good = forge.bundle()
    assert w.service.release(grant.lock, 0, good.claim, good.install) == good.release


def test_withdraw_refused():
    w = ready()
    d = w.share()
    order = w.owner.withdraw(0, 2, d.grant.digest())
    assert name_of(lambda: w.service.withdraw(order.signed(OTHER))) == "WithdrawSignature.Mismatch"
    assert name_of(lambda: w.service.withdraw(replace(order, epoch=2).signed(w.owner_seed))) == "WrongEpoch"
    assert w.service.view(w.owner.lock, 0)[1].state == "Sharing"


def test_statements_of_the_lock_are_checked():
    w = ready()
    d = w.share()
    receipt = w.install(d, tell=False)
    assert name_of(lambda: w.service.receipt(receipt.signed(OTHER))) == "ReceiptSignature.Mismatch"
    done = w.command(Inspect(0), tell=False)
    assert name_of(lambda: w.service.done(done.signed(OTHER))) == "DoneSignature.Mismatch"


def test_a_lost_race_signs_nothing():
    w = ready()
    d = w.share()
    challenge, _ = w.challenge(Purpose.Install)
    install = guest.install(d, challenge, w.entropy())
    store = w.service.store
    swap = store.swap
    store.swap = lambda *args: False
    with pytest.raises(Lost):
        w.service.release(w.owner.lock, 0, d.claim, install)
    with pytest.raises(Lost):
        w.service.withdraw(w.owner.withdraw(0, 2, d.grant.digest()))
    store.swap = swap
    assert w.service.view(w.owner.lock, 0)[1].state == "Sharing"


# Guest


def test_guest_checks():
    w = ready()
    identity = w.entropy()
    d = w.share(seed=identity)
    assert name_of(lambda: guest.claim(OTHER, d.grant, w.entropy())) == "NotTheSubject"
    challenge, session = w.challenge(Purpose.Install)
    assert name_of(lambda: guest.install(d, replace(challenge, lock=OTHER), w.entropy())) == "WrongLock"
    install = guest.install(d, challenge, w.entropy())
    assert name_of(lambda: guest.install(d, challenge, w.entropy())) == "GST-7"
    release = w.service.release(w.owner.lock, 0, d.claim, install)
    assert name_of(lambda: guest.bundle(d, replace(release, install=OTHER))) == "ReleaseNamesOtherInstall"
    bundle = guest.bundle(d, release)
    result = w.finish(w.lock.install(session, bundle.encode(), w.now, w.entropy()))
    receipt = messages.Receipt.decode(result.message)
    key = w.lock.keys.lock
    assert name_of(lambda: guest.receipt(d, receipt.signed(OTHER))) == "ReceiptSignature.Mismatch"
    for name, change in (
        ("ReceiptNamesOtherInstall", {"install": OTHER}),
        ("ReceiptDoesNotFit", {"grant": OTHER}),
        ("ReceiptDoesNotFit", {"device": OTHER}),
        ("ReceiptDoesNotFit", {"epoch": 2}),
        ("ReceiptDoesNotFit", {"slot": 1}),
        ("ReceiptDoesNotFit", {"generation": 3}),
        ("NonContributory", {"agreement": bytes(32)}),
    ):
        assert name_of(lambda: guest.receipt(d, replace(receipt, **change).signed(key))) == name
        assert d.pairing is None
    assert guest.receipt(d, receipt) == w.lock.slots[0].holding.pairing
    assert name_of(lambda: guest.receipt(d, receipt)) == "ReceiptNamesOtherInstall"


def test_refusals_to_a_guest():
    w = ready()
    d = w.share()
    bundle, session = w.release(d)
    w.ticks += 120_001
    assert w.lock.install(session, bundle.encode(), w.now, w.entropy()).message == messages.OPAQUE
    assert guest.refused(d, bundle, Refused()).name == "RefusedOpaquely"
    signed = Refused(bundle.digest(), Reason.StaleGeneration).signed(w.lock.keys.lock)
    assert guest.refused(d, bundle, signed).name == "Refused.StaleGeneration"
    assert name_of(lambda: guest.refused(d, bundle, signed.signed(OTHER))) == "RefusalSignature.Mismatch"
    other = replace(signed, request=OTHER).signed(w.lock.keys.lock)
    assert guest.refused(d, bundle, other).name == "RefusedOpaquely"  # GST-17
    bad = replace(d.grant, lock=bytes(32), subject=primitives.public_key(OTHER))
    assert name_of(lambda: guest.claim(OTHER, bad, w.entropy())) == "LockKey.SmallOrder"  # GST-16
    bad = replace(d.grant, subject=primitives.public_key(OTHER))
    assert name_of(lambda: guest.claim(OTHER, bad, w.entropy(), w.owner.key)) == "GrantSignature.Mismatch"


def test_reply_checks():
    w = ready()
    d = w.share()
    w.install(d)
    unlock, pending = w.ask(d)
    reply = messages.Reply.decode(w.finish(pending).message)
    assert name_of(lambda: guest.reply(d, unlock, replace(reply, auth=bytes(16)))) == "ReplyMac"
    other, pending = w.ask(d)
    assert name_of(lambda: guest.reply(d, other, reply)) == "ReplyToOther"
    assert guest.reply(d, unlock, reply) == messages.Accepted()


# The entry point


def test_entry_point():
    claim = messages.Claim(OTHER, OTHER).signed(OTHER)
    asks = [
        {"do": "decode", "kind": "Claim", "bytes": claim.encode().hex()},
        {"do": "encode", "message": jsonable.to_json(claim)},
        {"do": "decode", "kind": "Claim", "bytes": "534b"},
        {"do": "code", "typed": "7k3q"},
        {"do": "verify", "kind": "Claim", "bytes": claim.encode().hex(), "key": bytes(32).hex()},
    ]
    script = Path(__file__).resolve().parents[1] / "sharekey.py"
    text = "\n".join(map(json.dumps, asks))
    run = subprocess.run([sys.executable, str(script)], input=text, capture_output=True, text=True, check=True)
    answers = list(map(json.loads, run.stdout.splitlines()))
    assert answers[0]["ok"]["grant"] == OTHER.hex() and answers[1]["ok"] == claim.encode().hex()
    assert [a["error"] for a in answers[2:]] == ["Truncated", "TooShort", "Key.SmallOrder"]


def test_states_become_json():
    w = ready()
    w.install(w.share(limits=Limits(1, 2**37, Schedule(127, 0, 1440, 0, Next(1, 60)), 4)))
    for state in (w.owner, w.service, w.lock):
        json.dumps(jsonable.to_json(state))
