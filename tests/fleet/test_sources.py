"""The same tenants from every kind of source get the same decisions, and nothing is ever written to one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from tests.fleet.worlds import batch_of, plan_of, sample
from workbench.errors import UsageError, WorkspaceError
from workbench.whatif.fleet.arrow import load, pa
from workbench.whatif.fleet.deciding.batch import decide_batch
from workbench.whatif.fleet.plan import ColumnMap, FleetPlan, map_columns
from workbench.whatif.fleet.run import wanted_of
from workbench.whatif.fleet.side import Side
from workbench.whatif.fleet.sources.base import Source
from workbench.whatif.fleet.sources.opening import open_source

TENANTS: list[dict[str, Any]] = [
    {"id": "acme", "plan": "enterprise", "region": "eu", "data_class": "internal", "dpa_signed": True,
     "vip_support": False, "no_log": False, "approved_providers": ["azure", "mistral"], "blocked_providers": [],
     "quality_floor": 0.5, "tokens_in": 4000.0, "tokens_out": 800.0, "runs_per_month": 120.0},
    {"id": "a,b", "plan": "free", "region": "global", "data_class": "public", "dpa_signed": False,
     "vip_support": False, "no_log": True, "approved_providers": None, "blocked_providers": None,
     "quality_floor": None, "tokens_in": 500.0, "tokens_out": None, "runs_per_month": None},
    {"id": "globex", "plan": "gold \"x\"", "region": "us", "data_class": "health", "dpa_signed": None,
     "vip_support": True, "no_log": None, "approved_providers": ["openai"], "blocked_providers": ["azure"],
     "quality_floor": 2.0, "tokens_in": 12000.0, "tokens_out": 1000.5, "runs_per_month": 3.0},
    {"id": "initech", "plan": "vip", "region": "us", "data_class": "sensitive", "dpa_signed": True,
     "vip_support": True, "no_log": False, "approved_providers": None, "blocked_providers": ["openai", "azure"],
     "quality_floor": None, "tokens_in": 1500.0, "tokens_out": 300.0, "runs_per_month": 1e6},
    {"id": "line\nbreak", "plan": None, "region": None, "data_class": None, "dpa_signed": None, "vip_support": None,
     "no_log": None, "approved_providers": None, "blocked_providers": None, "quality_floor": None, "tokens_in": None,
     "tokens_out": None, "runs_per_month": None},
]  # fmt: skip
NAMES = tuple(TENANTS[0])


def _expected() -> list[dict[str, Any]]:
    batch = batch_of(TENANTS)
    return decide_batch(batch, plan_of(sample(), batch)).to_pylist()


def decided(source: Source, **said: Any) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """What a source's tenants get, and the rows that were none."""
    side = Side.of(sample())
    plan = FleetPlan(
        source.adjusted(map_columns(source.columns, ColumnMap(**said), side, source.form, source.name)), side
    )
    rows: list[dict[str, Any]] = []
    broken: list[tuple[int, str]] = []
    for piece in source.pieces(wanted_of(plan)):
        rows += decide_batch(piece.batch, plan).to_pylist()
        broken += [(each.row, each.reason) for each in piece.broken]
    return rows, broken


def write_csv(path: Path, tenants: Sequence[dict[str, Any]], separator: str = "|") -> Path:
    """Tenants as CSV; what is not stated is an empty cell, an empty list a quoted one."""

    def cell(value: Any) -> str:
        if value is None:
            return ""
        text = str(value).casefold() if isinstance(value, bool) else str(value)
        if isinstance(value, list):
            text = separator.join(cast("list[str]", value))
        return '"' + text.replace('"', '""') + '"'

    lines = [",".join(NAMES), *(",".join(cell(tenant[name]) for name in NAMES) for tenant in tenants)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_csv(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "tenants.csv", TENANTS)
    assert decided(open_source(str(path)), separator="|") == (_expected(), [])


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "tenants.jsonl"
    path.write_text("".join(json.dumps(tenant) + "\n" for tenant in TENANTS), encoding="utf-8")
    assert decided(open_source(str(path))) == (_expected(), [])


def test_json_lines_that_arrow_cannot_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tenants.jsonl"
    odd = {**TENANTS[0], "id": "odd", "plan": 7, "tokens_in": "many", "approved_providers": "azure", "no_log": "no"}
    lines = [json.dumps(tenant) for tenant in (*TENANTS, odd)]
    lines[3:3] = [
        "",
        "{",
        '{"id": "x", "id": "y"}',
        '{"id": "n", "quality_floor": NaN}',
        "[1]",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    rows, broken = decided(open_source(str(path)))
    assert rows[:-1] == _expected()
    assert rows[-1]["errors"] == [
        "`plan` must be a text, found a number",
        "`approved_providers` must be a list of texts, found a text",
        "`tokens_in` must be a number, found a text",
    ]
    assert [row for row, _ in broken] == [5, 6, 7, 8]
    assert broken[1][1] == "the line can't be read: a key stands twice in one object"
    assert broken[2][1] == "the line can't be read: `NaN` is no JSON number"


def test_a_key_that_turns_up_later_is_a_fault_of_its_line(tmp_path: Path) -> None:
    path = tmp_path / "tenants.jsonl"
    lines = [json.dumps({"id": f"t{place}", "plan": "free"}) for place in range(1_000)]
    path.write_text("\n".join([*lines, '{"id": "late", "plann": "free"}', '{"id": "last"}']), encoding="utf-8")
    rows, broken = decided(open_source(str(path)))
    assert [row["id"] for row in rows[999:]] == ["t999", "last"]
    assert broken == [(1001, "unknown key `plann`, which the first lines do not have")]


def test_parquet_file_and_folder(tmp_path: Path) -> None:
    pq = load("pyarrow.parquet")
    table = pa.Table.from_batches([batch_of(TENANTS)])
    for place, part in enumerate((table.slice(0, 2), table.slice(2))):
        pq.write_table(part, tmp_path / f"{place}.parquet", row_group_size=1)
    assert decided(open_source(str(tmp_path))) == (_expected(), [])
    assert decided(open_source(str(tmp_path / "0.parquet")))[0] == _expected()[:2]


def sqlite_file(path: Path) -> Path:
    """The tenants in a table and, under other names, in a view."""
    with closing(sqlite3.connect(path)) as connection:
        columns = ", ".join(f'"{name}"' for name in NAMES)
        connection.execute(f"CREATE TABLE tenants ({columns})")
        marks = ", ".join("?" for _ in NAMES)
        rows = [[json.dumps(v) if isinstance(v, list) else v for v in tenant.values()] for tenant in TENANTS]
        connection.executemany(f"INSERT INTO tenants VALUES ({marks})", rows)  # noqa: S608 - a test's own table
        connection.execute("CREATE VIEW named AS SELECT id AS customer, plan AS tier FROM tenants")
        connection.commit()
    return path


def test_sqlite_table_and_query(tmp_path: Path) -> None:
    path = sqlite_file(tmp_path / "base.db")
    assert decided(open_source(str(path), table="tenants")) == (_expected(), [])
    query = "SELECT * FROM tenants -- all of them"
    assert decided(open_source(f"sqlite:///{path}", query=query)) == (_expected(), [])


def test_sqlite_columns_of_several_types_are_told_row_by_row(tmp_path: Path) -> None:
    path = sqlite_file(tmp_path / "base.db")
    query = "SELECT id, CASE WHEN id = 'acme' THEN 7 ELSE plan END AS plan FROM tenants"
    rows, _ = decided(open_source(str(path), query=query))
    assert rows[0]["errors"] == ["`plan` must be a text, found a number"]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM tenants",
        "SELECT 1) ; DELETE FROM tenants; --",
        "SELECT id FROM tenants; DELETE FROM tenants",
        "SELECT load_extension('x') AS id",
        "SELECT no_such_column FROM tenants",
    ],
)
def test_sqlite_is_never_written_to(tmp_path: Path, query: str) -> None:
    path = sqlite_file(tmp_path / "base.db")
    before = path.read_bytes()
    with pytest.raises(WorkspaceError):
        decided(open_source(str(path), query=query))
    assert path.read_bytes() == before


@contextmanager
def _filled(database: str) -> Generator[sa.Engine]:
    engine = sa.create_engine(sa.make_url(database).set(drivername="postgresql+psycopg"))
    kinds = {"id": "text", "dpa_signed": "boolean", "vip_support": "boolean", "no_log": "boolean",
             "approved_providers": "text[]", "blocked_providers": "jsonb", "quality_floor": "numeric",
             "tokens_in": "bigint", "tokens_out": "double precision", "runs_per_month": "numeric"}  # fmt: skip
    with engine.begin() as connection:
        columns = ", ".join(f'"{name}" {kinds.get(name, "text")}' for name in NAMES)
        connection.execute(sa.text(f"CREATE TABLE tenants ({columns})"))
        marks = ", ".join(f"CAST(:{name} AS {kinds.get(name, 'text')})" for name in NAMES)
        for tenant in TENANTS:
            row = {**tenant, "blocked_providers": json.dumps(tenant["blocked_providers"])}
            if tenant["blocked_providers"] is None:
                row["blocked_providers"] = None
            connection.execute(sa.text(f"INSERT INTO tenants VALUES ({marks})"), row)  # noqa: S608 - a test's own
    yield engine
    engine.dispose()


def test_postgresql_table_and_query(database: str) -> None:
    renamed = "SELECT id AS customer, plan AS tier FROM tenants WHERE plan = 'free' -- some"
    with _filled(database):
        assert decided(open_source(database, table="tenants")) == (_expected(), [])
        assert decided(open_source(database, table="public.tenants"))[0] == _expected()
        rows, _ = decided(open_source(database, query=renamed), fields=(("plan", "tier"),), id_column="customer")
    assert [row["id"] for row in rows] == ["a,b"]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM tenants RETURNING id",
        "SELECT id FROM tenants; DELETE FROM tenants",
        "SELECT id FROM tenants) AS source; COMMIT; DELETE FROM tenants; SELECT (SELECT 1",
        "WITH gone AS (DELETE FROM tenants RETURNING id) SELECT id FROM gone",
        "SELECT nextval('s')::text AS id",
    ],
)
def test_postgresql_is_never_written_to(database: str, query: str) -> None:
    with _filled(database) as engine:
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE SEQUENCE s"))
        with pytest.raises(WorkspaceError):
            decided(open_source(database, query=query))
        with engine.begin() as connection:
            assert connection.execute(sa.text("SELECT count(*) FROM tenants")).scalar() == len(TENANTS)
            assert connection.execute(sa.text("SELECT is_called FROM s")).scalar() is False


def test_a_password_is_never_shown(database: str) -> None:
    url = sa.make_url(database).set(password="s3cret/word", host="/nowhere", query={})  # noqa: S106 - made up
    with pytest.raises(WorkspaceError) as raised:
        open_source(url.render_as_string(hide_password=False), table="tenants")
    assert "s3cret" not in str(raised.value)
    assert "s3cret" not in repr(raised.value.__cause__)


def test_csv_rows_that_are_none_are_counted_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "tenants.csv"
    path.write_text("id,plan\na,free\nb\nc,free,1\nd,free\ne\n", encoding="utf-8")
    source = open_source(str(path))
    side = Side.of(sample())
    plan = FleetPlan(map_columns(source.columns, ColumnMap(), side, source.form, source.name), side)
    pieces = list(source.pieces(wanted_of(plan)))
    rows = [(piece.first + k, row["id"]) for piece in pieces for k, row in enumerate(piece.batch.to_pylist())]
    assert rows == [(1, "a"), (4, "d")]
    assert [broken.row for piece in pieces for broken in piece.broken] == [2, 3, 5]


def test_columns_must_be_known_or_ignored(tmp_path: Path) -> None:
    path = tmp_path / "tenants.csv"
    path.write_text("customer,plann,mrr,approved_providers\na,free,1,\n", encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        decided(open_source(str(path)), fields=(("region", "country"), ("nope", "mrr")))
    assert [(finding.code, finding.reason) for finding in raised.value.findings] == [
        ("unknown_column", "there is no column `country` for `region`"),
        ("unknown_field", "`nope` is no tenant field"),
        ("unknown_column", "column `customer` is no tenant field"),
        ("unknown_column", "column `plann` is no tenant field"),
        ("no_id", "no column holds the tenants' ids"),
        ("no_separator", "column `approved_providers` holds lists, and nothing says how"),
    ]
    rows, _ = decided(
        open_source(str(path)), fields=(("plan", "plann"),), id_column="customer", ignored=("mrr",), separator=";"
    )
    assert rows[0]["id"] == "a"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("nothing.csv", "there is no such file"),
        ("mysql://x/y", "`mysql://` is no address that tenants are read from"),
        ("notes.txt", "`notes.txt` does not say what it holds"),
        ("empty.csv", "this is no CSV"),
        ("empty.jsonl", "none of its first lines is a JSON object"),
        ("broken.parquet", "this is no Parquet file"),
        ("broken.db", "SQLite says: file is not a database"),
        ("folder", "the folder has no file that ends in `.parquet`"),
    ],
)
def test_what_is_no_source_is_refused_in_words(tmp_path: Path, place: str, said: str) -> None:
    for name in ("notes.txt", "empty.csv", "empty.jsonl"):
        (tmp_path / name).touch()
    for name in ("broken.parquet", "broken.db"):
        (tmp_path / name).write_bytes(b"not at all what it says" * 100)
    (tmp_path / "folder").mkdir()
    where = place if "://" in place else str(tmp_path / place)
    with pytest.raises((WorkspaceError, UsageError)) as raised:
        open_source(where)
    assert said in raised.value.findings[0].reason
