"""`workbench traces show`: one trace in full, or those of a flow's nodes."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import click

from workbench.cli import diagnostics
from workbench.cli.invocation import Invocation, declare, limit_option
from workbench.cli.layout import Table
from workbench.cli.output import Output, dollars, number
from workbench.cli.traces import listing
from workbench.cli.traces.store import opened, place_option, tell
from workbench.session.tracing.rows import find_all, flow_of, marks
from workbench.session.tracing.whole import Whole, whole
from workbench.traces.document import iso

SHOWN = 10


@declare("show", "Show one trace: attempts, rejections, cost, sources.")
@click.argument("trace_id", metavar="ID")
@limit_option(SHOWN, "Most rows of each table; 0 is all. JSON has them all.")
@click.option("--rejected", is_flag=True, help="Show who was rejected, with every rule, observed and needed.")
@click.option("--exchange", is_flag=True, help="Show what was asked and answered, where it is kept.")
@place_option
def command(
    invocation: Invocation, trace_id: str, limit: int, rejected: bool, exchange: bool, place: str | None
) -> int:
    """Show the trace ID: what happened step by step, who was ranked, who was rejected by which rule, what it cost.

    ID may be shortened to a beginning that only one trace has. A trace of a no_log tenant says what it does not hold.
    The id of a flow shows its nodes, one trace each.
    """
    with opened(invocation, place) as here:
        store = here.traces.opened()
        found = [whole(store, row) for row in find_all(store, trace_id, now_ms=here.now)]
        if invocation.as_json:
            invocation.output.document({**_json(found), "store": here.json})
            return diagnostics.OK
        if len(found) > 1:
            invocation.output.heading(f"{flow_of(found[0].row.trace_id)}: a flow of {len(found)} calls")
            invocation.output.table(listing.table([each.row for each in found], invocation.output.width))
            invocation.output.line()
        for position, each in enumerate(found):
            if position:
                invocation.output.line()
            _show(invocation.output, each, limit, rejected=rejected)
            if exchange:
                _exchange(invocation, each)
        tell(invocation, here.traces)
    return diagnostics.OK


def _json(found: Sequence[Whole]) -> dict[str, Any]:
    nodes = [{"trace": each.document, "steps": _steps(each), "lacks": each.lacks} for each in found]
    return nodes[0] if len(nodes) == 1 else {"flow": flow_of(found[0].row.trace_id), "nodes": nodes}


def _steps(found: Whole) -> list[dict[str, Any]]:
    return [
        {"offer": rung.offer, "at_ms": rung.at_ms, "took_ms": rung.took_ms, "what": rung.words} for rung in found.rungs
    ]


def _show(output: Output, found: Whole, limit: int, *, rejected: bool) -> None:
    row, document = found.row, found.document
    told = "".join(f", {mark}" for mark in marks(row))
    output.heading(f"{row.trace_id}: {row.tenant}, {row.outcome}{told}")
    output.line(f"{'time':9} {iso(row.time_ms)}")
    for name, value in found.facts:
        output.line(f"{name:9} {value}")
    for sentence in found.lacks:
        for line in textwrap.wrap(sentence, max(20, (output.width or 120) - 2)):
            output.line(f"  {line}")
    for title, table in (
        ("what happened", _ladder(found)),
        (f"ranked: {len(document['ranked'])} of {document['population']}", _ranked(document)),
        (f"rejected: {len(document['rejected'])}", _rejected(document) if rejected else _reasons(document)),
        ("where each clause comes from", _sources(document)),
    ):
        if table.rows:
            output.line()
            output.heading(title)
            output.table(table, limit)


def _ladder(found: Whole) -> Table:
    rows = [
        (
            rung.sign, f"{rung.at_ms:.0f}", "?" if rung.took_ms is None else f"{rung.took_ms:.0f}", rung.offer or "-",
            f"{rung.words}: {rung.message}" if rung.message else rung.words,
        )
        for rung in found.rungs
    ]  # fmt: skip
    return Table(("", "at ms", "ms", "offer", "what"), rows, frozenset(("at ms", "ms")))


def _ranked(document: Mapping[str, Any]) -> Table:
    rows = [
        (
            str(place), row["offer"], dollars(row["price_in"]), dollars(row["price_out"]),
            number(row["score"]) if isinstance(row["score"], int | float) else str(row["score"]),
        )
        for place, row in enumerate(document["ranked"], 1)
    ]  # fmt: skip
    return Table(("#", "offer", "$/M in", "$/M out", "score"), rows, frozenset(("#", "$/M in", "$/M out", "score")))


def _rejected(document: Mapping[str, Any]) -> Table:
    rows = [
        (row["offer"] if k == 0 else "", rule["rule"], rule["clause"], rule["observed"], rule["needed"])
        for row in document["rejected"]
        for k, rule in enumerate(row["rules"])
    ]
    return Table(("offer", "rule", "clause", "observed", "needed"), rows)


def _reasons(document: Mapping[str, Any]) -> Table:
    """Each clause with how many offers it keeps out, in the order of the policy."""
    against = [rule["id"] for row in document["rejected"] for rule in row["rules"]]
    alone = [row["rules"][0]["id"] for row in document["rejected"] if len(row["rules"]) == 1]
    rows = [
        (source["rule"], source["clause"], str(against.count(source["id"])), str(alone.count(source["id"])))
        for source in document["sources"]
        if source["id"] in against
    ]
    return Table(("rule", "clause", "rejects", "only it"), rows, frozenset(("rejects", "only it")))


def _sources(document: Mapping[str, Any]) -> Table:
    rows = [
        (source["slot"], source["clause"] or source["text"], source["rule"], _facts(source["facts"]))
        for source in document["sources"]
    ]
    return Table(("slot", "clause", "rule", "because"), rows)


def _facts(facts: list[Mapping[str, Any]]) -> str:
    return ", ".join(f"{fact['name']} = {_value(fact['value'])}" for fact in facts) or "-"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _exchange(invocation: Invocation, found: Whole) -> None:
    kept = found.document.get("exchange")
    if kept is None:
        invocation.note("what was asked and answered is not in this trace")
        return
    for name in ("request", "response"):
        invocation.output.line()
        invocation.output.heading(name)
        invocation.output.raw(json.dumps(kept[name], ensure_ascii=False, indent=2) + "\n")
