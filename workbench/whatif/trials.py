"""Which values of a tenant's facts are worth trying: all that the schema allows, told apart by what the rules can see.

A choice and a flag have few values, and each is one. Of a number, every value between two neighbouring thresholds is
like any other there, so the thresholds and one value of each gap stand for all of them; thresholds are those that a
`when` names, those that the catalog has where a clause compares a field with `$name`, and those at which a ranking that
weighs with `$name` gets another winner. A list is changed by one entry.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.engine import columnar
from workbench.errors import AdmissionError, DocumentError
from workbench.language.admission import check
from workbench.language.clause_text import binding_names, parse_condition
from workbench.rulebook.reader import Slot
from workbench.rulebook.rulebook import Rulebook
from workbench.rulebook.schema import WORKLOAD_FIELDS, Fact, TenantField
from workbench.rulebook.tenant import Tenant
from workbench.session.state import WorkspaceState

Term = list[Any]
_MOST: Final = 2.0**53
_MOST_TOKENS: Final = 1e12
_DIGITS: Final = 17


@dataclass(frozen=True, slots=True)
class Trial:
    """One value to try."""

    name: str
    value: Fact
    words: str
    """The value, or all the values that it stands for: `true`, `0.5`, `below 0.5`, `+ azure`."""


@dataclass(frozen=True, slots=True)
class Use:
    """What the rules see of one number."""

    thresholds: tuple[float, ...]
    """Those that conditions name, ascending."""
    fields: tuple[str, ...]
    """Fields of an offer that clauses compare with it."""
    weighs: bool
    """Whether a ranking is weighed with it, so that its winner may also change between thresholds."""


def fields_of(state: WorkspaceState) -> tuple[TenantField, ...]:
    """The facts that may be tried: the schema's, then the workload's numbers."""
    work = (TenantField(name, "number", minimum=0.0, maximum=_MOST_TOKENS) for name in WORKLOAD_FIELDS)
    return (*state.rulebook.schema.fields.values(), *work)


def values_to_try(state: WorkspaceState, tenant: Tenant, declared: TenantField) -> tuple[Trial, ...]:
    """Every other value of one fact; a number's are apart from each other by thresholds alone."""
    held = tenant.bindings().get(declared.name)
    if declared.kind == "flag":
        return tuple(Trial(declared.name, v, str(v).lower()) for v in (True, False) if v is not held)
    if declared.kind == "number":
        use = number_use(state, tenant, declared)
        points = {*use.thresholds, *(value for name in use.fields for value in _column(state, name))}
        return numbers_around(declared, held, points)
    if declared.kind == "list":
        return tuple(_lists(state, declared, held if isinstance(held, tuple) else ()))
    words = declared.values or known_names(state, declared)
    return tuple(Trial(declared.name, word, word) for word in words if word != held)


def known_names(state: WorkspaceState, declared: TenantField) -> tuple[str, ...]:
    """What a text or a list may name: the schema's values, else the catalog's of that kind."""
    return declared.values or tuple(state.catalog.values.get(declared.of or "", ()))


def is_whole(declared: TenantField) -> bool:
    """Whether a number counts things, and so has no value between two whole ones."""
    return declared.name in WORKLOAD_FIELDS


def _lists(state: WorkspaceState, declared: TenantField, held: tuple[str, ...]) -> Iterator[Trial]:
    for word in held:
        yield Trial(declared.name, tuple(one for one in held if one != word), f"- {word}")
    for word in known_names(state, declared):
        if word not in held:
            yield Trial(declared.name, (*held, word), f"+ {word}")


def numbers_around(declared: TenantField, held: object, points: Iterable[float]) -> tuple[Trial, ...]:
    """The points that the field allows and one value of each gap between them, but what the tenant has; ascending."""
    return tuple(_numbers(declared, held, sorted(set(points))))


def _numbers(declared: TenantField, held: object, points: list[float]) -> Iterator[Trial]:
    low = declared.minimum if declared.minimum is not None else -_MOST
    high = declared.maximum if declared.maximum is not None else _MOST
    inside = [point for point in points if low <= point <= high]
    edges = [low, *inside, high]
    for place, point in enumerate(inside):
        yield from _gap(declared, held, edges[place], point, first=place == 0, last=False)
        if point != held:
            yield Trial(declared.name, point, shown(point))
    if inside:
        yield from _gap(declared, held, inside[-1], high, first=False, last=True)


def _gap(declared: TenantField, held: object, low: float, high: float, *, first: bool, last: bool) -> Iterator[Trial]:
    """One value that stands for all between `low` and `high`, unless the tenant's own is one of them."""
    own = float(held) if isinstance(held, int | float) and not isinstance(held, bool) else None
    if own is not None and (low < own < high or (first and own == low < high) or (last and own == high > low)):
        return
    value = between(low, high, whole=is_whole(declared), closed_low=first, closed_high=last)
    if value is not None:
        words = f"below {shown(high)}" if first else f"above {shown(low)}" if last else f"{shown(low)} to {shown(high)}"
        yield Trial(declared.name, value, words)


def between(
    low: float, high: float, *, whole: bool, closed_low: bool = False, closed_high: bool = False
) -> float | None:
    """A value inside a gap, the shortest to write; None where there is none. A closed end may be the value itself."""
    if closed_low and low < high and abs(low) < _MOST:
        return low
    if low == -_MOST:
        return high - 1
    if whole or high == _MOST:
        value = math.floor(low) + 1
        return float(value) if value < high or (closed_high and value == high) else None
    middle = low + (high - low) / 2
    for digits in range(1, _DIGITS + 1):
        short = float(f"{middle:.{digits}g}")
        if low < short < high:
            return short
    return None


def shown(value: float) -> str:
    """A number as people write it, exactly."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


# -- what the rules see of a number -----------------------------------------------------------------------------------


def number_use(state: WorkspaceState, tenant: Tenant, declared: TenantField) -> Use:
    """The thresholds of one number in conditions and clauses, and whether a ranking is weighed with it."""
    compared: set[str] = set()
    weighs = False
    for slot, text in _texts_naming(state.rulebook, tenant, declared.name):
        fields, weighed = _marked(state, tenant, slot, text, declared)
        weighs = weighs or weighed
        compared |= fields
    thresholds = sorted(set(_in_conditions(state.rulebook, declared.name)))
    return Use(tuple(thresholds), tuple(sorted(compared)), weighs)


def _in_conditions(rulebook: Rulebook, name: str) -> Iterator[float]:
    schema = rulebook.schema
    for rule in rulebook.rules:
        if not rule.enabled or not rule.when.strip():
            continue
        term = check(parse_condition(rule.when, schema.vocabulary).term, schema.vocabulary, sort="Pred").normal
        yield from (float(t[3]) for t in comparisons(term) if schema.origin[t[1]] == name)


def comparisons(term: Term) -> Iterator[Term]:
    """Every `cmp` in a term."""
    if term[0] == "cmp":
        yield term
        return
    for part in term[1:]:
        if isinstance(part, list):
            yield from comparisons(part)  # pyright: ignore[reportUnknownArgumentType]


def _texts_naming(rulebook: Rulebook, tenant: Tenant, name: str) -> Iterator[tuple[Slot, str]]:
    for plan in rulebook.plans:
        if plan.rule.enabled:
            for clause, names in zip(plan.rule.clauses, plan.names, strict=True):
                if clause.enabled and name in names:
                    yield clause.slot, clause.text
    for override in tenant.overrides:
        if override.text is not None and not override.off and name in binding_names(override.text):
            yield override.slot, override.text


def _marked(
    state: WorkspaceState, tenant: Tenant, slot: Slot, text: str, declared: TenantField
) -> tuple[set[str], bool]:
    """The catalog fields that `text` compares with the number, and whether it stands anywhere else."""
    terms = [_bound_to(state, tenant, slot, text, declared, marker) for marker in _markers(declared)]
    if any(term is None for term in terms):
        return set(), False
    first, second = terms
    compared: set[str] = set()
    elsewhere = _differ(first, second, compared)
    return compared, elsewhere


def _markers(declared: TenantField) -> tuple[float, float]:
    """Two values that no clause is likely to have for another reason, and that normal forms leave alone."""
    low = declared.minimum if declared.minimum is not None else 2.0
    high = declared.maximum if declared.maximum is not None else low + 1.0
    return low + (high - low) * 0.372109, low + (high - low) * 0.622317


def _bound_to(
    state: WorkspaceState, tenant: Tenant, slot: Slot, text: str, declared: TenantField, marker: float
) -> Term | None:
    facts: dict[str, Fact] = {**tenant.bindings(), declared.name: marker}
    try:
        reading = state.rulebook.reader.read(slot, text, {name: facts[name] for name in binding_names(text)})
    except (AdmissionError, DocumentError, KeyError):
        return None
    scorer = [] if reading.scorer is None else [reading.scorer.source]
    return ["", reading.term.source, *scorer]


def _differ(first: Any, second: Any, compared: set[str]) -> bool:
    """Whether two readings differ elsewhere than in the number of a `cmp`, whose fields go to `compared`."""
    if not isinstance(first, list) or not isinstance(second, list):
        return first != second
    if first[:1] == ["cmp"] == second[:1] and first[1:3] == second[1:3]:
        if first[3] != second[3]:
            compared.add(str(first[1]))  # pyright: ignore[reportUnknownArgumentType]
        return False
    if len(first) != len(second):  # pyright: ignore[reportUnknownArgumentType]
        return True
    found = [_differ(a, b, compared) for a, b in zip(first, second, strict=True)]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return any(found)


def _column(state: WorkspaceState, field: str) -> Iterable[float]:
    view = columnar.View(state.pool.columns, "sigma-pol/v2", state.context)
    values = view.numbers(field)
    found: list[float] = np.unique(values[np.isfinite(values)]).tolist()
    return found


# -- where a weighed ranking gets another winner ----------------------------------------------------------------------


def crossings(
    winner: Callable[[float], int | None], low: float, high: float, *, whole: bool
) -> tuple[tuple[float, float], ...]:
    """Where the winner changes between `low` and `high`: pairs of the last value with one and the first with the next.

    Exact where scores are straight lines in the value, of which one that leads at both ends leads between them.
    """
    known: dict[float, int | None] = {}

    def at(value: float) -> int | None:
        if value not in known:
            known[value] = winner(value)
        return known[value]

    found: list[tuple[float, float]] = []
    open_gaps = [(low, high)]
    while open_gaps:
        left, right = open_gaps.pop()
        if at(left) == at(right):
            continue
        middle = _halfway(left, right, whole=whole)
        if middle is None:
            found.append((left, right))
        else:
            open_gaps += [(left, middle), (middle, right)]
    return tuple(sorted(found))


def _halfway(low: float, high: float, *, whole: bool) -> float | None:
    middle = float(math.floor((low + high) / 2)) if whole else low + (high - low) / 2
    return middle if low < middle < high else None


def is_straight(scorer: Term) -> bool:
    """Whether a scorer orders offers as a sum of weighted fields does, and so as straight lines in each weight."""
    op = scorer[0]
    if op in {"neg", "normalize"}:
        return is_straight(scorer[1])
    return _is_sum(scorer)


def _is_sum(term: Term) -> bool:
    if term[0] in {"field", "lit", "zero"}:
        return True
    if term[0] == "scale":
        return _is_sum(term[2])
    return term[0] == "add" and all(_is_sum(part) for part in term[1:])


Bindings = Mapping[str, Fact]
