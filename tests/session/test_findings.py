"""What opening a workspace warns of, beyond what stops it."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.session.workspace import open_workspace


def codes(folder: Path) -> set[str]:
    return {finding.code for finding in open_workspace(folder).findings if finding.place.source != "2026-11.json"}


def test_the_sample_warns_of_nothing_in_rulebook_and_tenants(folder: Path) -> None:
    assert codes(folder) == set()


@pytest.mark.parametrize(
    ("name", "old", "new", "code"),
    [
        ("rulebook.toml", 'bench_intelligence = "AA 4.1"', 'bench_intelligence = "AA 4.0"', "benchmark_version"),
        ("rulebook.toml", 'when = "plan = free"\nfilter', 'when = "plan = free and dpa_signed"\nfilter', "idle_rule"),
        ("tenants/acme-eu.toml", "no_log = false", 'no_log = "false"', "no_log"),
    ],
)
def test_warnings_name_what_to_look_at(folder: Path, name: str, old: str, new: str, code: str) -> None:
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert code in codes(folder)


def test_a_provider_that_no_offer_has_is_named(folder: Path) -> None:
    path = folder / "tenants" / "halvorsen.toml"
    path.write_text(path.read_text().replace('"openai"', '"opnai"'))
    found = [finding for finding in open_workspace(folder).findings if "opnai" in finding.reason]
    assert found
    assert found[0].hint is not None
    assert "openai" in found[0].hint
