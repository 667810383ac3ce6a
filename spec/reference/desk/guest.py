"""A guest behind requests: an identity, a download, an unlock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

from sharekey import guest, primitives
from sharekey.guest import Download
from sharekey.limits import Action
from sharekey.messages import Bundle, Challenge, Grant, Receipt, Refused, Release, Reply, Unlock, UnlockRefused
from sharekey.errors import RuleBroken
from sharekey.reading import decode, one_of

from .form import NoRequest, draw, hexed


class GuestDesk:
    """One guest with one download."""

    def __init__(self) -> None:
        self.seed = b""
        self.claimed: Optional[Download] = None
        self.installing: Optional[Download] = None
        self.sent: Optional[tuple[Download, Bundle]] = None
        self.holding: Optional[Download] = None
        self.asked: Optional[Unlock] = None

    def make(self, request: dict[str, Any]) -> dict[str, Any]:
        self.seed = guest.code_seed(request["code"]) if "code" in request else hexed(request, "seed")
        return {"key": primitives.public_key(self.seed).hex()}

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.seed:
            raise NoRequest("no guest")
        message = guest.ask(self.seed, hexed(request, "service"), request["time"], draw(request, 16))
        return {"message": message.encode().hex()}

    def claim(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.seed:
            raise NoRequest("no guest")
        owner = hexed(request, "owner") if request.get("owner") is not None else None
        grant, device = decode(Grant, hexed(request, "grant")), draw(request, 32)
        self.claimed = guest.claim(self.seed, grant, device, owner)
        return {"claim": self.claimed.claim.encode().hex()}

    def install(self, request: dict[str, Any]) -> dict[str, Any]:
        download = _copy(self.claimed, "nothing claimed")
        message = guest.install(download, decode(Challenge, hexed(request, "challenge")), draw(request, 32))
        self.installing, self.sent = download, None
        return {"claim": download.claim.encode().hex(), "install": message.encode().hex()}

    def bundle(self, request: dict[str, Any]) -> dict[str, Any]:
        download = _copy(self.installing, "no install")
        bundle = guest.bundle(download, decode(Release, hexed(request, "release")))
        self.sent = download, bundle
        return {"message": bundle.encode().hex()}

    def finish(self, request: dict[str, Any]) -> dict[str, Any]:
        sent, bundle = self.sent or (None, None)
        download = _copy(sent, "nothing sent")
        answer = one_of(hexed(request, "answer"), Receipt, Refused)
        if isinstance(answer, Refused):
            raise guest.refused(download, bundle, answer)
        guest.receipt(download, answer)
        self.holding = download
        return {
            "lock": answer.lock.hex(),
            "epoch": answer.epoch,
            "slot": answer.slot,
            "generation": answer.generation,
            "receipt": answer.encode().hex(),
        }

    def unlock(self, request: dict[str, Any]) -> dict[str, Any]:
        download = _copy(self.holding, "no key yet")
        challenge = decode(Challenge, hexed(request, "challenge"))
        message = guest.unlock(download, challenge, Action[request["action"]], draw(request, 16))
        self.asked = message
        return {"message": message.encode().hex()}

    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        unlock = self.asked
        download = _copy(self.holding if unlock else None, "nothing asked")
        answer = one_of(hexed(request, "answer"), Reply, Refused)
        if isinstance(answer, Refused):
            raise guest.refused(download, unlock, answer)
        outcome = guest.reply(download, unlock, answer)
        if isinstance(outcome, UnlockRefused):
            raise RuleBroken(f"Refused.{outcome.reason.name}")
        return {"battery": answer.battery}

    OPS = {
        "make": make,
        "ask": ask,
        "claim": claim,
        "install": install,
        "bundle": bundle,
        "finish": finish,
        "unlock": unlock,
        "reply": reply,
    }


def _copy(download: Optional[Download], missing: str) -> Download:
    """A download as it stands, to go on with: a request may be made again. Who asks keeps the challenges (GST-7)."""
    if download is None:
        raise NoRequest(missing)
    return replace(download, nonces=set())
