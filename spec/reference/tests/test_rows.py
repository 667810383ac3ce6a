"""The service's two records: which are written, when, and what is not signed."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from sharekey import guest, reports
from sharekey.cells import Purpose
from sharekey.errors import SharekeyError
from sharekey.messages import Activate, Deactivate, Inspect, Transfer
from sharekey.service import Service
from test_reports import OTHER, OTHER_KEY, name_of
from world import NOON, ready


def installs(w, d, count):
    for _ in range(count):
        challenge, _ = w.challenge(Purpose.Install)
        yield guest.install(d, challenge, w.entropy())


def test_what_is_repeated_writes_nothing():
    w = ready()
    opened = w.command(Inspect(0))
    d = w.share()
    receipt = w.install(d)
    asked = replace(w.owner.withdraw(0, 2, d.grant.digest()), generation=9, grant=OTHER).signed(w.owner_seed)
    w.service.withdraw(asked)
    before = copy.deepcopy(w.service.store.values)
    for _ in range(3):  # SVC-25
        w.service.publish(d.grant)
        w.service.receipt(receipt)
        w.service.done(opened)
        w.service.withdraw(asked)
        w.service.open(w.statement)
        assert w.service.store.values == before


def test_installs_in_turn_write_nothing():
    w = ready()
    d = w.share()
    sent = list(installs(w, d, 3))
    answers = [w.service.release(d.grant.lock, 0, d.claim, install) for install in sent]
    before = dict(w.service.store.values)
    for install, answer in list(zip(sent, answers)) * 2:  # SVC-32
        assert w.service.release(d.grant.lock, 0, d.claim, install) == answer
    assert w.service.store.values == before


def test_a_transfer_is_one_write_and_slots_follow():
    w = ready()
    d = w.share()
    version, _ = w.service.record(w.owner.lock, 0)
    keys = set(w.service.store.values)
    w.service.open(w.command(Transfer(w.owner.key, w.service.key), tell=False))
    assert set(w.service.store.values) == keys
    assert w.service.store.get((w.owner.lock, 0))[0] == version
    again, record = w.service.record(w.owner.lock, 0)
    assert (again, record.owned.epoch, record.grant) == (version, 2, None)  # SVC-27
    assert w.service.bring_along(w.owner.lock, 0)[0] == version + 1  # RPT-19
    assert w.service.bring_along(w.owner.lock, 0)[0] == version + 1
    assert name_of(lambda: w.service.publish(d.grant)) == "WrongEpoch"
    # The lock's record of before comes back.
    w.service.store.values[(w.owner.lock, None)] = (1, w.service.store.get((w.owner.lock, None))[1])
    assert name_of(lambda: w.service.record(w.owner.lock, 0)) == "Stored"  # SVC-26


def test_a_report_of_a_slot_that_follows_an_older_record_is_stored_first():
    w = ready()
    request = reports.ask(w.owner, 1, NOON, w.entropy(16))
    version = lambda: w.service.store.get((w.owner.lock, 1))[0]
    assert version() == 0
    first = w.service.report(w.owner.lock, 1, request, NOON)
    assert version() == 1  # SVC-31
    assert w.service.report(w.owner.lock, 1, request, NOON) == first
    assert version() == 1
    w.service.open(w.command(Transfer(w.owner.key, w.service.key), tell=False))
    assert w.service.report(w.owner.lock, 1, request, NOON) != first
    assert version() == 2


def test_a_former_owner_opens_no_slot():
    w = ready()
    d = w.share()
    w.service.open(w.command(Transfer(w.owner.key, OTHER_KEY), tell=False))
    assert name_of(lambda: w.service.open(w.statement)) == "OldEpoch"  # SVC-2
    assert name_of(lambda: w.service.publish(d.grant)) == "WrongEpoch"


def test_a_restored_store_signs_nothing_until_a_transfer():
    w = ready()
    d = w.share()
    lock = w.owner.lock
    w.service.restored(lock)
    (install,) = installs(w, d, 1)
    request = reports.ask(w.owner, 0, NOON, w.entropy(16))
    for call in (
        lambda: w.service.withdraw(w.owner.withdraw(0, d.grant.generation, d.grant.digest())),
        lambda: w.service.release(lock, 0, d.claim, install),
        lambda: w.service.publish(d.grant),
        lambda: w.service.report(lock, 0, request, NOON),
    ):
        assert name_of(call) == "Restored"  # SVC-29
    w.service.open(w.statement)
    assert w.service.store.get((lock, None))[1].restored
    w.service.open(w.command(Transfer(w.owner.key, w.service.key), tell=False))
    assert w.service.report(lock, 0, request, NOON)


@pytest.mark.parametrize("inspected", [False, True])
def test_a_late_done_repairs_a_record(inspected):
    w = ready()
    d = w.share()
    done = w.command(Deactivate(0, w.owner.next_number(0)), tell=False)
    said = w.command(Inspect(0), tell=False) if inspected else done
    (install,) = installs(w, d, 1)
    assert w.service.release(d.grant.lock, 0, d.claim, install)
    w.service.done(said)
    assert w.service.view(d.grant.lock, 0)[1].state == "Inactive"
    with pytest.raises(SharekeyError):
        w.service.release(d.grant.lock, 0, d.claim, install)
    w.service.done(w.command(Activate(0, w.owner.next_number(0) + 1), tell=False))
    assert w.service.view(d.grant.lock, 0)[1].state == "NotShared"


def test_another_key_serves_no_record():
    w = ready()
    other = Service(OTHER, w.service.store)
    d = w.share()
    assert name_of(lambda: other.publish(d.grant)) == "Moved"  # SVC-16
