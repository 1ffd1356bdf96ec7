"""From a clause's text to its admitted term, for one vocabulary; what was read once is remembered.

A clause is clause text or, where it begins with `[`, a JSON term in which `"$name"` stands for the tenant's value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from workbench.boundary.strict_json import loads
from workbench.errors import AdmissionError, DocumentError, Finding, Place
from workbench.language import clause_text
from workbench.language.admission import Admitted, assemble, check, compose
from workbench.language.lowering import lower
from workbench.language.signature import V2, Sort
from workbench.language.vocabulary import Vocabulary
from workbench.rulebook.report import listed, suggestion
from workbench.rulebook.schema import Fact

Slot = Literal["filter", "rank", "select", "transform", "fallback"]
SLOTS: Final[tuple[Slot, ...]] = ("filter", "rank", "select", "transform", "fallback")
_SORTS: Final[dict[Slot, Sort]] = {
    "filter": "Pred", "rank": "Scorer", "select": "Selector", "transform": "Xform", "fallback": "FailPlan",
}  # fmt: skip

MEMORY: Final = 8_192
"""Most clauses, and most policies, that one reader remembers."""

Bindings = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a clause's text says for one tenant."""

    term: Admitted
    scorer: Admitted | None
    """The ranking that a `select` brings with it: `top 3 by price_out`."""
    names: tuple[str, ...]
    """The `$names` in the text, in order of appearance."""
    shown: str
    """Canonical clause text, every `$name` resolved."""
    ranking_shown: str
    """The same of `scorer`; empty without one."""


class ClauseReader:
    """Reads clauses under one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._readings: dict[object, Reading] = {}
        self._policies: dict[object, Admitted] = {}

    def read(self, slot: Slot, text: str, bindings: Bindings) -> Reading:
        """The reading of `text`. Raises `ClauseError` or `AdmissionError`; a `$name` outside `bindings` is one."""
        key = (slot, text, tuple(bindings.items()))
        known = self._readings.get(key)
        if known is None:
            known = self._read(slot, text, bindings)
            _remember(self._readings, key, known)
        return known

    def policy(self, filters: tuple[Admitted, ...], slots: tuple[Admitted, ...], envelope: Admitted | None) -> Admitted:
        """The policy of these parts, admitted as a whole. Raises `AdmissionError`."""
        inside = None if envelope is None else envelope.encoding
        key = (tuple([part.encoding for part in filters]), tuple([part.encoding for part in slots]), inside)
        known = self._policies.get(key)
        if known is None:
            known = assemble(filters, slots, self.vocabulary)
            if envelope is not None:
                known = compose(known, envelope, self.vocabulary)
            _remember(self._policies, key, known)
        return known

    def _read(self, slot: Slot, text: str, bindings: Bindings) -> Reading:
        if text.lstrip().startswith("["):
            names: list[str] = []
            try:
                value = loads(text, source="clause")
            except DocumentError as error:
                raise clause_text.json_error(text, error) from None
            raw = _bind(value, bindings, names)
            term, scorer, used = lower(raw, self.vocabulary), None, tuple(dict.fromkeys(names))
        else:
            term, scorer, used = self._parse(slot, text, bindings)
        admitted = check(term, self.vocabulary, version=V2, sort=_SORTS[slot])
        ranking = None if scorer is None else check(scorer, self.vocabulary, version=V2, sort="Scorer")
        spoken = "" if ranking is None else clause_text.to_text(ranking.source, self.vocabulary)
        return Reading(admitted, ranking, used, self._show(slot, admitted, ranking), spoken)

    def _parse(self, slot: Slot, text: str, bindings: Bindings) -> tuple[Any, Any, tuple[str, ...]]:
        if slot == "select":
            selection = clause_text.parse_selection(text, self.vocabulary, bindings)
            return selection.selector, selection.scorer, selection.names
        parse = {
            "filter": clause_text.parse_pred,
            "rank": clause_text.parse_scorer,
            "transform": clause_text.parse_transform,
            "fallback": clause_text.parse_fallback,
        }[slot]
        parsed = parse(text, self.vocabulary, bindings)
        return parsed.term, None, parsed.names

    def _show(self, slot: Slot, term: Admitted, scorer: Admitted | None) -> str:
        if slot == "select":
            ranking = None if scorer is None else scorer.source
            return clause_text.selection_to_text(term.source, ranking, self.vocabulary)
        return clause_text.to_text(term.source, self.vocabulary)


def _remember(memory: dict[object, Any], key: object, value: object) -> None:
    if len(memory) >= MEMORY:
        memory.clear()
    memory[key] = value


def _bind(value: Any, bindings: Bindings, names: list[str]) -> Any:
    """The JSON value with each text `$name` replaced by the tenant's value."""
    if isinstance(value, str) and value.startswith("$"):
        name = value[1:]
        names.append(name)
        if name not in bindings:
            hint = suggestion(name, bindings) or f"the tenant has {listed(bindings)}"
            finding = Finding(f"`${name}` is not a tenant field", "unknown_name", Place(), hint)
            raise AdmissionError("a clause names something the tenant does not have", [finding])
        bound = bindings[name]
        return list(bound) if isinstance(bound, tuple) else bound
    if isinstance(value, list):
        return [_bind(entry, bindings, names) for entry in value]  # pyright: ignore[reportUnknownVariableType]
    return value
