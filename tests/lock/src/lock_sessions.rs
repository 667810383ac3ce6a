//! Sessions: one attempt, the newest, in time.

use sharekey::crypto::Nonce;
use sharekey::error::{LockError, WireError};
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::lock::{Refusal, Session, purpose};
use sharekey::message::Operation;
use sharekey_stage::firmware::Forget;
use sharekey_stage::ops::{For, Op};
use sharekey_stage::ready::{Commit, Ready};
use sharekey_stage::stand::{Key, Stand};

type Operate = (Nonce, Session<purpose::Operate>);
type Install = (Nonce, Session<purpose::Install>);

const INSPECT: Operation = Operation::Inspect { slot: SlotId::new(0) };

/// Opens in a session that was given before.
fn open(stand: &mut Stand, key: &Key, (nonce, session): Operate) -> Result<(), LockError> {
    done(stand.send_unlock(session, &key.message(Action::Open, nonce)))
}

/// Downloads in a session that was given before.
fn install(stand: &mut Stand, (nonce, session): Install) -> Result<(), LockError> {
    let bundle = stand.chain(nonce, 0, 3).bundle();
    done(stand.send_bundle(session, &bundle))
}

fn done<T>(result: Result<T, Refusal>) -> Result<(), LockError> {
    result.map(drop).map_err(|refusal| refusal.error())
}

/// Whatever is sent in a session for this, until so long after its challenge.
fn lasts(purpose: For, milliseconds: u64) {
    for op in Op::ALL.into_iter().filter(|op| op.to().is_some_and(|to| to.purpose() == purpose)) {
        let mut ready = Ready::new(op);
        ready.stand.ticks += milliseconds + 1;
        let late = ready.message.clone();
        assert_eq!(ready.refused(&late), LockError::SessionExpired, "{op:?}");
        ready.stand.ticks += milliseconds;
        assert_eq!(ready.attempt(&mut Forget).map(drop), Ok(()), "{op:?}");
    }
}

//= spec/protocol.md#sessions
//# SES-2. A session MUST be refused when a newer challenge for the same purpose was given.
//= spec/protocol.md#install
//# INS-2. The session MUST be the newest for Install and in time.
//= spec/protocol.md#unlock
//# UNL-2. The session MUST be the newest for Operate and in time.
//= spec/protocol.md#commands
//# CMD-2. The session MUST be the newest for Operate and in time.
//= spec/protocol.md#provisioning
//# PRV-2. The session MUST be the newest for Operate and in time.
//= spec/protocol.md#factory-reset
//# RST-2. The session MUST be the newest for Operate and in time.
#[test]
fn only_the_newest_session_of_a_purpose_is_good() {
    for op in Op::requests() {
        let mut ready = Ready::new(op);
        let (Some(older), message) = ready.again() else { panic!("{op:?} has a session") };
        assert_eq!(ready.refused_in(older, &message), LockError::SessionSuperseded, "{op:?}");
        assert_eq!(ready.attempt(&mut Forget).map(drop), Ok(()), "{op:?}");
    }
}

#[test]
fn an_older_session_is_refused_after_the_newer_was_used_too() {
    let (mut stand, key) = Stand::installed();
    let (older, newer) = (stand.operate(), stand.operate());
    assert_eq!(open(&mut stand, &key, newer), Ok(()));
    assert_eq!(open(&mut stand, &key, older), Err(LockError::SessionSuperseded));
}

//= spec/protocol.md#sessions
//# SES-2. A session MUST be refused when a newer challenge for the same purpose was given.
#[test]
fn an_older_session_with_the_newer_ones_nonce_is_refused() {
    let (mut stand, key) = Stand::installed();
    let ((_, older), (nonce, newer)) = (stand.operate(), stand.operate());
    assert_eq!(open(&mut stand, &key, (nonce, older)), Err(LockError::SessionSuperseded));
    assert_eq!(open(&mut stand, &key, (nonce, newer)), Ok(()));
}

#[test]
fn the_two_purposes_do_not_disturb_each_other() {
    let (mut stand, key) = Stand::installed();
    let download = stand.for_install();
    let _ = stand.open(&key).unwrap();
    let _ = stand.command(INSPECT).unwrap();
    let unlock = stand.operate();
    assert_eq!(install(&mut stand, download), Ok(()));
    // The download overwrote the key; the session was good all the same.
    assert_eq!(open(&mut stand, &key, unlock), Err(LockError::UnlockMac));
}

//= spec/protocol.md#sessions
//# SES-1. A session MUST be good for one attempt, malformed ones included.
#[test]
fn a_message_is_good_for_its_own_session_only() {
    // The answer to a factory reset is that there is nobody to be asked again.
    for op in Op::requests().filter(|op| *op != Op::FactoryReset) {
        let ready = Ready::new(op);
        let message = ready.message.clone();
        let mut stand = ready.end(&mut Commit::default()).0;
        assert_eq!(Ready::replay(op, &mut stand, &message), LockError::WrongNonce, "{op:?}");
    }
}

//= spec/protocol.md#sessions
//# SES-1. A session MUST be good for one attempt, malformed ones included.
#[test]
fn a_malformed_attempt_spends_the_session() {
    let (mut stand, key) = Stand::installed();
    let (nonce, session) = stand.operate();
    let malformed = stand.send_unlock(session, &[]).unwrap_err();
    assert_eq!(malformed.error(), LockError::Wire(WireError::Truncated));
    let (_, session) = stand.operate();
    assert_eq!(open(&mut stand, &key, (nonce, session)), Err(LockError::WrongNonce));
    let (nonce, session) = stand.for_install();
    stand.send_bundle(session, &[]).unwrap_err();
    let (_, session) = stand.for_install();
    assert_eq!(install(&mut stand, (nonce, session)), Err(LockError::WrongNonce));
}

//= spec/protocol.md#sessions
//# SES-4. A session for Operate MUST be refused later than 10000 milliseconds after its challenge.
#[test]
fn an_operate_session_lasts_ten_seconds_to_the_millisecond() {
    lasts(For::Operate, 10_000);
}

//= spec/protocol.md#sessions
//# SES-3. A session for Install MUST be refused later than 120000 milliseconds after its challenge.
#[test]
fn an_install_session_lasts_two_minutes_to_the_millisecond() {
    lasts(For::Install, 120_000);
}

#[test]
fn a_deadline_at_the_end_of_the_ticks_does_not_wrap() {
    let (mut stand, key) = Stand::installed();
    stand.ticks = u64::MAX - 5;
    let session = stand.operate();
    stand.ticks = u64::MAX;
    assert_eq!(open(&mut stand, &key, session), Ok(()));
    let session = stand.operate();
    stand.ticks = 3;
    assert_eq!(open(&mut stand, &key, session), Err(LockError::SessionExpired));
}

//= spec/protocol.md#sessions
//# SES-5. A session MUST be refused when the ticks went backwards since its challenge.
#[test]
fn ticks_that_went_backwards_since_the_challenge_are_expiry() {
    let (mut stand, key) = Stand::installed();
    let session = stand.operate();
    stand.ticks -= 1;
    assert_eq!(open(&mut stand, &key, session), Err(LockError::SessionExpired));
    let _ = stand.open(&key).unwrap();
    let session = stand.for_install();
    stand.ticks -= 1;
    assert_eq!(install(&mut stand, session), Err(LockError::SessionExpired));
}

//= spec/protocol.md#sessions
//# SES-5. A session MUST be refused when the ticks went backwards since its challenge.
//= spec/protocol.md#sessions
//# SES-12. A lock MUST keep the latest ticks that it saw, at a challenge and at an attempt with a newest session, malformed ones included.
#[test]
fn ticks_behind_a_later_attempt_are_expiry_though_ahead_of_the_challenge() {
    let (mut stand, key) = Stand::installed();
    let unlock = stand.operate();
    let download = stand.for_install();
    stand.ticks += 3_000;
    assert_eq!(install(&mut stand, download), Ok(()));
    stand.ticks -= 1;
    assert_eq!(open(&mut stand, &key, unlock), Err(LockError::SessionExpired));
}

//= spec/protocol.md#sessions
//# SES-9. A step backwards of the ticks MUST end all sessions.
#[test]
fn an_attempt_that_finds_the_ticks_gone_backwards_closes_the_other_session_too() {
    let (mut stand, key) = Stand::installed();
    let (unlock, download) = (stand.operate(), stand.for_install());
    stand.ticks -= 1;
    assert_eq!(open(&mut stand, &key, unlock), Err(LockError::SessionExpired));
    stand.ticks += 2;
    assert_eq!(install(&mut stand, download), Err(LockError::SessionSuperseded));
}

//= spec/protocol.md#sessions
//# SES-9. A step backwards of the ticks MUST end all sessions.
#[test]
fn a_challenge_that_finds_the_ticks_gone_backwards_closes_the_other_session_too() {
    let (mut stand, key) = Stand::installed();
    let download = stand.for_install();
    stand.ticks -= 1;
    let unlock = stand.operate();
    stand.ticks += 2;
    assert_eq!(install(&mut stand, download), Err(LockError::SessionSuperseded));
    assert_eq!(open(&mut stand, &key, unlock), Ok(()));
}

#[test]
fn ticks_that_stand_still_are_fine() {
    let (mut stand, key) = Stand::installed();
    let (download, unlock) = (stand.for_install(), stand.operate());
    assert_eq!(open(&mut stand, &key, unlock), Ok(()));
    assert_eq!(install(&mut stand, download), Ok(()));
}

#[test]
fn a_session_of_another_lock_is_refused_and_closes_none_of_this_one() {
    let [(mut one, key), (mut other, _)] = [7, 8].map(|entropy| {
        let mut stand = Stand::made_with(entropy);
        stand.take_ownership();
        stand.activate(0, 1);
        let key = stand.download(0, 2, |_| ()).unwrap();
        (stand, key)
    });
    // The same number at both: as many challenges were given.
    let ((nonce, ours), (_, theirs)) = (one.operate(), other.operate());
    assert_eq!(open(&mut one, &key, (nonce, theirs)), Err(LockError::SessionSuperseded));
    assert_eq!(open(&mut one, &key, (nonce, ours)), Ok(()));
    let ((nonce, ours), (_, theirs)) = (one.operate(), other.operate());
    let reset = one.reset_message(nonce);
    assert_eq!(done(one.factory_reset(theirs, &reset)), Err(LockError::SessionSuperseded));
    assert_eq!(done(one.factory_reset(ours, &reset)), Ok(()));
}

//= spec/protocol.md#sessions
//# SES-8. A boot MUST end all sessions.
#[test]
fn a_boot_ends_all_sessions() {
    let (mut stand, key) = Stand::installed();
    let (unlock, download) = (stand.operate(), stand.for_install());
    stand.reboot();
    stand.ticks = 2_000;
    assert_eq!(open(&mut stand, &key, unlock), Err(LockError::SessionSuperseded));
    assert_eq!(install(&mut stand, download), Err(LockError::SessionSuperseded));
}

//= spec/protocol.md#sessions
//# SES-7. A new epoch MUST end all sessions.
#[test]
fn a_transfer_ends_all_sessions() {
    let mut stand = Stand::active();
    let download = stand.for_install();
    stand.transfer_to_oneself();
    stand.activate(0, 1);
    assert_eq!(install(&mut stand, download), Err(LockError::SessionSuperseded));
}

//= spec/protocol.md#sessions
//# SES-7. A new epoch MUST end all sessions.
#[test]
fn provisioning_ends_all_sessions() {
    let mut stand = Stand::fresh();
    let download = stand.for_install();
    stand.take_ownership();
    stand.activate(0, 1);
    assert_eq!(install(&mut stand, download), Err(LockError::SessionSuperseded));
}

#[test]
fn a_reload_ends_no_session() {
    let (mut stand, key) = Stand::installed();
    let (download, unlock) = (stand.for_install(), stand.operate());
    let _lost = stand.lock.unlock(unlock.1, &key.message(Action::Open, unlock.0), stand.now()).unwrap().detach();
    stand.reload(sharekey_stage::cells::SLOT_0).unwrap();
    let (nonce, session) = stand.operate();
    let command = stand.order(nonce, Operation::Act { action: Action::Lock });
    let _lost = stand.lock.command(session, &command, stand.now()).unwrap().detach();
    stand.reload(sharekey::lock::Cell::Header).unwrap();
    assert_eq!(install(&mut stand, download), Ok(()));
}

//= spec/protocol.md#unlock
//# UNL-17. The header's and the counter's cells MUST be free and sound.
//= spec/protocol.md#unlock
//# UNL-18. The lock MUST be provisioned.
#[test]
fn a_challenge_reported_late_closes_no_session_and_takes_no_time_back() {
    let (mut stand, key) = Stand::installed();
    let (nonce, download) = stand.for_install();
    let (old_nonce, old) = stand.operate();
    let now = stand.now();
    let (record, pending) = stand.lock.challenge::<purpose::Operate>(now, &mut stand.rng).unwrap().detach();
    assert!(record.is_none());
    stand.ticks += 5_000;
    let refusal = stand.send_unlock(old, &key.message(Action::Open, old_nonce)).unwrap_err();
    assert_eq!(refusal.error(), LockError::Busy);

    let _session = stand.lock.written(pending).unwrap().session;
    let bundle = stand.chain(nonce, 0, 3).bundle();
    let _ = stand.send_bundle(download, &bundle).unwrap();
}
