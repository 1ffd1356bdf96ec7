"""A diff of two sides in words: decisions by tenant, clauses once, what is broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.whatif.differ.decisions import Diff, Legality, TenantDiff, rules_touched
from workbench.whatif.differ.sources import Side
from workbench.whatif.moves import clause_change_json
from workbench.whatif.report import Report, Sheet, counted, listed, monthly, plain
from workbench.whatif.reports.words import MOVES, NONE, moved, not_in_the_sum, one_line, run_cost, served
from workbench.whatif.summary import sum_of, summary_json

NO_CHANGE = "no decision changed"


def diff_report(diff: Diff) -> Report:
    """The diff, the answer first."""
    sheets = (
        Sheet("", _HEADINGS, tuple(_row(one) for one in diff.changed), _NUMBERS),
        Sheet("clauses", ("clause", "rule", "before", "after", "tenants"), tuple(_clause_rows(diff))),
        Sheet("legality", ("tenant", "change", "offers"), tuple(_legality_rows(diff))),
        Sheet("cannot be read", ("tenant", "reason"), tuple(_broken_rows(diff))),
    )
    return Report(headline(diff), tuple(_lines(diff)), sheets, _table(diff), _document(diff))


def headline(diff: Diff) -> str:
    """The answer in a line."""
    changed = len(diff.changed)
    sides = f"{diff.before.label} and {diff.after.label}"
    if not changed:
        return f"{sides}: {NO_CHANGE} ({counted(len(diff.tenants), 'tenant')})"
    return f"{sides}: {changed} of {counted(len(diff.tenants), 'tenant')} with another decision"


def _lines(diff: Diff) -> Iterator[str]:
    quiet = diff.only_fingerprint
    if quiet:
        names = listed([one.tenant for one in quiet], 5)
        yield f"the fingerprint changed and no decision did: {names}"
    if not diff.same_catalog:
        before, after = diff.before.state.catalog, diff.after.state.catalog
        yield f"other catalogs: {before.name} ({len(before)} offers) and {after.name} ({len(after)} offers)"
    for word, names in _by_change(diff):
        yield f"{word}: {listed(names, 5)}"
    both = [one for one in diff.changed if one.before is not None and one.after is not None]
    if both:
        total = sum_of(one.monthly for one in both)
        yield f"together {monthly(total, sign=True)} $ a month, where price and runs per month are known"
    silent = [one for one in both if one.monthly is None]
    if silent:
        sides = [side for one in silent for side in (one.before, one.after) if side is not None]
        yield not_in_the_sum([one.tenant for one in silent], sides)


def _by_change(diff: Diff) -> Iterator[tuple[str, list[str]]]:
    rules = rules_touched(diff.before.state, diff.after.state)
    for word in ("added", "removed", "changed"):
        names = [name for name, what in rules.items() if what == word]
        if names:
            yield f"rules {word}", names
    for status in ("added", "removed"):
        names = [one.tenant for one in diff.tenants if one.status == status]
        if names:
            yield f"tenants {status}", names


_HEADINGS = ("tenant", "change", "before", "$/run", "after", "$/run after", "$/month", "survivors", "what")
_NUMBERS = frozenset(("$/run", "$/run after", "$/month"))


def _row(one: TenantDiff) -> tuple[str, ...]:
    return (
        one.tenant,
        change_words(one),
        served(one.before),
        run_cost(one.before),
        served(one.after),
        run_cost(one.after),
        NONE if one.before is None or one.after is None else monthly(one.monthly, sign=True),
        " -> ".join(str(side.survivors) for side in (one.before, one.after) if side is not None),
        ", ".join(one.changes) or NONE,
    )


def change_words(one: TenantDiff) -> str:
    """What happened to a tenant, with a sign."""
    if one.status == "changed":
        return moved(one.direction)
    return {"added": "+ added", "removed": "- removed", "unreadable": "! cannot be told", "same": "= same"}[one.status]


def _clause_rows(diff: Diff) -> Iterator[tuple[str, ...]]:
    for clause in diff.clauses:
        before = NONE if clause.before is None else one_line(clause.before)
        after = NONE if clause.after is None else one_line(clause.after)
        yield clause.clause_id, clause.rule, before, after, listed(clause.tenants)


def _legality_rows(diff: Diff) -> Iterator[tuple[str, str, str]]:
    for one in diff.changed:
        for word, names in legality_parts(one.legality):
            yield one.tenant, f"{word} {len(names)}", listed(names)


def legality_parts(legality: Legality) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The changes of what may be reached that there are, each with its word."""
    parts = (
        ("now allowed", legality.allowed),
        ("no longer allowed", legality.forbidden),
        ("new in the catalog", legality.new),
        ("gone from the catalog", legality.gone),
    )
    yield from ((word, names) for word, names in parts if names)


def _broken_rows(diff: Diff) -> Iterator[tuple[str, str]]:
    for side in (diff.before, diff.after):
        for broken in side.broken:
            for finding in broken.findings:
                yield broken.tenant, f"{side.label}: {finding}"
    for one in diff.tenants:
        for side, summary in ((diff.before, one.before), (diff.after, one.after)):
            for finding in () if summary is None else summary.errors:
                yield one.tenant, f"{side.label}: {finding}"


# -- one tenant -------------------------------------------------------------------------------------------------------


def tenant_report(diff: Diff, one: TenantDiff) -> Report:
    """One tenant of a diff: its clauses side by side, and what it may reach."""
    labels = (f"{diff.before.label} (before)", f"{diff.after.label} (after)")
    results = (
        ("winner", served(one.before), served(one.after)),
        ("$/run", run_cost(one.before), run_cost(one.after)),
        ("survivors", *(NONE if s is None else str(s.survivors) for s in (one.before, one.after))),
        ("fingerprint", *(NONE if s is None else s.fingerprint or NONE for s in (one.before, one.after))),
    )
    clauses = tuple(
        (row.id, row.rule, one_line(row.words(0) or NONE), one_line(row.words(1) or NONE)) for row in one.clauses
    )
    reach = tuple((word, name) for word, names in legality_parts(one.legality) for name in names)
    sheets = (
        Sheet("", ("", *labels), results),
        Sheet("clauses", ("clause", "rule", "before", "after"), clauses, empty="no clause is another"),
        Sheet("offers", ("change", "offer"), reach, empty="the same offers may be reached"),
    )
    title = f"{one.tenant}: {change_words(one)}"
    return Report(title, (f"what changed: {', '.join(one.changes) or 'nothing'}",), sheets, sheets[1], _json(one))


# -- the whole as data ------------------------------------------------------------------------------------------------


def _document(diff: Diff) -> dict[str, Any]:
    known = [one.monthly for one in diff.changed if one.monthly is not None]
    return {
        "before": side_json(diff.before),
        "after": side_json(diff.after),
        "decisions_changed": len(diff.changed),
        "fingerprints_changed": sum(one.policy_changed for one in diff.tenants),
        "only_fingerprint": [one.tenant for one in diff.only_fingerprint],
        "cost_per_month_change": sum(known) if known else None,
        "rules": rules_touched(diff.before.state, diff.after.state),
        "clauses": [
            {
                "slot": c.slot,
                "rule": c.rule,
                "clause_id": c.clause_id,
                "before": c.before,
                "after": c.after,
                "tenants": list(c.tenants),
            }
            for c in diff.clauses
        ],
        "tenants": [_json(one) for one in diff.tenants if one.decision_changed or one.policy_changed],
        "tenants_total": len(diff.tenants),
    }


def side_json(side: Side) -> dict[str, Any]:
    """What was held against the other."""
    return {
        "label": side.label,
        "kind": side.kind,
        "detail": side.detail,
        "catalog": side.state.catalog.name,
        "catalog_sha256": side.state.catalog.sha256,
        "rulebook_sha256": side.state.rulebook.sha256,
        "broken": [
            {"tenant": one.tenant, "findings": [finding.as_document() for finding in one.findings]}
            for one in side.broken
        ],
    }


def _json(one: TenantDiff) -> dict[str, Any]:
    return {
        "tenant": one.tenant,
        "status": one.status,
        "direction": one.direction,
        "changes": list(one.changes),
        "before": summary_json(one.before),
        "after": summary_json(one.after),
        "cost_per_month_change": one.monthly,
        "policy_changed": one.policy_changed,
        "legality": {
            "allowed": list(one.legality.allowed),
            "forbidden": list(one.legality.forbidden),
            "new": list(one.legality.new),
            "gone": list(one.legality.gone),
        },
        "clauses": [clause_change_json(row) for row in one.clauses],
    }


def _table(diff: Diff) -> Sheet:
    headings = (
        "tenant", "status", "direction", "changes", "winner_before", "winner_after", "cost_per_run_before",
        "cost_per_run_after", "cost_per_month_change", "survivors_before", "survivors_after", "providers_before",
        "providers_after", "allowed", "forbidden", "new", "gone", "fingerprint_changed",
    )  # fmt: skip
    return Sheet("", headings, tuple(_table_row(one) for one in diff.tenants))


def _table_row(one: TenantDiff) -> tuple[str, ...]:
    before, after, legality = one.before, one.after, one.legality
    return (
        one.tenant, one.status, MOVES[one.direction], " ".join(one.changes),
        "" if before is None else before.winner or "", "" if after is None else after.winner or "",
        "" if before is None else plain(before.cost_per_run), "" if after is None else plain(after.cost_per_run),
        plain(one.monthly), *(("", "") if before is None or after is None else
        (str(before.survivors), str(after.survivors))),
        *(("", "") if before is None or after is None else (str(before.providers), str(after.providers))),
        str(len(legality.allowed)), str(len(legality.forbidden)), str(len(legality.new)), str(len(legality.gone)),
        str(one.policy_changed).lower(),
    )  # fmt: skip
