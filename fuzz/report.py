#!/usr/bin/env python3
"""Writes a campaign's figures into the tables of a results file: report.py WORK RESULTS.

What stands between the marks is replaced, the rest is kept; the table of the targets too where none was fuzzed.
"""

import datetime
import pathlib
import re
import struct
import sys

AIMS = ["wire", "message", "lock", "slot", "service", "code", "limits"]
TARGETS = "<!-- targets: begin -->", "<!-- targets: end -->"
LINES = "<!-- lines: begin -->", "<!-- lines: end -->"
CORPUS = pathlib.Path(__file__).parent / "corpus"


def numbers(pattern: str, text: str) -> list[int]:
    """A target may have run more than once: its logs then stand one after the other."""
    return [int(found) for found in re.findall(pattern, text)] or [0]


def archived(target: str) -> int:
    """How many inputs an archive has (src/archive.rs)."""
    magic, count = struct.unpack_from("<4sI", (CORPUS / f"{target}.bin").read_bytes())
    assert magic == b"SKF1", target
    return count


def targets(logs: list[pathlib.Path]) -> list[str]:
    rows = [
        "| target | seconds | executions | a second | edges | found |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    total = [0, 0, 0]
    for log in logs:
        target = log.parent.name
        text = log.read_text(errors="replace")
        runs = sum(numbers(r"stat::number_of_executed_units: *(\d+)", text))
        seconds = sum(numbers(r"Done \d+ runs in (\d+) second", text))
        edges = max(numbers(r"\bcov: (\d+)", text))
        found = archived(target)
        rows.append(f"| {target} | {seconds} | {runs:,} | {runs // max(seconds, 1):,} | {edges:,} | {found} |")
        total = [total[0] + seconds, total[1] + runs, total[2] + found]
    rows.append(f"| all | {total[0]:,} | {total[1]:,} | | | {total[2]:,} |")
    return rows


def lines(lcov: pathlib.Path) -> dict[str, dict[int, int]]:
    """How often each line of each file ran: the most of its instances."""
    files: dict[str, dict[int, int]] = {}
    current: dict[int, int] = {}
    for row in lcov.read_text().splitlines():
        if row.startswith("SF:"):
            name = row.rsplit("/src/", 1)[1]
            current = files.setdefault(name, {})
        elif row.startswith("DA:"):
            line, count = row[3:].split(",")[:2]
            current[int(line)] = max(int(count), current.get(int(line), 0))
    return files


def is_aimed_at(name: str) -> bool:
    return any(name == f"{aim}.rs" or name.startswith(f"{aim}/") for aim in AIMS)


def coverage(work: pathlib.Path) -> list[str]:
    rows = ["| file | lines | covered | not covered |", "|---|---:|---:|---|"]
    total = [0, 0]
    for name, counts in sorted(lines(work / "all.lcov").items()):
        if not is_aimed_at(name) or not counts:
            continue
        missed = sorted(line for line, count in counts.items() if count == 0)
        hit = len(counts) - len(missed)
        total = [total[0] + len(counts), total[1] + hit]
        shown = ", ".join(map(str, missed))
        rows.append(f"| {name} | {len(counts)} | {100 * hit / len(counts):.1f} % | {shown} |")
    rows.append(f"| all | {total[0]} | {100 * total[1] / max(total[0], 1):.1f} % | |")
    return rows


def put(text: str, marks: tuple[str, str], rows: list[str]) -> str:
    before, rest = text.split(marks[0])
    after = rest.split(marks[1])[1]
    today = datetime.date.today().isoformat()
    return before + marks[0] + "\n".join(["", f"{today}.", "", *rows, ""]) + marks[1] + after


def main() -> None:
    work, results = map(pathlib.Path, sys.argv[1:])
    text = put(results.read_text(), LINES, coverage(work))
    if logs := sorted(work.glob("*/log")):
        text = put(text, TARGETS, targets(logs))
    results.write_text(text)


if __name__ == "__main__":
    main()
