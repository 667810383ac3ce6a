"""Making, counter, persist then act, damage, records."""

from __future__ import annotations

import pytest
from sharekey import cells, guest, messages, primitives, records
from sharekey.cells import NeedsMaking, Purpose
from sharekey.errors import LockError
from sharekey.limits import Action, Limits, Next, Reason, Schedule
from sharekey.lock import Lock
from sharekey.messages import Act, Activate, Deactivate, Inspect, Transfer
from sharekey.records import COUNTER, HEADER, SEED, CounterRecord, HeaderRecord, Key, LockSlot, Owned, slot_cell
from test_lock import refused, send_command, send_provision, send_reset
from world import World, ready


def name_of(call) -> str:
    with pytest.raises(LockError) as bad:
        call()
    return bad.value.name


# Making


def test_making_order():
    writes = cells.make(bytes(32), b"e" * 32, 2)
    assert [cell for cell, _ in writes] == [SEED, HEADER, COUNTER, slot_cell(0), slot_cell(1), SEED]
    first, last = (records.unseal(SEED, writes[i][1], b"") for i in (0, -1))
    assert not first.initialised and last.initialised and first.seed == last.seed


def test_power_cut_at_every_write_of_making():
    writes = cells.make(bytes(32), b"e" * 32, 2)
    for done in range(len(writes)):
        store = dict(writes[:done])
        with pytest.raises(NeedsMaking) as needs:
            Lock.boot(store, 2, bytes(16))
        assert needs.value.before == (bytes(32) if done == 0 else primitives.sha256(writes[0][1]))
    lock = Lock.boot(dict(writes), 2, bytes(16))
    assert lock.next_number == 0 and lock.owned is None and lock.slots == [records.FRESH_SLOT] * 2


def test_damaged_seed_is_not_a_missing_one():
    w = ready()
    w.store[SEED] = w.store[SEED][:-1]
    assert name_of(w.boot) == "SeedDamaged"
    with pytest.raises(NeedsMaking):
        Lock.boot(w.store, w.slots, w.secret, make_anyway=True)


# Records


def test_records_round_trip_and_longest():
    key = b"k" * 32
    limits = Limits(1, 2, Schedule(1, 0, 1, 0, Next(1, 1)), 5)
    longest = LockSlot(1, 2, Key(b"g" * 32, b"d" * 32, b"p" * 32, 3, limits, 4))
    contents = [
        (HEADER, HeaderRecord(3, records.Unprovisioned())),
        (HEADER, HeaderRecord(3, Owned(1, b"o" * 32, b"s" * 32))),
        (COUNTER, CounterRecord(5, 6, 1)),
        (slot_cell(9), records.FRESH_SLOT),
        (slot_cell(9), LockSlot(1, 2, records.SlotEmpty())),
        (slot_cell(9), longest),
    ]
    for cell, content in contents:
        data = records.seal(cell, content, key)
        assert records.unseal(cell, data, key) == content
        assert records.unseal(cell, data, b"x" * 32) is None
        assert records.unseal((cell[0], cell[1] + 1), data, key) is None
        for at in range(len(data)):
            assert records.unseal(cell, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], key) is None
            assert records.unseal(cell, data[:at], key) is None
    assert len(records.seal(slot_cell(9), longest, key)) == 173
    assert records.place(SEED) == 0 and records.place(COUNTER) == 2 and records.place(slot_cell(4)) == 7


# Counter


def test_counter_is_leased():
    w = World()
    first = w.lock.challenge(Purpose.Operate, w.now, w.entropy())
    assert records.unseal(COUNTER, first.record, w.lock.keys.record).ceiling == 65536
    w.finish(first)
    assert w.lock.challenge(Purpose.Operate, w.now, w.entropy()).record is None
    w.boot()
    assert w.lock.next_number == 65536
    pending = w.lock.challenge(Purpose.Operate, w.now, w.entropy())
    assert records.unseal(COUNTER, pending.record, w.lock.keys.record).ceiling == 131072


def test_counter_raises_the_latest_time():
    w = ready()
    w.clock += 9
    w.boot()
    w.challenge()
    assert w.lock.counter.latest == w.clock
    w.clock -= 1
    assert w.lock._clock(w.now) == "Unset"


def test_nonces_differ_with_bad_entropy():
    w = World()
    seen = set()
    for _ in range(20):
        for _ in range(5):
            given = w.finish(w.lock.challenge(Purpose.Operate, w.now, bytes(32)))
            seen.add(given.session.nonce)
        w.boot()
    assert len(seen) == 100


def test_counter_ends():
    w = World()
    w.lock.counter = CounterRecord(2**64 - 2, 0, 0)
    w.lock.next_number = 2**64 - 2
    assert w.lock.challenge(Purpose.Operate, w.now, w.entropy()).name == "Exhausted"


# Persist, then act


def test_dropped_changes_nothing():
    w = ready()
    before = (dict(w.store), list(w.lock.slots))
    pending = send_command(w, Deactivate(0, 9))
    w.lock.dropped(pending)
    assert (dict(w.store), list(w.lock.slots)) == before
    assert name_of(lambda: w.lock.stored(pending)) == "NotPending"


def test_failed_write_leaves_the_cell_busy():
    w = ready()
    d = w.share()
    w.install(d)
    pending = send_command(w, Deactivate(0, 9))
    w.lock.failed(pending)
    refused(w, send_command(w, Inspect(0)), "Busy", Reason.Busy)
    assert w.unlock(d) is None
    w.command(Inspect(1))
    refused(w, send_command(w, Transfer(w.owner.key, w.service.key)), "Busy", Reason.Busy)
    w.lock.reload(slot_cell(0), w.store[slot_cell(0)])
    assert w.unlock(d) == messages.Accepted()
    pending = send_command(w, Deactivate(0, 9))
    w.lock.failed(pending)
    w.lock.reload(slot_cell(0), pending.record)
    assert w.unlock(d) is None


def test_reload_overtakes_a_write():
    w = ready()
    pending = send_command(w, Deactivate(0, 9))
    w.lock.reload(slot_cell(0), pending.record)
    assert name_of(lambda: w.lock.stored(pending)) == "NotPending"
    assert w.lock.slots[0].floor == 9


def test_a_pending_result_holds_its_cell():
    w = ready()
    d = w.share()
    w.install(d)
    _, pending = w.ask(d)
    assert pending.record is None
    refused(w, send_command(w, Deactivate(0, 9)), "Busy", Reason.Busy)
    refused(w, send_command(w, Transfer(w.owner.key, w.service.key)), "Busy", Reason.Busy)
    w.finish(pending)
    w.finish(send_command(w, Deactivate(0, 9)))


def test_an_act_holds_the_header():
    w = ready()
    act = send_command(w, Act(Action.Open))
    assert w.lock.challenge(Purpose.Operate, w.now, w.entropy()).name == "Busy"
    w.lock.dropped(act)
    w.challenge()


def test_a_challenge_holds_the_counter():
    w = ready()
    pending = w.lock.challenge(Purpose.Operate, w.now, w.entropy())
    assert w.lock.challenge(Purpose.Install, w.now, w.entropy()).name == "Busy"
    w.lock.dropped(pending)


def test_a_dropped_challenge_supersedes_nothing():
    w = ready()
    d = w.share()
    w.install(d)
    challenge, session = w.challenge()
    w.lock.dropped(w.lock.challenge(Purpose.Operate, w.now, w.entropy()))
    unlock = guest.unlock(d, challenge, Action.Open, w.entropy(16)).encode()
    w.finish(w.lock.unlock(session, unlock, w.now))


def test_a_transfer_of_which_nobody_knows():
    w = ready()
    pending = send_command(w, Transfer(w.owner.key, w.service.key))
    w.lock.failed(pending)
    assert w.lock.challenge(Purpose.Operate, w.now, w.entropy()).name == "Busy"
    w.lock.reload(HEADER, pending.record)
    assert w.lock.owned.epoch == 2 and w.lock.slot_now(0).floor == 0


def test_provision_waits_for_cells():
    w = World()
    pending = send_provision(w)
    assert w.lock.challenge(Purpose.Operate, w.now, w.entropy()).name == "Busy"
    w.finish(pending)
    assert w.lock.owned.epoch == 1


# Damage


def test_damaged_slot():
    w = ready()
    d = w.share()
    w.install(d)
    w.store[slot_cell(0)] = b""
    w.boot()
    assert w.unlock(d) is None
    for operation in (Activate(0, 9), Deactivate(0, 9), Inspect(0)):
        refused(w, send_command(w, operation), "SlotDamaged", Reason.SlotDamaged)
    w.command(Activate(1, 1))
    w.command(Transfer(w.owner.key, w.service.key))
    assert w.command(Inspect(0)).completed.left == messages.Left(0, messages.Inactive())
    w.boot()
    refused(w, send_command(w, Inspect(0)), "SlotDamaged", Reason.SlotDamaged)


def test_first_write_of_the_epoch_mends():
    w = ready()
    w.store[slot_cell(0)] = b""
    w.boot()
    w.command(Transfer(w.owner.key, w.service.key))
    w.activate(0)
    w.boot()
    assert w.lock.slot_now(0).floor == 1


@pytest.mark.parametrize("cell", [HEADER, COUNTER])
def test_damaged_header_or_counter(cell):
    w = ready()
    d = w.share()
    w.install(d)
    del w.store[cell]
    w.boot()
    assert w.unlock(d) is None
    refused(w, send_command(w, Act(Action.Open)), "Damaged")
    refused(w, send_provision(w), "Damaged")
    w.finish(send_reset(w))
    assert w.lock.over


def test_a_rescue_session_serves_a_reset_only():
    w = ready()
    header = w.store.pop(HEADER)
    w.boot()
    challenge, session = w.challenge()
    w.lock.reload(HEADER, header)
    command = w.owner.stored(w.owner.command(Act(Action.Open), challenge, w.entropy(16)))
    refused(w, w.lock.command(session, command.encode(), w.now), "SessionSuperseded")
    w.command(Act(Action.Open))


def test_counter_read_after_all_goes_on_at_its_ceiling():
    w = ready()
    counter = w.store.pop(COUNTER)
    w.boot()
    w.challenge()
    w.lock.reload(COUNTER, counter)
    assert w.lock.next_number == 65536


def fail_a_write(w, d):
    _, pending = w.ask(d)
    w.lock.failed(pending)


def test_an_older_record_is_damage():
    w = ready()
    old = {cell: w.store[cell] for cell in w.store}
    d = w.share(limits=Limits(uses=3))
    w.install(d)
    installed = w.store[slot_cell(0)]
    w.unlock(d)
    with pytest.raises(LockError) as bad:
        w.lock.reload(slot_cell(0), installed)
    assert bad.value.name == "NotBusy"  # STG-13
    fail_a_write(w, d)
    w.lock.reload(slot_cell(0), installed)
    assert w.lock.slots[0] is None
    w.lock.reload(slot_cell(0), w.store[slot_cell(0)])
    assert w.unlock(d) == messages.Accepted()
    fail_a_write(w, d)
    w.lock.reload(slot_cell(0), old[slot_cell(0)])
    assert w.unlock(d) is None


def test_a_record_newer_than_the_header():
    w = ready()
    header = w.store[HEADER]
    w.command(Transfer(w.owner.key, w.service.key))
    w.activate(0)
    w.store[HEADER] = header
    w.boot()
    assert w.lock.slot_now(0) is None and w.lock.slot_now(1) is not None


def test_foreign_records():
    w, other = ready(), World()
    other.entropy.label = "other"
    other.make(bytes(32))
    other.provision()
    w.store[slot_cell(1)] = other.store[slot_cell(1)]
    w.boot()
    assert w.lock.slot_now(1) is None and w.lock.slot_now(0) is not None
