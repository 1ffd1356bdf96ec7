"""What a decision was made over, as content that can be stored once and decided over again.

Owns the stored form of a population: the wire candidates in catalog order, the names a policy may use, the offers'
own ids. It is named by the SHA-256 of that form, not by the catalog file's: a later version of the program may read
the same file differently, and a replay must not.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, cast

from workbench.boundary import strict_json
from workbench.catalog.catalog import Catalog
from workbench.engine.pool import Pool
from workbench.engine.values import wire_number
from workbench.errors import DocumentError, Finding
from workbench.language.vocabulary import Category, Field, Vocabulary
from workbench.traces.parts.words import Digest

FORMAT: Final = "workbench-population/1"
MAX_BYTES: Final = 256 * 1024 * 1024
"""Of one stored content, unpacked."""
_WORDS: Final = {"inf": float("inf"), "-inf": float("-inf")}


def packed(data: bytes) -> bytes:
    """Content as it is stored: compressed, the same bytes for the same content."""
    return zlib.compress(data, 6)


def unpacked(data: bytes) -> bytes:
    """Stored content as it was. Raises `DocumentError` where it is damaged or too large."""
    reader = zlib.decompressobj()
    try:
        found = reader.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise DocumentError("a stored content is damaged", [Finding(str(error), "trace_content")]) from None
    if not reader.eof:
        raise DocumentError("a stored content is damaged", [Finding("it ends early or is too large", "trace_content")])
    return found


@dataclass(frozen=True, eq=False)
class KeptCatalog:
    """One population. Make one per loaded catalog and keep it: its content and columns are built once."""

    name: str
    date: str
    sha256: Digest
    """The catalog's own identity."""
    candidates: tuple[Mapping[str, Any], ...]
    offer_ids: tuple[str, ...]
    regions: tuple[str | None, ...]
    vocabulary: Vocabulary

    @classmethod
    def of(cls, catalog: Catalog) -> KeptCatalog:
        """The population of a loaded catalog."""
        return cls(
            catalog.name, catalog.date, Digest(catalog.sha256), catalog.candidates, catalog.offer_ids,
            tuple(offer.region for offer in catalog.offers), catalog.vocabulary,
        )  # fmt: skip

    @classmethod
    def read(cls, data: bytes) -> KeptCatalog:
        """The population whose content this is. Raises `DocumentError` where it is none."""
        wire = strict_json.loads(data, source="stored catalog", max_bytes=MAX_BYTES)
        if not isinstance(wire, dict) or wire.get("format") != FORMAT:
            finding = Finding(f"this is not `{FORMAT}`", "trace_content")
            raise DocumentError("a stored catalog cannot be read", [finding])
        found = cast("dict[str, Any]", wire)
        return cls(
            found["name"], found["date"], Digest(found["catalog_sha256"]), tuple(found["candidates"]),
            tuple(found["offer_ids"]), tuple(found["regions"]), _vocabulary(found["vocabulary"]),
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        """Same content."""
        return isinstance(other, KeptCatalog) and (self is other or self.content_sha256 == other.content_sha256)

    def __hash__(self) -> int:
        return hash(self.content_sha256)

    @cached_property
    def content(self) -> bytes:
        """The canonical bytes; read back they give the same decisions."""
        return strict_json.canonical(
            {
                "format": FORMAT,
                "name": self.name,
                "date": self.date,
                "catalog_sha256": self.sha256,
                "candidates": list(self.candidates),
                "offer_ids": list(self.offer_ids),
                "regions": list(self.regions),
                "vocabulary": _vocabulary_wire(self.vocabulary),
            }
        )

    @cached_property
    def content_sha256(self) -> Digest:
        """The name under which the content is stored."""
        return Digest(sha256(self.content).hexdigest())

    @cached_property
    def blob(self) -> bytes:
        """The content, compressed."""
        return packed(self.content)

    @cached_property
    def pool(self) -> Pool:
        """The population, to decide over."""
        return Pool(self.candidates, self.vocabulary, self.sha256)

    @cached_property
    def first_with(self) -> Mapping[tuple[str, str], int]:
        """The first offer that has a value, by key and value: `("model_family", "gpt-5.5")` to its place."""
        found: dict[tuple[str, str], int] = {}
        for index, candidate in enumerate(self.candidates):
            for key in ("model_family", "tier", "provider_id"):
                value = candidate.get(key)
                if isinstance(value, str):
                    found.setdefault((key, value), index)
        return found


def _vocabulary_wire(vocabulary: Vocabulary) -> dict[str, Any]:
    fields = [
        [
            f.name, f.sort, f.default if isinstance(f.default, bool) else wire_number(f.default), f.unit, f.meaning,
            f.group, f.core, f.category, f.value,
        ]
        for f in vocabulary.fields.values()
    ]  # fmt: skip
    categories = [[c.name, list(c.values), c.meaning, c.group] for c in vocabulary.categories.values()]
    return {"fields": fields, "categories": categories, "tiers": list(vocabulary.tiers)}


def _vocabulary(wire: Mapping[str, Any]) -> Vocabulary:
    fields: dict[str, Field] = {}
    for name, sort, default, *rest in wire["fields"]:
        fields[name] = Field(name, sort, _WORDS[default] if isinstance(default, str) else default, *rest)
    categories = {
        name: Category(name, tuple(values), meaning, group) for name, values, meaning, group in wire["categories"]
    }
    return Vocabulary(fields, categories, tuple(wire["tiers"]))
