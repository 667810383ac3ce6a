//! One lock with one share, which its owner takes back while its guest downloads it: every message, made beforehand.

use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::Nonce;
use sharekey::id::{LockId, SlotId};
use sharekey::message::{
    Completed, Done, FindRequest, Grant, Holding, Provisioned, Receipt, ReportRequest, SlotReport,
};
use sharekey::secret::Seed;
use sharekey::service::{Place, place_of};
use sharekey_service::desk::Asked;
use sharekey_stage::desk::{
    claim_of, device, device_seed, done, grant, owner_seed, provisioned, receipt_naming, service_seed, subject_seed,
    transfer_to,
};
use sharekey_stage::forge::signed;
use sharekey_stage::{digest, public};

pub const SLOT: SlotId = SlotId::new(0);

#[derive(Clone)]
pub struct Pair {
    seed: [u8; 32],
    subject: [u8; 32],
    pub lock: LockId,
}

impl Pair {
    pub fn new(number: u32) -> Self {
        let mut seed = [0xA5; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        let subject = *subject_seed().expose();
        Self { seed, subject, lock: LockId::new(public(&Seed::from_bytes(seed))) }
    }

    /// As [`new`](Self::new), but to be shared with somebody of its own.
    pub fn apart(number: u32) -> Self {
        let pair = Self::new(number);
        Self { subject: pair.seed.map(|byte| byte ^ 0xFF), ..pair }
    }

    /// Whoever it is shared with.
    pub fn subject(&self) -> Seed {
        Seed::from_bytes(self.subject)
    }

    fn by_lock<T: sharekey::wire::Message<Auth = sharekey::crypto::Signature>>(&self, body: &T) -> Vec<u8> {
        signed(body, &Seed::from_bytes(self.seed))
    }

    pub const fn place(&self) -> Place {
        (self.lock, SLOT)
    }

    /// What opens the slot for a share, and shares it.
    pub fn opening(&self) -> [Asked; 3] {
        let activated = Completed::Activate {
            slot: SLOT,
            generation: Generation::new(1),
            left: SlotReport { floor: Generation::new(1), holding: Holding::Empty },
        };
        [
            Asked::Message(self.by_lock(&Provisioned { lock: self.lock, ..provisioned() })),
            Asked::Message(self.by_lock(&Done { lock: self.lock, ..done(activated) })),
            Asked::Message(self.grant()),
        ]
    }

    fn grant_body(&self) -> Grant {
        Grant { lock: self.lock, slot: SLOT, subject: public(&self.subject()), ..grant(2) }
    }

    pub fn grant(&self) -> Vec<u8> {
        signed(&self.grant_body(), &owner_seed())
    }

    pub fn withdrawal(&self) -> Asked {
        Asked::Message(signed(&sharekey_stage::desk::withdraw_of(&self.grant_body()), &owner_seed()))
    }

    pub fn release(&self, nonce: u8) -> Asked {
        let claim = signed(&claim_of(&self.grant(), device()), &self.subject());
        let install = sharekey_stage::desk::install_of(&claim, nonce);
        Asked::Release(self.place(), claim, signed(&install, &device_seed()))
    }

    /// What the lock signs once it has installed what was released.
    pub fn receipt(&self, nonce: u8) -> Asked {
        let Asked::Release(_, _, install) = self.release(nonce) else { panic!("a release") };
        let grant = digest(&self.grant());
        Asked::Message(self.by_lock(&Receipt {
            lock: self.lock,
            slot: SLOT,
            install: digest(&install),
            ..receipt_naming(2, grant)
        }))
    }

    /// The lock went over to the same owner: an ownership of its own.
    pub fn transfer(&self, epoch: u32) -> Asked {
        let (owner, service) = (public(&owner_seed()), public(&service_seed()));
        Asked::Message(self.by_lock(&Done { lock: self.lock, ..transfer_to(owner, service, epoch) }))
    }

    pub fn request(&self, by: &Seed, nonce: u8) -> Vec<u8> {
        let body = ReportRequest {
            lock: self.lock,
            epoch: Epoch::FIRST,
            by: Term::OWNER,
            slot: SLOT,
            nonce: Nonce::from_bytes([nonce; 16]),
            time: now(),
        };
        signed(&body, by)
    }

    pub fn report(&self, nonce: u8) -> Asked {
        Asked::Report(self.request(&owner_seed(), nonce))
    }
}

/// Asks the service of the stage what is shared with whoever signs, or which locks are his.
pub fn find(by: &Seed) -> Vec<u8> {
    let (service, subject) = (public(&service_seed()), public(by));
    signed(&FindRequest { service, subject, nonce: Nonce::from_bytes([4; 16]), time: now() }, by)
}

pub fn now() -> sharekey::limits::Timestamp {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    sharekey::limits::Timestamp::from_unix_seconds(since_1970.as_secs())
}

/// Where a request is sent, and its body.
pub fn sent(pair: &Pair, asked: &Asked) -> (String, Vec<u8>) {
    use sharekey::wire::Kind;

    let slot = format!("/v1/locks/{}/slots/{SLOT}", pair.lock.key());
    match asked {
        Asked::Report(request) => ("/v1/reports".to_owned(), request.clone()),
        Asked::Release(_, claim, install) => {
            let body =
                [claim, install].map(|part| [&u16::try_from(part.len()).unwrap().to_be_bytes()[..], part].concat());
            (format!("{slot}/releases"), body.concat())
        }
        Asked::Message(message) => {
            let path = match Kind::of(message).unwrap() {
                _ if place_of(message).unwrap().1.is_none() => format!("/v1/locks/{}/ownership", pair.lock.key()),
                Kind::Grant => format!("{slot}/grants"),
                Kind::Withdraw => format!("{slot}/withdrawals"),
                _ => format!("{slot}/proofs"),
            };
            (path, message.clone())
        }
    }
}
