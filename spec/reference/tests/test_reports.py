"""Reports and requests: each rule of "Reports" and "Finding a grant", at the service and at the owner's phone."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from sharekey import answers, guest, primitives, reports
from sharekey.errors import SharekeyError
from sharekey.limits import Limits
from sharekey.messages import Done, Grant, Inspect, NeverReleased, ReportRequest, Settled, State, Transfer, Transferred
from sharekey.service import Service
from world import NOON, ready

OTHER = bytes(range(1, 33))
OTHER_KEY = primitives.public_key(OTHER)


def name_of(call) -> str:
    with pytest.raises(SharekeyError) as bad:
        call()
    return bad.value.name


# The service


def test_who_is_answered():
    w = ready()
    good = reports.ask(w.owner, 0, NOON, w.entropy(16))
    ask = lambda **change: replace(good, **change).signed(w.owner_seed)
    asks = lambda request, now=NOON: w.service.report(w.owner.lock, 0, request, now)
    assert asks(good) == asks(good, NOON + 300) == asks(good, NOON - 300)
    assert name_of(lambda: asks(ask(by=1))) == "UnknownSigner"
    assert name_of(lambda: asks(good.signed(OTHER))) == "RequestSignature.Mismatch"  # RPT-2
    assert name_of(lambda: asks(ask(lock=OTHER, epoch=2))) == "WrongLock"
    assert name_of(lambda: asks(ask(epoch=2, slot=1))) == "WrongEpoch"  # RPT-3
    assert name_of(lambda: asks(ask(slot=1, time=0))) == "WrongSlot"
    for now in (NOON + 301, NOON - 301, 0, 2**64 - 1):
        assert name_of(lambda: asks(good, now)) == "RequestTime"  # RPT-4
    w.service.open(w.command(Transfer(OTHER_KEY, w.service.key), tell=False))
    assert name_of(lambda: asks(good)) == "RequestSignature.Mismatch"  # a former owner
    old = replace(good, epoch=1).signed(OTHER)
    assert asks(old)  # one that was away over a transfer to itself


def test_a_service_that_the_lock_left_answers_nobody():
    w = ready()
    good = reports.ask(w.owner, 0, NOON, w.entropy(16))
    w.service.open(w.command(Transfer(w.owner.key, OTHER_KEY), tell=False))
    assert name_of(lambda: w.service.report(w.owner.lock, 0, good.signed(OTHER), NOON)) == "Moved"  # SVC-16 is first


def test_what_a_report_holds():
    w = ready()
    d = w.share()
    receipt = w.install(d)
    w.withdraw(d)
    request = reports.ask(w.owner, 0, NOON, w.entropy(16))
    report, parts = answers.divide(w.service.report(w.owner.lock, 0, request, NOON))
    assert parts[0] == w.statement.encode()  # RPT-7
    assert [part[3] for part in parts[1:]] == [13, 8, 1, 3] and parts[2] == receipt.encode()  # SVC-22
    before = w.service.record(w.owner.lock, 0)
    w.service.report(w.owner.lock, 0, request, NOON)
    assert w.service.record(w.owner.lock, 0) == before  # RPT-6
    other = copy.deepcopy(w.owner)
    other.slots = {}
    seen = reports.see(other, request, answers.join(report, parts))
    assert len(seen.messages) == 4 and seen.contradiction is None
    assert other.view(0)[1].live_generations == w.owner.view(0)[1].live_generations == {2}


def test_finding():
    w = ready()
    seed = w.entropy()
    d = w.share(seed=seed)
    good = guest.ask(seed, w.service.key, NOON, w.entropy(16))
    assert w.service.find(good, NOON + 300) == [d.grant]
    assert name_of(lambda: w.service.find(good.signed(OTHER), NOON)) == "RequestSignature.Mismatch"  # FND-1
    assert name_of(lambda: Service(OTHER).find(good, 0)) == "OtherService"  # FND-2
    assert name_of(lambda: w.service.find(good, NOON + 301)) == "RequestTime"  # RPT-4
    assert w.service.find(guest.ask(OTHER, w.service.key, NOON, w.entropy(16)), NOON) == []


# The owner's phone


def test_an_answer_is_divided_first():
    w = ready()
    request = reports.ask(w.owner, 0, NOON, w.entropy(16))
    part = w.statement.encode()
    see = lambda data: name_of(lambda: reports.see(w.owner, request, data))
    assert see(b"") == see(b"\1") == see(b"\5\0abcd") == "Wire.Truncated"
    assert see(answers.join(b"", [part] * 65)) == see(answers.join(b"", [bytes(257)])) == "Wire.TooLong"  # RPT-8
    assert see(answers.join(b"", [part] * 64)) == "Wire.Truncated"  # the Report itself
    assert see(answers.join(part, [bytes(256)])) == "Wire.Kind"
    good = w.answer(request)
    assert see(good[:-1]) == see(good + b"\0") == "Wire.Truncated"


def test_which_report_is_taken_in():
    w = ready()
    grant = w.share().grant
    before = copy.deepcopy(w.owner)
    see = lambda *said, **change: name_of(lambda: w.see(w.owner, *said, **change))
    assert see(signer=OTHER, request=OTHER) == "ReportSignature.Mismatch"  # RPT-10, before RPT-9
    assert see(request=OTHER, lock=OTHER) == "OtherRequest"  # RPT-9
    assert see(lock=OTHER, slot=1) == "WrongLock"  # RPT-12
    assert see(slot=1, messages=OTHER) == "WrongSlot"
    assert see(grant, messages=OTHER) == "OtherMessages"  # RPT-11
    assert see(epoch=2) == "WrongEpoch"
    request, again = (reports.ask(w.owner, 0, NOON, w.entropy(16)) for _ in range(2))
    other_order = answers.divide(w.answer(request, grant))
    turned = answers.join(other_order[0], other_order[1][::-1])
    assert name_of(lambda: reports.see(w.owner, request, turned)) == "OtherMessages"
    assert name_of(lambda: reports.see(w.owner, again, w.answer(request, grant))) == "OtherRequest"
    assert w.owner == before
    reports.see(w.owner, request, w.answer(request, grant))
    assert w.owner.view(0)[0].version == 5  # SLO-5


def test_the_statement_of_ownership():
    w = ready()
    key, own, service = w.lock.keys.lock, w.owner.key, w.service.key
    done = lambda operation, epoch: Done(OTHER, w.owner.lock, epoch, 0, 255, operation).signed(key)
    see = lambda said, **change: name_of(lambda: w.see(w.owner, said, **change))
    grant = w.share().grant
    request = reports.ask(w.owner, 0, NOON, w.entropy(16))
    for parts in ([], [grant.encode()], [w.command(Inspect(0), tell=False).encode()]):
        forged = _report(w, request, parts)
        assert name_of(lambda: reports.see(w.owner, request, forged)) == "NoOwnership"
    assert see(w.statement.signed(OTHER)) == "ProvisionedSignature.Mismatch"
    assert see(done(Transferred(own, service, 2), 2).signed(OTHER)) == "DoneSignature.Mismatch"
    changes = {"WrongLock": {"lock": OTHER}, "WrongEpoch": {"epoch": 2}, "WrongOwner": {"owner": OTHER}}
    for name, change in changes.items():
        assert see(replace(w.statement, **change).signed(key)) == name
    assert see(replace(w.statement, service=OTHER).signed(key)) == "WrongService"  # RPT-13
    assert see(done(Transferred(own, OTHER, 2), 2), epoch=2) == "WrongService"
    assert see(done(Transferred(own, service, 2), 0)) == "WrongEpoch"
    assert see(done(Transferred(OTHER, service, 2), 1)) == "WrongOwner"
    assert see(done(Transferred(own, service, 2), 2)) == "WrongEpoch"  # RPT-12: after the statement
    assert w.owner.epoch == 1
    w.see(w.owner, done(Transferred(own, service, 2), 1), grant)
    assert w.owner.view(0)[1].share.generation == 2


def _report(w, request: ReportRequest, parts: list[bytes]) -> bytes:
    """An answer of these parts alone."""
    report = answers.divide(w.answer(request, messages=answers.content(parts)))[0]
    return answers.join(report, parts)


def test_going_on_in_a_later_ownership():
    w = ready()
    w.share()
    key, own, service = w.lock.keys.lock, w.owner.key, w.service.key
    later = lambda owner, service: Done(OTHER, w.owner.lock, 2, 0, 255, Transferred(owner, service, 2)).signed(key)
    grant = Grant(w.owner.lock, 2, 0, 0, 1, OTHER_KEY, 3, Limits()).signed(w.owner_seed)
    away, gone, moved = (copy.deepcopy(w.owner) for _ in range(3))
    assert w.see(away, later(own, service), grant, epoch=2).messages == [later(own, service), grant]
    assert away.epoch == 2 and away.view(0)[1].live_generations == {1}
    assert name_of(lambda: w.see(gone, later(OTHER_KEY, service), grant, epoch=2)) == "Transferred"
    w.see(gone, later(OTHER_KEY, service), epoch=2)
    assert gone.gone and gone.view(0)[0] is None and gone.nobody_can_open(0) is None
    assert name_of(lambda: reports.ask(gone, 0, NOON, bytes(16))) == "Transferred"
    assert name_of(lambda: moved.take_in(later(own, OTHER_KEY))) == "WrongService"  # RPT-13
    assert name_of(lambda: moved.moved(later(own, OTHER_KEY), service)) == "WrongService"
    assert name_of(lambda: moved.moved(w.command(Inspect(0), tell=False), service)) == "NotATransfer"
    moved.moved(later(own, OTHER_KEY), OTHER_KEY)
    assert (moved.epoch, moved.service) == (2, OTHER_KEY)
    assert name_of(lambda: w.see(moved, later(own, OTHER_KEY))) == "ReportSignature.Mismatch"
    w.see(moved, later(own, OTHER_KEY), signer=OTHER)


def test_its_messages_are_taken_in_or_none():
    w = ready()
    other = copy.deepcopy(w.owner)
    assert other.view(0)[0] is None
    d = w.share()
    receipt = w.install(d, tell=False)
    w.see(other, d.grant, receipt)
    as_of, record = other.view(0)
    assert as_of.version == 5 and as_of.time == NOON and record.share.confirmed  # SLO-5
    before = copy.deepcopy(other)
    done = w.command(Inspect(0), tell=False)
    elsewhere = replace(d.grant, slot=1).signed(w.owner_seed)
    for bad, name in (
        (receipt.signed(OTHER), "ReceiptSignature.Mismatch"),
        (w.statement, "NothingToLearn"),
        (elsewhere, "WrongSlot"),
    ):
        assert name_of(lambda: w.see(other, w.statement, done, bad, version=6)) == name  # RPT-14
    assert name_of(lambda: w.see(other, w.statement, done, version=4)) == "OlderReport"
    assert other == before  # OWN-28
    w.see(other, version=2**64 - 1)
    assert name_of(lambda: w.see(other, version=6)) == "OlderReport"  # OWN-27
    moved = w.command(Transfer(other.key, other.service), tell=False)
    other.take_in(moved)
    w.see(other, moved, version=6)  # OWN-27 is of one epoch
    assert other.view(0)[0].version == 6


def test_two_reports_of_one_version():
    w = ready()
    d = w.share()
    assert w.see(w.owner, d.grant).contradiction is None
    assert w.see(w.owner, d.grant, time=NOON + 9).contradiction is None  # the same
    assert w.see(w.owner, version=6).contradiction is None
    first, second = w.see(w.owner, d.grant, version=6).contradiction  # RPT-15
    assert first.version == second.version == 6 and first.messages != second.messages
    assert w.see(w.owner, version=7).contradiction == (first, second)
    other = copy.deepcopy(w.owner)
    other.slots = {}
    w.see(other, d.grant)
    assert w.see(other, d.grant, state=State.Shared).contradiction is not None


def test_that_nobody_can_open_is_of_a_moment():
    w = ready()
    assert w.owner.nobody_can_open(0) is None and w.owner.nobody_can_open(1) is None  # RPT-16
    w.see(w.owner, time=NOON - 7)
    assert w.owner.nobody_can_open(0) == NOON - 7
    d = w.share()
    assert w.owner.nobody_can_open(0) is None
    answer = w.service.withdraw(w.owner.withdraw(0, 2, d.grant.digest()))
    w.owner.withdrawn(replace(answer, outcome=Settled()).signed(w.service.seed))
    assert w.owner.nobody_can_open(0) is None
    w.owner.withdrawn(answer)
    assert isinstance(answer.outcome, NeverReleased) and w.owner.nobody_can_open(0) == NOON - 7
    w.command(Transfer(w.owner.key, w.service.key))
    assert w.owner.nobody_can_open(0) is None
