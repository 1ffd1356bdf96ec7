"""A rulebook or tenant file that is cut anywhere is read or refused with its place; a cut file never grants more."""

from __future__ import annotations

import pytest

from tests.rulebook.books import raw_tenant
from tests.rulebook.sample import FOLDER, catalog, rulebook
from workbench.boundary import guarded_toml
from workbench.errors import DocumentError, RulebookError, TenantError
from workbench.rulebook.rulebook import parse_rulebook

BOOK_TEXT = (FOLDER / "rulebook.toml").read_text(encoding="utf-8")
TENANT_TEXT = (FOLDER / "tenants" / "corvane-bank.toml").read_text(encoding="utf-8")


def read(text: str) -> None:
    document = guarded_toml.loads(text.encode(), source="cut.toml")
    parse_rulebook(document, source="cut.toml", text=text, vocabulary=catalog().vocabulary)


@pytest.mark.parametrize("cut", range(0, len(BOOK_TEXT), 97))
def test_a_cut_rulebook_is_read_or_refused_with_its_line(cut: int) -> None:
    try:
        read(BOOK_TEXT[:cut])
    except (DocumentError, RulebookError) as error:
        places = [finding.place for finding in error.findings]
    else:
        places = []
    assert all(place.source == "cut.toml" and place.line is not None for place in places)


@pytest.mark.parametrize("cut", range(0, len(TENANT_TEXT), 11))
def test_a_cut_tenant_is_refused_or_stays_no_log(cut: int) -> None:
    try:
        who = raw_tenant(rulebook(), TENANT_TEXT[:cut])
    except (DocumentError, TenantError) as error:
        assert_placed(error)
        return
    assert who.no_log


def assert_placed(error: DocumentError | TenantError) -> None:
    """Every finding of a refusal has its line."""
    assert error.findings
    assert all(finding.place.line is not None for finding in error.findings)
