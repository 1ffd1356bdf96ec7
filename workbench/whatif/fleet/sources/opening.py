"""Which kind of source a place names: by the address it begins with, or the letters it ends in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from workbench.errors import Finding, Place, UsageError
from workbench.whatif.fleet.sources.base import Source, refuse
from workbench.whatif.fleet.sources.delimited import CsvSource
from workbench.whatif.fleet.sources.lines import LinesSource
from workbench.whatif.fleet.sources.parquet import ParquetSource
from workbench.whatif.fleet.sources.postgres import PostgresSource
from workbench.whatif.fleet.sources.sqlite import SqliteSource

FORMATS: Final = ("csv", "tsv", "jsonl", "parquet", "sqlite")
_ENDINGS: Final = {
    ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet",
    ".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite",
}  # fmt: skip
_POSTGRES: Final = ("postgresql://", "postgres://", "postgresql+psycopg://")
_SQLITE: Final = "sqlite:///"


def open_source(place: str, *, table: str | None = None, query: str | None = None, kind: str | None = None) -> Source:
    """The source at a path or an address. Raises `UsageError` where it is of no kind, `WorkspaceError` as it opens."""
    if table is not None and query is not None:
        raise _usage("a table and a query are asked for", "name one of them")
    if place.startswith(_POSTGRES):
        address = "postgresql://" + place.partition("://")[2]
        return PostgresSource(address, table=table, query=query)
    if "://" in place and not place.startswith(_SQLITE):
        word = place.partition("://")[0]
        raise _usage(
            f"`{word}://` is no address that tenants are read from", "postgresql://..., sqlite:///FILE, or a path"
        )
    path = Path(place.removeprefix(_SQLITE))
    if not _exists(path):
        raise refuse(str(path), "there is no such file", "no_file", "write a path, or postgresql://USER@HOST/DATABASE")
    found = kind or ("sqlite" if place.startswith(_SQLITE) else _kind_of(path))
    if found == "sqlite":
        return SqliteSource(path, table=table, query=query)
    if table is not None or query is not None:
        raise _usage(f"`{path.name}` is no database", "leave --table and --query out")
    try:
        return _file(path, found)
    except OSError as error:
        raise refuse(str(path), (error.strerror or type(error).__name__).lower()) from None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no system takes it for a path
        return False


def _file(path: Path, kind: str) -> Source:
    if kind == "parquet":
        return ParquetSource(path)
    if path.is_dir():
        raise refuse(str(path), "it is a folder", hint="only Parquet may be a folder of files")
    if kind == "jsonl":
        return LinesSource(path)
    return CsvSource(path, "\t" if kind == "tsv" else ",")


def _kind_of(path: Path) -> str:
    if path.is_dir():
        return "parquet"
    kind = _ENDINGS.get(path.suffix.casefold())
    if kind is None:
        ends = ", ".join(f"`{ending}`" for ending in _ENDINGS)
        raise _usage(f"`{path.name}` does not say what it holds", f"name it with --format; known endings are {ends}")
    return kind


def _usage(reason: str, hint: str) -> UsageError:
    return UsageError("the source can't be used", [Finding(reason, "source", Place(), hint)])
