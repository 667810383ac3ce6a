//! The network: the set of all messages that were ever sent. Nothing leaves it, so whatever is in it may
//! be dropped, delayed, repeated, reordered, and delivered to anybody.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use serde::{Deserialize, Serialize};
use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::message::{Claim, Command, Completed, Done, Install, Receipt, Release};
use sharekey::slot::State;
use sharekey::wire::{Kind, Unverified};

use sharekey_stage::ops::Order;

use super::cast::FORGE;
use super::intern::{Interner, Memo};

/// A message by its number. The number begins with the kind, so that a sorted set is grouped by kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msg(u32);

impl core::fmt::Debug for Msg {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match Kind::ALL.into_iter().find(|kind| kind.byte() == self.kind()) {
            Some(kind) => write!(f, "{kind:?}")?,
            None => write!(f, "Report")?,
        }
        write!(f, "#{}", self.0 & ((1 << SUB_SHIFT) - 1))
    }
}

const KIND_SHIFT: u32 = 27;
const SUB_SHIFT: u32 = 23;

/// The kind of an answer to a request for a report, which is no message of the protocol: what is signed, and messages.
pub const REPORT: u8 = 31;

/// What a service tells a phone: what it signs, for the request that this answers, and the messages that go with it.
#[derive(Serialize, Deserialize)]
pub struct Report {
    pub slot: u8,
    pub epoch: Epoch,
    pub version: u64,
    pub state: State,
    pub messages: Vec<Vec<u8>>,
}

/// Who made a message that does not say so: the device of an unlock and the number of its key.
pub type Maker = (PublicKey, Generation);

pub struct Info {
    pub bytes: Vec<u8>,
    pub digest: Digest,
    /// The message that it names: of a claim the grant, of an install the claim, and so on.
    pub parent: Option<Msg>,
}

/// Which operation, of a command or a Done.
fn sub_of(kind: u8, bytes: &[u8]) -> u8 {
    if kind == Kind::Command.byte() {
        return Order::of(&Unverified::<Command>::parse(bytes).unwrap().claims().operation).tag();
    }
    if kind == Kind::Done.byte() {
        return Order::of(&Unverified::<Done>::parse(bytes).unwrap().claims().completed.operation()).tag();
    }
    0
}

/// What a message names by its digest.
fn names(bytes: &[u8]) -> Option<Digest> {
    match Kind::of(bytes).ok()? {
        Kind::Claim => Unverified::<Claim>::parse(bytes).ok().map(|claim| claim.claims().grant),
        Kind::Install => Unverified::<Install>::parse(bytes).ok().map(|install| install.claims().claim),
        Kind::Release => Unverified::<Release>::parse(bytes).ok().map(|release| release.claims().install),
        Kind::Receipt => Unverified::<Receipt>::parse(bytes).ok().map(|receipt| receipt.claims().install),
        _ => None,
    }
}

pub fn digest(bytes: &[u8]) -> Digest {
    FORGE.digest(bytes)
}

/// Every message of every state.
#[derive(Default)]
pub struct Messages {
    numbers: Interner<(u8, Vec<u8>)>,
    infos: RwLock<Vec<Option<&'static Info>>>,
    by_digest: Memo<Digest, Msg>,
    ownerships: RwLock<BTreeMap<Epoch, Vec<u8>>>,
    makers: Memo<Msg, Maker>,
}

impl Messages {
    /// What the lock said of whose it is in this ownership.
    pub fn ownership(&self, epoch: Epoch) -> Vec<u8> {
        self.ownerships.read().unwrap()[&epoch].clone()
    }

    /// A message of the protocol.
    pub fn put(&self, bytes: &[u8]) -> Msg {
        if let Ok(Done { epoch, completed: Completed::Transfer { .. }, .. }) =
            Unverified::parse(bytes).map(|done| *done.claims())
        {
            self.ownerships.write().unwrap().insert(epoch, bytes.to_vec());
        }
        self.put_as(Kind::of(bytes).unwrap().byte(), bytes)
    }

    pub fn put_report(&self, report: &Report) -> Msg {
        self.ownerships.write().unwrap().entry(report.epoch).or_insert_with(|| report.messages[0].clone());
        self.put_as(REPORT, &postcard::to_allocvec(report).unwrap())
    }

    fn put_as(&self, kind: u8, bytes: &[u8]) -> Msg {
        let index = self.numbers.id((kind, bytes.to_vec()));
        assert!(index < 1 << SUB_SHIFT, "more messages than numbers");
        let msg = Msg(u32::from(kind) << KIND_SHIFT | u32::from(sub_of(kind, bytes)) << SUB_SHIFT | index);
        let at = usize::try_from(index).unwrap();
        if self.infos.read().unwrap().get(at).is_some_and(Option::is_some) {
            return msg;
        }
        let parent = names(bytes).and_then(|named| self.by_digest.get(&named));
        let info = Info { bytes: bytes.to_vec(), digest: digest(bytes), parent };
        self.by_digest.put(info.digest, msg);
        let mut infos = self.infos.write().unwrap();
        let length = infos.len().max(at + 1);
        infos.resize(length, None);
        // Lives as long as the test: numbers are looked up all the time, and never given back.
        infos[at].get_or_insert_with(|| Box::leak(Box::new(info)));
        msg
    }

    pub fn info(&self, msg: Msg) -> &'static Info {
        let index = usize::try_from(msg.0 & ((1 << SUB_SHIFT) - 1)).unwrap();
        self.infos.read().unwrap()[index].unwrap()
    }

    pub fn bytes(&self, msg: Msg) -> &'static [u8] {
        &self.info(msg).bytes
    }

    pub fn digest(&self, msg: Msg) -> Digest {
        self.info(msg).digest
    }

    pub fn find(&self, digest: Digest) -> Option<Msg> {
        self.by_digest.get(&digest)
    }

    pub fn set_maker(&self, msg: Msg, maker: Maker) {
        self.makers.put(msg, maker);
    }

    pub fn maker(&self, msg: Msg) -> Option<Maker> {
        self.makers.get(&msg)
    }
}

impl Msg {
    pub fn kind(self) -> u8 {
        u8::try_from(self.0 >> KIND_SHIFT).unwrap()
    }

    pub fn sub(self) -> u8 {
        u8::try_from((self.0 >> SUB_SHIFT) & 15).unwrap()
    }
}

/// A set of messages, sorted.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Net(pub Arc<[Msg]>);

impl Net {
    /// The set with these too, or none where they are all in it.
    pub fn with(&self, more: &[Msg]) -> Option<Self> {
        if more.iter().all(|msg| self.0.binary_search(msg).is_ok()) {
            return None;
        }
        let mut all: Vec<Msg> = self.0.iter().chain(more).copied().collect();
        all.sort_unstable();
        all.dedup();
        Some(Self(all.into()))
    }

    pub fn has(&self, msg: Msg) -> bool {
        self.0.binary_search(&msg).is_ok()
    }

    pub fn kind(&self, kind: Kind) -> &[Msg] {
        self.number(kind.byte())
    }

    pub fn number(&self, kind: u8) -> &[Msg] {
        let from = self.0.partition_point(|msg| msg.kind() < kind);
        let to = self.0.partition_point(|msg| msg.kind() <= kind);
        &self.0[from..to]
    }

    pub fn count(&self, kind: Kind) -> usize {
        self.kind(kind).len()
    }

    pub fn count_sub(&self, kind: Kind, sub: u8) -> usize {
        self.kind(kind).iter().filter(|msg| msg.sub() == sub).count()
    }
}
