"""Tenants side by side, or one before and after, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.rulebook.schema import fact_json
from workbench.whatif.alignment import clause_words
from workbench.whatif.compare import Cell, Comparison, OfferRow, ValueRow
from workbench.whatif.report import Report, Sheet, counted, dollars, monthly, plain
from workbench.whatif.reports.words import NONE, fact_words, one_line
from workbench.whatif.summary import Summary, summary_json

_RESULTS: tuple[tuple[str, Callable[[Summary], str], Callable[[Summary], str]], ...] = (
    ("winner", lambda s: s.served, lambda s: s.served),
    ("$/run", lambda s: dollars(s.cost_per_run) if s.winner else NONE, lambda s: plain(s.cost_per_run)),
    ("$/month", lambda s: monthly(s.cost_per_month) if s.winner else NONE, lambda s: plain(s.cost_per_month)),
    ("survivors", lambda s: str(s.survivors), lambda s: str(s.survivors)),
    ("providers", lambda s: str(s.providers), lambda s: str(s.providers)),
    ("mark", lambda s: s.mark or NONE, lambda s: s.mark),
)


def compare_report(comparison: Comparison, *, everything: bool) -> Report:
    """The comparison; without `everything`, only what differs."""
    labels = tuple(column.label for column in comparison.columns)
    offers = [row for row in comparison.offers if everything or row.differs]
    facts = [row for row in comparison.facts if everything or row.differs]
    clauses = [row for row in comparison.clauses if everything or row.differs]
    fallback = [row for row in comparison.fallback if everything or row.differs]
    summaries = [column.summary for column in comparison.columns]
    results = tuple((name, *(words(s) for s in summaries)) for name, words, _ in _RESULTS)
    tenant = comparison.columns[0].outcome.tenant.id
    title = f"{tenant}: {labels[0]} and {labels[1]}" if comparison.one_tenant else " | ".join(labels)
    differing = sum(row.differs for row in comparison.offers)
    same = len(comparison.offers) - differing
    said = f"{counted(differing, 'offer')} with another fate, {same} with the same"
    lines = (said,) if everything else (f"{said}; only what differs is shown",)
    nothing = "" if everything else "no difference"
    clause_rows = tuple((row.id, row.rule, *(_said(row.words(k)) for k in range(len(labels)))) for row in clauses)
    sheets = (
        Sheet("", ("", *labels), results),
        Sheet("facts", ("fact", *labels), tuple(_value_words(row) for row in facts), empty=f"facts: {nothing}"),
        Sheet("clauses", ("clause", "rule", *labels), clause_rows, empty=f"clauses: {nothing}"),
        Sheet("on failure", ("reason", *labels), tuple(_value_words(row) for row in fallback)),
        Sheet("offers", ("offer", *labels), tuple(_offer_words(row) for row in offers), empty=f"offers: {nothing}"),
    )
    document = {
        "columns": [
            {"label": c.label, "tenant": c.outcome.tenant.id, "result": summary_json(s)}
            for c, s in zip(comparison.columns, summaries, strict=True)
        ],
        "only_differences": not everything,
        "facts": [{"fact": row.name, "differs": row.differs, "values": _facts_json(row)} for row in facts],
        "clauses": [
            {
                "slot": row.slot, "rule": row.rule, "clause_id": row.id, "differs": row.differs,
                "clauses": [clause_words(cell) for cell in row.cells],
            }
            for row in clauses
        ],
        "fallback": [{"reason": row.name, "differs": row.differs, "actions": list(row.values)} for row in fallback],
        "offers": [
            {"offer": row.offer, "differs": row.differs, "verdicts": [_cell_json(cell) for cell in row.cells]}
            for row in offers
        ],
        "offers_differing": differing,
        "offers_total": len(comparison.offers),
    }  # fmt: skip
    table = _table(labels, summaries, facts, clause_rows, fallback, offers)
    return Report(title, lines, sheets, table, document)


def _said(text: str | None) -> str:
    return NONE if text is None else one_line(text)


def _value_words(row: ValueRow) -> tuple[str, ...]:
    return (row.name, *(fact_words(value) for value in row.values))


def _facts_json(row: ValueRow) -> list[Any]:
    return [fact_json(value) for value in row.values]


def _offer_words(row: OfferRow) -> tuple[str, ...]:
    return (row.offer, *(cell.words for cell in row.cells))


def _cell_json(cell: Cell) -> dict[str, Any]:
    return {"verdict": cell.fate, "place": cell.place, "clauses": list(cell.clauses)}


def _table(
    labels: Sequence[str],
    summaries: Sequence[Summary],
    facts: Sequence[ValueRow],
    clauses: Sequence[tuple[str, ...]],
    fallback: Sequence[ValueRow],
    offers: Sequence[OfferRow],
) -> Sheet:
    rows: list[tuple[str, ...]] = [
        ("result", name.replace("$/run", "cost_per_run").replace("$/month", "cost_per_month"), *map(exact, summaries))
        for name, _, exact in _RESULTS
    ]
    rows += [("fact", *_value_words(row)) for row in facts]
    rows += [("clause", row[0], *row[2:]) for row in clauses]
    rows += [("fallback", *_value_words(row)) for row in fallback]
    rows += [("offer", *_offer_words(row)) for row in offers]
    return Sheet("", ("kind", "name", *labels), tuple(rows))
