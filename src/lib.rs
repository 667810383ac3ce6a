//! Share the key of a smart lock: with an account or by a code, from afar, and so that it opens
//! offline. One crate for the app, the service and the lock's firmware.
//!
//! It does no I/O, reads no clock and draws no randomness: bytes, time and entropy come in as
//! arguments, bytes and decisions go out. The protocol is written down in `spec/protocol.md`, whose
//! sections the docs name.
//!
//! # The story in five steps
//!
//! The roles below live on different machines; only the bytes of messages pass between them.
//!
//! ```
//! # #[cfg(all(feature = "ring", feature = "alloc"))] {
//! use sharekey::contacts::ContactBook;
//! use sharekey::crypto::Ring;
//! use sharekey::id::SlotId;
//! use sharekey::limits::{Action, Limits, Rights};
//! use sharekey::lock::{Battery, Clock, Found, Making, Now, purpose};
//! use sharekey::owner::{Fact, Order};
//! use sharekey::secret::{ActivationSecret, Seed};
//! use sharekey::service::{NewRecord, ShareRecord};
//! use sharekey::{Account, Owner, Service};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rng = &mut sharekey::rand_core::UnwrapErr(getrandom::SysRng);   // the operating system's entropy
//! // Where each side stores what it must not lose. Here nothing fails.
//! let flash = |_record: &sharekey::lock::Record| Ok::<(), std::io::Error>(());
//! let database = |_record: &ShareRecord| Ok::<(), std::io::Error>(());   // compare-and-swap
//! let new_row = |_record: &NewRecord| Ok::<(), std::io::Error>(());        // create-if-absent
//! let disk = |_view: &sharekey::owner::OwnedLock| Ok::<(), std::io::Error>(());
//! let now = Now { ticks: 0, clock: Clock::Unset, battery: Battery::UNKNOWN };
//! let hall = SlotId::new(0);
//!
//! // 1. A factory-fresh lock becomes the owner's, by the secret on its activation card. Whatever is
//! //    sent to a lock answers a challenge of its.
//! let card = [7; 16];
//! let mut making = Making::<Ring, 10>::new(Ring, ActivationSecret::from_bytes(card), Found::Nothing, rng)?;
//! while let Some(record) = making.record()? {
//!     flash(&record)?;
//!     making.written();
//! }
//! let mut lock = making.finish().expect("all records are written");
//! let service = Service::new(Ring, &Seed::random(rng))?;
//! let owner = Owner::new(Ring, &Seed::random(rng))?;
//!
//! let given = lock.challenge::<purpose::Operate>(now, rng)?.commit(flash)?;
//! let card = ActivationSecret::from_bytes(card);
//! let (provision, pending) = owner.provision(&card, &given.challenge, *service.key(), rng)?;
//! let provisioned = lock.provision(given.session, &provision, now)?.commit(flash)?.provisioned;
//! let mut view = pending.finish(&owner, &provisioned)?;
//! let mut record = service.open(&provisioned, hall)?.put_new(new_row)?;
//!
//! // 2. Standing at the lock, the owner opens one of its slots.
//! let given = lock.challenge::<purpose::Operate>(now, rng)?.commit(flash)?;
//! let activate = Order::Activate { slot: hall };
//! let (command, pending) = owner.order(&mut view, activate, &given.challenge, rng)?.commit(disk)?;
//! let done = lock.command(given.session, &command, now)?.commit(flash)?.done;
//! let _ = pending.finish(&owner, &mut view, &done)?.commit(disk)?;
//! service.take(&mut record, &done)?.commit(database)?.answer()?;
//!
//! // 3. At home, the owner shares the slot with a contact. Until the download it can be revoked.
//! let account = Account::from_seed(&Ring, &Seed::random(rng))?;
//! let (mut contacts, ana) = (ContactBook::new(), "ana@example".parse()?);
//! contacts.add(ana, "Ana".parse()?, *account.public_key())?;
//! let ana = (&contacts, &"ana@example".parse()?);
//! let grant = owner.share_with_contact(&mut view, hall, ana, Rights::OPEN, Limits::NONE)?.commit(disk)?;
//! service.take(&mut record, &grant)?.commit(database)?.answer()?;
//!
//! // 4. The guest connects to the lock and the service, once, to download the key.
//! let claimed = account.claim(&Ring, record.grant().expect("it is published"), None, rng)?;
//! let given = lock.challenge::<purpose::Install>(now, rng)?.commit(flash)?;
//! let attempt = claimed.install(&Ring, &given.challenge, rng)?;
//! let asked = (attempt.claim(), attempt.install());
//! let release = service.take(&mut record, asked)?.commit(database)?.answer()?;
//! let download = attempt.bundle(&Ring, &release)?;
//! let receipt = lock.install(given.session, download.bundle(), now, rng)?.commit(flash)?.receipt;
//! let key = download.finish(&Ring, &receipt)?;
//! service.take(&mut record, key.receipt())?.commit(database)?.answer()?;
//! let learned = owner.learn(&mut view, key.receipt())?.commit(disk)?;
//! assert!(matches!(learned.fact, Fact::Downloaded { slot, .. } if slot == hall));
//!
//! // 5. From then on it opens offline. The bolt moves only after `commit`: there is no `Unlocked`
//! //    before.
//! let given = lock.challenge::<purpose::Operate>(now, rng)?.commit(flash)?;
//! let (unlock, awaiting) = key.unlock(&Ring, &given.challenge, Action::Open, rng)?;
//! let unlocked = lock.unlock(given.session, &unlock, now)?.commit(flash)?;
//! assert_eq!(unlocked.action, Action::Open);
//! key.check_reply(&Ring, &awaiting, &unlocked.reply)?;
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! Not downloaded yet, a share is revoked by [`Owner::withdraw`]; downloaded, the same call resets it, and the next
//! guest's download overwrites the key at the lock. To kill a key now, the owner deactivates the slot at the lock.
//!
//! # Where to start
//!
//! | you write | it is | and uses | refusals |
//! |---|---|---|---|
//! | the owner's app | an [`Owner`], a view of each lock ([`OwnedLock`]) | [`owner`], [`contacts`], [`code`] | [`OwnerError`] |
//! | the guest's app | an [`Account`], then a [`GuestKey`] | [`guest`], [`code`] | [`GuestError`] |
//! | the service | a [`Service`], a [`ShareRecord`] for each lock and slot | [`service`] | [`ServiceError`] |
//! | the lock's firmware | a [`lock::Door`] over its board | [`lock`], and a provider for [`crypto`] | [`LockError`] |
//!
//! What you build around it, and what each of them stores, is in [`guide`]; what to do when something went wrong, in
//! [`guide::recovery`].
//!
//! What every role shares: the messages ([`message`], framed by [`wire`]), names and numbers ([`id`], [`counter`]),
//! [`limits`], [`secret`]s, and errors that say whose fault they are and what to do ([`error`]). Owner and service
//! share the slot machine ([`slot`]) and persist-then-act ([`staged`]); the lock has its own.
//!
//! # Features
//!
//! | feature | gives |
//! |---|---|
//! | `std` (default) | `alloc`, and `std` in the dependencies |
//! | `ring` (default) | [`crypto::Ring`], the provider on ring: apps, services, Linux-class locks |
//! | `rustcrypto` | [`crypto::RustCrypto`], the provider on the RustCrypto crates: microcontrollers, any target; with `std`, on x86-64, it verifies faster than ring, and much faster where it is built for AVX-512 (`benches/RESULTS.md` has the ratios) |
//! | `alloc` | [`owner`], [`service`], [`staged`], [`contacts`] and account names: what needs an allocator |
//!
//! Without features, the crate is `no_std` without an allocator: [`lock`], [`guest`], [`code`] and [`slot`], over a
//! provider of your own. `rustcrypto` needs no allocator either. Features add; they change no behaviour, no byte and no
//! error.
//!
//! # What it promises
//!
//! Nothing panics on input, nothing wraps, and there is no `unsafe`. A refusal names the check that
//! failed and changes nothing. Secrets are wiped when dropped (but see [`crypto::Ring`]), redacted in
//! `Debug`, and compared in constant time. What the protocol defends and what it does not is in
//! `SECURITY.md` and in the spec's "Security considerations".
//!
//! [`GuestKey`]: guest::GuestKey
// What a feature brings is linked where that feature is on; elsewhere its name leads to the table of features.
#![cfg_attr(
    feature = "alloc",
    doc = "
[`OwnedLock`]: owner::OwnedLock
[`ShareRecord`]: service::ShareRecord
"
)]
#![cfg_attr(
    not(feature = "alloc"),
    doc = "
[`Owner`]: #features
[`Owner::withdraw`]: #features
[`OwnedLock`]: #features
[`OwnerError`]: #features
[`Service`]: #features
[`ServiceError`]: #features
[`ShareRecord`]: #features
[`contacts`]: #features
[`owner`]: #features
[`service`]: #features
[`staged`]: #features
"
)]
#![cfg_attr(not(feature = "ring"), doc = "[`crypto::Ring`]: #features")]
#![cfg_attr(not(feature = "rustcrypto"), doc = "[`crypto::RustCrypto`]: #features")]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(unreachable_pub)]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod code;
#[cfg(feature = "alloc")]
pub mod contacts;
pub mod counter;
pub mod crypto;
pub mod error;
mod form;
pub mod guest;
#[cfg(doc)]
#[doc = include_str!("../docs/building.md")]
pub mod guide {
    #[doc = include_str!("../docs/recovery.md")]
    pub mod recovery {}
}
pub mod id;
mod kind;
pub mod limits;
pub mod lock;
pub mod message;
#[cfg(feature = "alloc")]
pub mod owner;
mod pairing;
pub mod secret;
#[cfg(feature = "alloc")]
pub mod service;
pub mod slot;
#[cfg(feature = "alloc")]
pub mod staged;
pub mod wire;

/// The traits of entropy that the calls take, in the version that they take.
pub use rand_core;

#[doc(inline)]
pub use self::error::{GuestError, LockError};
#[cfg(feature = "alloc")]
#[doc(inline)]
pub use self::error::{OwnerError, ServiceError};
#[doc(inline)]
pub use self::guest::Account;
#[doc(inline)]
pub use self::lock::Lock;
#[cfg(feature = "alloc")]
#[doc(inline)]
pub use self::owner::Owner;
#[cfg(feature = "alloc")]
#[doc(inline)]
pub use self::service::Service;
