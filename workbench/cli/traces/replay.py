"""`workbench replay`: a recorded decision made again, and compared field by field."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from workbench.cli import diagnostics
from workbench.cli.catalog.source import chosen_catalog
from workbench.cli.invocation import Invocation, declare, limit_option
from workbench.cli.layout import Table
from workbench.cli.output import Output, counted
from workbench.cli.traces.store import Opened, filter_of, filter_options, opened, place_option, tell
from workbench.errors import Finding
from workbench.session.tracing.rows import find_all, flow_of, row_json, short_id
from workbench.session.tracing.verdict import Again, FieldVerdict, Verdict, verdict, verdicts
from workbench.session.tracing.whole import unreadable
from workbench.traces.listing import Filter
from workbench.traces.parts.catalogs import KeptCatalog

SHOWN = 20
WORKSPACE = "workspace"
"""The word for the workspace's present catalog."""


@declare("replay", "Decide a trace again and compare field by field.")
@click.argument("trace_id", metavar="ID", required=False)
@click.option("--all", "every", is_flag=True, help="Every trace that the options below mean.")
@filter_options
@click.option(
    "--catalog",
    "name",
    metavar="NEW",
    help=f"Over another catalog: its name, a file, or `{WORKSPACE}` for the workspace's present one.",
)
@limit_option(SHOWN, "Most differences to list; 0 is all. JSON has them all.")
@place_option
def command(
    invocation: Invocation, trace_id: str | None, every: bool, name: str | None, limit: int, place: str | None,
    **options: Any,
) -> int:  # fmt: skip
    """Decide the trace ID again, from the catalog and the policy that it stored, and compare field by field.

    With --catalog it says what another catalog would change; offers are matched by their ids. Exit code 1 where the
    decision differs, where a trace can't be read, and where --all finds none: for CI. The id of a flow decides all of
    its nodes again, in their order.
    """
    if every == (trace_id is not None):
        raise diagnostics.usage("name one trace, or give --all", hint="`workbench traces list` shows their ids")
    if not every and any(value is not None for value in options.values()):
        raise diagnostics.usage("a filter goes with --all", hint="leave it away, or leave the ID away")
    with opened(invocation, place) as here:
        wanted = filter_of(options, here.now)
        other = None if name is None else _other(invocation, name)
        tell(invocation, here.traces)
        if trace_id is not None:
            return _one(invocation, here, trace_id, other, limit)
        return _every(invocation, here, wanted, other, limit)


def _other(invocation: Invocation, name: str) -> KeptCatalog:
    return KeptCatalog.of(chosen_catalog(invocation, None if name == WORKSPACE else name))


def _one(invocation: Invocation, here: Opened, trace_id: str, other: KeptCatalog | None, limit: int) -> int:
    store = here.traces.opened()
    found = [verdict(store, row, other) for row in find_all(store, trace_id, now_ms=here.now)]
    same = all(each.same for each in found)
    if invocation.as_json:
        nodes = [_json(each) for each in found]
        flow = {"flow": flow_of(found[0].row.trace_id), "same": same, "nodes": nodes}
        invocation.output.document({**(nodes[0] if len(nodes) == 1 else flow), "store": here.json})
    else:
        _show_each(invocation.output, found, limit)
    return diagnostics.OK if same else diagnostics.FINDINGS


def _json(found: Verdict) -> dict[str, Any]:
    recorded, now = found.replay.record.material.catalog, found.replay.catalog
    return {
        "trace_id": found.row.trace_id,
        "tenant": found.row.tenant,
        "same": found.same,
        "recorded_catalog": _catalog(recorded),
        "catalog": _catalog(now),
        "fields": [
            {"field": f.field, "same": f.same, "differs": f.differs, "before": f.before, "after": f.after}
            for f in found.fields
        ],
        "differences": [
            {"field": d.field, "offer": d.offer, "before": d.before, "after": d.after} for d in found.differences
        ],
    }


def _catalog(catalog: KeptCatalog) -> dict[str, Any]:
    return {
        "name": catalog.name, "date": catalog.date, "sha256": str(catalog.sha256),
        "population_sha256": str(catalog.content_sha256), "offers": len(catalog.candidates),
    }  # fmt: skip


def _show_each(output: Output, found: Sequence[Verdict], limit: int) -> None:
    if len(found) > 1:
        differ = sum(not each.same for each in found)
        told = f"{len(found) - differ} the same, {differ} differ{'s' if differ == 1 else ''}"
        output.heading(f"{flow_of(found[0].row.trace_id)}: a flow of {len(found)} calls, {told}")
        output.line()
    for position, each in enumerate(found):
        if position:
            output.line()
        _show(output, each, limit)


def _show(output: Output, found: Verdict, limit: int) -> None:
    row = found.row
    output.heading(f"{row.trace_id}: {row.tenant}, {row.outcome}")
    output.line(found.sentence)
    output.line()
    output.table(Table(("", "field", "what is compared", "verdict"), [_field(compared) for compared in found.fields]))
    if found.differences:
        output.line()
        rows = [(d.field, d.offer or "-", _words(d.before), _words(d.after)) for d in found.differences]
        output.table(Table(("field", "offer", "recorded", "now"), rows), limit)


def _field(compared: FieldVerdict) -> tuple[str, ...]:
    return "=" if compared.same else "x", compared.field, compared.meaning, compared.words


def _words(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass
class _Tally:
    """What came of many replays."""

    count: int = 0
    changed: list[Verdict] = field(default_factory=list[Verdict])
    unread: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])

    def add(self, again: Again) -> None:
        self.count += 1
        if again.error is not None:
            self.unread += 1
            self.findings += unreadable(again.row, again.error)
        elif again.verdict is not None and not again.verdict.same:
            self.changed.append(again.verdict)

    @property
    def same(self) -> int:
        return self.count - len(self.changed) - self.unread


def _every(invocation: Invocation, here: Opened, wanted: Filter, other: KeptCatalog | None, limit: int) -> int:
    tally = _Tally()
    for again in verdicts(here.traces.opened(), wanted, now_ms=here.now, catalog=other):
        tally.add(again)
    if not tally.count:
        tally.findings.append(Finding("no trace is like that, so nothing was decided again", "no_traces"))
    if invocation.as_json:
        body = {
            "replayed": tally.count, "same": tally.same, "unread": tally.unread,
            "changed": [{**row_json(v.row), "fields": list(v.changed)} for v in tally.changed],
            "findings": [finding.as_document() for finding in tally.findings], "store": here.json,
        }  # fmt: skip
        invocation.output.document(body)
    else:
        _show_every(invocation.output, tally, limit)
        invocation.complain(tally.findings)
    return diagnostics.FINDINGS if tally.changed or tally.findings else diagnostics.OK


def _show_every(output: Output, tally: _Tally, limit: int) -> None:
    unread = f", {tally.unread} can't be read" if tally.unread else ""
    told = f"{counted(tally.count, 'trace')} decided again: {tally.same} the same, {len(tally.changed)} differ{unread}"
    output.line(told)
    rows: list[tuple[str, ...]] = []
    for found in tally.changed:
        winner = next(f for f in found.fields if f.field == "chosen")
        where = ", ".join(found.changed)
        rows.append((short_id(found.row.trace_id), found.row.tenant, where, *map(_words, winner.values)))
    output.table(Table(("id", "tenant", "differs in", "winner", "winner now"), rows), limit)
