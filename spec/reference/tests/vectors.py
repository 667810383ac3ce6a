"""The test vectors, `spec/vectors/*.json`, as this directory's tests read them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Iterator

VECTORS = Path(__file__).resolve().parents[2] / "vectors"


@cache
def file(name: str) -> dict[str, Any]:
    """One file."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


@cache
def stated() -> dict[str, int]:
    """The files and the numbers of their cases, as the page says."""
    page = (VECTORS / "README.md").read_text(encoding="utf-8")
    return {name: int(count) for name, count in re.findall(r"^\| \[(\w+\.json)\]\(\w+\.json\) \| (\d+) \|", page, re.M)}


def runs() -> list[str]:
    """The files whose cases are runs of requests and replies."""
    return [name for name in stated() if "steps" in file(name)["cases"][0]]


def named(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The cases of a file, each with a name to show."""
    for case in file(name)["cases"]:
        yield f"{name}: {case['name']}", case
