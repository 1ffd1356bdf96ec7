"""A supposed change, and the facts that matter, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workbench.rulebook.schema import fact_json
from workbench.session.evaluation import SIGNS
from workbench.session.state import WorkspaceState
from workbench.whatif.changes import Changes
from workbench.whatif.facts import FactChange, Matter, Matters, Supposed, Tried
from workbench.whatif.moves import Passage, clause_change_json, named, passage_json
from workbench.whatif.report import Report, Sheet, change, counted, listed, monthly, plain
from workbench.whatif.reports.words import NONE, fact_words, not_in_the_sum, one_line, run_cost
from workbench.whatif.summary import Summary, difference, sum_of, summary_json


def changes_words(changes: Changes) -> str:
    """What is supposed, as it would be typed."""
    words = [f"{name} = {fact_words(value)}" for name, value in changes.facts.items()]
    words += [f"{clause.clause_id}: {'off' if clause.text is None else clause.text}" for clause in changes.clauses]
    return ", ".join(words)


def changes_json(changes: Changes) -> dict[str, Any]:
    """What is supposed."""
    return {
        "facts": {name: fact_json(value) for name, value in changes.facts.items()},
        "clauses": [
            {"clause_id": c.clause_id, "text": c.text, "scope": "tenant" if c.tenant_only else "rule"}
            for c in changes.clauses
        ],
    }


# -- one tenant -------------------------------------------------------------------------------------------------------


def supposed_report(state: WorkspaceState, supposed: Supposed, changes: Changes) -> Report:
    """What one tenant would get. `state` is the one before, or after: they are of one catalog."""
    rows = tuple(_result_rows(supposed.before, supposed.after))
    clauses = tuple(
        (row.id, row.rule, one_line(row.words(0) or NONE), one_line(row.words(1) or NONE)) for row in supposed.clauses
    )
    sheets = (
        Sheet("", ("", "before", "after", "change"), rows),
        Sheet(
            "facts", ("fact", "before", "after"),
            tuple((fact.name, fact_words(fact.before), fact_words(fact.after)) for fact in supposed.facts),
        ),
        Sheet("clauses", ("clause", "rule", "before", "after"), clauses, empty="no clause is another"),
        *_passages(state, supposed),
    )  # fmt: skip
    title = f"{supposed.tenant}, if {changes_words(changes)}: {_verdict(supposed)}"
    document = {
        "tenant": supposed.tenant,
        "supposed": changes_json(changes),
        **supposed_json(state, supposed),
    }
    return Report(title, tuple(_errors(supposed.after)), sheets, _supposed_table([supposed]), document)


def supposed_json(state: WorkspaceState, supposed: Supposed) -> dict[str, Any]:
    """Before, after, and every change."""
    return {
        "before": summary_json(supposed.before),
        "after": summary_json(supposed.after),
        "changes": list(_changes_json(supposed)),
        "opened": passage_json(state, supposed.opened),
        "closed": passage_json(state, supposed.closed),
        "winner_changed": supposed.winner_changed,
        "decision_changed": supposed.changed,
    }


def _changes_json(supposed: Supposed) -> Iterator[dict[str, Any]]:
    for fact in supposed.facts:
        yield {"kind": "fact", "name": fact.name, "before": fact_json(fact.before), "after": fact_json(fact.after)}
    for row in supposed.clauses:
        yield {"kind": "clause", **clause_change_json(row)}
    before, after = supposed.before, supposed.after
    pairs: list[tuple[str, Any, Any]] = [
        ("winner", before.winner, after.winner),
        ("cost_per_run", before.cost_per_run, after.cost_per_run),
        ("cost_per_month", before.cost_per_month, after.cost_per_month),
        ("survivors", before.survivors, after.survivors),
        ("providers", before.providers, after.providers),
        ("fingerprint", before.fingerprint, after.fingerprint),
    ]
    for name, was, now in pairs:
        if was != now:
            yield {"kind": name, "name": name, "before": was, "after": now}


def _verdict(supposed: Supposed) -> str:
    if supposed.after.fingerprint is None:
        return "no policy"
    if supposed.winner_changed:
        return "another winner" if supposed.after.winner else "nobody is left"
    if supposed.changed:
        return "the same winner, other offers behind it" if supposed.order_changed else "the same winner, another cost"
    return "no decision changes"


def _errors(summary: Summary) -> Iterator[str]:
    for finding in summary.errors:
        yield f"no policy: {finding.reason}" + (f"; {finding.hint}" if finding.hint else "")


def _result_rows(before: Summary, after: Summary) -> Iterator[tuple[str, str, str, str]]:
    yield "winner", before.served, after.served, "" if before.served == after.served else "another"
    run = difference(before.cost_per_run, after.cost_per_run)
    yield "$/run", run_cost(before), run_cost(after), change(run)
    month = difference(before.cost_per_month, after.cost_per_month)
    yield "$/month", _month(before), _month(after), monthly(month, sign=True)
    yield "survivors", str(before.survivors), str(after.survivors), f"{after.survivors - before.survivors:+d}"
    yield "providers", str(before.providers), str(after.providers), f"{after.providers - before.providers:+d}"
    yield "mark", before.mark or NONE, after.mark or NONE, ""


def _month(summary: Summary) -> str:
    return NONE if summary.winner is None else monthly(summary.cost_per_month)


def _passages(state: WorkspaceState, supposed: Supposed) -> Iterator[Sheet]:
    for word, verb, passage in (("opens", "held them back", supposed.opened), ("closes", "rejects", supposed.closed)):
        title = ""
        if passage.offers:
            title = f"{word} {counted(len(passage.offers), 'offer')}: {listed(named(passage, state))}"
        headings = ("clause", "rule", "says", verb, "only it")
        numbers = frozenset((verb, "only it"))
        yield Sheet(title, headings, tuple(_blames(passage)), numbers, f"{word} no offer")


def _blames(passage: Passage) -> Iterator[tuple[str, ...]]:
    for blame in passage.by:
        clause = blame.clause
        yield clause.id, clause.rule, clause.shown, str(blame.offers), str(blame.only)


# -- every tenant -----------------------------------------------------------------------------------------------------


def all_supposed_report(state: WorkspaceState, every: Sequence[Supposed], changes: Changes) -> Report:
    """What every tenant would get: those whose decision changes, and the sum of a month."""
    changed = [one for one in every if one.changed]
    moved = [one for one in changed if one.winner_changed]
    silent = [one for one in changed if one.monthly is None]
    total = sum_of(one.monthly for one in changed)
    title = f"if {changes_words(changes)}: {counted(len(moved), 'tenant')} of {len(every)} with another winner"
    lines = [f"together {monthly(total, sign=True)} $ a month"]
    if silent:
        lines.append(not_in_the_sum([one.tenant for one in silent], [each for one in silent for each in _sides(one)]))
    same = len(changed) - len(moved)
    if same:
        lines.append(f"{counted(same, 'tenant')} more with the same winner and another order or cost")
    rows = tuple(
        (
            one.tenant, one.before.served, run_cost(one.before), one.after.served, run_cost(one.after),
            monthly(one.monthly, sign=True), f"+{len(one.opened.offers)} -{len(one.closed.offers)}", _because(one),
        )
        for one in changed
    )  # fmt: skip
    headings = ("tenant", "before", "$/run", "after", "$/run after", "$/month", "offers", "by")
    sheet = Sheet("", headings, rows, frozenset(("$/run", "$/run after", "$/month")), "no decision changes")
    document = {
        "supposed": changes_json(changes),
        "tenants_total": len(every),
        "winners_changed": len(moved),
        "cost_per_month_change": total,
        "cost_per_month_unknown": [one.tenant for one in silent],
        "tenants": [{"tenant": one.tenant, **supposed_json(state, one)} for one in changed],
    }
    return Report(title, tuple(lines), (sheet,), _supposed_table(every), document)


def _sides(supposed: Supposed) -> tuple[Summary, Summary]:
    return supposed.before, supposed.after


def _because(supposed: Supposed) -> str:
    passages = (*supposed.closed.by, *supposed.opened.by)
    return ", ".join(dict.fromkeys(blame.clause.id for blame in passages[:3])) or NONE


def _supposed_table(every: Sequence[Supposed]) -> Sheet:
    headings = (
        "tenant", "winner_before", "winner_after", "cost_per_run_before", "cost_per_run_after",
        "cost_per_month_before", "cost_per_month_after", "survivors_before", "survivors_after", "opened", "closed",
        "decision_changed",
    )  # fmt: skip
    rows = tuple(
        (
            one.tenant, one.before.winner or "", one.after.winner or "", plain(one.before.cost_per_run),
            plain(one.after.cost_per_run), plain(one.before.cost_per_month), plain(one.after.cost_per_month),
            str(one.before.survivors), str(one.after.survivors), str(len(one.opened.offers)),
            str(len(one.closed.offers)), str(one.changed).lower(),
        )
        for one in every
    )  # fmt: skip
    return Sheet("", headings, rows)


# -- which facts matter -----------------------------------------------------------------------------------------------


def matters_report(matters: Matters) -> Report:
    """Which facts matter to a tenant's winner, the largest effect first."""
    base = matters.before
    matter = [one for one in matters.facts if one.matters]
    tried = sum(one.values for one in matters.facts)
    title = f"{matters.tenant}: {len(matter)} of {counted(len(matters.facts), 'fact')} matter to {base.served}"
    lines = (f"{tried} values tried, each alone; every one was decided",)
    rows = tuple(row for one in matter for row in _matter_rows(base, one))
    headings = ("fact", "now", "if", "winner", "$/run", "change", "survivors")
    numbers = frozenset(("$/run", "change", "survivors"))
    others = [one for one in matters.facts if not one.matters]
    quiet = tuple((one.field.name, fact_words(one.held), counted(one.values, "value"), _quiet(one)) for one in others)
    sheets = (
        Sheet("", headings, rows, numbers, "no value of any single fact gives another winner"),
        Sheet("facts that do not change the winner", ("fact", "now", "tried", "what they do"), quiet),
    )
    document = {
        "tenant": matters.tenant,
        "before": summary_json(base),
        "facts": [_matter_json(base, one) for one in matters.facts],
    }
    return Report(title, lines, sheets, _matter_table(base, matters.facts), document)


def _matter_rows(base: Summary, matter: Matter) -> Iterator[tuple[str, ...]]:
    shown = [one for one in matter.tried if one.winner_changed]
    for place, one in enumerate(shown):
        name, held = (matter.field.name, fact_words(matter.held)) if place == 0 else ("", "")
        delta = difference(base.cost_per_run, one.after.cost_per_run)
        winner = one.after.served if one.after.fingerprint else f"no policy: lacks {_lacks(one)}"
        yield (
            name, held, one.words, winner, run_cost(one.after), change(delta) if one.after.winner else NONE,
            str(one.after.survivors),
        )  # fmt: skip


def _lacks(tried: Tried) -> str:
    names = [f.place.path.partition(".")[2] for f in tried.after.errors if f.code == "missing_fact" and f.place.path]
    return ", ".join(dict.fromkeys(names)) or listed([f.reason for f in tried.after.errors], 1)


def _quiet(matter: Matter) -> str:
    if matter.note:
        return matter.note
    lost = [one.words for one in matter.tried if one.after.fingerprint is None]
    if lost:
        return f"no policy with {listed(lost)}"
    return "another order" if any(one.order_changed for one in matter.tried) else "nothing"


def _matter_json(base: Summary, matter: Matter) -> dict[str, Any]:
    return {
        "fact": matter.field.name,
        "kind": matter.field.kind,
        "now": fact_json(matter.held),
        "matters": matter.matters,
        "values_tried": matter.values,
        "note": matter.note or None,
        "tried": [
            {
                "value": fact_json(one.value),
                "values": one.words,
                "after": summary_json(one.after),
                "winner_changed": one.winner_changed,
                "order_changed": one.order_changed,
                "cost_per_run_change": difference(base.cost_per_run, one.after.cost_per_run),
            }
            for one in matter.tried
        ],
    }


def _matter_table(base: Summary, facts: Sequence[Matter]) -> Sheet:
    headings = ("fact", "now", "values", "winner", "cost_per_run", "cost_per_run_change", "survivors", "winner_changed")
    rows = tuple(
        (
            matter.field.name, fact_words(matter.held), one.words, one.after.winner or "",
            plain(one.after.cost_per_run), plain(difference(base.cost_per_run, one.after.cost_per_run)),
            str(one.after.survivors), str(one.winner_changed).lower(),
        )
        for matter in facts
        for one in matter.tried
    )  # fmt: skip
    return Sheet("", headings, rows)


def fact_change_words(fact: FactChange) -> str:
    """`plan: free -> vip`."""
    return f"{fact.name}: {fact_words(fact.before)} -> {fact_words(fact.after)}"


def sign_of(supposed: Supposed) -> str:
    """`=` where the winner is the same, else `~`, `x` or `+`."""
    if not supposed.winner_changed:
        return SIGNS["same"]
    if supposed.after.winner is None:
        return SIGNS["lost"]
    return SIGNS["gained"] if supposed.before.winner is None else SIGNS["moved"]
