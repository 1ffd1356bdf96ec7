"""A sheet as a document for `--json`: columns, rules, and per tenant one cell per column."""

from __future__ import annotations

import math
from typing import Any

from workbench.whatif.matrix.grid import NO_POLICY, NOT_KEPT, rule_titles
from workbench.whatif.matrix.sheet import Sheet


def document(sheet: Sheet) -> dict[str, Any]:
    """The whole sheet. A cell is a place from 1, the name of the rule that says no, or null where nobody is kept.

    Tenants without a policy have no cells.
    """
    matrix, asked = sheet.matrix, sheet.asked
    wins, admitted = matrix.wins(), matrix.admitted()
    columns = [
        {
            "name": matrix.axis.names[column],
            "offers": int(matrix.axis.sizes[column]),
            "wins": int(wins[column]),
            "admitted": int(admitted[column]),
        }
        for column in sheet.columns
    ]
    return {
        "by": matrix.axis.by,
        "sort": asked.sort,
        "order": asked.order,
        "group": asked.group,
        "differences": asked.differences,
        "columns": columns,
        "columns_alike": sheet.hidden,
        "rules": [{"rule": rule, "title": title} for rule, title in rule_titles(matrix.evaluation).items()],
        "tenants": [_row(sheet, place) for place in range(len(sheet.rows))],
    }


def _row(sheet: Sheet, place: int) -> dict[str, Any]:
    row = sheet.rows[place]
    outcome = sheet.matrix.outcome(row.tenant)
    cost = outcome.cost_per_run
    return {
        "id": row.tenant,
        "group": row.group,
        "alike": list(row.alike),
        "winner": None if outcome.winner is None else sheet.matrix.state.catalog.offer_id(outcome.winner),
        "cost_per_run": cost if cost is not None and math.isfinite(cost) else None,
        "survivors": outcome.survivors,
        "mark": outcome.mark,
        "cells": None if outcome.compiled is None else [_cell(sheet, code) for code in sheet.codes(place).tolist()],
    }


def _cell(sheet: Sheet, code: int) -> int | str | None:
    if code in (NOT_KEPT, NO_POLICY):
        return None
    return code if code > 0 else sheet.matrix.words(code)
