"""A schema that a later program might have, for tests of migrations."""

from __future__ import annotations

from workbench.traces.databases.schema import MIGRATIONS, Migration, newest

NEXT = newest(MIGRATIONS) + 1
LATER = (
    *MIGRATIONS,
    Migration(
        NEXT, "a column", ("ALTER TABLE traces ADD COLUMN label TEXT", "CREATE INDEX by_label ON traces (label)")
    ),
)
