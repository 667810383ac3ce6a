"""The guest ("Guest"): claims a grant for a device, downloads the key, unlocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from . import code, pairing, primitives
from .errors import RuleBroken, TagRefused, verify_as
from .limits import Action
from .messages import (
    Bundle,
    Challenge,
    Claim,
    FindRequest,
    Grant,
    Install,
    Message,
    Receipt,
    Refused,
    Release,
    Reply,
    Unlock,
)


def account(seed: bytes) -> bytes:
    """The guest identity of an account is its Ed25519 private key; this is its public key."""
    return primitives.public_key(seed)


def code_seed(typed: str) -> bytes:
    """The guest identity of whoever knows a share code."""
    return code.subject_seed(code.read(typed))


def ask(identity_seed: bytes, service: bytes, now: int, nonce: bytes) -> FindRequest:
    """Asks a service for what is shared with this identity. The nonce is fresh (RPT-1)."""
    return FindRequest(service, account(identity_seed), nonce, now).signed(identity_seed)


@dataclass
class Download:
    """One device's download of one grant; the same device may install again."""

    grant: Grant
    device_seed: bytes
    claim: Claim
    install: Optional[Install] = None  # the newest one: only its release and its receipt count
    secret: Optional[bytes] = None  # and its X25519 secret
    nonces: set[bytes] = field(default_factory=set)
    pairing: Optional[bytes] = None


def claim(identity_seed: bytes, grant: Grant, device_seed: bytes, owner: Optional[bytes] = None) -> Download:
    """Claims a grant (GST-2, GST-16), checked under the owner key where the guest knows that.

    The device key is drawn for this claim (GST-1).
    """
    if grant.subject != primitives.public_key(identity_seed):
        raise RuleBroken("NotTheSubject", "the grant is for somebody else")
    primitives.check_key_as("LockKey", grant.lock)
    if owner is not None:
        verify_as("GrantSignature", grant, owner)
    device = primitives.public_key(device_seed)
    return Download(grant, device_seed, Claim(grant.digest(), device).signed(identity_seed))


def install(download: Download, challenge: Challenge, secret: bytes) -> Install:
    """A new install for this challenge (GST-4), with a new X25519 secret (KDF-2)."""
    _take_challenge(download, challenge)
    message = Install(download.claim.digest(), challenge.nonce, primitives.agreement_key(secret))
    message = message.signed(download.device_seed)
    download.install, download.secret = message, secret
    return message


def bundle(download: Download, release: Release) -> Bundle:
    """The bundle for the lock, once the service released this device's newest install (GST-5)."""
    if download.install is None or release.install != download.install.digest():
        raise RuleBroken("ReleaseNamesOtherInstall", "the release names another install")
    return Bundle(download.grant, download.claim, download.install, release)


def receipt(download: Download, message: Receipt) -> bytes:
    """The receipt checks GST-9 to GST-13, then the pairing key (KDF-3, KDF-4).

    The caller stores the download before it says that the key is there (GST-8).
    """
    grant = download.grant
    verify_as("ReceiptSignature", message, grant.lock)
    if download.install is None or download.secret is None or message.install != download.install.digest():
        raise RuleBroken("ReceiptNamesOtherInstall")  # GST-10
    # GST-13, GST-11, GST-12
    told = (message.lock, message.epoch, message.slot, message.generation, message.grant, message.device)
    if told != (grant.lock, grant.epoch, grant.slot, grant.generation, grant.digest(), download.claim.device):
        raise RuleBroken("ReceiptDoesNotFit")
    shared = primitives.agree(download.secret, message.agreement)
    download.pairing = pairing.pairing_key(message.digest(), shared)
    download.install, download.secret = None, None  # KDF-5
    return download.pairing


def unlock(download: Download, challenge: Challenge, action: Action, guest_nonce: bytes) -> Unlock:
    """Asks for an action. The guest nonce is fresh (GST-6)."""
    _take_challenge(download, challenge)
    if download.pairing is None:
        raise RuleBroken("KDF-4", "no pairing key yet")
    return Unlock(download.grant.slot, action, challenge.nonce, guest_nonce).tagged(download.pairing)


def reply(download: Download, sent: Unlock, message: Reply) -> object:
    """What the lock did (GST-14, GST-15): Accepted or UnlockRefused."""
    try:
        message.check_tag(download.pairing)
    except TagRefused:
        raise RuleBroken("ReplyMac") from None
    if message.unlock != sent.auth:
        raise RuleBroken("ReplyToOther", "the reply is to another unlock")
    return message.outcome


def refused(download: Download, sent: Message, message: Refused) -> RuleBroken:
    """What a Refused says of a bundle or an unlock that this guest sent, as the error that it is (GST-17)."""
    if message.opaque or isinstance(sent, Unlock):
        return RuleBroken("RefusedOpaquely")
    verify_as("RefusalSignature", message, download.grant.lock)
    if message.request != sent.digest():
        return RuleBroken("RefusedOpaquely", "of another request")
    return RuleBroken(f"Refused.{message.reason.name}")


def _take_challenge(download: Download, challenge: Challenge) -> None:
    """GST-3 and GST-7."""
    if challenge.lock != download.grant.lock:
        raise RuleBroken("WrongLock", "a challenge of another lock")
    if challenge.nonce in download.nonces:
        raise RuleBroken("GST-7", "the challenge was used before")
    download.nonces.add(challenge.nonce)
