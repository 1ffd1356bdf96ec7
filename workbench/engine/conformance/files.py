"""The file format of conformance vectors: reading a file, packed or not, and what its header declares.

Owns sizes, packing and the header. A vector in it may be anything: judging that is `replay`'s part.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from workbench.boundary import loose_json
from workbench.boundary.files import read_bytes
from workbench.engine.values import number, record
from workbench.errors import DocumentError, Finding, Place
from workbench.language.flow import FLOW_VERSION
from workbench.language.signature import V1, V2, Version
from workbench.language.vocabulary import CORE, Field, Vocabulary

MAX_BYTES: Final = 64 * 1024 * 1024
"""Most bytes of a vector file, unpacked."""
VERSIONS: Final = (V1, V2, FLOW_VERSION)

_GZIP: Final = b"\x1f\x8b"
_TITLE: Final = "not a vector file"
_WORDS: Final = {
    **dict.fromkeys(("inf", "+inf", "infinity", "+infinity"), float("inf")),
    **dict.fromkeys(("-inf", "-infinity"), float("-inf")),
}


def read(path: Path) -> Mapping[str, Any]:
    """A vector file, `.json` or `.json.gz`. Raises `DocumentError` or `FileRefused`."""
    return parse(read_bytes(path, max_bytes=MAX_BYTES), str(path))


def parse(data: bytes, source: str) -> Mapping[str, Any]:
    """The document in the bytes of a vector file, gzip or plain. Raises `DocumentError` that names `source`."""
    if data.startswith(_GZIP) or source.endswith(".gz"):
        data = _unpacked(data, source)
    document = loose_json.loads(data, source=source, max_bytes=MAX_BYTES)
    if not isinstance(document, dict):
        raise _no_vectors("expected an object with `version` and `vectors`", source)
    return document


def opened(document: Mapping[str, Any]) -> tuple[Sequence[Any], Version, Vocabulary]:
    """The vectors of a document, the version their terms speak, and what they may name. Raises `DocumentError`."""
    version, vectors = document.get("version"), document.get("vectors")
    if version not in VERSIONS or not isinstance(vectors, list):
        raise _no_vectors(f"expected `version` (one of {', '.join(VERSIONS)}) and a list `vectors`")
    return cast("list[Any]", vectors), V1 if version == V1 else V2, _vocabulary(record(document.get("extensions")))


def double(value: object) -> float | None:
    """A number as a double, the words for infinity too."""
    return _WORDS.get(value.lower()) if isinstance(value, str) else number(value)


def _vocabulary(extensions: Mapping[str, Any]) -> Vocabulary:
    fields: list[Field] = []
    for name, declaration in extensions.items():
        stated = record(declaration)
        default: object = stated.get("default")
        match stated.get("sort"):
            case "Num":
                fields.append(Field(name, "Num", double(default) or 0.0))
            case "Bool":
                fields.append(Field(name, "Bool", default is True))
            case _:
                raise _no_vectors(f"extension `{name}` has no sort Num or Bool")
    try:
        return CORE.extend(fields)
    except ValueError as error:
        raise _no_vectors(str(error)) from None


def _no_vectors(reason: str, source: str | None = None) -> DocumentError:
    return DocumentError(_TITLE, [Finding(reason, "shape", Place(source))])


def _unpacked(data: bytes, source: str) -> bytes:
    """What a gzip file holds, all its members, read no further than the limit."""
    unpacked = b""
    while data:
        member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            unpacked += member.decompress(data, MAX_BYTES + 1 - len(unpacked))
        except zlib.error as error:
            raise DocumentError(f"{source} is not a gzip file", [Finding(str(error), "gzip", Place(source))]) from None
        if len(unpacked) > MAX_BYTES:
            reason = f"over {MAX_BYTES} bytes when unpacked"
            raise DocumentError(f"{source} is too large", [Finding(reason, "size", Place(source))])
        if not member.eof:
            finding = Finding("the gzip stream has no end", "gzip", Place(source))
            raise DocumentError(f"{source} is cut short", [finding])
        data = member.unused_data.lstrip(b"\0")
    return unpacked
