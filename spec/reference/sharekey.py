"""Entry point: answers questions about the protocol, one JSON object a line, on standard input.

    {"do": "decode", "kind": "Grant", "bytes": "534b..."}
    {"do": "encode", "message": {"type": "Claim", ...}}
    {"do": "verify", "kind": "Grant", "bytes": "534b...", "key": "..."}
    {"do": "check_tag", "kind": "Unlock", "bytes": "534b...", "key": "..."}
    {"do": "code", "typed": "7k3q ..."}
    {"do": "fingerprint", "key": "..."}
    {"do": "check_key", "key": "..."}
    {"do": "lock_keys", "seed": "..."}
    {"do": "pairing_key", "receipt": "534b...", "shared": "..."}

The answer is {"ok": ...} or {"error": NAME}, with the names of the specification.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Callable

from sharekey import code, contacts, jsonable, pairing, primitives
from sharekey.errors import SharekeyError
from sharekey.messages import BY_NAME, Message, Receipt


def _message(ask: dict[str, Any]) -> Message:
    return BY_NAME[ask["kind"]].decode(bytes.fromhex(ask["bytes"]))


def _verify(ask: dict[str, Any]) -> bool:
    _message(ask).verify(bytes.fromhex(ask["key"]))
    return True


def _check_tag(ask: dict[str, Any]) -> bool:
    _message(ask).check_tag(bytes.fromhex(ask["key"]))
    return True


def _code(ask: dict[str, Any]) -> dict[str, Any]:
    symbols = code.read(ask["typed"])
    seed = code.subject_seed(symbols)
    return {"shown": code.show(symbols), "seed": seed, "subject": primitives.public_key(seed)}


def _check_key(ask: dict[str, Any]) -> bool:
    primitives.check_public_key(bytes.fromhex(ask["key"]))
    return True


def _pairing_key(ask: dict[str, Any]) -> bytes:
    receipt = Receipt.decode(bytes.fromhex(ask["receipt"]))
    return pairing.pairing_key(receipt.digest(), bytes.fromhex(ask["shared"]))


QUESTIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "decode": _message,
    "encode": lambda ask: jsonable.message(ask["message"]).encode(),
    "verify": _verify,
    "check_tag": _check_tag,
    "code": _code,
    "fingerprint": lambda ask: contacts.show(contacts.fingerprint(bytes.fromhex(ask["key"]))),
    "check_key": _check_key,
    "lock_keys": lambda ask: pairing.lock_keys(bytes.fromhex(ask["seed"])),
    "pairing_key": _pairing_key,
}


def answer(ask: dict[str, Any]) -> dict[str, Any]:
    """One answer."""
    try:
        return {"ok": jsonable.to_json(QUESTIONS[ask["do"]](ask))}
    except SharekeyError as error:
        return {"error": error.name}


def main() -> None:
    """Answers line by line until the input ends."""
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
