//! A message, field by field: what it says, who signed it, what it names.

use std::collections::BTreeMap;

use sharekey::crypto::{Digest, Hash as _, PublicKey, Signature, Tag};
use sharekey::error::WireError;
use sharekey::message::{
    Bundle, Challenge, Claim, Command, Connect, ConnectFor, Done, FactoryReset, FindRequest, Grant, Holding, Install,
    Operation, Outcome, Provision, Provisioned, Receipt, Refused, Release, Reply, Report, ReportRequest, SlotReport,
    Unlock, Withdraw, Withdrawn, WithdrawnOutcome,
};
use sharekey::wire::{Kind, Message, Unverified};

use super::names::Names;
use crate::home::{CRYPTO, Home, hex};
use crate::show::{actions, limits};
use crate::{args, files};

/// Names of fields, and what is in them.
type Fields = Vec<(&'static str, String)>;

/// What is known here that helps to explain a message.
pub struct Explain {
    names: Names,
    /// The messages by their digests.
    numbers: BTreeMap<Digest, (u32, String)>,
    card: Option<[u8; 16]>,
}

impl Explain {
    pub fn gather(home: &Home) -> anyhow::Result<Self> {
        let mut numbers = BTreeMap::new();
        for entry in home.wire().list()? {
            let digest = digest(&entry.read()?);
            numbers.entry(digest).or_insert((entry.number, entry.kind));
        }
        let card = files::read(&home.lock_folder().join("card"))?;
        let card = card.and_then(|text| args::bytes(std::str::from_utf8(&text).ok()?.trim()));
        Ok(Self { names: Names::gather(home)?, numbers, card })
    }

    pub fn fields(&self, bytes: &[u8]) -> Fields {
        let mut fields = vec![("digest", digest(bytes).to_string())];
        match self.body(bytes) {
            Ok(more) => fields.extend(more),
            Err(error) => fields.push(("no message", error.to_string())),
        }
        fields
    }

    fn body(&self, bytes: &[u8]) -> Result<Fields, WireError> {
        match Kind::of(bytes)? {
            Kind::Bundle => self.bundle(bytes),
            Kind::Challenge => Ok(self.challenge(Unverified::<Challenge>::parse(bytes)?.claims())),
            Kind::Connect => Ok(connect(Unverified::<Connect>::parse(bytes)?.claims())),
            Kind::Refused => self.refused(bytes),
            Kind::Provision => self.carded::<Provision>(bytes, Self::provision),
            Kind::FactoryReset => self.carded::<FactoryReset>(bytes, Self::factory_reset),
            Kind::Unlock => paired::<Unlock>(bytes, unlock),
            Kind::Reply => paired::<Reply>(bytes, reply),
            Kind::Grant => self.signed::<Grant>(bytes, Self::grant),
            Kind::Withdraw => self.signed::<Withdraw>(bytes, Self::withdraw),
            Kind::Withdrawn => self.signed::<Withdrawn>(bytes, Self::withdrawn),
            Kind::Claim => self.signed::<Claim>(bytes, Self::claim),
            Kind::Install => self.signed::<Install>(bytes, Self::install),
            Kind::Release => self.signed::<Release>(bytes, Self::release),
            Kind::Receipt => self.signed::<Receipt>(bytes, Self::receipt),
            Kind::Command => self.signed::<Command>(bytes, Self::command),
            Kind::Done => self.signed::<Done>(bytes, Self::done),
            Kind::Provisioned => self.signed::<Provisioned>(bytes, Self::provisioned),
            Kind::ReportRequest => self.signed::<ReportRequest>(bytes, Self::report_request),
            Kind::Report => self.signed::<Report>(bytes, Self::report),
            Kind::FindRequest => self.signed::<FindRequest>(bytes, Self::find_request),
            _ => Ok(vec![("meaning", "not known to this program".into())]),
        }
    }

    /// A signed message: its fields, and whose signature it is.
    fn signed<T: Message<Auth = Signature> + Copy>(
        &self,
        bytes: &[u8],
        explain: fn(&Self, &T) -> Fields,
    ) -> Result<Fields, WireError> {
        let message = Unverified::<T>::parse(bytes)?;
        let mut fields = explain(self, message.claims());
        let signer = self.names.keys().find(|key| message.verify(&CRYPTO, key).is_ok());
        let signer =
            signer.map_or_else(|| "no key of this home, or the signature is false".into(), |key| self.key(key));
        fields.push(("signed by", signer));
        Ok(fields)
    }

    /// A message under the MAC of the activation card's secret.
    fn carded<T: Message<Auth = Tag> + Copy>(
        &self,
        bytes: &[u8],
        explain: fn(&Self, &T) -> Fields,
    ) -> Result<Fields, WireError> {
        let message = Unverified::<T>::parse(bytes)?;
        let mut fields = explain(self, message.claims());
        let holds = self.card.is_some_and(|card| message.verify_mac(&CRYPTO, &card).is_ok());
        let by = if holds { "the secret of this lock's card" } else { "something else than this lock's card" };
        fields.push(("MAC under", by.into()));
        Ok(fields)
    }

    fn key(&self, key: &PublicKey) -> String {
        self.names.of(key)
    }

    fn names(&self, digest: &Digest) -> String {
        match self.numbers.get(digest) {
            Some((number, kind)) => format!("message {number}, the {kind}"),
            None => format!("a message that never crossed this wire ({digest})"),
        }
    }

    fn challenge(&self, body: &Challenge) -> Fields {
        vec![
            ("lock", self.key(body.lock.key())),
            ("nonce", body.nonce.to_string()),
            ("signed by", "nobody: it proves nothing by itself".into()),
        ]
    }

    fn grant(&self, body: &Grant) -> Fields {
        vec![
            ("lock", self.key(body.lock.key())),
            ("epoch", body.epoch.to_string()),
            ("slot", body.slot.to_string()),
            ("number", body.generation.to_string()),
            ("subject", self.key(&body.subject)),
            ("rights", actions(body.rights).join(", ")),
            ("limits", limits(body.rights, &body.limits)),
        ]
    }

    fn withdraw(&self, body: &Withdraw) -> Fields {
        vec![
            ("lock", self.key(body.lock.key())),
            ("epoch", body.epoch.to_string()),
            ("slot", body.slot.to_string()),
            ("number", body.generation.to_string()),
            ("grant", self.names(&body.grant)),
        ]
    }

    fn withdrawn(&self, body: &Withdrawn) -> Fields {
        let mut fields = self.withdraw(&body.withdraw);
        fields.push(match &body.outcome {
            WithdrawnOutcome::NeverReleased => ("outcome", "never released: it never installs".into()),
            WithdrawnOutcome::Released { install } => ("released", self.names(install)),
            WithdrawnOutcome::Settled => ("outcome", "settled: the lock had proved it dead".into()),
        });
        fields
    }

    fn claim(&self, body: &Claim) -> Fields {
        vec![("grant", self.names(&body.grant)), ("device", self.key(&body.device))]
    }

    fn install(&self, body: &Install) -> Fields {
        vec![
            ("claim", self.names(&body.claim)),
            ("nonce", body.nonce.to_string()),
            ("X25519 key", hex(body.agreement.as_bytes())),
        ]
    }

    fn release(&self, body: &Release) -> Fields {
        vec![("install", self.names(&body.install))]
    }

    fn receipt(&self, body: &Receipt) -> Fields {
        vec![
            ("install", self.names(&body.install)),
            ("lock", self.key(body.lock.key())),
            ("epoch", body.epoch.to_string()),
            ("slot", body.slot.to_string()),
            ("number", body.generation.to_string()),
            ("grant", self.names(&body.grant)),
            ("device", self.key(&body.device)),
            ("X25519 key", hex(body.agreement.as_bytes())),
        ]
    }

    fn bundle(&self, bytes: &[u8]) -> Result<Fields, WireError> {
        let Bundle { grant, claim, install, release } = Bundle::parse(bytes)?;
        let parts = [("grant", grant), ("claim", claim), ("install", install), ("release", release)];
        let mut fields: Fields = parts.into_iter().map(|(name, part)| (name, self.names(&digest(part)))).collect();
        fields.push(("signed by", "its four parts carry their own signatures".into()));
        Ok(fields)
    }

    fn command(&self, body: &Command) -> Fields {
        let mut fields = vec![
            ("lock", self.key(body.lock.key())),
            ("epoch", body.epoch.to_string()),
            ("lock's nonce", body.lock_nonce.to_string()),
            ("owner's nonce", body.owner_nonce.to_string()),
        ];
        fields.extend(self.operation("order", &body.operation));
        fields
    }

    fn done(&self, body: &Done) -> Fields {
        let mut fields = vec![
            ("command", self.names(&body.command)),
            ("lock", self.key(body.lock.key())),
            ("epoch", body.epoch.to_string()),
        ];
        fields.extend(self.operation("did", &body.completed.operation()));
        fields.extend(body.completed.left().into_iter().flat_map(|(_, left)| self.left(&left)));
        fields
    }

    fn operation(&self, verb: &'static str, operation: &Operation) -> Fields {
        let mut fields = vec![(verb, operation.to_string())];
        if let Operation::Transfer { owner, service } = operation {
            fields.extend([("to owner", self.key(owner)), ("with service", self.key(service))]);
        }
        fields
    }

    fn left(&self, left: &SlotReport) -> Fields {
        let mut fields = vec![("floor", left.floor.to_string())];
        match &left.holding {
            Holding::Inactive => fields.push(("holds", "inactive".into())),
            Holding::Empty => fields.push(("holds", "open for sharing, no key".into())),
            Holding::Installed { grant, device } => {
                fields.extend([("holds a key from", self.names(grant)), ("for", self.key(device))]);
            }
        }
        fields
    }

    fn refused(&self, bytes: &[u8]) -> Result<Fields, WireError> {
        match Refused::parse(bytes)? {
            Refused::Opaque => {
                Ok(vec![("signed by", "nobody, and without a reason: anybody could have sent it".into())])
            }
            Refused::Signed(message) => {
                let body = message.claims();
                let mut fields = vec![("request", self.names(&body.request)), ("reason", format!("{:?}", body.reason))];
                let signer = self.names.keys().find(|key| message.verify(&CRYPTO, key).is_ok());
                fields.push(("signed by", signer.map_or_else(|| "no key of this home".into(), |key| self.key(key))));
                Ok(fields)
            }
        }
    }

    fn provision(&self, body: &Provision) -> Fields {
        vec![
            ("lock's nonce", body.lock_nonce.to_string()),
            ("owner's nonce", body.owner_nonce.to_string()),
            ("owner", self.key(&body.owner)),
            ("service", self.key(&body.service)),
        ]
    }

    fn provisioned(&self, body: &Provisioned) -> Fields {
        vec![
            ("lock", self.key(body.lock.key())),
            ("epoch", body.epoch.to_string()),
            ("owner", self.key(&body.owner)),
            ("service", self.key(&body.service)),
            ("card's MAC", body.card.to_string()),
        ]
    }

    fn report_request(&self, body: &ReportRequest) -> Fields {
        vec![
            ("lock", self.key(body.lock.key())),
            ("epoch", body.epoch.to_string()),
            ("slot", body.slot.to_string()),
            ("time", body.time.to_string()),
        ]
    }

    fn report(&self, body: &Report) -> Fields {
        vec![
            ("request", self.names(&body.request)),
            ("lock", self.key(body.lock.key())),
            ("epoch", body.epoch.to_string()),
            ("slot", body.slot.to_string()),
            ("version", body.version.to_string()),
            ("state", body.state.to_string()),
            ("with", format!("the messages under the digest {}", body.messages)),
        ]
    }

    fn find_request(&self, body: &FindRequest) -> Fields {
        vec![
            ("service", self.key(&body.service)),
            ("subject", self.key(&body.subject)),
            ("time", body.time.to_string()),
        ]
    }

    fn factory_reset(&self, body: &FactoryReset) -> Fields {
        vec![("lock", self.key(body.lock.key())), ("nonce", body.nonce.to_string())]
    }
}

/// A message under the MAC of a pairing key.
fn paired<T: Message<Auth = Tag> + Copy>(bytes: &[u8], explain: fn(&T) -> Fields) -> Result<Fields, WireError> {
    let mut fields = explain(Unverified::<T>::parse(bytes)?.claims());
    fields.push(("MAC under", "the pairing key, which only its guest and the lock hold".into()));
    Ok(fields)
}

fn connect(body: &Connect) -> Fields {
    let purpose = match body.purpose {
        ConnectFor::Install => "a download",
        ConnectFor::Operate => "anything else",
    };
    vec![("asks for", format!("a challenge, for {purpose}")), ("signed by", "nobody".into())]
}

fn unlock(body: &Unlock) -> Fields {
    vec![
        ("slot", body.slot.to_string()),
        ("action", format!("{:?}", body.action).to_lowercase()),
        ("lock's nonce", body.lock_nonce.to_string()),
        ("guest's nonce", body.guest_nonce.to_string()),
    ]
}

fn reply(body: &Reply) -> Fields {
    let outcome = match body.outcome {
        Outcome::Accepted => "accepted".into(),
        Outcome::Refused { reason } => format!("refused: {reason:?}"),
    };
    vec![("outcome", outcome), ("to the unlock", format!("with the MAC {}", body.unlock))]
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(CRYPTO.sha256(&[bytes]))
}
