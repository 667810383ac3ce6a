"""Peers in processes of their own, and rooms in which each role lives in one of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).resolve().parents[1]
ROOT = REFERENCE.parents[1]


@cache
def rust_peer() -> str:
    """The crate's `peer`: that which SHAREKEY_PEER names, or one that is built now."""
    given = os.environ.get("SHAREKEY_PEER")
    if given:
        return given
    build = ["cargo", "build", "--locked", "--quiet", "--package", "sharekey-peer", "--message-format", "json"]
    told = subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    made = [json.loads(line) for line in told.splitlines()]
    return next(item["executable"] for item in made if item.get("executable"))


class Process:
    """A peer behind its standard input and output."""

    def __init__(self, language: str) -> None:
        command = [rust_peer()] if language == "rust" else [sys.executable, str(REFERENCE / "peer.py")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request, and its reply. What a peer says about a request that is none is its own."""
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        reply.pop("about", None)
        return reply

    def close(self) -> None:
        self.process.stdin.close()
        assert self.process.wait(timeout=60) == 0
        self.process.stdout.close()


class Room:
    """Two peers, and which of them plays which role."""

    def __init__(self, rust: frozenset[str]) -> None:
        self.rust = rust
        self.peers = {"rust": Process("rust"), "python": Process("python")}
        self.ticks = 0
        self.clock: Any = 1_796_126_400

    def __enter__(self) -> "Room":
        return self

    def __exit__(self, *_: Any) -> None:
        for peer in self.peers.values():
            peer.close()

    def ask(self, role: str, op: str, **more: Any) -> dict[str, Any]:
        """A request to whoever plays the role."""
        peer = self.peers["rust" if role in self.rust else "python"]
        return peer.ask({"role": role, "op": op, **{name.rstrip("_"): value for name, value in more.items()}})

    def ok(self, role: str, op: str, **more: Any) -> dict[str, Any]:
        """A request that is accepted."""
        reply = self.ask(role, op, **more)
        assert "ok" in reply, (role, op, reply)
        return reply["ok"]

    def no(self, error: str, role: str, op: str, **more: Any) -> dict[str, Any]:
        """A request that is refused with this error."""
        reply = self.ask(role, op, **more)
        assert reply.get("error") == error, (role, op, reply)
        return reply

    def now(self) -> dict[str, Any]:
        self.ticks += 250
        return {"ticks": self.ticks, "clock": self.clock, "battery": 62}
