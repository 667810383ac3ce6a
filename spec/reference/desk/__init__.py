"""Roles behind JSON requests, as `spec/vectors/README.md` describes them: for vectors and for playing.

`form` is how things are written in JSON; the other files are a role each.
"""

from __future__ import annotations

from typing import Any, Callable

from sharekey.errors import SharekeyError

from .form import NoRequest, Refused
from .guest import GuestDesk
from .lock import LockDesk
from .owner import OwnerDesk
from .service import ServiceDesk

ROLES: dict[str, Callable[[], Any]] = {
    "lock": LockDesk,
    "owner": OwnerDesk,
    "service": ServiceDesk,
    "guest": GuestDesk,
}


class Peer:
    """Any number of each role, told apart by their names."""

    def __init__(self) -> None:
        self.roles: dict[tuple[str, str], Any] = {}

    def handle(self, request: Any) -> dict[str, Any]:
        """The reply to one request."""
        try:
            return {"ok": self._handle(request)}
        except Refused as refused:
            answer = {} if refused.answer is None else {"answer": refused.answer.hex()}
            return {"error": refused.name, **answer}
        except SharekeyError as error:
            return {"error": error.name}
        except NoRequest as error:
            return {"error": "Request", "about": str(error)}

    def _handle(self, request: Any) -> dict[str, Any]:
        if not isinstance(request, dict) or request.get("role") not in ROLES:
            raise NoRequest("no such role")
        role, op = request["role"], request.get("op")
        known = (role, request.get("as", role))
        if known not in self.roles:
            desk = ROLES[role]()
        else:
            desk = self.roles[known]
        do = desk.OPS.get(op)
        if do is None:
            raise NoRequest(f"no such op: {op}")
        try:
            reply = do(desk, request)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise NoRequest(f"{op}: {error!r}") from error
        self.roles[known] = desk
        return reply
