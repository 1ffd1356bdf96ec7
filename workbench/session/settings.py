"""`workbench.toml`: which catalog, rulebook and tenants a workspace has, its envelope and its default workload.

Owns the keys of that one file; every key that is not one of them is refused with a suggestion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any, cast

from workbench.boundary.guarded_toml import locate
from workbench.boundary.names import check_name
from workbench.errors import FileRefused, Finding, Place, WorkspaceError
from workbench.rulebook.reader import SLOTS, Slot
from workbench.traces.databases.address import ENDINGS, is_address

FILE_NAME = "workbench.toml"

_KEYS = ("title", "catalog", "rulebook", "tenants", "workload", "envelope", "traces", "profiles", "fleet")
_TEXT_KEYS = ("title", "catalog", "rulebook", "tenants", "envelope", "traces")
_WORKLOAD_KEYS = ("tokens_in", "tokens_out", "runs_per_month")


_PROFILE_KEYS = ("filter", "filters", *SLOTS[1:])
MAX_PROFILES = 256
MAX_CLAUSES = 64


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """One named policy as `[profiles]` states it: a file, or clause texts."""

    file: str | None = None
    """A path below the workspace ending in `.json`."""
    clauses: tuple[tuple[Slot, str], ...] = ()
    """Slot and clause text, filters first."""


_FLEET_TEXTS = ("source", "table", "query", "id", "lists")
_FLEET_LISTS = ("ignore", "by")
_FLEET_KEYS = (*_FLEET_TEXTS, *_FLEET_LISTS, "map")


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """Where the real tenants are, and which column is which fact, as `[fleet]` states it."""

    source: str | None = field(default=None, repr=False)
    """A path, or an address, which may hold a password."""
    table: str | None = None
    query: str | None = None
    id: str | None = None
    """The column of the tenants' ids."""
    map: tuple[tuple[str, str], ...] = ()
    """Tenant field and column."""
    ignore: tuple[str, ...] = ()
    lists: str | None = None
    """What stands between the entries of a list, or `json`."""
    by: tuple[str, ...] = ()
    """The fields that make a segment."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What `workbench.toml` says, defaults filled in."""

    title: str
    catalog: str
    """A packaged catalog's name (`2026-11`), or a path below the workspace ending in `.json`."""
    rulebook: str = "rulebook.toml"
    tenants: str = "tenants"
    """The folder of tenant files."""
    workload: Mapping[str, Any] | None = None
    """Tokens in and out per run for tenants that state none."""
    envelope: str | None = None
    """Clause text and-ed onto every policy."""
    traces: str | None = field(default=None, repr=False)
    """A path below the workspace ending in `.db`, or the address of a PostgreSQL database; it may hold a password."""
    profiles: Mapping[str, ProfileSettings] = field(default_factory=dict[str, ProfileSettings])
    """Named policies, for `profile:NAME` at the endpoint."""
    fleet: FleetSettings = field(default_factory=FleetSettings)


def parse_settings(document: Mapping[str, Any], *, source: str, text: str, folder: str) -> Settings:
    """Settings from a parsed `workbench.toml`.

    `source` names the file in findings, `folder` gives the title where the file states none.
    Raises `WorkspaceError` with every finding.
    """
    findings = [*_unknown(document, _KEYS, (), source, text), *_wrong_text(document, source, text)]
    workload: Any = document.get("workload")
    if workload is not None:
        findings.extend(_workload_findings(workload, source, text))
    findings.extend(_traces_findings(document.get("traces"), source, text))
    profiles = _profiles(document.get("profiles"), source, text, findings)
    fleet = fleet_settings(document.get("fleet"), ("fleet",), source, text, findings)
    if "catalog" not in document:
        findings.append(
            Finding("no catalog is named", "missing_key", Place(source, path="catalog"), 'write `catalog = "2026-11"`')
        )
    if findings:
        raise WorkspaceError(f"`{source}` can't be used", findings)
    return Settings(
        title=document.get("title", folder),
        catalog=document["catalog"],
        rulebook=document.get("rulebook", "rulebook.toml"),
        tenants=document.get("tenants", "tenants"),
        workload=workload,
        envelope=document.get("envelope"),
        traces=document.get("traces"),
        profiles=profiles,
        fleet=fleet,
    )


def fleet_settings(
    raw: object, path: tuple[str, ...], source: str, text: str, findings: list[Finding]
) -> FleetSettings:
    """What a table at `path` of a file says about the real tenants; what is wrong with it goes to `findings`."""
    if raw is None:
        return FleetSettings()
    if not isinstance(raw, dict):
        place = Place(source, locate(text, path), path=".".join(path))
        findings.append(Finding("`fleet` must be a table", "wrong_type", place, "write `[fleet]`"))
        return FleetSettings()
    table = cast("dict[str, Any]", raw)
    findings += _unknown(table, _FLEET_KEYS, path, source, text)
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key in _FLEET_TEXTS and isinstance(value, str):
            found[key] = value
        elif key in _FLEET_LISTS and _all_texts(value):
            found[key] = tuple(value)
        elif key == "map" and isinstance(value, dict) and _all_texts(list(cast("dict[str, Any]", value).values())):
            found[key] = tuple(cast("dict[str, str]", value).items())
        elif key in _FLEET_KEYS:
            what = "a list of strings" if key in _FLEET_LISTS else 'a table, `map = {plan = "tier"}`'
            place = Place(source, locate(text, (*path, key)), path=".".join((*path, key)))
            wanted = "a string" if key in _FLEET_TEXTS else what
            findings.append(Finding(f"`{key}` must be {wanted}", "wrong_type", place))
    return FleetSettings(**found)


def _all_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in cast("list[object]", value))


def _profiles(raw: object, source: str, text: str, findings: list[Finding]) -> dict[str, ProfileSettings]:
    """The named policies; what is wrong with them goes to `findings`."""
    found: dict[str, ProfileSettings] = {}
    if raw is None:
        return found
    if not isinstance(raw, dict) or len(raw) > MAX_PROFILES:  # pyright: ignore[reportUnknownArgumentType]
        hint = 'write `[profiles]`, then `NAME = "policies/NAME.json"`, or a table `[profiles.NAME]` of clauses'
        place = Place(source, locate(text, ("profiles",)), path="profiles")
        findings.append(Finding(f"`profiles` must be a table of at most {MAX_PROFILES}", "wrong_type", place, hint))
        return found
    table: dict[str, Any] = raw  # pyright: ignore[reportUnknownVariableType] - TOML keys are strings
    for name, value in table.items():
        place = Place(source, locate(text, ("profiles", name)), path=f"profiles.{name}")
        try:
            check_name(name, what="profile name")
        except FileRefused as refused:
            findings += [replace(finding, place=place) for finding in refused.findings]
            continue
        if isinstance(value, str) and value.endswith(".json"):
            found[name] = ProfileSettings(file=value)
        elif isinstance(value, dict):
            clauses: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType] - as above
            findings += _unknown(clauses, _PROFILE_KEYS, ("profiles", name), source, text)
            found[name] = ProfileSettings(clauses=tuple(_profile_clauses(clauses, place, findings)))
        else:
            hint = 'a path ending in ".json", or a table with filters, rank, select, transform or fallback'
            findings.append(Finding(f"`{name}` is no policy", "wrong_type", place, hint))
    return found


def _profile_clauses(table: Mapping[str, Any], place: Place, findings: list[Finding]) -> Iterable[tuple[Slot, str]]:
    several: Any = table.get("filters", [])
    filters = cast("list[Any]", several if isinstance(several, list) else [several])
    wanted: list[tuple[Slot, Any]] = [("filter", text) for text in filters]
    wanted.extend((slot, table[slot]) for slot in SLOTS if slot in table)
    for slot, text in wanted[:MAX_CLAUSES]:
        if isinstance(text, str):
            yield slot, text
        else:
            findings.append(Finding(f"`{slot}` must be clause text", "wrong_type", place, "write it in quotes"))
    if len(wanted) > MAX_CLAUSES:
        findings.append(Finding(f"more than {MAX_CLAUSES} clauses", "limit", place))


def _wrong_text(document: Mapping[str, Any], source: str, text: str) -> Iterable[Finding]:
    for key in _TEXT_KEYS:
        if key in document and not isinstance(document[key], str):
            place = Place(source, locate(text, (key,)), path=key)
            yield Finding(f"`{key}` must be a string", "wrong_type", place, f'write `{key} = "..."`')


def _traces_findings(value: Any, source: str, text: str) -> Iterable[Finding]:
    """A file that is damaged is set aside, so a workspace from elsewhere must not name just any file."""
    if not isinstance(value, str) or is_address(value):
        return
    place = Place(source, locate(text, ("traces",)), path="traces")
    path = PurePath(value)
    if "://" in value:
        yield Finding(
            "`traces` is no address of a trace store", "trace_place", place, "postgresql://USER@HOST/DATABASE"
        )
    elif path.is_absolute() or ".." in path.parts or value.startswith("~"):
        hint = "write a path below it; for another one give `--traces PLACE` or set WORKBENCH_TRACES"
        yield Finding("`traces` leads out of the workspace", "trace_place", place, hint)
    elif not path.name.endswith(ENDINGS):
        hint = 'write `traces = "state/traces.db"`, or the address of a PostgreSQL database'
        yield Finding(f"the name of a trace store ends in {', '.join(ENDINGS)}", "trace_place", place, hint)


def _workload_findings(workload: Any, source: str, text: str) -> Iterable[Finding]:
    if not isinstance(workload, dict):
        place = Place(source, locate(text, ("workload",)), path="workload")
        yield Finding("`workload` must be a table", "wrong_type", place, "write `[workload]`, then `tokens_in = 2000`")
        return
    table: dict[str, Any] = workload  # pyright: ignore[reportUnknownVariableType] - TOML keys are strings
    yield from _unknown(table, _WORKLOAD_KEYS, ("workload",), source, text)
    for key, value in table.items():
        if key in _WORKLOAD_KEYS and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            place = Place(source, locate(text, ("workload", key)), path=f"workload.{key}")
            yield Finding(f"`{key}` must be a number of 0 or more", "wrong_type", place)


def _unknown(
    table: Mapping[str, Any], known: tuple[str, ...], prefix: tuple[str, ...], source: str, text: str
) -> Iterable[Finding]:
    for key in table:
        if key not in known:
            close = get_close_matches(key, known, 1)
            hint = f"did you mean `{close[0]}`?" if close else f"known keys: {', '.join(known)}"
            place = Place(source, locate(text, (*prefix, key)), path=".".join((*prefix, key)))
            yield Finding(f"unknown key `{key}`", "unknown_key", place, hint)
