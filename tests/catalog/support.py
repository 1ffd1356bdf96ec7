"""What the catalog's tests share: a small valid document, and loading one that was changed."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from workbench.boundary import strict_json
from workbench.catalog.catalog import Catalog
from workbench.catalog.importers.document import Import, Imported, import_catalog
from workbench.catalog.load import build_catalog, load_catalog

SAMPLES = Path(__file__).parent / "samples"
Row = dict[str, Any]

_DOCUMENT: Row = {
    "format": "workbench-catalog/1",
    "name": "small",
    "date": "2026-11-22",
    "sources": {"list": {"title": "A price list", "date": "2026-11-01"}},
    "benchmarks": {"bench_intelligence": {"version": "AA 4.1", "meaning": "intelligence"}},
    "providers": [
        {
            "id": "north",
            "name": "North",
            "auth_env": "OPENAI_API_KEY",
            "base_urls": {"default": "https://api.north.example/v1", "eu": "https://eu.north.example/v1"},
            "dpa": {"value": True, "source": "list", "date": "2026-11-01"},
            "retention_days": {"value": 30, "source": "list", "date": "2026-11-01", "standing": "secondary"},
            "source": "list",
            "date": "2026-11-01",
        },
        {"id": "south", "name": "South", "source": "list", "date": "2026-11-01"},
    ],
    "models": [
        {
            "id": "m1",
            "released": "2026-04-23",
            "source": "list",
            "bench": {
                "bench_intelligence": {"value": 0.5, "version": "AA 4.1", "date": "2026-08-22", "source": "list"},
            },
        }
    ],
    "offers": [
        {
            "provider": "north",
            "model": "m1",
            "served_model_id": "m1",
            "region": "eu",
            "price_in": 5.5,
            "price_out": 33,
            "capabilities": {"context": 1000, "supports_tools": True},
            "no_log": True,
            "source": "list",
            "date": "2026-11-01",
        },
        {
            "provider": "north",
            "model": "m1",
            "served_model_id": "m1",
            "region": "us",
            "source": "list",
            "date": "2026-11-01",
        },
        {"provider": "south", "model": "m2", "served_model_id": "two", "source": "list", "date": "2026-11-01"},
    ],
}


def document() -> Row:
    """A fresh copy of the small document."""
    return copy.deepcopy(_DOCUMENT)


def with_offer(**changes: Any) -> Catalog:
    """The small catalog with the first offer changed."""
    doc = document()
    doc["offers"][0].update(changes)
    return build_catalog(doc)


def with_provider(*, imported: bool = False, **changes: Any) -> Catalog:
    """The small catalog with the first provider changed."""
    doc = document()
    doc["providers"][0].update(changes)
    return build_catalog(doc, imported=imported)


def load_text(folder: Path, text: str | bytes, *, imported: bool = False) -> Catalog:
    """A catalog file of this text, loaded."""
    path = folder / "c.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_catalog(path, imported=imported)


def as_text(doc: Row) -> str:
    """A document as JSON text."""
    return strict_json.dumps(doc)


def sample_import(**changes: Any) -> Imported:
    """The two sample price lists, imported with the packaged facts."""
    order = Import("sample", "2026-11-22", SAMPLES / "litellm.json", None, SAMPLES / "modelsdev.json", None)
    return import_catalog(Import(**{**{name: getattr(order, name) for name in order.__slots__}, **changes}))
