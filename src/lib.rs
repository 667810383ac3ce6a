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
//! use sharekey::service::{Key, Put, Request, ShareRecord};
//! use sharekey::{Account, Owner, Service};
//! use std::collections::BTreeMap;
//!
//! # type Failed = Box<dyn std::error::Error>;
//! /// Whatever reaches the service: it reads, decides, stores (a database compares before it does), and then answers.
//! fn serve<'a>(
//!     service: &Service<Ring>,
//!     rows: &mut BTreeMap<Key, Vec<u8>>,
//!     request: impl Into<Request<'a>>,
//! ) -> Result<Vec<u8>, Failed> {
//!     let decided = service.serve(request, |key| Ok::<_, Failed>(rows.get(&key).cloned()))?;
//!     let taken = decided.commit(|write| {
//!         let (Put::New(next) | Put::InPlaceOf { next, .. }) = write.put();
//!         rows.insert(write.key(), next.to_vec());
//!         Ok::<_, Failed>(())
//!     })?;
//!     Ok(taken.answer()?)
//! }
//!
//! # fn main() -> Result<(), Failed> {
//! let rng = &mut sharekey::rand_core::UnwrapErr(getrandom::SysRng);   // the operating system's entropy
//! // Where each side stores what it must not lose. Here nothing fails.
//! let flash = |_record: &sharekey::lock::Record| Ok::<(), std::io::Error>(());
//! let mut rows = BTreeMap::new();
//! let disk = |_view: &sharekey::owner::OwnedLock| Ok::<(), std::io::Error>(());
//! let phone = |_claimed: &sharekey::guest::Claimed| Ok::<(), std::io::Error>(());
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
//! let mut view = pending.finish(&owner, &provisioned)?.put_new(None, disk)?;
//! serve(&service, &mut rows, &provisioned)?;
//!
//! // 2. Standing at the lock, the owner opens one of its slots.
//! let given = lock.challenge::<purpose::Operate>(now, rng)?.commit(flash)?;
//! let activate = Order::Activate { slot: hall };
//! let (command, pending) = owner.order(&mut view, activate, &given.challenge, rng)?.commit(disk)?;
//! let done = lock.command(given.session, &command, now)?.commit(flash)?.done;
//! let _ = pending.finish(&owner, &mut view, &done)?.commit(disk)?;
//! serve(&service, &mut rows, &done)?;
//!
//! // 3. At home, the owner shares the slot with a contact. Until the download it can be revoked.
//! let account = Account::from_seed(&Ring, &Seed::random(rng))?;
//! let (mut contacts, ana) = (ContactBook::new(), "ana@example".parse()?);
//! contacts.add(ana, "Ana".parse()?, *account.public_key())?;
//! contacts.verify_key(&"ana@example".parse()?, account.public_key())?;     // scanned from Ana's screen
//! let ana = (&contacts, &"ana@example".parse()?);
//! let grant = owner.share_with_verified_contact(&mut view, hall, ana, Rights::OPEN, Limits::NONE)?.commit(disk)?;
//! serve(&service, &mut rows, &grant)?;
//!
//! // 4. The guest connects to the lock and the service, once, to download the key.
//! let place = (view.lock(), hall);
//! let record = ShareRecord::load(place, |key| Ok::<_, Failed>(rows.get(&key).cloned()))?;
//! let claimed = account.claim(&Ring, record.grant().expect("it is published"), None, rng)?.commit(phone)?;
//! let given = lock.challenge::<purpose::Install>(now, rng)?.commit(flash)?;
//! let attempt = claimed.install(&Ring, &given.challenge, rng)?.stored();
//! let release = serve(&service, &mut rows, (place, attempt.claim(), attempt.install()))?;
//! let download = attempt.bundle(&Ring, &release)?;
//! let receipt = lock.install(given.session, download.bundle(), now, rng)?.commit(flash)?.receipt;
//! let key = download.finish(&Ring, &receipt)?.stored();
//! serve(&service, &mut rows, key.receipt())?;
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
//! | the guest's app | an [`Account`] and a [`Keyring`] | [`guest`], [`code`] | [`GuestError`] |
//! | the service | a [`Service`], a [`LockRecord`] for each lock, a [`ShareRecord`] for each slot | [`service`] | [`ServiceError`] |
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
//! | `sealed` | `rustcrypto`, and [`crypto::Aead`] on it, for what is stored [`sealed`]; `ring` has it already |
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
[`Keyring`]: guest::Keyring
[`LockRecord`]: service::LockRecord
[`OwnedLock`]: owner::OwnedLock
[`ShareRecord`]: service::ShareRecord
"
)]
#![cfg_attr(
    not(feature = "alloc"),
    doc = "
[`Keyring`]: #features
[`LockRecord`]: #features
[`Owner`]: #features
[`Owner::withdraw`]: #features
[`OwnedLock`]: #features
[`OwnerError`]: #features
[`Service`]: #features
[`ServiceError`]: #features
[`ShareRecord`]: #features
[`contacts`]: #features
[`crypto::Aead`]: #features
[`owner`]: #features
[`sealed`]: #features
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
#[cfg(feature = "alloc")]
pub mod sealed;
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
