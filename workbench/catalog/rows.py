"""Rows of a catalog document, one by one: what is read with care, what is refused, and why.

Owns every rule that looks at a row beside its types: names taken twice, unsafe addresses, flags of the wrong type that
must not grant anything, key variables that nobody declared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, Final, Literal, Protocol, cast

from workbench.boundary import sanitiser
from workbench.catalog.checks import DECLARED_KEY_NAMES, address_fault, folded, hidden
from workbench.catalog.models import Benchmark, Model, Offer, Provider, build_model, build_offer, build_provider
from workbench.errors import Finding, Place, Severity

Raw = Mapping[str, Any]
Kind = Literal["providers", "models", "offers"]


class Judge(Protocol):
    """Says whether rows have the shape that a catalog's rows have (`schema.py`)."""

    def faults(self, kind: Kind, row: object, /) -> list[dict[str, Any]]:
        """What is wrong with one row."""
        ...

    def all_good(self, offers: Sequence[object], /) -> bool:
        """Whether nothing is wrong with any of these offers."""
        ...


_FLAGS: Final = ("no_log", "has_tee")
"""Flags of an offer that grant something: of the wrong type they count as unknown, and unknown grants nothing."""
_STATED: Final = {
    "region": str,
    "no_log": bool,
    "dpa": bool,
    "baa": bool,
    "trains_on_data": bool,
    "retention_days": float,
    "zero_retention": str,
}


def finding_of(item: Mapping[str, Any], place: Place, path: str) -> Finding:
    """One of pydantic's errors in our words, at `path` and below."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in item["loc"])
    kind, context = str(item["type"]), cast("Raw", item.get("ctx") or {})
    where = Place(place.source, place.line, path=sanitiser.one_line(path + steps, limit=200))
    if kind == "missing":
        return Finding(f"`{item['loc'][-1]}` is missing", "row_incomplete", where)
    if kind == "extra_forbidden":
        name = sanitiser.one_line(str(item["loc"][-1]), limit=60)
        return Finding(f"unknown key `{name}`", "row_unknown_key", where, "docs/catalog.md lists the keys")
    shown = sanitiser.one_line(repr(item.get("input")), limit=80)
    wanted = str(item["msg"])[:1].lower() + str(item["msg"])[1:]
    code = (
        "row_number"
        if kind in {"greater_than_equal", "less_than_equal", "finite_number", "float_type", "int_type"}
        else "row_value"
    )
    limit = context.get("le") or context.get("ge")
    return Finding(
        f"`{shown}`: {sanitiser.one_line(wanted, limit=200)}",
        code,
        where,
        None if limit is None else "see docs/catalog.md for the unit",
    )


def _is_row(line: bytes) -> bool:
    """Whether a line holds one object, whole."""
    try:
        return isinstance(json.loads(line.strip().removesuffix(b",")), dict)
    except (ValueError, RecursionError):
        return False


class Reader:
    """Reads the three lists of one document and collects what it finds."""

    def __init__(
        self, source: str, text: bytes, sources: frozenset[str], *, imported: bool, judge: Judge | None
    ) -> None:
        """`judge` says whether a row has the right shape; None where the whole file is known to be good."""
        self.source = source
        self.findings: list[Finding] = []
        self.held: dict[str, str] = {}
        self._text = text
        self._lines: dict[str, tuple[int, int]] = {}
        """Of a list: the line of its first row, and how many rows stand on a line each."""
        self._sources = sources
        self._imported = imported
        self._judge = judge

    # Places and findings

    def _line(self, kind: str, index: int) -> int | None:
        """The line of a row, where the file keeps one row per line as ours do; None where it does not."""
        if kind not in self._lines:
            self._lines[kind] = self._rows_on_lines(kind)
        first, many = self._lines[kind]
        return first + index if index < many else None

    def _rows_on_lines(self, kind: str) -> tuple[int, int]:
        head = self._text.find(f'"{kind}": ['.encode())
        if head < 0:
            return 0, 0
        begun, *rows = self._text[head:].split(b"\n")
        if not begun.rstrip().endswith(b"["):
            return 0, 0
        return self._text.count(b"\n", 0, head) + 2, sum(1 for _ in takewhile(_is_row, rows))

    def _note(
        self,
        kind: str,
        index: int,
        reason: str,
        code: str,
        hint: str | None = None,
        *,
        severity: Severity = "error",
        key: str = "",
    ) -> None:
        place = Place(self.source, self._line(kind, index), path=f"$.{kind}[{index}]{'.' + key if key else ''}")
        self.findings.append(Finding(reason, code, place, hint, severity))

    def _good(self, kind: Kind, index: int, raw: object) -> Raw | None:
        """The row, where its shape is right; else None, and its faults are noted."""
        faults = self._judge.faults(kind, raw) if self._judge is not None else []
        place = Place(self.source, self._line(kind, index)) if faults else Place()
        self.findings.extend(finding_of(fault, place, f"$.{kind}[{index}]") for fault in faults)
        return None if faults else cast("Raw", raw)

    # Providers

    def providers(self, raw_rows: Sequence[object]) -> dict[str, Provider]:
        """Providers by id; the second of two that share a name in any disguise is refused."""
        found: dict[str, Provider] = {}
        taken: dict[str, str] = {}
        for index, raw in enumerate(raw_rows):
            row = self._good("providers", index, self._without_mistyped(index, raw))
            provider = None if row is None else build_provider(row)
            if provider is None or self._twice("providers", index, provider.id, taken):
                continue
            if not self._addresses_ok("providers", index, provider.base_urls):
                continue
            self._looks("providers", index, provider.id, found)
            self._key_variable(index, provider)
            self._known_source("providers", index, provider.source)
            found[provider.id] = provider
        return found

    def _without_mistyped(self, index: int, raw: object) -> object:
        """A provider row without stated facts of the wrong type: those count as unknown, with a warning."""
        if not isinstance(raw, dict):
            return raw
        row = dict(cast("dict[str, Any]", raw))
        for name, wanted in _STATED.items():
            fact: Any = row.get(name)
            if not isinstance(fact, dict) or "value" not in fact:
                continue
            value = cast("dict[str, Any]", fact)["value"]
            number = wanted is float and isinstance(value, int) and not isinstance(value, bool)
            if not (isinstance(value, wanted) or number):
                shown = sanitiser.one_line(repr(value), limit=60)
                self._note(
                    "providers",
                    index,
                    f"`{shown}` is no {_WORDS[wanted]}: counts as unknown",
                    "flag_mistyped",
                    severity="warning",
                    key=name,
                )
                del row[name]
        return row

    def _key_variable(self, index: int, provider: Provider) -> None:
        name = provider.auth_env
        if name is None or not self._imported or name in DECLARED_KEY_NAMES:
            return
        self.held[provider.id] = name
        reason = f"`{name}` is not a key that a catalog from elsewhere may name: held"
        self._note(
            "providers",
            index,
            reason,
            "key_held",
            "confirm it, or change it to the provider's own variable",
            severity="warning",
            key="auth_env",
        )

    def _addresses_ok(self, kind: str, index: int, urls: Mapping[str, str]) -> bool:
        good = True
        for region, url in urls.items():
            fault = address_fault(url, imported=self._imported)
            if fault is not None:
                good = False
                shown = sanitiser.one_line(url, limit=120)
                self._note(
                    kind,
                    index,
                    f"address `{shown}` {fault}",
                    "address_unsafe",
                    "write `https://HOST/PATH`",
                    key=f"base_urls.{region}" if kind == "providers" else "base_url",
                )
        return good

    # Models

    def models(self, raw_rows: Sequence[object]) -> dict[str, Model]:
        """Models by id."""
        found: dict[str, Model] = {}
        taken: dict[str, str] = {}
        for index, raw in enumerate(raw_rows):
            row = self._good("models", index, raw)
            model = None if row is None else build_model(row)
            if model is None or self._twice("models", index, model.id, taken):
                continue
            if hidden(model.id):
                self._hidden("models", index, model.id)
            found[model.id] = model
        return found

    def versions(self, benchmarks: Mapping[str, Benchmark], models: Mapping[str, Model]) -> None:
        """Warn, once per field, of figures whose index version is not the one that the catalog compares."""
        for name, bench in benchmarks.items():
            others = sorted(
                {
                    fig.version
                    for m in models.values()
                    if (fig := m.bench.get(name)) is not None and fig.version != bench.version
                }
            )
            if others:
                reason = f"`{name}` has figures of {', '.join(others)} beside {bench.version}: those count as unknown"
                place = Place(self.source, path=f"$.benchmarks.{name}")
                self.findings.append(
                    Finding(reason, "benchmark_mixed", place, "an index that was rebased is another scale", "warning")
                )

    # Offers

    def offers(self, raw_rows: Sequence[object], providers: Mapping[str, Provider]) -> list[Offer]:
        """Offers in file order."""
        cleaned = [self._without_grants(index, raw) for index, raw in enumerate(raw_rows)]
        taken: dict[str, str] = {}
        found: list[Offer] = []
        for index, offer in self._valid_offers(cleaned):
            if offer.provider not in providers:
                shown = sanitiser.one_line(offer.provider, limit=60)
                self._note(
                    "offers",
                    index,
                    f"provider `{shown}` is not in the catalog",
                    "provider_unknown",
                    "add it to `providers`, or mend its row",
                    key="provider",
                )
                continue
            if offer.base_url is not None and not self._addresses_ok("offers", index, {"": offer.base_url}):
                continue
            if self._twice(
                "offers", index, f"{offer.provider}/{offer.served_model_id}@{offer.region or 'unknown'}", taken
            ):
                continue
            if hidden(offer.served_model_id) or hidden(offer.model):
                self._hidden("offers", index, offer.served_model_id)
            self._known_source("offers", index, offer.source)
            found.append(offer)
        return found

    def _valid_offers(self, raw_rows: list[object]) -> Iterable[tuple[int, Offer]]:
        """All at once where every row is good (the rule), one by one where one is not."""
        one_by_one = self._judge is not None and not self._judge.all_good(raw_rows)
        for index, raw in enumerate(raw_rows):
            row = self._good("offers", index, raw) if one_by_one else cast("Raw", raw)
            if row is not None:
                yield index, build_offer(row)

    def _without_grants(self, index: int, raw: object) -> object:
        """An offer row without granting flags of the wrong type: unknown never grants, so they count as unknown."""
        if not isinstance(raw, dict):
            return raw
        row = cast("dict[str, Any]", raw)
        wrong = [flag for flag in _FLAGS if flag in row and not isinstance(row[flag], bool)]
        for flag in wrong:
            shown = sanitiser.one_line(repr(row[flag]), limit=60)
            meaning = "the offer counts as logging" if flag == "no_log" else "the offer counts as having none"
            self._note(
                "offers",
                index,
                f"`{flag}` is `{shown}`, not true or false: {meaning}",
                "flag_mistyped",
                "write true or false",
                severity="warning",
                key=flag,
            )
        return {name: value for name, value in row.items() if name not in wrong} if wrong else row

    # Names

    def _twice(self, kind: str, index: int, name: str, taken: dict[str, str]) -> bool:
        key = folded(name)
        first = taken.get(key)
        if first is None:
            taken[key] = name
            return False
        shown = sanitiser.one_line(name, limit=120)
        reason = (
            f"`{shown}` is there already"
            if first == name
            else f"`{shown}` reads like `{sanitiser.one_line(first, limit=120)}`, which is there already"
        )
        self._note(kind, index, reason, "name_taken", "remove one of the two rows")
        return True

    def _looks(self, kind: str, index: int, name: str, known: Iterable[str]) -> None:
        if hidden(name):
            self._hidden(kind, index, name)
        like = sanitiser.confusable(name, known)
        if like is not None:
            reason = (
                f"`{sanitiser.one_line(name, limit=60)}` can be mistaken for `{sanitiser.one_line(like, limit=60)}`"
            )
            self._note(
                kind, index, reason, "name_confusable", "rename it unless both are meant", severity="warning", key="id"
            )

    def _hidden(self, kind: str, index: int, name: str) -> None:
        shown = sanitiser.one_line(name, limit=120)
        self._note(
            kind,
            index,
            f"`{shown}` holds characters that do not show",
            "name_hidden",
            "shown with signs in their place",
            severity="warning",
        )

    def _known_source(self, kind: str, index: int, source: str) -> None:
        if source not in self._sources and "/" not in source:
            shown = sanitiser.one_line(source, limit=80)
            self._note(
                kind,
                index,
                f"source `{shown}` is not listed in `sources`",
                "source_unknown",
                severity="warning",
                key="source",
            )


_WORDS: Final = {bool: "true or false", float: "number", str: "text"}
