"""What a request may require of an offer: read strictly, so that a slip of the pen never means "no restriction".

The language ignores a requirement that it does not know or whose value is of another kind; here, where people write
them, such a one is refused. Needs that the language does not know are left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, cast

from workbench.catalog import Catalog
from workbench.server.x.refusal import refused, shapeless
from workbench.traces.parts.words import PRIVACIES

CODE: Final = "invalid_requirements"


@dataclass(frozen=True, slots=True)
class Pin:
    """The one pair that a request wants; filter and envelope hold for it all the same."""

    provider: str
    model: str

    def json(self) -> dict[str, str]:
        """As the wire has it."""
        return {"provider": self.provider, "model": self.model}

    def is_in(self, catalog: Catalog) -> bool:
        """Whether there is an offer that it means."""
        pair = (self.provider, self.model)
        return any((row["provider_id"], row["model_family"]) == pair for row in catalog.candidates)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in cast("list[Any]", value))


def _is_privacy(value: object) -> bool:
    return isinstance(value, str) and value in PRIVACIES


def _is_pin(value: object) -> bool:
    return _pin(value) is not None


_KINDS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "needs": (_is_words, "a list of words"),
    "model_family": (_is_text, "a string"),
    "tier": (_is_text, "a string"),
    "privacy": (_is_privacy, f"one of {', '.join(sorted(PRIVACIES))}"),
    "min_quality": (_is_number, "a number"),
    "min_tok_s": (_is_number, "a number"),
    "min_context": (_is_number, "a number"),
    "context": (_is_number, "a number"),
    "pin": (_is_pin, '{"provider": PROVIDER, "model": MODEL_FAMILY}'),
}
NAMES: Final = tuple(_KINDS)


def checked(value: object) -> dict[str, Any]:
    """The requirements of a request; null and nothing are none. Raises `Refused`: 422 for no object, else 400."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise shapeless(("dict_type", ("body", "requirements"), "Input should be a valid dictionary", None))
    given = cast("dict[str, Any]", value)
    for name, wanted in given.items():
        kind = _KINDS.get(name)
        if kind is None:
            close = get_close_matches(name[:64], NAMES, 1)
            hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(NAMES)}"
            raise refused(400, CODE, f"unknown requirement `{name[:64]}`: {hint}")
        if wanted is not None and not kind[0](wanted):
            raise refused(400, CODE, f"the requirement `{name}` must be {kind[1]}")
    return given


def pin_of(requirements: Mapping[str, Any]) -> Pin | None:
    """The pair that checked requirements ask for."""
    return _pin(requirements.get("pin"))


def _pin(value: object) -> Pin | None:
    if not isinstance(value, dict):
        return None
    pin = cast("dict[str, Any]", value)
    provider, model = pin.get("provider", pin.get("provider_id")), pin.get("model", pin.get("model_family"))
    return Pin(provider, model) if isinstance(provider, str) and isinstance(model, str) and provider and model else None
