"""Catalogs that lose rows, and tenants that get no policy: told at the start and at every reload, never silently."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.reloads import reload
from tests.server.test_reload_told import program
from tests.server_x.endpoint import Served, served
from workbench.server.emulator import Running
from workbench.server.net.keeping import MOST_TOLD
from workbench.server.net.telling import Reloaded
from workbench.session.workspace import sample_root

CATALOG = sample_root().parent / "catalogs" / "2026-11.json"
Document = dict[str, Any]


def workspace(folder: Path) -> Path:
    """A copy of the sample with a catalog of its own."""
    root = shutil.copytree(sample_root(), folder / "workspace")
    settings = root / "workbench.toml"
    settings.write_text(settings.read_text().replace('catalog = "2026-11"', 'catalog = "catalog.json"'))
    shutil.copy(CATALOG, root / "catalog.json")
    return root


def change(root: Path, how: Callable[[Document], None]) -> None:
    document = json.loads(CATALOG.read_bytes())
    how(document)
    (root / "catalog.json").write_text(json.dumps(document))


def one_offer(name: str, value: Any) -> Callable[[Document], None]:
    def how(document: Document) -> None:
        document["offers"][0][name] = value

    return how


def no_providers(document: Document) -> None:
    document["providers"] = []


def no_offers(document: Document) -> None:
    document["offers"] = []


def nobody_passes(document: Document) -> None:
    document["models"] = []
    for provider in document["providers"]:
        for fact in ("region", "no_log", "dpa", "baa", "trains_on_data", "retention_days", "zero_retention"):
            provider.pop(fact, None)
    for offer in document["offers"]:
        for fact in ("no_log", "has_tee", "context"):
            offer.pop(fact, None)


@pytest.fixture(scope="module")
def live(emulation: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("live")
    with served(folder, emulation.url, root=workspace(folder)) as made:
        yield made


BAD: dict[str, tuple[Callable[[Document], None], str]] = {
    "no providers": (no_providers, "no offers"),
    "no offers": (no_offers, "no offers"),
    "a price in words": (one_offer("price_in", "cheap"), "price_in"),
    "a negative price": (one_offer("price_in", -1), "price_in"),
    "an unknown key": (one_offer("colour", "blue"), "colour"),
    "an unknown provider": (one_offer("provider", "nobody"), "nobody"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_catalog_that_lost_rows_replaces_no_whole_one(live: Served, root: Path, name: str) -> None:
    generation = reload(live)
    how, said = BAD[name]
    change(root, how)
    assert reload(live) == generation
    answer = live.chat(tenant="acme-eu", compact=True)
    assert answer.status_code == 200, answer.text
    told = live.get("/healthz").json()
    assert (told["ok"], told["up_to_date"]) == (True, False)
    assert any(said in fault["reason"] or said in str(fault["path"]) for fault in told["faults"]), told["faults"][:3]
    assert told["faults"][0]["file"] == "catalog.json"
    assert told["faults_total"] == len(live.process.host.faults)
    assert len(told["faults"]) <= MOST_TOLD + 1


def test_a_whole_catalog_holds_also_where_it_leaves_nobody_anything(live: Served, root: Path) -> None:
    """Its providers may log by now: the calls that this tenant forbids must not go on."""
    generation = reload(live)
    change(root, nobody_passes)
    assert reload(live) == generation + 1
    assert live.chat(tenant="acme-eu", compact=True).json()["error"]["code"] == "no_candidates"
    assert [each.reason for each in live.process.warnings if each.code == "no_offers"] == [
        "no offer of the catalog passes any tenant's policy"
    ]


def test_what_was_refused_is_no_change_of_the_files(live: Served, root: Path) -> None:
    """Or it would be read, and told, once more."""
    change(root, no_providers)
    before = live.tell(lambda process: process.look())
    reload(live)
    assert live.tell(lambda process: process.look()) == before


def test_what_is_told_of_many_rows_is_bounded_and_counted(live: Served, root: Path) -> None:
    change(root, no_providers)
    reload(live)
    faults = live.process.host.faults
    assert len(faults) > 800
    said = Reloaded(False, True, faults)
    document = said.as_document()
    assert document["findings_total"] == len(faults)
    assert len(document["findings"]) == MOST_TOLD + 1
    assert f"{len(faults) - MOST_TOLD:,} more" in said.sentences()[-1]
    assert "workbench check" in said.sentences()[-1]


def test_a_catalog_begun_with_is_served_without_its_bad_rows_and_says_so(emulation: Running, tmp_path: Path) -> None:
    root = workspace(tmp_path)
    change(root, one_offer("price_in", -1))
    with served(tmp_path, emulation.url, root=root) as endpoint:
        assert endpoint.chat(tenant="acme-eu", compact=True).status_code == 200
        told = endpoint.get("/healthz").json()
        assert (told["ok"], told["up_to_date"], told["faults_total"]) == (True, False, 1)
        (root / "tenants" / "ladle-free.toml").unlink()  # other files are taken up beside it, and it is told on
        assert reload(endpoint) == 2
        assert endpoint.get("/healthz").json()["faults_total"] == 1
        change(root, one_offer("price_in", "cheap"))  # there is no whole one to keep
        assert reload(endpoint) == 3
        change(root, lambda _document: None)
        assert reload(endpoint) == 4
        assert endpoint.get("/healthz").json() == {"ok": True, "initialized": True}


@pytest.mark.parametrize("how", [no_providers, no_offers])
def test_an_empty_catalog_is_nothing_to_begin_with(
    emulation: Running, tmp_path: Path, how: Callable[[Document], None]
) -> None:
    root = workspace(tmp_path)
    change(root, how)
    with served(tmp_path, emulation.url, root=root) as endpoint:
        assert endpoint.chat().json()["error"]["code"] == "not_initialized"
        answer = endpoint.get("/healthz")
        told = answer.json()
        assert (answer.status_code, told["ok"], told["initialized"]) == (503, False, False)
        assert "no offers" in told["faults"][0]["reason"]


def test_a_tenant_that_begins_without_a_policy_is_told(emulation: Running, tmp_path: Path) -> None:
    root = workspace(tmp_path)
    path = root / "tenants" / "acme-eu.toml"
    good = path.read_text()
    path.write_text("".join(line for line in good.splitlines(True) if not line.startswith("region = ")))
    with served(tmp_path, emulation.url, root=root) as endpoint:
        assert endpoint.chat(tenant="acme-eu").status_code == 409
        state = endpoint.process.host.state
        assert state is not None
        assert "acme-eu" not in state.answered
        for _ in range(2):  # and after each reload of something else
            told = endpoint.get("/healthz").json()
            assert (told["ok"], told["up_to_date"]) == (True, False)
            assert "tenants/acme-eu.toml" in {fault["file"] for fault in told["faults"]}
            with (root / "tenants" / "ladle-free.toml").open("a") as other:
                other.write("# another line\n")
            reload(endpoint)
        path.write_text(good)
        reload(endpoint)
        assert endpoint.chat(tenant="acme-eu", compact=True).status_code == 200
        assert endpoint.get("/healthz").json() == {"ok": True, "initialized": True}


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["person", "program"])
def test_the_first_words_name_it_and_try_another(tmp_path: Path, words: list[str]) -> None:
    root = workspace(tmp_path)
    change(root, one_offer("price_in", -1))
    path = root / "tenants" / "acme-eu.toml"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("region = ")))
    with program(root, *words) as made:
        assert made.stdout is not None
        assert made.stderr is not None
        if words:
            ready = json.loads(made.stdout.readline())
            assert "acme-eu" not in ready["tenants"]
            assert {"catalog.json", "tenants/acme-eu.toml"} <= {each["source"] for each in ready["warnings"]}
            assert ready["faults_total"] >= 2
            return
        while not (line := made.stdout.readline()).startswith("try "):
            pass
        assert '"tenant"' in line
        assert "acme-eu" not in line
        told = [made.stderr.readline(), made.stderr.readline()]
        assert told[0].startswith("catalog.json ")
        assert told[1].startswith("tenants/acme-eu.toml")
