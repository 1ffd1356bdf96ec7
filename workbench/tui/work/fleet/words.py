"""What a person types to name a source: a place, and the options that the command has for it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from workbench.errors import Finding, Place, UsageError
from workbench.session.settings import FleetSettings

_ONE: Final = {"--table": "table", "--query": "query", "--id": "id", "--lists": "lists"}
_OPTIONS: Final = (*_ONE, "--map", "--ignore", "--by", "--format")


@dataclass(frozen=True, slots=True)
class Typed:
    """A source as it was typed."""

    place: str
    settings: FleetSettings
    kind: str | None = None


def read_source(text: str, known: FleetSettings) -> Typed:
    """The place and its options; what is not said is the workspace's. Raises `UsageError`."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise _refuse(str(error).lower(), "close the quotation mark") from None
    place, kind, settings = None, None, known
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            if place is not None:
                raise _refuse(f"`{word}` is one word too many", "put quotation marks around what belongs together")
            place = word
            continue
        name, sign, value = word.partition("=")
        given = value if sign and name != "--map" else next(rest, None)
        if name not in _OPTIONS or given is None:
            close = get_close_matches(name, _OPTIONS, 1)
            hint = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(_OPTIONS)}"
            raise _refuse(f"`{name}` needs a word behind it" if name in _OPTIONS else f"no such option `{name}`", hint)
        if name == "--format":
            kind = given
        else:
            settings = _with(settings, name, given)
    if place is None:
        raise _refuse("no place is named", "a path, or postgresql://USER@HOST/DATABASE")
    return Typed(place, settings, kind)


def _with(settings: FleetSettings, name: str, given: str) -> FleetSettings:
    if name in _ONE:
        return replace(settings, **{_ONE[name]: given})
    if name == "--map":
        field, sign, column = given.partition("=")
        if not sign:
            raise _refuse(f"`{given}` maps nothing", "write --map plan=tier_name")
        return replace(settings, map=(*settings.map, (field, column)))
    words = tuple(word.strip() for word in given.split(",") if word.strip())
    return replace(settings, by=words) if name == "--by" else replace(settings, ignore=(*settings.ignore, *words))


def _refuse(reason: str, hint: str) -> UsageError:
    return UsageError(reason, [Finding(reason, "usage", Place(), hint)])
