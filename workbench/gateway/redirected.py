"""Calls sent to an emulator instead of the providers: the catalog's rows at another address, and no key of anyone's.

Owns the mapping of addresses: `https://HOST/PATH` of a provider becomes `http://127.0.0.1:PORT/p/PROVIDER/PATH`. An
offer without an address, such as one at a place of one's own, gets `/p/PROVIDER`. Only a loopback address is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from workbench.boundary.machine import is_loopback
from workbench.boundary.sanitiser import one_line
from workbench.catalog.checks import address_fault
from workbench.engine.values import text
from workbench.errors import Finding, UsageError
from workbench.gateway.codecs.route import Route, origin_of
from workbench.gateway.keys import Key

DUMMY: Final = "wb-no-key-of-anyone"
"""What is sent where a key would be; no word that an answer may hold, for it is taken out of everything."""

_LOGIN: Final = re.compile(r"//.*@")


def _fault(url: str) -> str | None:
    """Why there can be no emulator at `url`; None where there can."""
    scheme, mark, rest = url.partition("://")
    if mark and scheme.lower() == "https":
        return "begins with `https://`, and an emulator is asked over `http://`"
    if not mark or scheme.lower() != "http":
        return "does not begin with `http://`"
    fault = address_fault(f"https://{rest}")  # what is asked of every address but where it is
    if fault is not None:
        return fault
    parts = urlsplit(url)
    if not is_loopback(parts.hostname or ""):
        return "is not on this machine"
    return None if parts.path in ("", "/") else "has a path"


@dataclass(frozen=True, slots=True)
class Redirected:
    """Everything goes to one emulator. Gives the rows and, in the place of keys, a word that is none."""

    origin: str
    """`http://127.0.0.1:PORT`."""

    @classmethod
    def to(cls, url: str) -> Redirected:
        """The emulator at this URL; raises `UsageError` for one that is not on this machine."""
        fault = _fault(url)
        if fault is not None:
            reason = f"the emulator's address `{one_line(_LOGIN.sub('//***@', url), limit=80)}` {fault}"
            hint = "give the URL that `workbench emulate` prints, such as http://127.0.0.1:8089"
            raise UsageError(reason, [Finding(reason, "emulator_url", hint=hint)])
        return cls(origin_of(url))

    def candidate(self, candidate: Mapping[str, Any]) -> dict[str, Any]:
        """The same row at the emulator's address."""
        base = text(candidate.get("base_url"))
        path = urlsplit(base).path.rstrip("/") if base else ""
        provider = quote(str(candidate.get("provider_id")), safe="")
        return {**candidate, "base_url": f"{self.origin}/p/{provider}{path}"}

    def key(self, route: Route) -> Key | None:
        """The word for every route that takes a key; no key is looked up."""
        return None if route.key_name is None else Key(route.key_name, DUMMY, self.origin)
