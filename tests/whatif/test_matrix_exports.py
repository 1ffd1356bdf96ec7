"""A sheet as CSV, Markdown and a page: every cell arrives, and no name is ever markup, a formula or an address."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import MappingProxyType

import pytest

from tests.whatif.worlds import sample
from workbench.errors import UsageError
from workbench.session.evaluation import Evaluator
from workbench.session.state import WorkspaceState
from workbench.whatif.matrix import page
from workbench.whatif.matrix.document import document
from workbench.whatif.matrix.exports import as_csv, as_markdown, header
from workbench.whatif.matrix.grid import Matrix
from workbench.whatif.matrix.page import as_html
from workbench.whatif.matrix.sheet import Asked, Sheet, sheet

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=https://evil.example/x onerror=1>', "=cmd|'/c calc'!A0", "@SUM(1)", "+1",
    "a|b `c` *d* [e](https://evil.example)", "\x1b[31mred\x1b[0m", "\u202eolleh", "</style><b>", "line\nbreak", "&amp;",
)  # fmt: skip


def hostile_state() -> WorkspaceState:
    """The sample with names that would do harm: of models, of a rule, of a fact's value."""
    state = sample()
    offers = tuple(
        replace(offer, served_model_id=HOSTILE[k % len(HOSTILE)] + str(k))
        for k, offer in enumerate(state.catalog.offers)
    )
    rules = tuple(replace(rule, title=HOSTILE[k % len(HOSTILE)]) for k, rule in enumerate(state.rulebook.rules))
    tenants = tuple(
        replace(tenant, facts=MappingProxyType({**tenant.facts, "blocked_providers": (HOSTILE[k % len(HOSTILE)],)}))
        for k, tenant in enumerate(state.tenants)
    )
    catalog = replace(state.catalog, offers=offers, note=HOSTILE[0], name=HOSTILE[1])
    return replace(state, catalog=catalog, rulebook=replace(state.rulebook, rules=rules), tenants=tenants)


def hostile_sheet(**wishes: object) -> Sheet:
    """Some columns of it, tenants grouped by a hostile fact."""
    matrix = Matrix(Evaluator().evaluate(hostile_state()))
    return sheet(matrix, Asked(group="blocked_providers", **wishes))  # type: ignore[arg-type]


class Page(HTMLParser):
    """What a browser would see: tags, attributes, text, and the cells of the table."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.scripts: list[str] = []
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._inside.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "script" in self._inside:
            self.scripts.append(data)
        elif {"td", "th"} & set(self._inside):
            self.rows[-1][-1] += data


def test_the_page_holds_every_cell_and_nothing_of_a_name_is_markup() -> None:
    found = hostile_sheet()
    text = as_html(found, HOSTILE[0])
    read = Page(text)
    known = {
        "html", "head", "meta", "title", "style", "body", "h1", "p", "input", "div", "table", "thead", "tr", "th",
        "button", "tbody", "td", "dl", "dt", "dd", "script",
    }  # fmt: skip
    assert set(read.tags) <= known
    assert read.tags.count("script") == 1
    assert len(read.scripts) == 1
    assert "alert" not in read.scripts[0]
    assert [len(row) for row in read.rows] == [len(header(found))] * (len(found.rows) + 1)
    assert [row[-len(found.columns) :] for row in read.rows[1:]] == [found.texts(k) for k in range(len(found.rows))]


def test_the_page_names_no_address_and_is_forbidden_any() -> None:
    read = Page(as_html(hostile_sheet(), "title"))
    assert {name for name, _ in read.attributes}.isdisjoint({"src", "href", "action", "srcset", "data", "onclick"})
    policy = next(value for name, value in read.attributes if name == "content" and "default-src" in (value or ""))
    assert (policy or "").startswith("default-src 'none'")
    plain = as_html(sheet(Matrix(Evaluator().evaluate(sample())), Asked()), "title")
    assert not re.search(r"https?:|//[a-z]|url\(|@import|\x1b", plain)


def test_a_page_that_no_browser_would_show_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_CELLS", 100)
    with pytest.raises(UsageError) as refused:
        as_html(hostile_sheet(), "title")
    assert "--by provider" in (refused.value.findings[0].hint or "")


def test_csv_reads_back_and_no_cell_is_a_formula() -> None:
    found = hostile_sheet()
    rows = list(csv.reader(io.StringIO(as_csv(found))))
    assert len(rows) == len(found.rows) + 1
    assert {len(row) for row in rows} == {len(header(found))}
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
    assert not any("\x1b" in cell or "\n" in cell for row in rows for cell in row)
    assert [row[-len(found.columns) :] for row in rows[1:]] == [found.texts(k) for k in range(len(found.rows))]


def test_markdown_keeps_its_columns_whatever_the_names() -> None:
    found = hostile_sheet(columns="openai")
    lines = as_markdown(found).splitlines()
    table = [line for line in lines if line.startswith("| ")]
    assert len(table) == len(found.rows) + 2
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
    assert bars == {len(header(found)) + 1}
    assert "<script" not in "\n".join(lines)
    assert not re.search(r"(?<!\\)\]\(", "\n".join(lines))


def test_the_document_has_a_place_a_rule_or_nothing_for_each_column() -> None:
    found = sheet(Matrix(Evaluator().evaluate(sample()), "provider"), Asked())
    made = document(found)
    for place, row in enumerate(made["tenants"]):
        assert len(row["cells"]) == len(made["columns"]) == len(found.columns)
        assert [str(cell) for cell in row["cells"]] == found.texts(place)
    named = {rule["rule"] for rule in made["rules"]}
    assert {cell for row in made["tenants"] for cell in row["cells"] if isinstance(cell, str)} <= named


def test_same_state_same_bytes() -> None:
    made = [
        (as_csv(one), as_markdown(one), as_html(one, "t"))
        for one in (sheet(Matrix(Evaluator().evaluate(sample())), Asked(differences=True)) for _ in range(2))
    ]
    assert made[0] == made[1]
