"""`when`: the question that a rule asks of a tenant, read once and then answered for any tenant.

The question is strict. Every field that its text names must be known of the tenant, also where the rest of the text
would decide alone: `plan = free or region = eu` has no answer for a free tenant whose region is unknown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from workbench.language.admission import check
from workbench.language.clause_text import parse_condition
from workbench.rulebook.schema import Fact, TenantSchema

Facts = Mapping[str, Fact]
Test = Callable[[Facts], bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """One `when`, ready to be asked."""

    text: str
    fields: tuple[str, ...]
    """The tenant fields it names, in order of appearance."""
    test: Test
    """Answers for facts that hold all of `fields`."""

    def missing(self, facts: Facts) -> tuple[str, ...]:
        """The fields it names that `facts` lacks."""
        return tuple(name for name in self.fields if name not in facts)


def _always(_: Facts) -> bool:
    return True


def _never(_: Facts) -> bool:
    return False


ALWAYS: Final = Condition("", (), _always)
"""The condition of a rule that has no `when`."""

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "lt": operator.lt, "le": operator.le, "eq": operator.eq, "ne": operator.ne, "ge": operator.ge, "gt": operator.gt,
}  # fmt: skip


def read_condition(text: str, schema: TenantSchema) -> Condition:
    """The condition that `text` says over the tenant's fields. Raises `ClauseError` or `AdmissionError`."""
    if not text.strip():
        return ALWAYS
    term = check(parse_condition(text, schema.vocabulary).term, schema.vocabulary, sort="Pred").source
    names: list[str] = []
    test = _build(term, schema, names)
    return Condition(text, tuple(dict.fromkeys(names)), test)


def _build(term: list[Any], schema: TenantSchema, names: list[str]) -> Test:
    op, arguments = term[0], term[1:]
    if op == "top":
        return _always
    if op == "bot":
        return _never
    if op == "is":
        return _flag_test(arguments[0], schema, names)
    if op == "cmp":
        return _number_test(arguments, schema, names)
    parts = [_build(argument, schema, names) for argument in arguments]
    if op == "not":
        return _negation(parts[0])
    return _every(parts) if op == "and" else _any(parts)


def _negation(part: Test) -> Test:
    return lambda facts: not part(facts)


def _every(parts: list[Test]) -> Test:
    return lambda facts: all(part(facts) for part in parts)


def _any(parts: list[Test]) -> Test:
    return lambda facts: any(part(facts) for part in parts)


def _flag_test(name: str, schema: TenantSchema, names: list[str]) -> Test:
    origin = schema.origin[name]
    names.append(origin)
    value = schema.vocabulary.fields[name].value
    wanted: Fact = True if value is None else value
    return lambda facts: facts[origin] == wanted


def _number_test(arguments: list[Any], schema: TenantSchema, names: list[str]) -> Test:
    origin = schema.origin[arguments[0]]
    names.append(origin)
    compare, needed = _COMPARE[arguments[1]], arguments[2]
    known = schema.fields.get(origin)
    if known is not None and known.kind == "list":
        return lambda facts: compare(len(cast("tuple[str, ...]", facts[origin])), needed)
    return lambda facts: compare(facts[origin], needed)
