"""Every example of docs/clauses.md is read, and says what the page says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.strategies import SAMPLE
from workbench.errors import ClauseError
from workbench.language.admission import check
from workbench.language.clause_text import (
    Parsed,
    parse_condition,
    parse_fallback,
    parse_pred,
    parse_scorer,
    parse_selection,
    parse_transform,
)
from workbench.language.signature import FAIL_REASONS
from workbench.language.vocabulary import CORE_FIELDS, Category, Field, Vocabulary

PAGE = (Path(__file__).parents[2] / "docs" / "clauses.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
TENANT = Vocabulary({}, {}).extend(
    [Field("dpa_signed", "Bool", False), Field("seats", "Num", 0.0)], [Category("plan", ("free", "enterprise", "vip"))]
)
FACTS: dict[str, Any] = {"approved_providers": ("openai", "mistral"), "most_per_million": 10}


def _condition(text: str) -> Parsed:
    read = parse_condition(text, TENANT)
    check(read.term, TENANT, sort="Pred")
    return read


def _selection(text: str) -> None:
    read = parse_selection(text, SAMPLE)
    check(read.selector, SAMPLE, sort="Selector")
    if read.scorer is not None:
        check(read.scorer, SAMPLE, sort="Scorer")


READERS: dict[str, Callable[[str], object]] = {
    "pred": lambda text: check(parse_pred(text, SAMPLE).term, SAMPLE, sort="Pred"),
    "bound": lambda text: check(parse_pred(text, SAMPLE, FACTS).term, SAMPLE, sort="Pred"),
    "scorer": lambda text: check(parse_scorer(text, SAMPLE).term, SAMPLE, sort="Scorer"),
    "transform": lambda text: check(parse_transform(text, SAMPLE).term, SAMPLE, sort="Xform"),
    "selection": _selection,
    "condition": _condition,
}
LINES = [(kind, line) for kind, block in BLOCKS if kind in READERS for line in block.splitlines()]
ERRORS = [block for kind, block in BLOCKS if kind == "error"]


def test_every_block_is_of_a_known_kind() -> None:
    assert {kind for kind, _ in BLOCKS} == {*READERS, "fallback", "error"}


@pytest.mark.parametrize(("kind", "line"), LINES)
def test_an_example_is_read(kind: str, line: str) -> None:
    READERS[kind](line)


def test_the_failure_plan_is_read() -> None:
    (plan,) = (block for kind, block in BLOCKS if kind == "fallback")
    check(parse_fallback(plan, SAMPLE).term, SAMPLE, sort="FailPlan")


@pytest.mark.parametrize("block", ERRORS)
def test_an_error_reads_as_the_page_says(block: str) -> None:
    text, said = block.splitlines()
    with pytest.raises(ClauseError) as caught:
        parse_pred(text, SAMPLE)
    (finding,) = caught.value.findings
    shown = f"{finding.reason}; {finding.hint}" if finding.hint else finding.reason
    assert said == f"{' ' * caught.value.column}^ {shown}"


def test_the_table_of_filters_says_what_is_read() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| `(\[[^`]+\])` \|", PAGE, re.MULTILINE)
    filters = [
        (text, term)
        for text, term in rows
        if " CLAUSE" not in text and re.search("_eq|is|cmp|cap|tier|req|scope", term)
    ]
    assert len(filters) >= 12
    for text, term in filters:
        assert parse_pred(text, SAMPLE).term == json.loads(term)


def test_every_core_field_and_reason_is_on_the_page() -> None:
    for name in (*(field.name for field in CORE_FIELDS), *FAIL_REASONS):
        assert f"`{name}`" in PAGE
