"""Where each offer is called: the catalog's address, the one of your own account, or the emulator's.

Owns putting an address where the catalog names a variable for it (Azure, Vertex), and sending everything to a local
emulator instead, without a key. Prices, regions and everything else a decision reads stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.catalog import Catalog
from workbench.engine.values import text
from workbench.gateway.redirected import Redirected


@dataclass(frozen=True, slots=True)
class Addressed:
    """The offers of a catalog with the addresses that they are called at."""

    candidates: tuple[Mapping[str, Any], ...]
    """In catalog order."""
    missing: Mapping[str, str]
    """Providers whose address is not known, and the variable that should hold it."""
    own: Mapping[str, str]
    """Providers at an address of your own account, and the variables that hold it."""


def addressed(catalog: Catalog, environment: Mapping[str, str]) -> Addressed:
    """The offers with the addresses of your own account filled in.

    `VARIABLE_REGION` (`AZURE_OPENAI_BASE_URL_EU`) serves the offers of that region, `VARIABLE` all others.
    """
    missing: dict[str, str] = {}
    own: dict[str, str] = {}
    made: list[Mapping[str, Any]] = []
    for candidate in catalog.candidates:
        name = str(candidate.get("provider_id"))
        variable = catalog.providers[name].base_url_env if name in catalog.providers else None
        if variable is None or text(candidate.get("base_url")) is not None:
            made.append(candidate)
            continue
        used = _variable(variable, text(candidate.get("region")), environment)
        if used is None:
            missing[name] = variable
            made.append(candidate)
        else:
            own[name] = variable
            made.append({**candidate, "base_url": environment[used].strip()})
    return Addressed(tuple(made), missing, own)


def _variable(name: str, region: str | None, environment: Mapping[str, str]) -> str | None:
    wanted = [f"{name}_{region.upper().replace('-', '_')}"] if region else []
    return next((each for each in (*wanted, name) if environment.get(each, "").strip()), None)


def emulated(catalog: Catalog, place: Redirected) -> Addressed:
    """Every offer at the emulator, and none with a key."""
    made = [
        {name: value for name, value in place.candidate(candidate).items() if name != "auth_env"}
        for candidate in catalog.candidates
    ]
    return Addressed(tuple(made), {}, {})
