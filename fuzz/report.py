#!/usr/bin/env python3
"""Writes a campaign's figures into the tables of a results file: report.py WORK RESULTS.

What stands between the marks is replaced, the rest is kept.
"""

import datetime
import pathlib
import re
import sys

AIMS = ["wire", "message", "lock", "slot", "service", "code", "limits"]
BEGIN, END = "<!-- campaign: begin -->", "<!-- campaign: end -->"


def numbers(pattern: str, text: str) -> list[int]:
    """A target may have run more than once: its logs then stand one after the other."""
    return [int(found) for found in re.findall(pattern, text)] or [0]


def targets(work: pathlib.Path) -> list[str]:
    rows = [
        "| target | seconds | executions | a second | edges | corpus |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    total = [0, 0]
    for log in sorted(work.glob("*/log")):
        text = log.read_text(errors="replace")
        runs = sum(numbers(r"stat::number_of_executed_units: *(\d+)", text))
        seconds = sum(numbers(r"Done \d+ runs in (\d+) second", text))
        edges = max(numbers(r"\bcov: (\d+)", text))
        files = len(list((pathlib.Path("corpus") / log.parent.name).iterdir()))
        rows.append(f"| {log.parent.name} | {seconds} | {runs:,} | {runs // max(seconds, 1):,} | {edges:,} | {files} |")
        total = [total[0] + seconds, total[1] + runs]
    rows.append(f"| all | {total[0]:,} | {total[1]:,} | | | |")
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


def main() -> None:
    work, results = map(pathlib.Path, sys.argv[1:])
    today = datetime.date.today().isoformat()
    table = ["", f"{today}.", "", *targets(work), "", *coverage(work), ""]
    before, rest = results.read_text().split(BEGIN)
    after = rest.split(END)[1]
    results.write_text(before + BEGIN + "\n".join(table) + "\n" + END + after)


if __name__ == "__main__":
    main()
