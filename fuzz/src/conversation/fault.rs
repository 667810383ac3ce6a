//! Which errors name an altered message.

use sharekey::error::{Blame, GuestError, LockError, OwnerError, ServiceError};
use sharekey::message::Bundle;
use sharekey::wire::Kind;

use super::air::Fired;

/// Why a step came to no end. Not the stage's `Stop`: no power is cut here, and a step may do nothing.
#[derive(Clone, Debug)]
pub enum Stopped {
    Lock(LockError),
    Service(ServiceError),
    Owner(OwnerError),
    Guest(GuestError),
    /// Nobody refused, and the step did nothing.
    NoEffect,
}

impl Stopped {
    pub fn blame(&self) -> Option<&dyn Blame> {
        match self {
            Self::Lock(error) => Some(error),
            Self::Service(error) => Some(error),
            Self::Owner(error) => Some(error),
            Self::Guest(error) => Some(error),
            Self::NoEffect => None,
        }
    }
}

impl From<LockError> for Stopped {
    fn from(error: LockError) -> Self {
        Self::Lock(error)
    }
}

impl From<ServiceError> for Stopped {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl From<OwnerError> for Stopped {
    fn from(error: OwnerError) -> Self {
        Self::Owner(error)
    }
}

impl From<GuestError> for Stopped {
    fn from(error: GuestError) -> Self {
        Self::Guest(error)
    }
}

/// Whether the error is one for which this message, altered so, is to blame.
pub fn names(fired: &Fired, stopped: &Stopped) -> bool {
    match *stopped {
        Stopped::Lock(error) => at_the_lock(fired, error),
        Stopped::Service(error) => at_the_service(fired, error),
        Stopped::Owner(error) => at_the_owner(fired, error),
        Stopped::Guest(error) => at_the_guest(fired, error),
        Stopped::NoEffect => false,
    }
}

fn at_the_lock(fired: &Fired, error: LockError) -> bool {
    use LockError as E;
    match fired.kind() {
        // Bytes of a bundle that were shifted may read as anything.
        Kind::Bundle => parts(fired).into_iter().any(|part| of_a_part(part, error)),
        Kind::Provision => matches!(error, E::Wire(_) | E::WrongNonce | E::CardMac),
        Kind::Command => {
            let for_whom = matches!(error, E::Wire(_) | E::WrongLock | E::WrongNonce);
            for_whom || matches!(error, E::UnknownSigner | E::CommandSignature(_))
        }
        Kind::Unlock => {
            matches!(error, E::Wire(_) | E::NoSuchSlot | E::NotInstalled | E::WrongNonce | E::UnlockMac)
        }
        Kind::FactoryReset => matches!(error, E::Wire(_) | E::WrongLock | E::WrongNonce | E::CardMac),
        // Whoever answered it could not know.
        Kind::Challenge => matches!(error, E::Wire(_) | E::WrongLock | E::WrongNonce | E::UnlockMac),
        // The guest does not know the service's key.
        Kind::Release => matches!(error, E::ReleaseSignature(_)),
        _ => false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Frame,
    Grant,
    Claim,
    Install,
    Release,
}

/// Which parts of the bundle are not as they were.
fn parts(fired: &Fired) -> Vec<Part> {
    let (Ok(was), Ok(is)) = (Bundle::parse(&fired.original), Bundle::parse(&fired.sent)) else {
        return vec![Part::Frame];
    };
    let parts = |bundle: Bundle<'_>| [bundle.grant, bundle.claim, bundle.install, bundle.release].map(<[u8]>::to_vec);
    let all = [Part::Grant, Part::Claim, Part::Install, Part::Release];
    let changed = parts(was).into_iter().zip(parts(is)).zip(all).filter(|((was, is), _)| was != is);
    changed.map(|(_, part)| part).collect()
}

fn of_a_part(part: Part, error: LockError) -> bool {
    use LockError as E;
    match (part, error) {
        (_, E::Wire(_)) => true,
        (Part::Frame, _) => false,
        (Part::Grant, error) => {
            matches!(error, E::WrongLock | E::UnknownSigner | E::GrantSignature(_))
        }
        (Part::Claim, error) => matches!(error, E::ClaimNamesOtherGrant | E::ClaimSignature(_)),
        (Part::Install, error) => {
            matches!(error, E::InstallNamesOtherClaim | E::WrongNonce | E::InstallSignature(_))
        }
        (Part::Release, error) => matches!(error, E::ReleaseNamesOtherInstall | E::ReleaseSignature(_)),
    }
}

fn at_the_service(fired: &Fired, error: ServiceError) -> bool {
    use ServiceError as E;
    let read_as_another = matches!(
        error,
        E::NotOfASlot
            | E::UnknownSigner
            | E::OwnershipSignature(_)
            | E::GrantSignature(_)
            | E::WithdrawSignature(_)
            | E::ReceiptSignature(_)
            | E::DoneSignature(_)
    );
    if matches!(error, E::Wire(_)) || (fired.relabelled() && read_as_another) {
        return true;
    }
    match fired.kind() {
        Kind::Provisioned => matches!(error, E::OwnershipSignature(_)),
        // A guest that does not know the owner claims what it was given.
        Kind::Grant => matches!(error, E::UnknownSigner | E::GrantSignature(_) | E::ClaimNamesOtherGrant),
        Kind::Claim => matches!(error, E::ClaimNamesOtherGrant | E::ClaimSignature(_)),
        Kind::Install => matches!(error, E::InstallNamesOtherClaim | E::InstallSignature(_)),
        Kind::Withdraw => matches!(error, E::UnknownSigner | E::WithdrawSignature(_)),
        Kind::Receipt => matches!(error, E::ReceiptSignature(_)),
        Kind::Done => matches!(error, E::DoneSignature(_) | E::OwnershipSignature(_)),
        Kind::ReportRequest => matches!(error, E::RequestSignature(_) | E::UnknownSigner),
        _ => false,
    }
}

fn at_the_owner(fired: &Fired, error: OwnerError) -> bool {
    use OwnerError as E;
    let read_as_another = matches!(
        error,
        E::NothingToLearn
            | E::UnknownSigner
            | E::RefusedOpaque
            | E::RefusalSignature(_)
            | E::GrantSignature(_)
            | E::ReceiptSignature(_)
            | E::DoneSignature(_)
            | E::WithdrawnSignature(_)
    );
    if matches!(error, E::Wire(_)) || (fired.relabelled() && read_as_another) {
        return true;
    }
    // Whatever it was, it came with a report, which names its messages.
    if error == E::OtherMessages {
        return fired.kind() != Kind::Report;
    }
    match fired.kind() {
        Kind::Challenge => matches!(error, E::WrongLock | E::LockKey(_) | E::ProvisionedSignature(_)),
        Kind::Report => matches!(error, E::ReportSignature(_)),
        Kind::Provisioned => matches!(error, E::ProvisionedSignature(_)),
        Kind::Done => matches!(error, E::DoneSignature(_)),
        Kind::Grant => matches!(error, E::UnknownSigner | E::GrantSignature(_)),
        Kind::Receipt => matches!(error, E::ReceiptSignature(_)),
        Kind::Withdrawn => matches!(error, E::WithdrawnSignature(_)),
        _ => false,
    }
}

fn at_the_guest(fired: &Fired, error: GuestError) -> bool {
    use GuestError as E;
    let read_as_another = matches!(error, E::RefusedOpaquely | E::RefusalSignature(_));
    if matches!(error, E::Wire(_)) || (fired.relabelled() && read_as_another) {
        return true;
    }
    match fired.kind() {
        Kind::Challenge => matches!(error, E::WrongLock),
        // A guest that does not know the owner finds at another lock that it is another's.
        Kind::Grant => matches!(error, E::NotTheSubject | E::LockKey(_) | E::GrantSignature(_) | E::WrongLock),
        Kind::Release => matches!(error, E::ReleaseNamesOtherInstall),
        Kind::Receipt => matches!(error, E::ReceiptSignature(_)),
        Kind::Reply => matches!(error, E::ReplyMac),
        _ => false,
    }
}
