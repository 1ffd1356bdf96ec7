"""What a tenant's state consists of: the fields that a rulebook declares, and the names its rules may ask about.

Owns the reading of one fact: a value that is not of its field's kind is refused, never bent into shape. The flag
`no_log` is part of every schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, cast

from workbench.language.vocabulary import Category, Field, Vocabulary
from workbench.rulebook.report import FIELD_NAME, Path, Report, kind_of, listed, suggestion

Kind = Literal["choice", "flag", "number", "text", "list"]
Fact = bool | float | str | tuple[str, ...]

KINDS: Final[tuple[Kind, ...]] = ("choice", "flag", "number", "text", "list")
NO_LOG: Final = "no_log"
WORKLOAD_FIELDS: Final = ("tokens_in", "tokens_out", "runs_per_month")
"""Names that stand for the tenant's workload; a schema cannot declare them."""

MAX_FIELDS: Final = 200
MAX_VALUES: Final = 1_000
MAX_VALUE_BYTES: Final = 256
_LARGEST: Final = 2.0**53


@dataclass(frozen=True, slots=True)
class TenantField:
    """One field of tenant state."""

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    """What a choice, or an entry of a list, may be; empty for a list or text that may hold anything."""
    meaning: str = ""
    unit: str = ""
    of: str | None = None
    """What a text or the entries of a list name: `provider`, `model`, ..."""
    default: Fact | None = None
    """What a tenant that does not state the field has; None: such a tenant's value is unknown."""
    minimum: float | None = None
    maximum: float | None = None


class FactRefused(ValueError):
    """A value that is not one of its field."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True, slots=True)
class TenantSchema:
    """The declared fields by name, `no_log` among them, and what `when` may say about them."""

    fields: Mapping[str, TenantField]
    vocabulary: Vocabulary = field(compare=False)
    """For `when`: a choice is a category, a flag a yes-or-no field, a number a number, a list its `NAME_count`."""
    origin: Mapping[str, str] = field(compare=False)
    """The tenant field behind each name of the vocabulary: `plan` for `plan_free`."""


_NO_LOG_FIELD: Final = TenantField(NO_LOG, "flag", meaning="no prompt and no answer may be kept anywhere")
_WORKLOAD_MEANING: Final = {
    "tokens_in": "input tokens of one run",
    "tokens_out": "output tokens of one run",
    "runs_per_month": "runs in a month",
}


def make_schema(fields: Mapping[str, TenantField]) -> TenantSchema:
    """The schema of these fields. Raises `ValueError` where two of them would give `when` the same name."""
    every = dict(fields)
    every.setdefault(NO_LOG, _NO_LOG_FIELD)
    origin: dict[str, str] = {}
    plain: list[Field] = []
    categories: list[Category] = []
    for known in every.values():
        if known.kind == "choice":
            category = Category(known.name, known.values, known.meaning, "tenant")
            categories.append(category)
            origin.update({name.name: known.name for name in category.fields()})
        elif known.kind == "flag":
            plain.append(Field(known.name, "Bool", False, "", known.meaning, "tenant"))
            origin[known.name] = known.name
        elif known.kind == "number":
            plain.append(Field(known.name, "Num", 0.0, known.unit, known.meaning, "tenant"))
            origin[known.name] = known.name
        elif known.kind == "list":
            count = f"{known.name}_count"
            plain.append(Field(count, "Num", 0.0, "entries", f"how many entries {known.name} has", "tenant"))
            origin[count] = known.name
    for name, meaning in _WORKLOAD_MEANING.items():
        plain.append(Field(name, "Num", 0.0, "", meaning, "tenant"))
        origin[name] = name
    vocabulary = Vocabulary({}, {}, ()).extend(plain, categories)
    return TenantSchema(MappingProxyType(every), vocabulary, MappingProxyType(origin))


def read_fact(known: TenantField, value: object) -> Fact:
    """`value` as a fact of this field. Raises `FactRefused` with what is wrong and what may stand there."""
    if known.kind == "flag":
        if isinstance(value, bool):
            return value
        raise _wrong(known, value, "true or false")
    if known.kind == "number":
        return _read_number(known, value)
    if known.kind == "list":
        return _read_list(known, value)
    if not isinstance(value, str):
        raise _wrong(known, value, "a text")
    return _read_word(known, value)


def _wrong(known: TenantField, value: object, wanted: str) -> FactRefused:
    hint = f"one of {listed(known.values)}" if known.values else None
    return FactRefused(f"`{known.name}` must be {wanted}, found {kind_of(value)}", hint)


def _read_number(known: TenantField, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(known, value, "a number")
    if not abs(value) <= _LARGEST:  # nan included
        raise FactRefused(f"`{known.name}` must be a finite number of at most 2^53")
    low, high = known.minimum, known.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        limits = [f"{word} {limit:g}" for word, limit in (("at least", low), ("at most", high)) if limit is not None]
        raise FactRefused(f"`{known.name}` is {value:g}; it must be {' and '.join(limits)}")
    return value


def _read_list(known: TenantField, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise _wrong(known, value, "a list of texts")
    entries = cast("list[object] | tuple[object, ...]", value)
    if len(entries) > MAX_VALUES:
        raise FactRefused(f"`{known.name}` has {len(entries)} entries; the most is {MAX_VALUES}")
    words: list[str] = []
    for entry in entries:
        if not isinstance(entry, str):
            raise FactRefused(f"`{known.name}` must hold texts only, found {kind_of(entry)}")
        word = _read_word(known, entry)
        if word in words:
            raise FactRefused(f"`{known.name}` names `{word}` twice")
        words.append(word)
    return tuple(words)


def _read_word(known: TenantField, value: str) -> str:
    if known.values and value not in known.values:
        hint = suggestion(value, known.values) or f"one of {listed(known.values)}"
        raise FactRefused(f"`{known.name}` cannot be `{value}`", hint)
    if not value:
        raise FactRefused(f"`{known.name}` holds an empty text")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise FactRefused(f"`{known.name}` holds half of a surrogate pair")
    if len(value.encode()) > MAX_VALUE_BYTES:
        raise FactRefused(f"`{known.name}` holds a text of more than {MAX_VALUE_BYTES} bytes")
    return value


_FIELD_KEYS: Final = ("kind", "values", "meaning", "unit", "of", "default", "min", "max")


def parse_schema(document: object, report: Report) -> TenantSchema:
    """The schema under `[tenant]`; what is wrong with it goes to `report`, and such a field is left out."""
    table = report.table({} if document is None else document, ("tenant",))
    if len(table) > MAX_FIELDS:
        report.add(f"{len(table)} tenant fields are too many; the most is {MAX_FIELDS}", "limit", ("tenant",))
        return make_schema({})
    fields: dict[str, TenantField] = {}
    for name, value in table.items():
        path: Path = ("tenant", name)
        known = _parse_field(name, report.table(value, path), path, report)
        if known is None:
            continue
        try:
            make_schema({**fields, name: known})
        except ValueError as error:
            reason = f"field `{name}` cannot be told from another one: {error}"
            report.add(reason, "duplicate", path, "rename one of them")
            continue
        fields[name] = known
    return make_schema(fields)


def _parse_field(name: str, table: Mapping[str, Any], path: Path, report: Report) -> TenantField | None:
    report.known_keys(table, _FIELD_KEYS, path, f"tenant field `{name}`")
    if not FIELD_NAME.match(name):
        report.add(f"`{name}` is not a field name", "name", path, "use small letters, digits and _, a letter first")
        return None
    if name in WORKLOAD_FIELDS:
        report.add(f"`{name}` is taken by the tenant's workload", "name", path, "choose another name")
        return None
    kind = table.get("kind")
    if kind not in KINDS:
        hint = suggestion(kind, KINDS) if isinstance(kind, str) else None
        reason = "has no kind" if kind is None else f"cannot be of kind `{kind}`"
        report.add(f"tenant field `{name}` {reason}", "kind", (*path, "kind"), hint or f"one of {', '.join(KINDS)}")
        return None
    known = TenantField(
        name,
        kind,
        _parse_values(name, kind, table, path, report),
        report.text(table, "meaning", path) or "",
        report.text(table, "unit", path) or "",
        report.text(table, "of", path),
        None,
        _parse_limit("min", kind, table, path, report),
        _parse_limit("max", kind, table, path, report),
    )
    if known.kind == "choice" and not known.values:
        if not table.get("values"):
            report.add(f"choice `{name}` has no values", "values", path, 'write values = ["a", "b"]')
        return None
    return _with_default(known, table, path, report)


def _parse_values(name: str, kind: object, table: Mapping[str, Any], path: Path, report: Report) -> tuple[str, ...]:
    raw = table.get("values")
    if raw is None:
        return ()
    if kind not in ("choice", "list"):
        report.add(f"only a choice or a list has values; `{name}` is a {kind}", "values", (*path, "values"))
        return ()
    try:
        values = _read_list(TenantField("values", "list"), raw)
    except FactRefused as refused:
        report.add(refused.reason, "values", (*path, "values"), refused.hint)
        return ()
    odd = [value for value in values if kind == "choice" and not FIELD_NAME.match(value.replace("-", "_"))]
    if odd:
        hint = "use small letters, digits, - and _"
        report.add(f"`{odd[0]}` cannot be a value of choice `{name}`", "values", (*path, "values"), hint)
        return ()
    return values


def _parse_limit(key: str, kind: object, table: Mapping[str, Any], path: Path, report: Report) -> float | None:
    raw = table.get(key)
    if raw is None:
        return None
    if kind != "number":
        report.add(f"only a number has a `{key}`", "limits", (*path, key))
        return None
    try:
        return _read_number(TenantField(key, "number"), raw)
    except FactRefused as refused:
        report.add(refused.reason, "type", (*path, key))
        return None


def _with_default(known: TenantField, table: Mapping[str, Any], path: Path, report: Report) -> TenantField | None:
    if known.name == NO_LOG and known.kind != "flag":
        report.add("`no_log` must be a flag", "kind", (*path, "kind"), 'write kind = "flag"')
        return None
    raw = table.get("default")
    if raw is None:
        return known
    if known.name == NO_LOG:
        hint = "leave it out: a tenant that does not say so keeps nothing"
        report.add("`no_log` cannot have a default", "default", (*path, "default"), hint)
        return known
    try:
        default = read_fact(known, raw)
    except FactRefused as refused:
        report.add(f"the default does not fit: {refused.reason}", "default", (*path, "default"), refused.hint)
        return known
    return TenantField(
        known.name, known.kind, known.values, known.meaning, known.unit, known.of, default, known.minimum, known.maximum
    )


def fact_words(value: Fact | None) -> str:
    """A fact for a table; `?` where it is unknown, `-` for a list of nothing."""
    if value is None:
        return "?"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "-"
    return f"{value:g}" if isinstance(value, float) else str(value)


def fact_json(value: Fact | None) -> Any:
    """A fact for programs: a list where it is one, null where it is unknown."""
    return list(value) if isinstance(value, tuple) else value


def facts_json(facts: Iterable[tuple[str, Fact]]) -> dict[str, Any]:
    """Facts for programs, by name."""
    return {name: fact_json(value) for name, value in facts}
