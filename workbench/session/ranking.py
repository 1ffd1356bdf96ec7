"""What keeps a ranking from telling survivors apart, as warnings: infinite values, which unknown prices are read as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.engine import columnar
from workbench.engine.columnar.scorers import scores
from workbench.errors import Finding, Place
from workbench.language.admission import Term
from workbench.session.evaluation import Outcome
from workbench.session.state import WorkspaceState


def ranking_warnings(state: WorkspaceState, outcome: Outcome) -> tuple[Finding, ...]:
    """Whether the tenant's scores are spoilt by infinite values.

    One warning where `cheapest by`, or another share of a range, is the same for survivors that differ; else one where
    scores are not finite.
    """
    compiled, decision = outcome.compiled, outcome.decision
    if compiled is None or decision is None or not _by_score(compiled.policy.slot("select").normal):
        return ()
    scorer = compiled.policy.slot("rank").normal
    survivors = np.array(decision.survivor_indices, dtype=np.intp)
    view = columnar.View(state.pool.columns, compiled.policy.version, state.context)
    with np.errstate(all="ignore"):
        flat = [part for part in _shares(scorer) if _flat(scores(part[1], survivors, view))]
        odd = not flat and not bool(np.isfinite(scores(scorer, survivors, view)).all())
        names = sorted({name for part in flat or [scorer] for name in _fields(part)})
        infinite = {name: int(np.isinf(scores(["field", name], survivors, view)).sum()) for name in names}
    if not flat and not odd:
        return ()
    clause = compiled.slots["rank"]
    effect = f"which makes `{clause.shown}` score all others the same" if flat else "so their score is not finite"
    reason = f"tenant `{outcome.tenant.id}`: {_unknowns(infinite, survivors.size)}, {effect}"
    return (Finding(reason, "flat_rank", Place(outcome.tenant.source, path=clause.id), _bounds(infinite), "warning"),)


def _by_score(selector: Term) -> bool:
    while selector[0] in {"top_k", "prefer"}:
        selector = selector[2]
    return selector[0] in {"argmax", "sample"}


def _parts(term: Term) -> list[Term]:
    return [part for part in term[1:] if isinstance(part, list)]


def _shares(term: Term) -> list[Term]:
    found = [term] if term[0] == "normalize" else []
    return found + [share for part in _parts(term) for share in _shares(part)]


def _fields(term: Term) -> set[str]:
    return {term[1]} if term[0] == "field" else {name for part in _parts(term) for name in _fields(part)}


def _flat(values: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    """Whether one infinite value makes the shares of different finite ones the same."""
    finite = values[np.isfinite(values)]
    return bool(np.isinf(values).any()) and len(finite) > 0 and bool(finite.min() < finite.max())


def _unknowns(infinite: Mapping[str, int], survivors: int) -> str:
    causes = [name for name, count in infinite.items() if count]
    if not causes:
        return "an infinite value is among the scores"
    count = max(infinite.values())
    who, has = f"{count} of {survivors} survivors", "has" if count == 1 else "have"
    if set(causes) <= {"price_in", "price_out"}:
        return f"{who} {has} no known price"
    return f"{who} {has} an infinite {' or '.join(causes)}"


def _bounds(infinite: Mapping[str, int]) -> str | None:
    causes = [name for name, count in infinite.items() if count]
    if set(causes) & {"price_in", "price_out"}:
        causes = [*(name for name in causes if not name.startswith("price_")), "price_in", "price_out"]
    bounds = [f"{name} < {1000 if name in ('price_in', 'price_out') else 1000000}" for name in causes]
    return f"add `{' and '.join(bounds)}`" if bounds else None
