"""The store's tables, as numbered steps from nothing to the newest schema.

A released step is never changed; a new one is added below it. Every statement runs on SQLite and PostgreSQL alike, but
for the two words in braces that `DIALECT` fills in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Dialect = Literal["sqlite", "postgresql"]

DIALECT: Final[dict[Dialect, dict[str, str]]] = {
    "sqlite": {"serial": "INTEGER PRIMARY KEY AUTOINCREMENT", "bytes": "BLOB"},
    "postgresql": {"serial": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "bytes": "BYTEA"},
}


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: the schema it leads to, and what it does."""

    version: int
    title: str
    statements: tuple[str, ...]


MIGRATIONS: Final = (
    Migration(
        1,
        "traces, their calls and the contents they name",
        (
            """CREATE TABLE contents (
                kind TEXT NOT NULL, sha256 TEXT NOT NULL, size BIGINT NOT NULL, data {bytes} NOT NULL,
                PRIMARY KEY (kind, sha256))""",
            """CREATE TABLE traces (
                sequence {serial},
                trace_id TEXT NOT NULL UNIQUE,
                time_ms BIGINT NOT NULL,
                tenant TEXT NOT NULL,
                no_log INTEGER NOT NULL,
                emulated INTEGER NOT NULL,
                writer TEXT NOT NULL,
                outcome TEXT,
                winner TEXT,
                offer TEXT,
                provider TEXT,
                model TEXT,
                region TEXT,
                attempts INTEGER NOT NULL,
                tokens_in DOUBLE PRECISION,
                tokens_out DOUBLE PRECISION,
                cost_usd DOUBLE PRECISION,
                latency_ms DOUBLE PRECISION)""",
            "CREATE INDEX traces_by_tenant ON traces (tenant, sequence)",
            "CREATE INDEX traces_by_time ON traces (time_ms)",
            """CREATE TABLE records (
                sequence BIGINT PRIMARY KEY REFERENCES traces (sequence) ON DELETE CASCADE,
                words TEXT NOT NULL,
                data {bytes} NOT NULL)""",
            """CREATE TABLE uses (
                sequence BIGINT NOT NULL REFERENCES traces (sequence) ON DELETE CASCADE,
                kind TEXT NOT NULL, sha256 TEXT NOT NULL,
                PRIMARY KEY (sequence, kind),
                FOREIGN KEY (kind, sha256) REFERENCES contents (kind, sha256))""",
            "CREATE INDEX uses_by_content ON uses (kind, sha256)",
            """CREATE TABLE calls (
                sequence BIGINT NOT NULL REFERENCES traces (sequence) ON DELETE CASCADE,
                number INTEGER NOT NULL,
                place INTEGER NOT NULL,
                attempt INTEGER NOT NULL,
                provider TEXT NOT NULL,
                began_ms BIGINT NOT NULL,
                ended_ms BIGINT,
                kind TEXT,
                http_status INTEGER,
                latency_ms DOUBLE PRECISION,
                PRIMARY KEY (sequence, number))""",
        ),
    ),
    Migration(
        2,
        "traces with the same contents name them as one set",
        (
            """CREATE TABLE sets (
                id {serial},
                catalog TEXT NOT NULL,
                policy TEXT NOT NULL,
                sources TEXT NOT NULL,
                state TEXT NOT NULL,
                verdicts TEXT NOT NULL,
                UNIQUE (catalog, policy, sources, state, verdicts))""",
            """INSERT INTO sets (catalog, policy, sources, state, verdicts) SELECT DISTINCT
                max(CASE kind WHEN 'catalog' THEN sha256 END), max(CASE kind WHEN 'policy' THEN sha256 END),
                max(CASE kind WHEN 'sources' THEN sha256 END), max(CASE kind WHEN 'state' THEN sha256 END),
                max(CASE kind WHEN 'verdicts' THEN sha256 END) FROM uses GROUP BY sequence
                HAVING count(DISTINCT kind) = 5""",
            "ALTER TABLE traces ADD COLUMN contents BIGINT REFERENCES sets (id)",
            """UPDATE traces SET contents = (SELECT id FROM sets s
                JOIN uses c ON c.kind = 'catalog' AND c.sha256 = s.catalog
                JOIN uses p ON p.kind = 'policy' AND p.sha256 = s.policy
                JOIN uses o ON o.kind = 'sources' AND o.sha256 = s.sources
                JOIN uses t ON t.kind = 'state' AND t.sha256 = s.state
                JOIN uses v ON v.kind = 'verdicts' AND v.sha256 = s.verdicts
                WHERE c.sequence = traces.sequence AND p.sequence = traces.sequence AND o.sequence = traces.sequence
                AND t.sequence = traces.sequence AND v.sequence = traces.sequence)""",
            "DROP TABLE uses",
            "CREATE INDEX traces_by_contents ON traces (contents)",
        ),
    ),
)

TABLE: Final = "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, title TEXT NOT NULL)"
APPLIED: Final = "SELECT max(version) FROM migrations"
DONE: Final = "INSERT INTO migrations (version, title) VALUES (:version, :title)"


def newest(migrations: Sequence[Migration]) -> int:
    """The schema that this program writes."""
    return migrations[-1].version


def statements(migration: Migration, dialect: Dialect) -> tuple[str, ...]:
    """The step in one database's words."""
    return tuple(text.format(**DIALECT[dialect]) for text in migration.statements)
