"""The options of a template: what each may be, in words that a client can show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from workbench.language.admission import Term
from workbench.server.x.templates.known import meant

MOST_NAMES: Final = 64
LONGEST_NAME: Final = 256


class OptionError(ValueError):
    """An option that is none of its template's, in words."""


class Option(NamedTuple):
    """One option: what reads it, and what it is where it is not given (None: it has to be given)."""

    read: Callable[[str, Any], Any]
    default: Any
    names: str | None = None
    """What of the catalog it names: `provider`, `model`, `region`."""


Values = Mapping[str, Any]


@dataclass(frozen=True)
class Template:
    """One template."""

    id: str
    description: str
    options: Mapping[str, Option]
    emit: Callable[[Values], Term]
    public: bool
    """Whether the public host has it too."""

    @property
    def required(self) -> list[str]:
        """Options that have to be given."""
        return [name for name, option in self.options.items() if option.default is None]

    @property
    def defaults(self) -> dict[str, Any]:
        """Every other option."""
        return {name: option.default for name, option in self.options.items() if option.default is not None}

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every option's value. Raises `OptionError`."""
        unknown = sorted(set(given) - set(self.options))
        if unknown:
            hint = meant(unknown, tuple(self.options))
            raise OptionError(f"{self.id}: unknown option(s): {', '.join(unknown)}; {hint}")
        values: dict[str, Any] = {}
        for name, option in self.options.items():
            value = given.get(name)
            if value is None and option.default is None:
                raise OptionError(f"{self.id} requires {name}")
            values[name] = option.default if value is None else option.read(name, value)
        return values

    def named(self, given: Mapping[str, Any], values: Values) -> Iterator[tuple[str, str]]:
        """What of the catalog the given options name; a default is for every catalog."""
        for name, option in self.options.items():
            if option.names is not None and given.get(name) is not None:
                for word in _words(values[name]):
                    yield option.names, word


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for inner in value:
            yield from _words(inner)


def _finite(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise OptionError(f"{name} must be a finite number")
    return value


def share(name: str, value: Any) -> float:
    """A number from 0 to 1."""
    return between(0, 1)(name, value)


def between(low: float, high: float) -> Callable[[str, Any], float]:
    """A number within bounds."""

    def read(name: str, value: Any) -> float:
        number = _finite(name, value)
        if not low <= number <= high:
            raise OptionError(f"{name} must be between {low:g} and {high:g}")
        return number

    return read


def at_least_nothing(name: str, value: Any) -> float:
    """A number of 0 or more: a price, a span of days."""
    number = _finite(name, value)
    if number < 0:
        raise OptionError(f"{name} must be greater than or equal to 0")
    return number


def count(name: str, value: Any) -> int:
    """A whole number from 1."""
    number = _finite(name, value)
    if number < 1 or number != int(number):
        raise OptionError(f"{name} must be a positive integer")
    return int(number)


def flag(name: str, value: Any) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise OptionError(f"{name} must be true or false")
    return value


def word(name: str, value: Any) -> str:
    """A name."""
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME:
        raise OptionError(f"{name} must be a non-empty string")
    return value.strip()


def one_of(*known: str) -> Callable[[str, Any], str]:
    """One of a few words."""

    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise OptionError(f"{name} must be one of {', '.join(known)}")
        return value

    return read


def names(name: str, value: Any) -> list[str]:
    """A list of names, none twice."""
    if not isinstance(value, list) or not value or len(cast("list[Any]", value)) > MOST_NAMES:
        raise OptionError(f"{name} must be a non-empty array of names")
    found = [word(f"{name}[{place}]", item) for place, item in enumerate(cast("list[Any]", value))]
    if len(set(found)) != len(found):
        raise OptionError(f"{name} contains a name twice")
    return found


def groups(name: str, value: Any) -> list[list[str]]:
    """Groups of providers, the preferred first; a bare name is a group of one. No provider stands twice."""
    if not isinstance(value, list) or not value or len(cast("list[Any]", value)) > MOST_NAMES:
        raise OptionError(f"{name} must be a non-empty array")
    found: list[list[str]] = []
    for place, item in enumerate(cast("list[Any]", value)):
        found.append(names(f"{name}[{place}]", item if isinstance(item, list) else [item]))
    every = [provider for group in found for provider in group]
    twice = next((provider for provider in every if every.count(provider) > 1), None)
    if twice is not None:
        raise OptionError(f"{name} contains duplicate provider '{twice}'")
    return found
