"""Decides a record again, from what it holds, and compares field by field; or over another catalog: what would move.

A replay over the record's own catalog proves the record: any difference means that the program decides otherwise now,
or that the record was changed. Over another catalog, offers are matched by their ids.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.engine.context import Context
from workbench.engine.decide import Evaluator, decide
from workbench.engine.values import wire_number
from workbench.errors import AdmissionError, TraceError
from workbench.language.admission import check
from workbench.traces.parts.asked import asked_of, known_state, request_of
from workbench.traces.parts.catalogs import KeptCatalog
from workbench.traces.parts.verdicts import Verdicts, verdicts_of
from workbench.traces.record import Record

Field = Literal["chosen", "order", "scores", "rejected", "rules", "population"]
FIELDS: tuple[Field, ...] = ("chosen", "order", "scores", "rejected", "rules", "population")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as recorded."""

    field: Field
    offer: str | None
    """The offer it is about; None for the whole."""
    before: Any
    """As recorded. JSON."""
    after: Any
    """As decided now. JSON."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A record, decided again."""

    record: Record
    verdicts: Verdicts
    """As decided now."""
    catalog: KeptCatalog
    """What it was decided over now."""
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs: order, scores to the bit, reasons, rules, winner."""
        return not self.differences

    @property
    def fields(self) -> dict[Field, bool]:
        """Each compared field, and whether it is as recorded."""
        changed = {difference.field for difference in self.differences}
        return {name: name not in changed for name in FIELDS}


def replay(record: Record, *, catalog: KeptCatalog | None = None, evaluator: Evaluator = "columnar") -> Replay:
    """Decide again, over the record's own catalog or another.

    Raises `TraceError` where the policy cannot be read under the other catalog: it names a field that is not declared.
    """
    material = record.material
    if catalog is None or catalog.content_sha256 == material.catalog.content_sha256:
        target, context, policy = material.catalog, record.context, material.policy
        clauses = material.sources.terms(target.vocabulary, policy.version)
    else:
        target = catalog
        context = _context(record, catalog)
        try:
            policy = check(material.policy.normal, catalog.vocabulary, version=material.policy.version, sort="Policy")
            clauses = material.sources.terms(catalog.vocabulary, policy.version)
        except AdmissionError as error:
            raise TraceError("the policy cannot be decided over that catalog", error.findings) from None
    decision = decide(policy, target.pool, context, evaluator=evaluator)
    found = verdicts_of(decision, clauses, target.pool, context)
    return Replay(record, found, target, tuple(_compared(record, found, target)))


def _context(record: Record, catalog: KeptCatalog) -> Context:
    """The same request and state, as the other catalog's offers see them."""
    request = request_of(record.trace.head.asked, record.material.catalog)
    found = Context(request, record.material.state, record.trace.head.seed)
    return Context(request_of(asked_of(found, catalog), catalog), known_state(found.state, catalog), found.seed)


def _compared(record: Record, after: Verdicts, catalog: KeptCatalog) -> list[Difference]:
    before, names = record.material.verdicts, record.material.catalog.offer_ids
    if before == after and names == catalog.offer_ids:
        return []
    return [
        *_whole("population", before.population, after.population),
        *_whole("chosen", _name(before.winner, names), _name(after.winner, catalog.offer_ids)),
        *_places(before, names, after, catalog.offer_ids),
        *_scores(before, names, after, catalog.offer_ids),
        *_rejected(before, names, after, catalog.offer_ids),
        *_rules(record, after, catalog.offer_ids),
    ]


def _whole(field: Field, before: Any, after: Any) -> list[Difference]:
    return [] if before == after else [Difference(field, None, before, after)]


def _name(index: int | None, names: Sequence[str]) -> str | None:
    return None if index is None else names[index]


def _each(field: Field, before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    keys = dict.fromkeys([*before, *after])
    return [
        Difference(field, name, before.get(name), after.get(name))
        for name in keys
        if before.get(name) != after.get(name)
    ]


def _places(before: Verdicts, names: Sequence[str], after: Verdicts, others: Sequence[str]) -> list[Difference]:
    return _each(
        "order",
        {names[index]: place for place, index in enumerate(before.order, 1)},
        {others[index]: place for place, index in enumerate(after.order, 1)},
    )


def _scores(before: Verdicts, names: Sequence[str], after: Verdicts, others: Sequence[str]) -> list[Difference]:
    """Scores that differ in any bit, of offers that are in both orders."""
    held = {names[index]: score for index, score in zip(before.order, before.scores, strict=True)}
    found: list[Difference] = []
    for index, score in zip(after.order, after.scores, strict=True):
        was = held.get(others[index])
        if was is not None and struct.pack("<d", was) != struct.pack("<d", score):
            found.append(Difference("scores", others[index], wire_number(was), wire_number(score)))
    return found


def _rejected(before: Verdicts, names: Sequence[str], after: Verdicts, others: Sequence[str]) -> list[Difference]:
    return _each(
        "rejected",
        {names[index]: reason for index, reason in before.rejected},
        {others[index]: reason for index, reason in after.rejected},
    )


def _rules(record: Record, after: Verdicts, others: Sequence[str]) -> list[Difference]:
    """Offers, known to both, that other clauses reject now."""
    ids = [source.id for source in record.material.sources.filters]
    names = record.material.catalog.offer_ids
    was, now = (_rejecting(v, ids, n) for v, n in ((record.material.verdicts, names), (after, others)))
    return _each("rules", {n: was[n] for n in was if n in now}, {n: now[n] for n in now if n in was})


def _rejecting(verdicts: Verdicts, ids: Sequence[str], names: Sequence[str]) -> dict[str, list[str]]:
    table = verdicts.rejecting
    return {name: [ids[row] for row in table[:, index].nonzero()[0].tolist()] for index, name in enumerate(names)}
