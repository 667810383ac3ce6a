"""The lock: every check broken alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sharekey import guest, messages, pairing, primitives, records
from sharekey.cells import Pending, Purpose
from sharekey.limits import ABSENT, UNSET, Action, Limits, Reason, Schedule
from sharekey.lock import Now, Refusal
from sharekey.messages import (
    OPAQUE,
    Act,
    Activate,
    Bundle,
    Command,
    Deactivate,
    FactoryReset,
    Inspect,
    Provision,
    Refused,
    Reply,
    SetClock,
    Transfer,
    UnlockRefused,
)
from world import NOON, World, ready

BAD_KEY = bytes(32)


def frozen(world: World) -> tuple:
    """All of a lock that a refusal must leave alone (ERR-2)."""
    lock = world.lock
    return (lock.header, lock.counter, tuple(lock.slots), lock.next_number, dict(world.store), lock.over)


def refused(world: World, outcome, name: str, reason: Reason | None = None, signed: bool | None = None) -> Refusal:
    assert isinstance(outcome, Refusal), outcome
    assert (outcome.name, outcome.reason) == (name, reason)
    if signed is None:
        signed = reason is not None
    assert (outcome.message != OPAQUE) == signed
    if signed and outcome.message[3] == Refused.KIND:
        Refused.decode(outcome.message).verify(world.lock.keys.lock_id)
    return outcome


# Install: INS-1 to INS-16


class Forge:
    """A bundle whose parts a test changes, signed again by whoever holds the key."""

    def __init__(self, world: World, limits: Limits = Limits(), number: int = 2, slot: int = 0) -> None:
        self.w = world
        self.identity, self.device = world.entropy(), world.entropy()
        self.x = world.entropy()
        challenge, self.session = world.challenge(Purpose.Install)
        subject = primitives.public_key(self.identity)
        self.grant = messages.Grant(world.lock.keys.lock_id, 1, 0, slot, number, subject, 3, limits)
        self.agreement = primitives.agreement_key(self.x)
        self.nonce = challenge.nonce
        self.owner, self.service = world.owner_seed, world.service.seed

    def bundle(self, **change) -> Bundle:
        g = replace(self.grant, **change.get("grant", {})).signed(change.get("owner", self.owner))
        c = messages.Claim(g.digest(), primitives.public_key(self.device))
        c = replace(c, **change.get("claim", {})).signed(change.get("subject", self.identity))
        i = messages.Install(c.digest(), self.nonce, self.agreement)
        i = replace(i, **change.get("install", {})).signed(change.get("device", self.device))
        r = messages.Release(i.digest())
        r = replace(r, **change.get("release", {})).signed(change.get("service", self.service))
        return Bundle(g, c, i, r)

    def send(self, bundle: Bundle | None = None, now: Now | None = None, **change):
        data = (bundle or self.bundle(**change)).encode()
        return self.w.lock.install(self.session, data, now or self.w.now, self.w.entropy())


def test_forged_bundle_is_good():
    w = ready()
    assert isinstance(Forge(w).send(), Pending)


OTHER = bytes(range(1, 33))


@pytest.mark.parametrize(
    "name,change",
    [
        ("WrongLock", {"grant": {"lock": OTHER}}),
        ("GrantSignature.Mismatch", {"owner": OTHER}),
        ("GrantSignature.Mismatch", {"owner": OTHER, "grant": {"epoch": 2}}),
        ("ReleaseSignature.Mismatch", {"service": OTHER, "grant": {"slot": 1}}),
        ("ClaimNamesOtherGrant", {"claim": {"grant": OTHER}}),
        ("ClaimSignature.Mismatch", {"subject": OTHER}),
        ("ClaimSignature.Key.SmallOrder", {"grant": {"subject": BAD_KEY}}),
        ("InstallNamesOtherClaim", {"install": {"claim": OTHER}}),
        ("WrongNonce", {"install": {"nonce": bytes(16)}}),
        ("InstallSignature.Mismatch", {"device": OTHER}),
        ("InstallSignature.Key.SmallOrder", {"claim": {"device": BAD_KEY}}),
        ("ReleaseNamesOtherInstall", {"release": {"install": OTHER}}),
        ("ReleaseSignature.Mismatch", {"service": OTHER}),
    ],
)
def test_install_refused_opaquely(name, change):
    w = ready()
    forge = Forge(w)
    before = frozen(w)
    refused(w, forge.send(**change), name)
    assert frozen(w) == before
    refused(w, forge.send(), "SessionSuperseded")  # the attempt is used up (SES-1)


@pytest.mark.parametrize(
    "name,reason,change",
    [
        ("WrongEpoch", Reason.WrongEpoch, {"grant": {"epoch": 2}}),
        ("WrongEpoch", Reason.WrongEpoch, {"grant": {"epoch": 0}}),
        ("SlotInactive", Reason.SlotInactive, {"grant": {"slot": 1}}),
        ("NoSuchSlot", Reason.NoSuchSlot, {"grant": {"slot": 3}}),
        ("StaleGeneration", Reason.StaleGeneration, {"grant": {"generation": 1}}),
        ("StaleGeneration", Reason.StaleGeneration, {"grant": {"generation": 0}}),
        ("NonContributory", Reason.NonContributory, {"install": {"agreement": bytes(32)}}),
    ],
)
def test_install_refused_with_a_reason(name, reason, change):
    w = ready()
    forge = Forge(w)
    before = frozen(w)
    bundle = forge.bundle(**change)
    answer = Refused.decode(refused(w, forge.send(bundle), name, reason).message)
    assert answer.request == primitives.sha256(bundle.encode()) and answer.reason is reason
    assert frozen(w) == before


@pytest.mark.parametrize("limits", [Limits(from_=1), Limits(until=1), Limits(schedule=Schedule(1, 0, 1, 0))])
def test_install_without_a_clock(limits):
    w = ready()
    refused(w, Forge(w, limits).send(now=Now(w.ticks, ABSENT)), "NoClock", Reason.NoClock)
    assert isinstance(Forge(w, limits).send(now=Now(w.ticks, UNSET)), Pending)
    w = ready()
    assert isinstance(Forge(w, Limits(uses=3)).send(now=Now(w.ticks, ABSENT)), Pending)


def test_install_that_does_not_decode():
    w = ready()
    forge = Forge(w)
    data = forge.bundle().encode()
    refused(w, w.lock.install(forge.session, data[:-1], w.now, w.entropy()), "Wire.Truncated")
    refused(w, forge.send(), "SessionSuperseded")


def test_install_order():
    """Everything wrong at once: the first check decides; and mended one by one, the next."""
    wrong = [
        ("WrongLock", {"grant": {"lock": OTHER}}),
        ("GrantSignature.Mismatch", {"owner": OTHER}),
        ("ClaimNamesOtherGrant", {"claim": {"grant": OTHER}}),
        ("ClaimSignature.Mismatch", {"subject": OTHER}),
        ("InstallNamesOtherClaim", {"install": {"claim": OTHER}}),
        ("WrongNonce", {"install": {"nonce": bytes(16)}}),
        ("InstallSignature.Mismatch", {"device": OTHER}),
        ("ReleaseNamesOtherInstall", {"release": {"install": OTHER}}),
        ("ReleaseSignature.Mismatch", {"service": OTHER}),
        ("WrongEpoch", {"grant": {"epoch": 9}}),
        ("NoSuchSlot", {"grant": {"slot": 9}}),
        ("StaleGeneration", {"grant": {"generation": 0}}),
        ("NonContributory", {"install": {"agreement": bytes(32)}}),
    ]
    while wrong:
        w = ready()
        change: dict = {}
        for _, one in wrong:
            for part, fields in one.items():
                if isinstance(fields, dict):
                    change[part] = {**change.get(part, {}), **fields}
                else:
                    change[part] = fields
        assert Forge(w).send(**change).name == wrong[0][0]
        wrong.pop(0)


def test_generation_rule():
    w = ready()
    d = w.share(limits=Limits(uses=5))
    w.install(d)
    w.unlock(d)
    held = w.lock.slots[0].holding
    assert held.used == 1
    w.install(d)  # GEN-2, GEN-3
    assert replace(w.lock.slots[0].holding, pairing=held.pairing) == held
    forge = Forge(w, number=2)
    refused(w, forge.send(), "StaleGeneration", Reason.StaleGeneration)  # the same number, another grant
    forge = Forge(w, number=3)
    w.finish(forge.send())
    assert w.lock.slots[0].floor == 3 and w.lock.slots[0].holding.used == 0
    refused(w, Forge(w, number=2).send(), "StaleGeneration", Reason.StaleGeneration)


def test_rekey_needs_the_same_device_and_the_key_there():
    w = ready()
    forge = Forge(w)
    grant = forge.bundle().grant
    w.finish(forge.send())
    again = Forge(w)
    again.grant, again.identity = forge.grant, forge.identity
    refused(w, again.send(), "StaleGeneration", Reason.StaleGeneration)  # another device of the same subject
    again = Forge(w)
    again.grant, again.identity, again.device = forge.grant, forge.identity, forge.device
    assert again.bundle().grant == grant
    w.finish(again.send())
    w.owner.done(w.command(Inspect(0), tell=False))
    w.activate()
    last = Forge(w)
    last.grant, last.identity, last.device = forge.grant, forge.identity, forge.device
    refused(w, last.send(), "StaleGeneration", Reason.StaleGeneration)


# Unlock: UNL-1 to UNL-16


def installed(limits: Limits = Limits(), rights: int = 3):
    w = ready()
    d = w.share(limits=limits, rights=rights)
    w.install(d)
    return w, d


def send_unlock(w: World, d, now=None, key=None, **change):
    challenge, session = w.challenge()
    unlock = replace(guest.unlock(d, challenge, Action.Open, w.entropy(16)), **change).tagged(key or d.pairing)
    return w.lock.unlock(session, unlock.encode(), now or w.now)


@pytest.mark.parametrize(
    "name,change",
    [
        ("NotInstalled", {"slot": 1}),
        ("NoSuchSlot", {"slot": 200}),
        ("WrongNonce", {"lock_nonce": bytes(16)}),
        ("UnlockMac", {"key": bytes(32)}),
    ],
)
def test_unlock_refused_opaquely(name, change):
    w, d = installed()
    before = frozen(w)
    outcome = send_unlock(w, d, **change)
    refused(w, outcome, name)
    assert replace_counter(frozen(w)) == replace_counter(before)


def replace_counter(state: tuple) -> tuple:
    """Without the counter, which the challenge took."""
    return state[:3] + state[4:]


@pytest.mark.parametrize(
    "limits,rights,clock,name,reason",
    [
        (Limits(until=NOON + 1), 3, UNSET, "ClockUnset", Reason.ClockUnset),
        (Limits(until=NOON + 1), 3, ABSENT, "NoClock", Reason.NoClock),
        (Limits(from_=NOON + 1), 3, NOON, "NotYetValid", Reason.NotYetValid),
        (Limits(until=NOON), 3, NOON, "Expired", Reason.Expired),
        (Limits(schedule=Schedule(127, 0, 1, 0)), 3, NOON, "OutsideSchedule", Reason.OutsideSchedule),
        (Limits(), 2, NOON, "ActionNotAllowed", Reason.ActionNotAllowed),
    ],
)
def test_unlock_refused_with_a_reason(limits, rights, clock, name, reason):
    w, d = installed(limits, rights)
    unlock_challenge, session = w.challenge()
    unlock = guest.unlock(d, unlock_challenge, Action.Open, w.entropy(16))
    outcome = w.lock.unlock(session, unlock.encode(), Now(w.ticks, clock))
    refused(w, outcome, name, reason)
    assert guest.reply(d, unlock, Reply.decode(outcome.message)) == UnlockRefused(reason)


def test_uses_are_written_first():
    w, d = installed(Limits(uses=1))
    _, pending = w.ask(d)
    assert records.unseal(pending.cell, pending.record, w.lock.keys.record).holding.used == 1
    w.store[pending.cell] = pending.record  # written, and then the power is cut
    w.boot()
    assert w.unlock(d) == UnlockRefused(Reason.UsesSpent) and w.bolts == []
    assert w.unlock(d, Action.Lock) == messages.Accepted()


def test_an_unlock_without_uses_writes_nothing():
    w, d = installed()
    assert w.ask(d)[1].record is None
    w, d = installed(Limits(uses=9))
    assert w.ask(d, Action.Lock)[1].record is None


def test_replay_and_malformed():
    w, d = installed()
    challenge, session = w.challenge()
    unlock = guest.unlock(d, challenge, Action.Open, w.entropy(16)).encode()
    w.finish(w.lock.unlock(session, unlock, w.now))
    refused(w, w.lock.unlock(session, unlock, w.now), "SessionSuperseded")
    _, other = w.challenge()
    refused(w, w.lock.unlock(other, unlock, w.now), "WrongNonce")
    challenge, session = w.challenge()
    refused(w, w.lock.unlock(session, b"", w.now), "Wire.Truncated")
    unlock = guest.unlock(d, challenge, Action.Open, w.entropy(16)).encode()
    refused(w, w.lock.unlock(session, unlock, w.now), "SessionSuperseded")


# Sessions


def test_deadlines():
    for purpose, limit in ((Purpose.Operate, 10_000), (Purpose.Install, 120_000)):
        w = ready()
        for late, bad in ((limit, None), (limit + 1, "SessionExpired"), (-1, "SessionExpired")):
            if purpose is Purpose.Install:
                outcome = Forge(w).send(now=Now(w.ticks + late, NOON))
            else:
                challenge, session = w.challenge()
                command = w.owner.stored(w.owner.command(Act(Action.Open), challenge, w.entropy(16)))
                outcome = w.lock.command(session, command.encode(), Now(w.ticks + late, NOON))
            if bad is None:
                w.lock.dropped(outcome)
            else:
                refused(w, outcome, bad)


def test_ticks_that_go_backwards_end_all_sessions():
    w, d = installed()
    forge = Forge(w, number=3)  # a session for Install at these ticks
    w.ticks += 50
    challenge, session = w.challenge()
    unlock = guest.unlock(d, challenge, Action.Open, w.entropy(16)).encode()
    w.ticks -= 20
    refused(w, w.lock.unlock(session, unlock, w.now), "SessionExpired")
    w.ticks += 40
    refused(w, forge.send(), "SessionSuperseded")  # SES-9
    w.ticks -= 100
    assert w.unlock(d) == messages.Accepted()  # the lock goes on from there


def test_newest_session_of_its_purpose_only():
    w, d = installed()
    challenge, session = w.challenge()
    w.challenge(Purpose.Install)
    unlock = guest.unlock(d, challenge, Action.Open, w.entropy(16)).encode()
    w.lock.dropped(w.lock.unlock(session, unlock, w.now))
    challenge, session = w.challenge()
    w.challenge()
    unlock = guest.unlock(d, challenge, Action.Open, w.entropy(16)).encode()
    refused(w, w.lock.unlock(session, unlock, w.now), "SessionSuperseded")


def test_a_session_serves_its_purpose():
    w, d = installed()
    challenge, session = w.challenge(Purpose.Install)
    unlock = guest.unlock(d, challenge, Action.Open, w.entropy(16)).encode()
    refused(w, w.lock.unlock(session, unlock, w.now), "SessionSuperseded")


def test_a_new_epoch_ends_sessions():
    w = ready()
    forge = Forge(w)
    w.command(Transfer(w.owner.key, w.service.key))
    refused(w, forge.send(), "SessionSuperseded")


# Commands and operations


def send_command(w: World, operation, seed=None, now=None, **change):
    challenge, session = w.challenge()
    command = Command(w.lock.keys.lock_id, w.owner.epoch, 0, challenge.nonce, w.entropy(16), operation)
    command = replace(command, **change).signed(seed or w.owner_seed)
    return w.lock.command(session, command.encode(), now or w.now)


@pytest.mark.parametrize(
    "name,change",
    [
        ("WrongLock", {"lock": OTHER}),
        ("WrongNonce", {"lock_nonce": bytes(16), "epoch": 2}),
        ("CommandSignature.Mismatch", {"seed": OTHER}),
        ("CommandSignature.Mismatch", {"seed": OTHER, "epoch": 2}),
    ],
)
def test_command_refused_opaquely(name, change):
    w = ready()
    refused(w, send_command(w, Act(Action.Open), **change), name)


def test_wrong_epoch_is_told_to_the_owner():
    w = ready()
    refused(w, send_command(w, Act(Action.Open), epoch=2), "WrongEpoch", Reason.WrongEpoch)


def test_command_to_a_fresh_lock():
    w = World()
    challenge, session = w.challenge()
    command = Command(w.lock.keys.lock_id, 0, 0, challenge.nonce, bytes(16), Act(Action.Open)).signed(OTHER)
    refused(w, w.lock.command(session, command.encode(), w.now), "NotProvisioned")


@pytest.mark.parametrize(
    "operation,name,reason",
    [
        (Activate(0, 1), "StaleNumber", Reason.StaleNumber),
        (Deactivate(0, 0), "StaleNumber", Reason.StaleNumber),
        (Activate(3, 1), "NoSuchSlot", Reason.NoSuchSlot),
        (Inspect(3), "NoSuchSlot", Reason.NoSuchSlot),
        (Transfer(BAD_KEY, OTHER), "OwnerKey.SmallOrder", Reason.BadKey),
        (Transfer(primitives.public_key(OTHER), BAD_KEY), "ServiceKey.SmallOrder", Reason.BadKey),
    ],
)
def test_operation_refused(operation, name, reason):
    w = ready()
    before = frozen(w)
    refused(w, send_command(w, operation), name, reason)
    assert replace_counter(frozen(w)) == replace_counter(before)


def test_exhausted():
    w = ready()
    w.finish(send_command(w, Deactivate(0, 2**32 - 1)))
    refused(w, send_command(w, Activate(0, 2**32 - 1)), "Exhausted", Reason.Exhausted)
    w.lock.header = replace(w.lock.header, owner=replace(w.lock.owned, epoch=2**32 - 1))
    w.lock.shown = 2**32 - 1
    outcome = send_command(w, Transfer(w.owner.key, w.service.key), epoch=2**32 - 1)
    refused(w, outcome, "Exhausted", Reason.Exhausted)


def test_set_clock():
    w = ready()
    refused(w, send_command(w, SetClock(5), now=Now(w.ticks, ABSENT)), "NoClock", Reason.NoClock)
    result = w.finish(send_command(w, SetClock(5)))
    assert result.set_clock == 5 and w.lock.counter.latest == 5
    w.boot()
    assert w.lock.counter.latest == 5


def test_deactivate_wipes():
    w, d = installed()
    w.deactivate()
    assert w.lock.slots[0].holding == records.SlotInactive()
    w.activate()
    assert w.lock.slots[0].holding == records.SlotEmpty()


def test_act_whatever_the_slots():
    w = World(slots=1).provision()
    done = w.command(Act(Action.Lock))
    assert done.completed == Act(Action.Lock) and w.bolts == [Action.Lock]


# Provisioning and factory reset


def send_provision(w: World, secret=None, owner=None, service=None, nonce=None):
    challenge, session = w.challenge()
    keys = (owner or primitives.public_key(w.owner_seed), service or w.service.key)
    message = Provision(nonce or challenge.nonce, w.entropy(16), *keys).tagged(secret or w.secret)
    return w.lock.provision(session, message.encode(), w.now)


def test_provision_refused():
    w = World()
    refused(w, send_provision(w, nonce=bytes(16)), "WrongNonce")
    refused(w, send_provision(w, secret=bytes(16)), "CardMac")
    refused(w, send_provision(w, owner=BAD_KEY), "OwnerKey.SmallOrder", Reason.BadKey)
    refused(w, send_provision(w, service=BAD_KEY), "ServiceKey.SmallOrder", Reason.BadKey)
    w.provision()
    assert send_provision(w).record is None  # PRV-11
    w.boot()
    refused(w, send_provision(w, owner=w.service.key), "AlreadyProvisioned", Reason.AlreadyProvisioned)
    refused(w, send_provision(w, owner=BAD_KEY), "AlreadyProvisioned", Reason.AlreadyProvisioned)
    w.command(Transfer(w.owner.key, w.service.key))
    refused(w, send_provision(w), "AlreadyProvisioned", Reason.AlreadyProvisioned)


def send_reset(w: World, present=True, secret=None, **change):
    challenge, session = w.challenge()
    message = replace(FactoryReset(w.lock.keys.lock_id, challenge.nonce), **change).tagged(secret or w.secret)
    return w.lock.factory_reset(session, message.encode(), w.now, w.entropy(), present)


def test_factory_reset_refused():
    w = ready()
    for name, change in (
        ("WrongLock", {"lock": OTHER}),
        ("WrongNonce", {"nonce": bytes(16)}),
        ("CardMac", {"secret": bytes(16)}),
        ("NoPresence", {"present": False}),
    ):
        refused(w, send_reset(w, **change), name)
    pending = send_command(w, Activate(1, 1))
    refused(w, send_reset(w), "Busy")
    w.lock.dropped(pending)
    assert isinstance(send_reset(w), Pending)


def test_factory_reset_stops_everything_while_it_is_written():
    w = ready()
    pending = send_reset(w)
    refused(w, w.lock.challenge(Purpose.Operate, w.now, w.entropy()), "Busy")
    seed = records.unseal(records.SEED, pending.record, b"")
    assert not seed.initialised
    w.lock.failed(pending)
    refused(w, w.lock.challenge(Purpose.Operate, w.now, w.entropy()), "Busy")
    w.lock.reload(records.SEED, w.store[records.SEED])
    w.challenge()
    pending = send_reset(w)
    w.lock.failed(pending)
    w.lock.reload(records.SEED, pending.record)
    refused(w, w.lock.challenge(Purpose.Operate, w.now, w.entropy()), "Resetting")


def test_seed_takes_in_what_was_before():
    w = ready()
    nonce_key = w.lock.keys.nonce
    challenge, session = w.challenge()
    message = FactoryReset(w.lock.keys.lock_id, challenge.nonce).tagged(w.secret).encode()
    pending = w.lock.factory_reset(session, message, w.now, OTHER, True)
    seed = records.unseal(records.SEED, pending.record, b"").seed
    assert seed == pairing.new_seed(nonce_key, OTHER)
