"""Where a key may go that was never used before: to its provider as the packaged catalog knows it, or to this machine.

A catalog from elsewhere can name any variable beside any address, and so can a foreign workspace's `.env`. Owns the
question whether a key goes there unasked; what a person said since is kept by `key_ring`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from workbench.boundary.machine import is_loopback
from workbench.catalog.checks import address_fault
from workbench.catalog.load import load_catalog
from workbench.catalog.packaged import packaged_catalogs
from workbench.gateway.codecs.route import origin_of


@dataclass(frozen=True, slots=True)
class Known:
    """What the packaged catalogs say of keys."""

    origins: frozenset[tuple[str, str]]
    """Each variable of a key with each origin of its provider."""
    places: frozenset[tuple[str, str]]
    """Each variable of a key with the variable that holds the address of one's own account."""


@cache
def packaged() -> Known:
    """Read from the packaged catalogs, once."""
    origins: set[tuple[str, str]] = set()
    places: set[tuple[str, str]] = set()
    for path in packaged_catalogs().values():
        for provider in load_catalog(path).providers.values():
            if provider.auth_env is None:
                continue
            origins |= {(provider.auth_env, origin_of(url)) for url in provider.base_urls.values()}
            if provider.base_url_env is not None:
                places.add((provider.auth_env, provider.base_url_env))
    return Known(frozenset(origins), frozenset(places))


@dataclass(frozen=True, slots=True)
class FirstSight:
    """Judges by the process's own environment and the workspace's `.env`."""

    environment: Mapping[str, str]
    dotenv: Mapping[str, str]

    def trusts(self, name: str, origin: str) -> bool:
        """Whether the key in `name` may go to `origin` without anybody having said so."""
        if is_loopback(urlsplit(origin).hostname or ""):
            return True
        if self.dotenv.get(name) and not self.environment.get(name):
            return True  # the key is the workspace's own, and so is the word where it goes
        known = packaged()
        return (name, origin) in known.origins or origin in self._own(name, known)

    def _own(self, name: str, known: Known) -> set[str]:
        """The origins that the environment itself, not the workspace, gives for accounts of one's own."""
        stems = [place for key, place in known.places if key == name]
        return {
            origin_of(value.strip())
            for variable, value in self.environment.items()
            if any(variable == stem or variable.startswith(f"{stem}_") for stem in stems)
            and address_fault(value.strip()) is None
        }
