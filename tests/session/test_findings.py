"""What opening a workspace warns of, beyond what stops it."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import WorkspaceError
from workbench.session.evaluation import Evaluator
from workbench.session.views import checks, tenant_view
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


def test_what_only_the_envelope_rejects_says_so(folder: Path) -> None:
    path = folder / "workbench.toml"
    path.write_text('envelope = "provider != azure"\n' + path.read_text())
    state = open_workspace(folder).state
    outcome = Evaluator().outcome(state, state.tenant("acme-eu"))
    index = state.catalog.find("azure/gpt-5.6-luna@eu")
    failed = [c for c in checks(state, outcome, index) if not c.passed]
    assert [(c.clause.id, c.observed) for c in failed] == [("envelope", "azure")]
    assert tenant_view(state, outcome).rows[0].only > 0


def test_a_bad_envelope_is_named_with_its_line(folder: Path) -> None:
    path = folder / "workbench.toml"
    path.write_text('envelope = "provder != azure"\n' + path.read_text())
    with pytest.raises(WorkspaceError) as caught:
        open_workspace(folder)
    finding = caught.value.findings[0]
    assert (finding.place.source, finding.place.line) == ("workbench.toml", 1)
    assert "provider" in (finding.hint or "")
