"""A peer to play against: any roles of the protocol behind JSON lines on standard input and output.

`spec/vectors/README.md` says what can be asked.
"""

from __future__ import annotations

import json
import sys

from desk import Peer


def main() -> None:
    """Answers line by line until the input ends."""
    peer = Peer()
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            reply = peer.handle(json.loads(line))
        except json.JSONDecodeError as error:
            reply = {"error": "Request", "about": str(error)}
        print(json.dumps(reply, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main()
