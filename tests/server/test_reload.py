"""Files that change while calls are served: good ones are taken up whole, bad ones never."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.reloads import reload
from tests.server_x.endpoint import Served, served
from workbench.server.emulator import Running
from workbench.session.workspace import sample_root

CATALOG = Path("catalogs/2026-11.json")


@pytest.fixture(scope="module")
def live(emulation: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An endpoint over a copy of the sample that a test may spoil."""
    folder = tmp_path_factory.mktemp("live")
    root = folder / "workspace"
    shutil.copytree(sample_root(), root)
    settings = root / "workbench.toml"
    profiles = '\n[profiles.cheap]\nfilters = ["provider = mistral"]\n\n[profiles]\nmine = "mine.json"\n'
    text = settings.read_text().replace('catalog = "2026-11"', 'catalog = "catalog.json"')
    settings.write_text(text + profiles)
    shutil.copy(sample_root().parent / CATALOG, root / "catalog.json")
    term: list[Any] = [
        "policy",
        ["provider_eq", "openai"],
        ["zero"],
        ["argmax"],
        ["id"],
        ["always", {"action": "abort"}],
    ]
    (root / "mine.json").write_text(json.dumps({"policy_ir": term}))
    with served(folder, emulation.url, root=root) as made:
        yield made


def fingerprint(live: Served, **body: Any) -> str:
    answer = live.chat(compact=True, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()["x_router"]["policy_fingerprint"]


def test_profiles_of_the_workspace_decide(live: Served) -> None:
    assert live.chat(model="profile:cheap", compact=True).json()["x_router"]["provider"] == "mistral"
    assert live.chat(model="profile:mine", compact=True).json()["x_router"]["provider"] == "openai"
    named = live.chat(model="profile:cheap").json()["x_router"]["decision_trace"]["rejected"][0]
    assert any(rule["clause"] == "provider = mistral" for rule in named["rules"])


def test_a_changed_rule_is_taken_up(live: Served, root: Path) -> None:
    before, generation = fingerprint(live, tenant="acme-eu"), reload(live)
    rules = root / "rulebook.toml"
    rules.write_text(rules.read_text().replace('"bench_intelligence", "ge", 0.5]', '"bench_intelligence", "ge", 0.51]'))
    assert reload(live) == generation + 1
    assert fingerprint(live, tenant="acme-eu") != before


def test_a_new_and_a_deleted_tenant_are_taken_up(live: Served, root: Path) -> None:
    text = (root / "tenants" / "acme-eu.toml").read_text().replace("acme-eu", "newcomer")
    (root / "tenants" / "newcomer.toml").write_text(text)
    assert live.chat(tenant="newcomer").status_code == 404
    reload(live)
    assert fingerprint(live, tenant="newcomer") == fingerprint(live, tenant="acme-eu")
    (root / "tenants" / "newcomer.toml").unlink()
    reload(live)
    assert live.chat(tenant="newcomer").status_code == 404


def test_a_running_process_sees_the_change_itself(live: Served, root: Path) -> None:
    state = live.process.host.state
    assert state is not None
    (root / "tenants" / "late.toml").write_text(
        (root / "tenants" / "acme-eu.toml").read_text().replace("acme-eu", "late")
    )
    latest = time.monotonic() + 15
    while live.chat(tenant="late", compact=True).status_code != 200:
        assert time.monotonic() < latest


BROKEN = {
    "empty": b"",
    "truncated": None,
    "binary": bytes(range(256)),
    "utf-16": "id = 'x'".encode("utf-16"),
    "unclosed": b'id = "x',
    "other": b"[[somewhere]]\nelse = 1\n",
    "deep": b"a = " + b"[" * 1000,
    "huge": b"# " + b"x" * 300_000,
    "nul": b'id = "a\x00b"\n',
    "gone": b"<gone>",
}


@pytest.mark.parametrize("how", sorted(BROKEN))
@pytest.mark.parametrize(
    "name", ["rulebook.toml", "tenants/acme-eu.toml", "catalog.json", "workbench.toml", "mine.json"]
)
def test_a_file_that_broke_replaces_nothing(live: Served, root: Path, name: str, how: str) -> None:
    before = fingerprint(live, tenant="acme-eu"), fingerprint(live, model="profile:mine")
    path, data = root / name, BROKEN[how]
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 3] if data is None else data)
    reload(live)
    if how == "gone" and name.startswith("tenants/"):
        assert live.chat(tenant="acme-eu").status_code == 404  # a file taken away is a tenant taken away
        return
    assert (fingerprint(live, tenant="acme-eu"), fingerprint(live, model="profile:mine")) == before
    faults = live.process.host.faults
    assert faults
    assert all(finding.reason for finding in faults)


def test_without_any_good_state_everything_is_503_until_there_is_one(emulation: Running, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "workbench.toml").write_text("catalog = ")
    with served(tmp_path, emulation.url, root=root) as endpoint:
        answer = endpoint.chat()
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_initialized")
        health = endpoint.get("/healthz")
        assert health.status_code == 503
        assert (health.json()["ok"], health.json()["initialized"]) == (False, False)
        shutil.copytree(sample_root(), root, dirs_exist_ok=True)
        endpoint.tell(lambda process: process.reload())
        assert endpoint.chat(compact=True).status_code == 200
        assert endpoint.get("/healthz").status_code == 200
        assert endpoint.get("/healthz").json() == {"ok": True, "initialized": True}
