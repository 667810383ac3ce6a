//! Persist, then act, without the mistakes.
#![deny(unused_must_use)]

use sharekey::crypto::{Crypto, PublicKey};
use sharekey::error::OwnerError;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::lock::{Accepted, Cell, Lock, Now, Pending, Record, Session, Unlocked, purpose::Operate};
use sharekey::message::{Grant, Withdraw};
use sharekey::owner::{Method, OwnedLock, Owner};
use sharekey::service::{LockRecord, NewRecord, Service, ShareRecord, Taken};
use sharekey::staged::Detached;
use sharekey::wire::Encoded;

fn send(_message: &[u8]) {}

fn put<T>(_record: &T) -> Result<(), ()> {
    Ok(())
}

async fn write(_record: &Record) -> Result<(), ()> {
    Ok(())
}

fn unlock_before_commit(
    lock: &mut Lock<impl Crypto, 3>,
    session: Session<Operate>,
    unlock: &[u8],
    now: Now,
) -> Option<Action> {
    let unlocked = lock.unlock(session, unlock, now).ok()?.commit(put).ok()?;
    Some(unlocked.action)
}

fn unlock_taken_out_of_staged(staged: Accepted<'_, Unlocked>) -> Option<Unlocked> {
    staged.commit(put).ok()
}

fn grant_sent_before_commit(
    owner: &Owner<impl Crypto>,
    view: &mut OwnedLock,
    subject: PublicKey,
) -> Result<(), OwnerError> {
    let hall = SlotId::new(0);
    let grant = owner.share(view, hall, subject, Method::Account, Rights::OPEN, Limits::NONE)?;
    if let Ok(grant) = grant.commit(put) {
        send(&grant);
    }
    Ok(())
}

fn unlocked_by_hand(unlocked: &Unlocked) -> Action {
    let Unlocked { action, .. } = unlocked;
    *action
}

fn release_sent_before_commit(staged: sharekey::staged::Staged<'_, ShareRecord, Taken>) -> Option<Taken> {
    staged.commit(put).ok()
}

fn taken_dropped(service: &Service<impl Crypto>, record: &mut ShareRecord, grant: &[u8]) -> Option<Vec<u8>> {
    service.take(record, grant).ok()?.commit(put).ok()?.answer().ok()
}

fn create(_new: &NewRecord) -> Result<(), ()> {
    Ok(())
}

fn new_record_in_place_of_another(service: &Service<impl Crypto>, statement: &[u8]) -> Option<LockRecord> {
    service.open(statement).ok()?.put_new(create).ok()
}

fn staged_committed_twice(first: Accepted<'_, Unlocked>, second: Accepted<'_, Unlocked>) {
    let _ = first.commit(put);
    let _ = second.commit(put);
}

fn staged_dropped(lock: &mut Lock<impl Crypto, 3>, session: Session<Operate>, unlock: &[u8], now: Now) -> Option<()> {
    let _ = lock.unlock(session, unlock, now).ok()?.commit(put).ok()?;
    Some(())
}

fn result_dropped(staged: Accepted<'_, Unlocked>) -> Option<Action> {
    Some(staged.commit(put).ok()?.action)
}

fn proof_dropped(owner: &Owner<impl Crypto>, view: &mut OwnedLock, receipt: &[u8]) -> Option<()> {
    let _ = owner.learn(view, receipt).ok()?.commit(put).ok()?;
    Some(())
}

fn lock_used_while_staged(lock: &mut Lock<impl Crypto, 3>, [a, b]: [Session<Operate>; 2], now: Now) {
    let first = lock.unlock(a, b"an unlock", now);
    drop(first);
    let _ = lock.unlock(b, b"another", now);
}

fn view_used_while_staged(owner: &Owner<impl Crypto>, view: &mut OwnedLock, hall: SlotId) {
    let withdraw: Result<sharekey::staged::Staged<'_, OwnedLock, Encoded<Withdraw>>, OwnerError> =
        owner.withdraw(view, hall);
    drop(withdraw);
    let _ = view.status(hall);
}

fn put_that_cannot_fail(staged: Accepted<'_, Unlocked>) {
    let _ = staged.commit(|record| put(record));
}

async fn put_not_awaited(staged: Accepted<'_, Unlocked>) {
    let _ = staged.commit_async(async |record| write(record).await).await;
}

async fn commit_not_awaited(staged: Accepted<'_, Unlocked>) -> Option<Unlocked> {
    staged.commit_async(write).await.ok()
}

fn pending_result_before_written(lock: &mut Lock<impl Crypto, 3>, pending: Pending<Unlocked>) -> Option<Unlocked> {
    lock.written(pending).ok()
}

fn pending_written_twice(lock: &mut Lock<impl Crypto, 3>, [a, b]: [Pending<Unlocked>; 2]) {
    let _ = lock.written(a);
    let _ = lock.written(b);
}

fn pending_written_and_abandoned(lock: &mut Lock<impl Crypto, 3>, [a, b]: [Pending<Unlocked>; 2]) {
    let _ = lock.written(a);
    let _ = lock.abandon(b);
}

fn pending_dropped(staged: Accepted<'_, Unlocked>) -> (Option<Record>, Pending<Unlocked>) {
    staged.detach()
}

fn record_by_hand(record: &Record) -> (Cell, &[u8]) {
    (record.cell(), record.as_bytes())
}

fn grant_taken_out_of_detached(
    view: &mut OwnedLock,
    waiting: Detached<OwnedLock, Encoded<Grant>>,
) -> Option<Encoded<Grant>> {
    waiting.stored(view).ok()
}

fn detached_dropped(
    staged: sharekey::staged::Staged<'_, OwnedLock, Encoded<Withdraw>>,
) -> Detached<OwnedLock, Encoded<Withdraw>> {
    staged.detach()
}

fn main() {}
