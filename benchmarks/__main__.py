"""Runs the measurements and prints tables of medians.

    python -m benchmarks [NAME...] [--json] [--record]

Each script runs in a process of its own, one after the other. `--record` also writes the tables that were measured into
docs/performance.md, between the marks that name them, and draws its plots.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from benchmarks.tables import Cell, Table, as_markdown, as_text, show

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "performance.md"
SCRIPTS: Final = ("targets", "peers", "engine", "growth", "language", "matrix", "whatif", "fleet", "tui")
PACKAGES: Final = (
    "numpy",
    "textual",
    "cedarpy",
    "common-expression-language",
    "litellm",
    "pyarrow",
    "duckdb",
    "polars",
)


def run(name: str) -> list[Table]:
    """The tables of one script. A script that fails stops the run."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)  # a target missed is no failure
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"benchmarks.{name} gave no figures (exit status {done.returncode})") from None
    if "tables" in document:
        return [Table.of(table) for table in document["tables"]]
    return [_milliseconds(name, document)]


def _milliseconds(name: str, document: dict[str, Any]) -> Table:
    """The shape of a script whose figures are milliseconds by what was done."""
    targets: dict[str, float] = document["targets"]
    rows: list[tuple[Cell, ...]] = []
    for what, took in document["milliseconds"].items():
        target = targets.get(what)
        rows.append((what, took, target, None if target is None else "met" if took <= target else "missed"))
    return Table(name, "The terminal app", ("what", "ms", "target ms", ""), tuple(rows))


def machine() -> Table:
    """Where and with what it was measured."""
    rows: list[tuple[Cell, ...]] = [
        ("date", f"{datetime.now(UTC):%Y-%m-%d}"),
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
    ]
    for package in PACKAGES:
        try:
            rows.append((package, version(package)))
        except PackageNotFoundError:
            rows.append((package, "not installed"))
    return Table("machine", "Machine and versions", ("what", "which"), tuple(rows))


def _processor() -> str:
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown"
    found = re.search(r"^model name\s*:\s*(.+)$", described, re.MULTILINE)
    return found[1].strip() if found else "unknown"


def record(tables: Sequence[Table]) -> list[str]:
    """Write the tables into the page and draw the plots; gives notes for what could not be done."""
    page = PAGE.read_text(encoding="utf-8")
    notes: list[str] = []
    for table in tables:
        marks = re.compile(rf"(<!-- {re.escape(table.name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not marks.search(page):
            notes.append(f"docs/performance.md has no place for `{table.name}`")
        body = as_markdown(table)
        page = marks.sub(lambda match, body=body: f"{match[1]}{body}\n{match[2]}", page)
    PAGE.write_text(page, encoding="utf-8")
    if find_spec("matplotlib") is None:
        return [*notes, "no plots: matplotlib is not installed (pip install 'policy-workbench[bench]')"]
    from benchmarks import plot

    pictures = PAGE.parent / "pictures"
    for table in tables:
        if table.name == "growth":
            plot.growth(table, pictures / "performance-growth.svg")
    beside = [table for table in tables if table.name.startswith("peers-")]
    if beside:
        plot.peers(beside, pictures / "performance-peers.svg")
    return notes


def main() -> int:
    """Measure what was asked for; the exit status tells only whether it could be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(SCRIPTS)}; none means all")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--record", action="store_true", help="also write docs/performance.md and its plots")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(SCRIPTS))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(SCRIPTS)}")
    tables = [machine()]
    for name in options.names or SCRIPTS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        found = run(name)
        tables += found
        if not options.json:
            print("\n".join(map(as_text, found)), flush=True)
    if options.json:
        show(tables, as_json=True)
    if options.record:
        for note in record(tables):
            print(note, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
