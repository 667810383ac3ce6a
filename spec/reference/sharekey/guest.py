"""The guest ("Guest"): claims a grant for a device, downloads the key, unlocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from . import code, pairing, primitives
from .errors import RuleBroken, SignatureRefused
from .limits import Action
from .messages import Bundle, Challenge, Claim, Grant, Install, Receipt, Release, Reply, Unlock


def account(seed: bytes) -> bytes:
    """The guest identity of an account is its Ed25519 private key; this is its public key."""
    return primitives.public_key(seed)


def code_seed(typed: str) -> bytes:
    """The guest identity of whoever knows a share code."""
    return code.subject_seed(code.read(typed))


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


def claim(identity_seed: bytes, grant: Grant, device_seed: bytes) -> Download:
    """Claims a grant. The device key is drawn for this claim (GST-1)."""
    if grant.subject != primitives.public_key(identity_seed):
        raise RuleBroken("GST-2", "the grant is for somebody else")
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
        raise RuleBroken("GST-5", "the release names another install")
    return Bundle(download.grant, download.claim, download.install, release)


def receipt(download: Download, message: Receipt) -> bytes:
    """The receipt checks GST-9 to GST-13, then the pairing key (KDF-3, KDF-4).

    The caller stores the download before it says that the key is there (GST-8).
    """
    grant = download.grant
    try:
        message.verify(grant.lock)
    except SignatureRefused as bad:
        raise RuleBroken("GST-9", str(bad)) from None
    if download.install is None or download.secret is None or message.install != download.install.digest():
        raise RuleBroken("GST-10", "another install")
    if message.grant != grant.digest():
        raise RuleBroken("GST-11", "another grant")
    if message.device != download.claim.device:
        raise RuleBroken("GST-12", "another device")
    if (message.lock, message.epoch, message.slot, message.generation) != (
        grant.lock,
        grant.epoch,
        grant.slot,
        grant.generation,
    ):
        raise RuleBroken("GST-13", "another epoch, slot or generation")
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
    message.check_tag(download.pairing)
    if message.unlock != sent.auth:
        raise RuleBroken("GST-15", "the reply is to another unlock")
    return message.outcome


def _take_challenge(download: Download, challenge: Challenge) -> None:
    """GST-3 and GST-7."""
    if challenge.lock != download.grant.lock:
        raise RuleBroken("GST-3", "a challenge of another lock")
    if challenge.nonce in download.nonces:
        raise RuleBroken("GST-7", "the challenge was used before")
    download.nonces.add(challenge.nonce)
