"""Catalogs: offers of models at providers, each fact with source and date; unknown is unknown.

Names are loaded on first use, so that a command which needs no catalog does not pay for reading one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from workbench.catalog.catalog import Catalog
    from workbench.catalog.facts import Fact
    from workbench.catalog.load import build_catalog, load_catalog
    from workbench.catalog.models import Model, Offer, Provider
    from workbench.catalog.packaged import DEFAULT, packaged_catalogs

__all__ = [
    "DEFAULT",
    "Catalog",
    "Fact",
    "Model",
    "Offer",
    "Provider",
    "build_catalog",
    "load_catalog",
    "packaged_catalogs",
]

_HOMES: Final = {
    "Catalog": "catalog", "Fact": "facts", "load_catalog": "load", "build_catalog": "load", "Model": "models",
    "Offer": "models", "Provider": "models", "DEFAULT": "packaged", "packaged_catalogs": "packaged",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
