"""Reading a catalog file: the strict parse, then each row by itself, so that one bad row costs one row.

Owns the limits on size and the order in which rows are refused. A fault of the whole file raises `CatalogError`;
a fault of a row is a finding, and the other rows load.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast

from workbench.boundary import files, sanitiser, strict_json
from workbench.catalog import rows
from workbench.catalog.candidates import candidate, model_facts, ranks_of, vocabulary_of
from workbench.catalog.catalog import Catalog
from workbench.catalog.models import FORMAT, Benchmark, Model, Offer, Provider, Source
from workbench.catalog.packaged import checked_digests
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
        title = f"`{sanitiser.one_line(path.name, limit=200)}` cannot be read as a catalog"
        raise CatalogError(title, error.findings) from error
    checked = not imported and hashlib.sha256(data).hexdigest() in checked_digests()
    return build_catalog(document, source=path.name, imported=imported, text=data, checked=checked)


def build_catalog(
    document: object, *, source: str = "<catalog>", imported: bool = False, text: bytes = b"", checked: bool = False
) -> Catalog:
    """The catalog that a parsed document describes. `text`, the file's bytes, lets findings name lines.

    `checked`: these very bytes were found to have the right shape when the program was made, so it is not looked at
    again. That saves the start of pydantic, a tenth of a second before the first screen.
    """
    judge = None if checked else _judge()
    _check_header(document, source, judge)
    raw = cast("Mapping[str, Any]", document)
    sources = {name: Source(**row) for name, row in raw["sources"].items()}
    benchmarks = {name: Benchmark(**row) for name, row in raw.get("benchmarks", {}).items()}
    reader = rows.Reader(source, text, frozenset(sources), imported=imported, judge=judge)
    providers = reader.providers(raw["providers"])
    models = reader.models(raw.get("models", []))
    offers = reader.offers(raw["offers"], providers)
    for offer in offers:
        if offer.model not in models:
            models[offer.model] = Model(id=offer.model)
    reader.versions(benchmarks, models)
    head = Head(raw["name"], raw["date"], raw.get("note", ""), sources, benchmarks)
    return _assemble(head, providers, models, offers, reader, raw)


class _Judge(rows.Judge, Protocol):
    """What `schema.py` says about a whole document."""

    def header_faults(self, document: object, /) -> list[dict[str, Any]]: ...


def _judge() -> _Judge:
    from workbench.catalog import schema  # noqa: PLC0415 - loads pydantic, which a checked file does not need

    return schema


@dataclass(frozen=True)
class Head:
    """The document around the rows."""

    name: str
    date: str
    note: str
    sources: Mapping[str, Source]
    benchmarks: Mapping[str, Benchmark]


def _check_header(document: object, source: str, judge: _Judge | None) -> None:
    if judge is None:
        return
    if not isinstance(document, dict):
        finding = _whole(source, "a catalog is a JSON object", f'begin with `{{"format": "{FORMAT}"`')
        raise CatalogError("not a catalog", [finding])
    found = cast("Mapping[str, object]", document).get("format")
    if found != FORMAT:
        shown = sanitiser.one_line(str(found), limit=60)
        finding = _whole(source, f"`format` is `{shown}`", f"this workbench reads `{FORMAT}`")
        raise CatalogError("not a catalog", [finding])
    faults = judge.header_faults(cast("object", document))
    if faults:
        raise CatalogError("not a catalog", [rows.finding_of(fault, Place(source), "$") for fault in faults])


def _whole(source: str, reason: str, hint: str) -> Finding:
    return Finding(reason, "catalog_format", Place(source, path="$"), hint)


def _assemble(
    head: Head,
    providers: dict[str, Provider],
    models: dict[str, Model],
    offers: list[Offer],
    reader: rows.Reader,
    document: Mapping[str, Any],
) -> Catalog:
    try:
        vocabulary = vocabulary_of(head.benchmarks, offers, DEFAULT_TIERS)
    except ValueError as error:
        raise CatalogError("not a catalog", [_whole(reader.source, str(error), "rename the benchmark")]) from error
    served = {name: models[name] for name in dict.fromkeys(offer.model for offer in offers)}
    ranks = ranks_of(head.benchmarks, served)
    shared: dict[str, dict[str, Any]] = {
        name: model_facts(model, head.benchmarks, ranks) for name, model in served.items()
    }
    return Catalog(
        name=head.name,
        date=head.date,
        note=head.note,
        sha256=hashlib.sha256(strict_json.canonical(document)).hexdigest(),
        offers=tuple(offers),
        providers=providers,
        models=served,
        sources=head.sources,
        vocabulary=vocabulary,
        candidates=tuple(
            candidate(offer, providers[offer.provider], shared[offer.model], held=offer.provider in reader.held)
            for offer in offers
        ),
        benchmark_versions={name: bench.version for name, bench in head.benchmarks.items()},
        findings=tuple(reader.findings),
        held=dict(reader.held),
    )
