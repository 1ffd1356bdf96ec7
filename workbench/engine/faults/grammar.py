"""The text of a fault, read and written: `PROVIDER[/MODEL]=KIND[:ARGUMENT][@PROBABILITY]`.

Everything wrong in all the texts is told at once. Names are checked against a catalog's where one is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.boundary.sanitiser import one_line
from workbench.engine.faults.table import FAULTS, Kind
from workbench.errors import Finding, Place, UsageError
from workbench.language.refusal import did_you_mean

EVERYONE: Final = "*"
MOST_MS: Final = 300_000.0
MOST_PIECES: Final = 100_000
MOST_FAULTS: Final = 256
_MOST_TEXT: Final = 512

_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s)")
_COUNT: Final = re.compile(r"[0-9]{1,9}")
_PROBABILITY: Final = re.compile(r"(?:0?\.[0-9]{1,15}|[01](?:\.[0-9]{0,15})?)")
_FORM: Final = "write PROVIDER[/MODEL]=KIND[:ARGUMENT][@PROBABILITY], such as openai=rate_limit:30s@0.5"

Names = Mapping[str, frozenset[str]]
"""By provider, the models that it offers: families and ids on the wire."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and whom it strikes."""

    provider: str
    """`*` for every provider."""
    model: str | None
    """A model family or an id on the wire; None for every model."""
    kind: str
    """A name in `FAULTS`."""
    arg: float | None = None
    """Milliseconds or pieces, as the kind says; the kind's default where none was written."""
    probability: float = 1.0

    @property
    def about(self) -> Kind:
        """Its line in the table."""
        return FAULTS[self.kind]

    def strikes(self, provider: str, *models: str | None) -> bool:
        """Whether it is meant for a provider's model, known by any of these names."""
        return self.provider in (EVERYONE, provider) and (self.model is None or self.model in models)

    def __str__(self) -> str:
        target = self.provider if self.model is None else f"{self.provider}/{self.model}"
        told = "" if self.arg is None else f":{_written(self.arg, self.about)}"
        chance = "" if self.probability == 1 else f"@{self.probability:.15g}"
        return f"{target}={self.kind}{told}{chance}"


def names_of(candidates: Iterable[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """The names that faults may use for these candidates, in wire form."""
    found: dict[str, set[str]] = {}
    for candidate in candidates:
        models = found.setdefault(str(candidate.get("provider_id")), set())
        models.update(
            name for name in (candidate.get("model_family"), candidate.get("served_model_id")) if isinstance(name, str)
        )
    return {provider: frozenset(models) for provider, models in found.items()}


def parse_fault(text: str, names: Names | None = None) -> Fault:
    """One fault; raises `UsageError` with everything that is wrong with it."""
    return parse_faults([text], names)[0]


def parse_faults(
    texts: Iterable[str], names: Names | None = None, place: Callable[[str], str] = "--fault {}".format
) -> tuple[Fault, ...]:
    """The faults in order; raises `UsageError` with every finding of every text.

    `place` says of a text where it was written.
    """
    findings: list[Finding] = []
    found: list[Fault] = []
    for count, text in enumerate(texts):
        if count >= MOST_FAULTS:
            findings.append(Finding(f"more than {MOST_FAULTS} faults", "fault_count", hint="use `*` for all providers"))
            break
        reader = _Reader(text, names, place)
        fault = reader.read()
        findings += reader.findings
        if fault is not None:
            found.append(fault)
    if findings:
        raise UsageError("a fault that can't be played" if len(findings) == 1 else "faults that can't be played",
                         findings)  # fmt: skip
    return tuple(found)


class _Reader:
    """Reads one text to its end, whatever it meets."""

    def __init__(self, text: str, names: Names | None, place: Callable[[str], str]) -> None:
        self._text, self._names = text, names
        self._place = Place(place(one_line(text, limit=80)))
        self.findings: list[Finding] = []

    def read(self) -> Fault | None:
        """The fault; None where something is wrong with it, which is in `findings`."""
        target, equals, played = self._text.strip().rpartition("=")
        if not equals or len(self._text) > _MOST_TEXT:
            self._wrong("has no `=`" if not equals else f"is longer than {_MOST_TEXT} characters", "fault_form", _FORM)
            return None
        provider, slash, model = target.partition("/")
        self._check_target(provider, model if slash else None)
        told, at, chance = played.partition("@")
        name, colon, argument = told.partition(":")
        probability = self._probability(chance) if at else 1.0
        kind = FAULTS.get(name)
        if kind is None:
            hint = did_you_mean(name, FAULTS) or f"known are {', '.join(FAULTS)}"
            self._wrong(f"there is no fault `{one_line(name, limit=80)}`", "fault_kind", hint)
            return None
        arg = self._argument(kind, argument) if colon else kind.default
        return None if self.findings else Fault(provider, model if slash else None, name, arg, probability)

    def _check_target(self, provider: str, model: str | None) -> None:
        if not provider or model == "":
            self._wrong(f"names no {'model' if provider else 'provider'}", "fault_form", _FORM)
            return
        if self._names is None:
            return
        if provider != EVERYONE and provider not in self._names:
            hint = did_you_mean(provider, self._names) or "`workbench catalog show` lists them; `*` means all"
            self._wrong(f"there is no provider `{one_line(provider, limit=80)}`", "fault_provider", hint)
            return
        if model is None:
            return
        offered = self._names.values() if provider == EVERYONE else (self._names[provider],)
        known = frozenset(name for names in offered for name in names)
        if model not in known:
            whose = "no provider has a model" if provider == EVERYONE else f"`{provider}` has no model"
            hint = did_you_mean(model, sorted(known)) or "use a model's family or its id on the wire"
            self._wrong(f"{whose} `{one_line(model, limit=80)}`", "fault_model", hint)

    def _argument(self, kind: Kind, written: str) -> float | None:
        shown = one_line(written, limit=40)
        if kind.argument == "none":
            self._wrong(f"`{kind.name}` takes no argument, not `{shown}`", "fault_argument", f"write {kind.form}")
        elif kind.argument == "pieces":
            if _COUNT.fullmatch(written) and int(written) <= MOST_PIECES:
                return float(written)
            hint = f"write a whole number up to {MOST_PIECES}, such as {kind.name}:20"
            self._wrong(f"`{shown}` is no count of pieces", "fault_argument", hint)
        else:
            match = _DURATION.fullmatch(written)
            ms = float(match[1]) * (1.0 if match[2] == "ms" else 1000.0) if match else -1.0
            if 0 <= ms <= MOST_MS:
                return ms
            hint = f"write up to {MOST_MS / 1000:.0f}s, such as {kind.name}:2s or {kind.name}:500ms"
            self._wrong(f"`{shown}` is no time", "fault_argument", hint)
        return None

    def _probability(self, written: str) -> float:
        value = float(written) if _PROBABILITY.fullmatch(written) else 0.0
        if not 0 < value <= 1:
            shown = one_line(written, limit=40)
            self._wrong(f"`{shown}` is no probability", "fault_probability", "write more than 0 and up to 1, as @0.3")
        return value

    def _wrong(self, reason: str, code: str, hint: str) -> None:
        self.findings.append(Finding(reason, code, self._place, hint))


def _written(arg: float, kind: Kind) -> str:
    if kind.argument == "pieces":
        return str(int(arg))
    return f"{arg / 1000:.12g}s" if arg >= 1000 else f"{arg:.12g}ms"
