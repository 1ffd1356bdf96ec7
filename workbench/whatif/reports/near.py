"""What admits an offer, and what ends a winner's lead, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from workbench.rulebook.schema import Fact, fact_json
from workbench.session.state import WorkspaceState
from workbench.whatif.margin.margin import Flip, Margin
from workbench.whatif.near.near import Against, Near, Standing
from workbench.whatif.near.repairs import Part
from workbench.whatif.near.routes import DEEPEST, ByFact
from workbench.whatif.report import Report, Sheet, counted, dollars, plain
from workbench.whatif.reports.words import NONE, UNKNOWN, fact_words, new_fact, yes
from workbench.whatif.summary import summary_json

_WHERE = {
    "rule": "the rule",
    "tenant": "this tenant's own",
    "envelope": "the workspace's envelope",
    "guard": "written nowhere",
}


def near_report(state: WorkspaceState, near: Near) -> Report:
    """What it takes to admit an offer."""
    if near.admitted:
        return _admitted_report(near)
    sheets = (
        Sheet(
            "clauses that would have to change, each to what it would have to say",
            _CLAUSES,
            tuple(_clause_row(one) for one in near.against),
        ),
        Sheet("a fact instead of the clause", _FACTS, tuple(_fact_rows(near))),
        Sheet("facts that admit it, every clause as it is", _ROUTES, tuple(_route_rows(near)), empty=_no_route(near)),
    )
    count = counted(len(near.against), "clause")
    title = f"{near.offer} for {near.tenant}: {count} in its way"
    return Report(title, tuple(_near_lines(near)), sheets, _near_table(near), _near_json(state, near))


_CLAUSES = ("clause", "written in", "says", "observed", "to")
_FACTS = ("clause", "fact", "value", "then", "but then also rejected by")
_ROUTES = ("facts", "place", "winner then", "$/run")


def _clause_row(one: Against) -> tuple[str, ...]:
    clause = one.check.clause
    return clause.id, _WHERE[one.where], clause.shown, observed_words(one), new_words(one)


def observed_words(one: Against) -> str:
    """What the clause sees; an unknown figure is read as its field's default, which a new bound then meets."""
    parts = () if one.repair is None else one.repair.parts
    bounds = [part.after[3] for part in parts if part.after[0] == "cmp"]
    if one.check.observed == "unknown" and len(bounds) == 1:
        return f"unknown, read as {plain(bounds[0])}"
    return one.check.observed


def new_words(one: Against) -> str:
    """The clause after the least change; what to do where no text does."""
    if one.text is None:
        return "no text of it would do; a fact may"
    return one.text or "left out, since the offer does not have it"


def _fact_rows(near: Near) -> Iterator[tuple[str, ...]]:
    for one in near.against:
        for by in one.by_facts:
            then = "the clause is not there" if by.clause is None else by.clause.shown
            yield (
                one.check.clause.id,
                by.name,
                new_fact(near.held.get(by.name), by.value),
                then,
                ", ".join(by.others) or NONE,
            )


def _route_rows(near: Near) -> Iterator[tuple[str, ...]]:
    for route, standing in zip(near.routes.found, near.standings, strict=True):
        yield (
            facts_words(near, route.facts),
            place_words(standing),
            standing.after.served,
            dollars(standing.after.cost_per_run),
        )


def facts_words(near: Near, facts: Iterable[tuple[str, Fact]]) -> str:
    """`plan = vip, approved_providers + azure`."""
    words: list[str] = []
    for name, value in facts:
        held = near.held.get(name)
        listed = isinstance(value, tuple) and isinstance(held, tuple)
        words.append(f"{name} {new_fact(held, value)}" if listed else f"{name} = {fact_words(value)}")
    return ", ".join(words)


def place_words(standing: Standing | None) -> str:
    """Where an offer would stand."""
    if standing is None:
        return UNKNOWN
    if standing.place is not None:
        return f"{standing.place} of {standing.of}"
    return "not kept by the selector" + (f"; top {standing.keep} would" if standing.keep is not None else "")


def _no_route(near: Near) -> str:
    if near.routes.stuck:
        return f"no fact admits it: {', '.join(near.routes.stuck)} looks at none"
    if not near.routes.exhausted:
        return "not decided: there are too many values to try"
    return f"no change of up to {DEEPEST} facts admits it"


def _near_lines(near: Near) -> Iterator[str]:
    for one in near.against:
        yield f"{one.check.clause.id}: {new_words(one)}"
    if near.by_clauses is None:
        yield "changing these clauses alone does not admit it"
    else:
        beside = f", and {facts_words(near, near.facts_first)}" if near.facts_first else ""
        yield f"with {'them' if len(near.against) > 1 else 'it'} changed{beside}: place {place_words(near.by_clauses)}"
        yield f"the winner would be {near.by_clauses.after.served}, {dollars(near.by_clauses.after.cost_per_run)} $/run"


def _admitted_report(near: Near) -> Report:
    standing = near.standing
    title = f"{near.offer} for {near.tenant}: admitted already, place {place_words(standing)}"
    headings = ("offer", "place", "of", "keep")
    row = (near.offer, _number(standing and standing.place), _number(standing and standing.of), "")
    return Report(title, (), (), Sheet("", headings, (row,)), _near_json(None, near))


def _number(value: float | None) -> str:
    return plain(value)


def _near_table(near: Near) -> Sheet:
    headings = ("kind", "clause", "change", "before", "after", "place", "winner")
    standing = near.by_clauses
    rows = [
        (
            "clause", one.check.clause.id, "edit", one.check.clause.shown,
            "" if one.text is None else one.text or "(left out)",
            "" if standing is None else plain(standing.place), "" if standing is None else standing.after.winner or "",
        )
        for one in near.against
    ]  # fmt: skip
    rows += [("fact", "", name, "", fact_words(value), "", "") for name, value in near.facts_first]
    for route, standing in zip(near.routes.found, near.standings, strict=True):
        facts = facts_words(near, route.facts)
        rows.append(("facts", "", facts, "", "", plain(standing.place), standing.after.winner or ""))
    return Sheet("", headings, tuple(rows))


def _near_json(state: WorkspaceState | None, near: Near) -> dict[str, Any]:
    return {
        "tenant": near.tenant,
        "offer": near.offer,
        "admitted": near.admitted,
        "clauses": [] if state is None else [_against_json(one) for one in near.against],
        "facts_beside": {name: fact_json(value) for name, value in near.facts_first},
        "with_clauses": standing_json(near.by_clauses),
        "by_facts": [
            {"facts": {name: fact_json(value) for name, value in route.facts}, **(standing_json(standing) or {})}
            for route, standing in zip(near.routes.found, near.standings, strict=True)
        ],
        "no_fact_helps": list(near.routes.stuck),
        "search_complete": near.routes.exhausted,
        "standing": standing_json(near.standing),
    }


def standing_json(standing: Standing | None) -> dict[str, Any] | None:
    """Where an offer would stand; `keep` is the `top N` that would keep it."""
    if standing is None:
        return None
    return {
        "place": standing.place,
        "of": standing.of,
        "keep": standing.keep,
        "after": summary_json(standing.after),
    }


def _against_json(one: Against) -> dict[str, Any]:
    clause, fixed = one.check.clause, one.repair
    return {
        "rule": clause.rule,
        "clause_id": clause.id,
        "clause": clause.shown,
        "observed": one.check.observed,
        "needed": one.check.needed,
        "written_in": one.where,
        "new_clause": one.text,
        "new_term": None if fixed is None else fixed.term.normal,
        "parts": [] if fixed is None else [part_json(part) for part in fixed.parts],
        "by_facts": [_by_fact_json(by) for by in one.by_facts],
    }


def part_json(part: Part) -> dict[str, Any]:
    """One part of a clause before and after."""
    return {"kind": part.kind, "before": part.before, "after": part.after}


def _by_fact_json(by: ByFact) -> dict[str, Any]:
    return {
        "fact": by.name,
        "value": fact_json(by.value),
        "clause_then": None if by.clause is None else by.clause.shown,
        "also_rejected_by": list(by.others),
    }


# -- margin -----------------------------------------------------------------------------------------------------------


def margin_report(margin: Margin) -> Report:
    """By how much the winner leads, and what flips it."""
    title = f"{margin.summary.winner} for {margin.tenant}: {_lead_words(margin)}"
    headings = ("field", "of", "now", "holds until", "flips at", "then", "why")
    rows = tuple(_flip_row(flip) for flip in margin.flips)
    firm = tuple((one.field, one.offer, one.why) for one in margin.firm)
    sheets = (
        Sheet("what flips it", headings, rows, frozenset(("now", "holds until", "flips at")), _unflipped(margin)),
        Sheet("what cannot", ("field", "of", "why"), firm),
    )
    return Report(title, tuple(_margin_lines(margin)), sheets, _margin_table(margin), _margin_json(margin))


def _lead_words(margin: Margin) -> str:
    if margin.runner_up is None:
        return "nobody else is left"
    if margin.lead is None:
        return f"before {margin.runner_up}, by {_BY[margin.by]}"
    if margin.lead == 0:
        return f"level with {margin.runner_up}, first in catalog order"
    return f"leads {margin.runner_up} by {margin.lead:.6g}"


_BY = {
    "score": "score",
    "chance": "a seeded draw",
    "chain": "its place in the chain",
    "order": "its place in the catalog",
}


def _margin_lines(margin: Margin) -> Iterator[str]:
    score, second = margin.scores
    yield f"{dollars(margin.summary.cost_per_run)} $/run, score {score:.6g}"
    if margin.runner_up is not None and second is not None:
        yield f"runner-up {margin.runner_up}: {dollars(margin.runner_cost)} $/run, score {second:.6g}"
    if any(not flip.exact for flip in margin.flips):
        yield "marked ~: the ranking may turn more than once on the way, so a nearer value may flip it too"


def _unflipped(margin: Margin) -> str:
    if margin.by == "chance":
        return "the order is drawn by chance, so no single value decides it"
    return "no value of a field that the ranking reads flips it"


def _flip_row(flip: Flip) -> tuple[str, ...]:
    about = "" if flip.exact else "~"
    why = "the filter rejects it" if flip.by_filter else "scores higher" if not flip.of_winner else "scores lower"
    return (
        flip.field, flip.offer, UNKNOWN if flip.now is None else plain(flip.now), about + plain(flip.holds),
        about + plain(flip.flips), flip.then or "nobody", why,
    )  # fmt: skip


def _margin_table(margin: Margin) -> Sheet:
    headings = ("field", "offer", "now", "holds", "flips", "then", "by_filter", "exact")
    rows = tuple(
        (
            flip.field, flip.offer, plain(flip.now), plain(flip.holds), plain(flip.flips), flip.then or "",
            yes(flip.by_filter), yes(flip.exact),
        )
        for flip in margin.flips
    )  # fmt: skip
    return Sheet("", headings, rows)


def _margin_json(margin: Margin) -> dict[str, Any]:
    return {
        "tenant": margin.tenant,
        "result": summary_json(margin.summary),
        "runner_up": margin.runner_up,
        "runner_up_cost_per_run": margin.runner_cost,
        "decided_by": margin.by,
        "score": _finite(margin.scores[0]),
        "runner_up_score": _finite(margin.scores[1]),
        "lead": margin.lead,
        "flips": [
            {
                "field": flip.field,
                "unit": flip.unit,
                "offer": flip.offer,
                "of_winner": flip.of_winner,
                "now": flip.now,
                "holds": flip.holds,
                "flips": flip.flips,
                "then": flip.then,
                "by_filter": flip.by_filter,
                "exact": flip.exact,
            }
            for flip in margin.flips
        ],
        "cannot_flip": [{"field": one.field, "offer": one.offer, "why": one.why} for one in margin.firm],
    }


def _finite(value: float | None) -> float | None:
    if value is None or value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - not a number
        return None
    return value
