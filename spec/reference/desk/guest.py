"""A guest behind requests: an identity, a download, an unlock."""

from __future__ import annotations

from typing import Any, Optional

from sharekey import guest, primitives
from sharekey.guest import Download
from sharekey.limits import Action
from sharekey.messages import Bundle, Challenge, Grant, Receipt, Refused, Release, Reply, Unlock, UnlockRefused
from sharekey.errors import RuleBroken

from .form import NoRequest, decode, draw, hexed, one_of


class GuestDesk:
    """One guest with one download."""

    def __init__(self) -> None:
        self.seed = b""
        self.claimed: Optional[Download] = None
        self.sent: Optional[Bundle] = None
        self.asked: Optional[Unlock] = None

    @property
    def download(self) -> Download:
        if self.claimed is None:
            raise NoRequest("nothing claimed")
        self.claimed.nonces.clear()  # whoever asks keeps the challenges (GST-7)
        return self.claimed

    def make(self, request: dict[str, Any]) -> dict[str, Any]:
        self.seed = guest.code_seed(request["code"]) if "code" in request else hexed(request, "seed")
        return {"key": primitives.public_key(self.seed).hex()}

    def claim(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.seed:
            raise NoRequest("no guest")
        owner = hexed(request, "owner") if request.get("owner") is not None else None
        grant, device = decode(Grant, hexed(request, "grant")), draw(request, 32)
        self.claimed = guest.claim(self.seed, grant, device, owner)
        self.sent = self.asked = None
        return {"claim": self.download.claim.encode().hex()}

    def install(self, request: dict[str, Any]) -> dict[str, Any]:
        challenge = decode(Challenge, hexed(request, "challenge"))
        message = guest.install(self.download, challenge, draw(request, 32))
        return {"claim": self.download.claim.encode().hex(), "install": message.encode().hex()}

    def bundle(self, request: dict[str, Any]) -> dict[str, Any]:
        self.sent = guest.bundle(self.download, decode(Release, hexed(request, "release")))
        return {"message": self.sent.encode().hex()}

    def finish(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.sent is None:
            raise NoRequest("nothing sent")
        answer = one_of(hexed(request, "answer"), Receipt, Refused)
        if isinstance(answer, Refused):
            raise guest.refused(self.download, self.sent, answer)
        guest.receipt(self.download, answer)
        return {
            "lock": answer.lock.hex(),
            "epoch": answer.epoch,
            "slot": answer.slot,
            "generation": answer.generation,
            "receipt": answer.encode().hex(),
        }

    def unlock(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.download.pairing is None:
            raise NoRequest("no key yet")
        challenge = decode(Challenge, hexed(request, "challenge"))
        self.asked = guest.unlock(self.download, challenge, Action[request["action"]], draw(request, 16))
        return {"message": self.asked.encode().hex()}

    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.asked is None:
            raise NoRequest("nothing asked")
        answer = one_of(hexed(request, "answer"), Reply, Refused)
        if isinstance(answer, Refused):
            raise guest.refused(self.download, self.asked, answer)
        outcome = guest.reply(self.download, self.asked, answer)
        if isinstance(outcome, UnlockRefused):
            raise RuleBroken(f"Refused.{outcome.reason.name}")
        return {}

    OPS = {
        "make": make,
        "claim": claim,
        "install": install,
        "bundle": bundle,
        "finish": finish,
        "unlock": unlock,
        "reply": reply,
    }
