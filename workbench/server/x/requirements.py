"""What a request may require of an offer: read strictly, so that a slip of the pen never means "no restriction".

The language ignores a requirement that it does not know or whose value is of another kind; here, where people write
them, such a one is refused. A need that the language does not know is ignored by the language's own word, so it is
taken, and a warning says what it comes to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, cast

from workbench.catalog import Catalog
from workbench.server.errors import said
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
    """Whether it names one pair; a key that is none of a pin's is refused by name, for it would restrict nothing."""
    pin = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    for name in pin:
        if name not in _PIN:
            close = get_close_matches(name[:64], _PIN, 1)
            hint = f"did you mean `{close[0]}`?" if close else "a pin is one provider's model, of any region"
            raise refused(400, CODE, f"unknown key `{name[:64]}` in the requirement `pin`: {hint}")
    return _pin(pin) is not None


_PIN: Final = ("provider", "model", "provider_id", "model_family")


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
_NEEDS: Final = ("vision", "tools", "json_mode", "seed")
"""What the language knows to ask of an offer."""
_MOST_TOLD: Final = 8


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


def unknown_needs(requirements: Mapping[str, Any]) -> tuple[str, ...]:
    """A warning for each need that the language does not know: no offer is turned away for it."""
    wanted = cast("list[str]", requirements.get("needs") or [])
    strange = dict.fromkeys(need for need in wanted if need not in _NEEDS)
    return tuple(_strange(need) for need in list(strange)[:_MOST_TOLD])


def _strange(need: str) -> str:
    close = get_close_matches(need[:64].lower(), _NEEDS, 1)
    hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(_NEEDS)}"
    return said(f"the need `{need[:64]}` is not known and has no effect: {hint}")


def _pin(value: object) -> Pin | None:
    if not isinstance(value, dict):
        return None
    pin = cast("dict[str, Any]", value)
    provider, model = _either(pin, "provider", "provider_id"), _either(pin, "model", "model_family")
    return Pin(provider, model) if isinstance(provider, str) and isinstance(model, str) and provider and model else None


def _either(pin: Mapping[str, Any], name: str, other: str) -> object:
    """What a pin says under either name; nothing where the two differ."""
    found = {pin[key] for key in (name, other) if isinstance(pin.get(key), str)}
    return found.pop() if len(found) == 1 else None
