"""Keys: where they come from, what they are bound to, and that nobody sees them (RELIABILITY R22 to R24).

A key is looked up by the variable's name that the catalog gives: in the environment, then in `.env` beside the
workspace, then in the system's keyring where that is installed. What is handed out is a `Key`, which shows as `***`
everywhere and gives its value for one origin alone.
"""

from __future__ import annotations

import base64
import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast
from urllib.parse import quote

from workbench.boundary.sanitiser import one_line
from workbench.engine.values import items, text
from workbench.errors import Finding, Place
from workbench.gateway.codecs.neutral import LocalFault
from workbench.gateway.codecs.route import Route

MASK: Final = "***"
MOST_CHARACTERS: Final = 16_384
SERVICE: Final = "policy-workbench"
"""The keyring's service; the user name there is the variable's."""


class Key(str):
    """A secret. As a text it *is* `***`, so that is what is shown, formatted, pickled, copied or written as JSON."""

    __slots__ = ("__value", "name", "origin")

    name: str
    """The variable that holds it."""
    origin: str
    """The one place that it may be sent to."""
    __value: str

    def __new__(cls, name: str, value: str, origin: str) -> Key:
        made = super().__new__(cls, MASK)
        made.name, made.origin = name, origin
        made.__value = value
        return made

    def reveal(self, origin: str) -> str:
        """The value, for a request to `origin` alone; a `LocalFault` for any other."""
        if origin != self.origin:
            raise LocalFault("auth_error", "local_key_held")
        return self.__value

    def redact(self, said: str) -> str:
        """A text in which the key is masked, as it stands, URL-encoded and in base64."""
        value = self.__value
        coded = base64.b64encode(value.encode()).decode().rstrip("=")
        for form in (value, quote(value, safe=""), coded):
            said = said.replace(form, MASK)
        for start in range(len(value) - _FRAGMENT, -1, -_FRAGMENT):  # a provider that echoes a part of it
            said = said.replace(value[start : start + _FRAGMENT], MASK)
        return said

    def __repr__(self) -> str:
        return MASK

    def __reduce_ex__(self, protocol: object) -> tuple[type[str], tuple[str]]:
        return str, (MASK,)


_FRAGMENT: Final = 12


class KeySource(Protocol):
    """Gives the key of a route."""

    def key(self, route: Route) -> Key | None:
        """The key; None where the offer takes none. A `LocalFault` where it is missing, held or malformed."""
        ...


@dataclass(slots=True)
class Bindings:
    """Which variable's key may go to which origins. What was seen first is bound; more needs a person's word."""

    known: dict[str, set[str]] = field(default_factory=dict[str, "set[str]"])
    asks: bool = False
    """Whether first sight binds nothing either: what was bound before is not known any more."""
    trusts: Callable[[str, str], bool] | None = None
    """Whether a name that was never seen may go to an origin; None: to any that it is first seen with."""

    def settle(self, candidates: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
        """Bind the names that were never seen to their trusted origins in this catalog; give what is now held.

        Held is each (name, origin) of the catalog that a name is not bound to.
        """
        wanted: dict[str, set[str]] = {}
        for candidate in candidates:
            try:
                route = Route.of(candidate)
            except LocalFault:
                continue
            if route.key_name is not None:
                wanted.setdefault(route.key_name, set()).add(route.origin)
        held: list[tuple[str, str]] = []
        for name, origins in wanted.items():
            if not self.asks and not self.known.get(name):
                self._bind(name, origins)
            held += ((name, origin) for origin in sorted(origins - self.known.get(name, set[str]())))
        return tuple(held)

    def confirm(self, name: str, origin: str) -> None:
        """A person says that this key may go there."""
        self.known.setdefault(name, set()).add(origin)

    def allows(self, name: str, origin: str) -> bool:
        """Whether the key may go there; a name that was never seen is bound by this question, where that is trusted."""
        if not self.asks and not self.known.get(name):
            self._bind(name, {origin})
        return origin in self.known.get(name, ())

    def _bind(self, name: str, origins: Iterable[str]) -> None:
        trusted = {origin for origin in origins if self.trusts is None or self.trusts(name, origin)}
        if trusted:
            self.known[name] = trusted

    def as_document(self) -> dict[str, list[str]]:
        """For keeping between sessions; holds names and origins, no key."""
        return {name: sorted(origins) for name, origins in sorted(self.known.items())}

    @classmethod
    def of(cls, document: object) -> Bindings:
        """From what `as_document` gave; entries of another shape are left out, so that they ask again."""
        known: dict[str, set[str]] = {}
        if isinstance(document, dict):
            for name, origins in cast("dict[str, object]", document).items():
                known[name] = {origin for origin in items(origins) if text(origin) is not None}
        return cls(known)


def keyring_lookup(name: str) -> str | None:
    """The value from the system's keyring; None without the `keyring` package, a backend or an entry."""
    try:
        keyring: Any = importlib.import_module("keyring")
        return text(keyring.get_password(SERVICE, name))
    except Exception:  # noqa: BLE001 - backends raise whatever they like; none of it may stop a call or name a key
        return None


@dataclass(slots=True, repr=False)
class Keys:
    """The keys of one workspace. Looks up at each call, so that a changed environment counts."""

    environment: Mapping[str, str]
    dotenv: Mapping[str, str] = field(default_factory=dict[str, str])
    bindings: Bindings = field(default_factory=Bindings)
    keyring: Callable[[str], str | None] | None = None

    def key(self, route: Route) -> Key | None:
        """The key of a route; None where the offer takes none.

        Raises `LocalFault`: `local_key_missing`, `local_key_malformed` (R23), `local_key_held` (R24).
        """
        if route.key_name is None:
            return None
        value = self._value(route.key_name)
        if value is None:
            raise LocalFault("auth_error", "local_key_missing", unconfigured=True)
        if key_fault(value) is not None:
            raise LocalFault("auth_error", "local_key_malformed", unconfigured=True)
        if not self.bindings.allows(route.key_name, route.origin):
            raise LocalFault("auth_error", "local_key_held", unconfigured=True)
        return Key(route.key_name, trimmed(value), route.origin)

    def has(self, name: str) -> bool:
        """Whether there is a usable key under a name."""
        value = self._value(name)
        return value is not None and key_fault(value) is None

    def findings(self, names: Iterable[str]) -> tuple[Finding, ...]:
        """What is odd about the keys of these variables; names the variables alone."""
        found: list[Finding] = []
        for name in sorted(set(names)):
            value = self._value(name)
            if value is None:
                continue
            place, shown = Place(one_line(name, limit=128)), one_line(name, limit=128)
            fault = key_fault(value)
            if fault is not None:
                found.append(Finding(f"the key in `{shown}` {fault}", "key", place, "enter it again"))
            elif value != trimmed(value):
                reason = f"the key in `{shown}` ends with a newline, which is left out"
                found.append(Finding(reason, "key", place, severity="warning"))
        return tuple(found)

    def _value(self, name: str) -> str | None:
        for source in (self.environment, self.dotenv):
            value = source.get(name)
            if value:
                return value
        return self.keyring(name) if self.keyring is not None else None


def trimmed(value: str) -> str:
    """The key without one trailing newline."""
    return value.removesuffix("\n").removesuffix("\r")


def key_fault(value: str) -> str | None:
    """Why this cannot be a key, without a word of it; None where it can."""
    key = trimmed(value)
    if not key:
        return "is empty"
    if len(key) > MOST_CHARACTERS:
        return "is longer than any key"
    if not key.isascii():
        return "has a character outside ASCII"
    if any(not 0x21 <= ord(char) <= 0x7E for char in key):
        return "has a space or a control character"
    return None
