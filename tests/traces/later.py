"""A schema that a later program might have, for tests of migrations."""

from __future__ import annotations

from workbench.traces.databases.schema import MIGRATIONS, Migration

SECOND = (
    *MIGRATIONS,
    Migration(2, "a column", ("ALTER TABLE traces ADD COLUMN label TEXT", "CREATE INDEX by_label ON traces (label)")),
)
