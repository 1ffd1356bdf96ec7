"""Reading a catalog file: the strict parse, then each row by itself, so that one bad row costs one row.

Owns the limits on size and the order in which rows are refused. A fault of the whole file raises `CatalogError`;
a fault of a row is a finding, and the other rows load.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from pydantic import ValidationError

from workbench.boundary import files, sanitiser, strict_json
from workbench.catalog import rows
from workbench.catalog.candidates import candidate, model_facts, ranks_of, vocabulary_of
from workbench.catalog.catalog import Catalog
from workbench.catalog.models import FORMAT, Header, Model, Offer, Provider
from workbench.errors import CatalogError, DocumentError, FileRefused, Finding, Place
from workbench.language.vocabulary import DEFAULT_TIERS

MAX_BYTES: Final = 16 * 1024 * 1024
"""Some 35,000 offers. A larger file is refused by its size, before it is read."""


def load_catalog(path: Path, *, imported: bool = False) -> Catalog:
    """The catalog in `path`.

    `imported` marks a file from elsewhere: private addresses are refused, and a key variable outside the declared list
    is held back (`Catalog.held`). Raises `CatalogError` where the file as a whole cannot be used.
    """
    try:
        data = files.read_bytes(path, max_bytes=MAX_BYTES)
        document = strict_json.loads(data, source=path.name, max_bytes=MAX_BYTES, bom=True)
    except (DocumentError, FileRefused) as error:
        raise CatalogError(
            f"`{sanitiser.one_line(path.name, limit=200)}` cannot be read as a catalog", error.findings
        ) from error
    return build_catalog(document, source=path.name, imported=imported, text=data)


def build_catalog(document: object, *, source: str = "<catalog>", imported: bool = False, text: bytes = b"") -> Catalog:
    """The catalog that a parsed document describes. `text`, the file's bytes, lets findings name lines."""
    header = _header(document, source)
    reader = rows.Reader(source, text, frozenset(header.sources), imported)
    providers = reader.providers(header.providers)
    models = reader.models(header.models)
    offers = reader.offers(header.offers, providers)
    for offer in offers:
        if offer.model not in models:
            models[offer.model] = Model(id=offer.model)
    reader.versions(header.benchmarks, models)
    return _assemble(header, providers, models, offers, reader, document)


def _header(document: object, source: str) -> Header:
    if not isinstance(document, dict):
        raise CatalogError(
            "not a catalog", [_whole(source, "a catalog is a JSON object", f'begin with `{{"format": "{FORMAT}"`')]
        )
    found = cast("Mapping[str, object]", document).get("format")
    if found != FORMAT:
        shown = sanitiser.one_line(str(found), limit=60)
        raise CatalogError(
            "not a catalog", [_whole(source, f"`format` is `{shown}`", f"this workbench reads `{FORMAT}`")]
        )
    try:
        return Header.model_validate(document)
    except ValidationError as error:
        raise CatalogError(
            "not a catalog", [rows.finding_of(item, Place(source), "$") for item in error.errors(include_url=False)]
        ) from error


def _whole(source: str, reason: str, hint: str) -> Finding:
    return Finding(reason, "catalog_format", Place(source, path="$"), hint)


def _assemble(
    header: Header,
    providers: dict[str, Provider],
    models: dict[str, Model],
    offers: list[Offer],
    reader: rows.Reader,
    document: object,
) -> Catalog:
    try:
        vocabulary = vocabulary_of(header.benchmarks, offers, DEFAULT_TIERS)
    except ValueError as error:
        raise CatalogError("not a catalog", [_whole(reader.source, str(error), "rename the benchmark")]) from error
    served = {name: models[name] for name in dict.fromkeys(offer.model for offer in offers)}
    ranks = ranks_of(header.benchmarks, served)
    shared: dict[str, dict[str, Any]] = {
        name: model_facts(model, header.benchmarks, ranks) for name, model in served.items()
    }
    return Catalog(
        name=header.name,
        date=header.date,
        note=header.note,
        sha256=hashlib.sha256(strict_json.canonical(cast("Any", document))).hexdigest(),
        offers=tuple(offers),
        providers=providers,
        models=served,
        sources=header.sources,
        vocabulary=vocabulary,
        candidates=tuple(
            candidate(offer, providers[offer.provider], shared[offer.model], held=offer.provider in reader.held)
            for offer in offers
        ),
        benchmark_versions={name: bench.version for name, bench in header.benchmarks.items()},
        findings=tuple(reader.findings),
        held=dict(reader.held),
    )
