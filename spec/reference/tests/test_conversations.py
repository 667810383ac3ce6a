"""Whole conversations of all four roles."""

from sharekey import guest, owner, primitives
from sharekey.limits import Action, Limits, Reason
from sharekey.messages import (
    Accepted,
    Activate,
    Inspect,
    NeverReleased,
    Released,
    SetClock,
    Settled,
    Transfer,
    UnlockRefused,
)
from world import NOON, World, ready
import pytest
from sharekey.errors import RuleBroken


def test_share_download_unlock():
    w = ready()
    d = w.share()
    assert w.owner.view(0)[1].state == "Sharing" and w.service.view(w.owner.lock, 0)[1].state == "Sharing"
    w.install(d, tell=False)
    assert w.owner.view(0)[1].state == "Sharing"
    assert w.service.view(w.owner.lock, 0)[1].state == "Shared"
    assert w.unlock(d) == Accepted() and w.unlock(d, Action.Lock) == Accepted()
    assert w.bolts == [Action.Open, Action.Lock]


def test_receipt_confirms():
    w = ready()
    d = w.share()
    w.install(d)
    for _, record in (w.owner.view(0), w.service.view(w.owner.lock, 0)):
        assert record.state == "Shared" and record.share.confirmed
        assert record.live_generations == {d.grant.generation}


def test_share_code():
    w = ready()
    seed = guest.code_seed("7K3Q-XM9T-FR2A-W8BC-4DFY")
    d = w.share(seed=seed)
    assert w.service.find(guest.ask(seed, w.service.key, NOON, w.entropy(16)), NOON) == [d.grant]
    w.install(d)
    assert w.unlock(d) == Accepted()


def test_revocation():
    w = ready()
    d = w.share()
    order = w.owner.withdraw(0, 2, d.grant.digest())
    assert w.withdraw(d).outcome == NeverReleased()
    assert w.owner.view(0)[1].state == "NotShared" and not w.owner.view(0)[1].live
    with pytest.raises(RuleBroken) as bad:
        w.release(d)
    assert bad.value.name == "NothingShared"
    assert w.service.withdraw(order).outcome == NeverReleased()
    with pytest.raises(RuleBroken) as bad:
        w.withdraw(d)
    assert bad.value.name == "UnknownGrant"


def test_reset_keeps_live_until_overwritten():
    w = ready()
    d = w.share()
    receipt = w.install(d)
    order = w.owner.withdraw(0, 2, d.grant.digest())
    answer = w.withdraw(d)
    assert answer.outcome == Released(receipt.install)
    assert w.owner.view(0)[1].state == "NotShared"
    assert w.owner.view(0)[1].live_generations == {2}
    assert w.unlock(d) == Accepted()
    e = w.share()
    w.install(e)
    assert w.owner.view(0)[1].live_generations == {3}
    assert w.unlock(d) is None and w.unlock(e) == Accepted()
    assert w.service.withdraw(order).outcome == Settled()


def test_deactivation_kills():
    w = ready()
    d = w.share()
    w.install(d)
    w.deactivate()
    assert w.owner.view(0)[1].state == "Inactive" and not w.owner.view(0)[1].live
    assert w.unlock(d) is None
    w.activate()
    assert w.unlock(d) is None and w.owner.view(0)[1].state == "NotShared"


def test_lost_receipt_is_rekeyed():
    w = ready()
    d = w.share(limits=Limits(uses=2))
    w.install(d, tell=False)
    old = d.pairing
    assert w.unlock(d) == Accepted()
    w.install(d)
    assert d.pairing != old
    assert w.unlock(d) == Accepted()
    assert w.unlock(d) == UnlockRefused(Reason.UsesSpent)
    assert w.unlock(d, Action.Lock) == Accepted()


def test_second_device_is_refused_by_the_service():
    w = ready()
    identity = w.entropy()
    d = w.share(seed=identity)
    w.install(d)
    other = guest.claim(identity, d.grant, w.entropy())
    with pytest.raises(RuleBroken) as bad:
        w.release(other)
    assert bad.value.name == "Slot.ClaimedByOtherDevice"


def test_transfer_ends_everything():
    w = ready()
    d = w.share()
    w.install(d)
    seed = w.entropy()
    done = w.command(Transfer(primitives.public_key(seed), w.service.key))
    assert w.owner.gone
    w.owner = owner.adopted(seed, done.lock, w.service.key, done)
    assert w.owner.epoch == 2 and w.owner.view(0)[1].state == "Inactive"
    assert w.service.view(done.lock, 0)[1].epoch == 2
    assert w.unlock(d) is None
    w.activate()
    e = w.share()
    w.install(e)
    assert w.unlock(e) == Accepted() and w.unlock(d) is None


def test_transfer_to_oneself_stands_for_a_lost_done():
    w = ready()
    seed = w.entropy()
    lost = w.command(Transfer(primitives.public_key(seed), w.service.key), tell=False)
    w.owner = owner.Owner(seed, lost.lock, 2, w.service.key)
    w.command(Transfer(primitives.public_key(seed), w.service.key))
    assert w.owner.epoch == 3 and w.service.view(lost.lock, 0)[1].epoch == 3


def test_transfer_to_another_service():
    w = ready()
    done = w.command(Transfer(w.owner.key, primitives.public_key(w.entropy())))
    assert w.owner.epoch == 2
    with pytest.raises(RuleBroken) as bad:
        w.share()  # the owner's view is fresh: nothing is active
    assert bad.value.name == "Slot.NotActive"
    w.owner.done(w.command(Activate(0, 1), tell=False))
    order = w.owner.grant(0, w.owner.key, 3, Limits())
    with pytest.raises(RuleBroken) as bad:
        w.service.publish(w.owner.stored(order))
    assert bad.value.name == "Moved"
    assert done.epoch == 2


def test_inspect_finds_a_lost_receipt():
    w = ready()
    d = w.share()
    w.install(d, tell=False)
    done = w.command(Inspect(0))
    record = w.owner.view(0)[1]
    assert record.share.confirmed and record.share.device == d.claim.device
    assert done.completed.left.floor == 2


def test_inspect_of_a_vacant_slot():
    w = ready()
    w.command(Inspect(0))
    assert w.owner.view(0)[1].state == "NotShared" and w.owner.view(0)[1].proven == 1
    w.command(Inspect(1))
    assert w.owner.view(1)[1].state == "Inactive"


def test_clock_of_the_owner():
    w = ready()
    d = w.share(limits=Limits(until=NOON + 100))
    w.install(d)
    assert w.unlock(d) == Accepted()
    w.command(SetClock(NOON + 100))
    assert w.unlock(d) == UnlockRefused(Reason.ClockUnset)
    w.clock = NOON + 100
    assert w.unlock(d) == UnlockRefused(Reason.Expired)
    w.command(SetClock(NOON))
    w.clock = NOON
    assert w.unlock(d) == Accepted()


def test_provision_again_answers_again():
    w = World().provision()
    before = dict(w.store)
    lock = w.owner.lock
    w.provision()
    assert w.owner.lock == lock and w.store[(2, 0)] == before[(2, 0)]


def test_factory_reset_makes_another_lock():
    from sharekey.cells import NeedsMaking
    from sharekey.messages import FactoryReset

    w = ready()
    d = w.share()
    w.install(d)
    old = w.owner.lock
    challenge, session = w.challenge()
    order = FactoryReset(old, challenge.nonce).tagged(w.secret).encode()
    w.finish(w.lock.factory_reset(session, order, w.now, w.entropy(), True))
    assert w.lock.challenge(session.purpose, w.now, w.entropy()).name == "Resetting"
    with pytest.raises(NeedsMaking) as needs:
        w.boot()
    w.make(needs.value.before)
    w.provision()
    assert w.owner.lock != old
    w.activate()
    e = w.share()
    w.install(e)
    assert w.unlock(e) == Accepted()


def test_boot_keeps_keys_and_ends_sessions():
    w = ready()
    d = w.share()
    w.install(d)
    challenge, session = w.challenge()
    w.boot()
    unlock = guest.unlock(d, challenge, Action.Open, w.entropy(16))
    assert w.lock.unlock(session, unlock.encode(), w.now).name == "SessionSuperseded"
    assert w.unlock(d) == Accepted()


def test_equivocation_is_reported():
    from dataclasses import replace

    w = ready()
    d = w.share()
    receipt = w.install(d, tell=False)
    order = w.owner.withdraw(0, 2, d.grant.digest())
    honest = w.service.withdraw(order)
    lie = replace(honest, outcome=NeverReleased()).signed(w.service.seed)
    w.owner.withdrawn(lie)
    assert w.owner.view(0)[1].state == "NotShared" and not w.owner.equivocations
    w.owner.receipt(receipt)
    assert w.owner.equivocations[0].withdrawn == lie and w.owner.equivocations[0].proof == receipt
    assert w.owner.view(0)[1].live_generations == {2}
    w.owner.withdrawn(lie)
    assert w.owner.view(0)[1].live_generations == {2} and len(w.owner.equivocations) == 1


def test_two_phones_of_one_number():
    import copy

    w = ready()
    other = copy.deepcopy(w.owner)
    mine = w.share()
    lost = other.stored(other.grant(0, w.owner.key, 3, Limits()))
    with pytest.raises(RuleBroken) as bad:
        w.service.publish(lost)
    assert bad.value.name == "Slot.StaleNumber"
    other.withdrawn(w.service.withdraw(other.withdraw(0, lost.generation, lost.digest())))
    assert other.view(0)[1].state == "NotShared"
    other.learn(mine.grant)
    assert other.view(0)[1].share.grant == mine.grant.digest()
    assert w.service.view(w.owner.lock, 0)[1].state == "Sharing"
