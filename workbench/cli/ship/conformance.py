"""`workbench conformance`: golden vectors replayed through the evaluators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from workbench.boundary import strict_json
from workbench.cli import diagnostics
from workbench.cli.documents import STREAM, read_input
from workbench.cli.invocation import Invocation, declare
from workbench.engine import conformance
from workbench.errors import DocumentError, FileRefused

_FILE: Final = "file"
"""What failed where a file as a whole could not be read."""


@declare("conformance", "Replay conformance vectors.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--evaluator", type=click.Choice(["reference", "columnar", "both"]), default="both", show_default=True,
    help="Which evaluator decides.",
)  # fmt: skip
def command(invocation: Invocation, files: tuple[str, ...], evaluator: conformance.Chosen) -> int:
    """Replay the vectors in FILE (- is stdin); the last line says how many passed and failed.

    A file that can't be read counts as one failure, and the others are replayed all the same.
    """
    reports = [(name, _replayed(name, evaluator, invocation)) for name in files]
    passed = sum(report.passed for _, report in reports)
    failed = sum(report.failed for _, report in reports)
    if invocation.as_json:
        failures = [_failure_json(name, one) for name, report in reports for one in report.failures]
        invocation.output.document({"evaluator": evaluator, "passed": passed, "failed": failed, "failures": failures})
    else:
        for name, report in reports:
            for one in report.failures:
                if one.what == _FILE:
                    continue  # told already
                by = f" ({one.evaluator})" if one.evaluator else ""
                says = f"expected {_shown(one.expected)}, got {_shown(one.got)}"
                invocation.output.line(f"{name}: {one.vector}: {one.what}{by}: {says}")
        invocation.output.line(f"{passed} passed, {failed} failed")
    return diagnostics.FINDINGS if failed else diagnostics.OK


def _replayed(name: str, evaluator: conformance.Chosen, invocation: Invocation) -> conformance.Report:
    try:
        return conformance.run(_read(name), evaluator=evaluator)
    except (DocumentError, FileRefused) as error:
        placed = [replace(one, place=replace(one.place, source=one.place.source or name)) for one in error.findings]
        invocation.complain(placed)
        reason = "; ".join(one.reason for one in placed) or error.title
        return conformance.Report(0, 1, (conformance.Failure("", _FILE, "a vector file", reason),))


def _read(name: str) -> Mapping[str, Any]:
    if name != STREAM:
        return conformance.read(Path(name))
    return conformance.parse(*read_input(name, max_bytes=conformance.MAX_BYTES))


def _failure_json(name: str, one: conformance.Failure) -> dict[str, Any]:
    return {
        "file": name,
        "vector": one.vector,
        "what": one.what,
        "evaluator": one.evaluator,
        "expected": _kept(one.expected),
        "got": _kept(one.got),
    }


def _kept(value: Any) -> Any:
    """The value where JSON can hold it, else what it reads like."""
    try:
        strict_json.dumps(value)
    except DocumentError:
        return repr(value)
    return value


def _shown(value: Any) -> str:
    kept = _kept(value)
    return kept if isinstance(kept, str) else strict_json.dumps(kept)
