"""The documents: every link and picture in them leads somewhere, and what they say of the sample holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workbench.session.workspace import open_workspace, sample_root

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = [target for target in LINK.findall(page.read_text()) if not (page.parent / target).exists()]
    assert not lost


def test_the_readme_counts_the_sample_right() -> None:
    state = open_workspace(sample_root()).state
    providers = len({offer.provider for offer in state.catalog.offers})
    said = f"eight tenants, {len(state.catalog.offers)} real offers of {providers} providers"
    assert len(state.tenants) == 8
    assert said in (ROOT / "README.md").read_text()
