"""`workbench conformance`: golden vectors replayed through the evaluators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from workbench.boundary import strict_json
from workbench.cli import diagnostics
from workbench.cli.documents import STREAM, read_input
from workbench.cli.invocation import Invocation, declare
from workbench.engine import conformance
from workbench.errors import DocumentError, Finding


@declare("conformance", "Replay conformance vectors.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--evaluator", type=click.Choice(["reference", "columnar", "both"]), default="both", show_default=True,
    help="Which evaluator decides.",
)  # fmt: skip
def command(invocation: Invocation, files: tuple[str, ...], evaluator: conformance.Chosen) -> int:
    """Replay the vectors in FILE (- is stdin); the last line says how many passed and failed."""
    reports = [(name, conformance.run(_read(name), evaluator=evaluator)) for name in files]
    passed = sum(report.passed for _, report in reports)
    failed = sum(report.failed for _, report in reports)
    if invocation.as_json:
        failures = [_failure_json(name, one) for name, report in reports for one in report.failures]
        invocation.output.document({"evaluator": evaluator, "passed": passed, "failed": failed, "failures": failures})
    else:
        for name, report in reports:
            for one in report.failures:
                by = f" ({one.evaluator})" if one.evaluator else ""
                says = f"expected {_shown(one.expected)}, got {_shown(one.got)}"
                invocation.output.line(f"{name}: {one.vector}: {one.what}{by}: {says}")
        invocation.output.line(f"{passed} passed, {failed} failed")
    return diagnostics.FINDINGS if failed else diagnostics.OK


def _read(name: str) -> Any:
    if name != STREAM:
        return conformance.read(Path(name))
    data, source = read_input(name, max_bytes=conformance.MAX_BYTES)
    document = strict_json.loads(
        data, source=source, max_bytes=conformance.MAX_BYTES, max_depth=conformance.MAX_DEPTH, bom=True
    )
    if not isinstance(document, dict):
        raise DocumentError("not a vector file", [Finding("expected an object with `version` and `vectors`", "shape")])
    return document


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
