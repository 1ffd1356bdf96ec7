"""What a reload may not lose: a policy, a tenant whose file broke, the sight of what has to be mended; and what a call
under way may not keep once its tenant says that nothing is to be kept."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from tests.server.faults import under_way
from tests.server.reloads import reload
from tests.server_x.endpoint import Served, served
from tests.traces.test_no_log import readings
from workbench.server.emulator import Emulator, Running, running
from workbench.server.emulator.wire import Exchange, Request, Script
from workbench.server.net.reloading import Seen
from workbench.session.workspace import sample_root
from workbench.traces.record import QuietTrace, Trace

SAMPLE = sample_root()
CATALOG = SAMPLE.parent / "catalogs" / "2026-11.json"
LOUD = "no_log = false"


class Patient(Emulator):
    """An emulator whose answers wait, while it is told to hold them."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.go.set()

    def answer(self, request: Request) -> bytes | Script:
        """As ever, later."""
        made = super().answer(request)
        assert isinstance(made, bytes)

        async def script(exchange: Exchange) -> None:
            await self.go.wait()
            await exchange.send(made)

        return script


def hold(emulator: Emulator) -> None:
    """Answer nobody until `go_on`."""
    cast("Patient", emulator).go.clear()


def go_on(emulator: Emulator) -> None:
    """Answer everybody."""
    cast("Patient", emulator).go.set()


@pytest.fixture(scope="module")
def patient() -> Iterator[Running]:
    with running(Patient()) as made:
        yield made


def workspace(folder: Path, catalog: str) -> Path:
    """A copy of the sample that names a catalog file of its own."""
    root = shutil.copytree(SAMPLE, folder / "workspace")
    named(root, catalog)
    return root


def named(root: Path, catalog: str) -> None:
    settings = (SAMPLE / "workbench.toml").read_text().replace('catalog = "2026-11"', f'catalog = "{catalog}"')
    (root / "workbench.toml").write_text(settings)


@pytest.fixture(scope="module")
def live(patient: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An endpoint over a copy of the sample that a test may spoil."""
    folder = tmp_path_factory.mktemp("live")
    root = workspace(folder, "catalog.json")
    shutil.copy(CATALOG, root / "catalog.json")
    with served(folder, patient.url, root=root) as made:
        yield made


def fingerprint(live: Served, tenant: str) -> str:
    answer = live.chat(compact=True, tenant=tenant)
    assert answer.status_code == 200, answer.text
    return answer.json()["x_router"]["policy_fingerprint"]


def look(live: Served) -> Seen:
    return live.tell(lambda process: process.look())


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# a policy


def test_a_rulebook_that_takes_tenants_their_policies_is_not_taken_up(live: Served, root: Path) -> None:
    before, generation = fingerprint(live, "acme-eu"), reload(live)
    rules = root / "rulebook.toml"
    good = rules.read_text()
    rules.write_text(good + '\n[[rule]]\nid = "all"\ntitle = "All"\nfilter = "provider in $approved_providers"\n')
    assert reload(live) == generation
    assert fingerprint(live, "acme-eu") == before
    faults = live.process.host.faults
    lost = [fault for fault in faults if fault.reason.startswith("tenant `acme-eu` would lose its policy: ")]
    assert len(lost) == 1
    assert "approved_providers" in lost[0].reason
    told = live.get("/healthz").json()
    assert (told["ok"], told["initialized"], told["up_to_date"]) == (True, True, False)
    assert lost[0].reason in [fault["reason"] for fault in told["faults"]]
    rules.write_text(good.replace('"bench_intelligence", "ge", 0.5]', '"bench_intelligence", "ge", 0.51]'))
    assert reload(live) == generation + 1
    assert fingerprint(live, "acme-eu") != before
    assert live.get("/healthz").json() == {"ok": True, "initialized": True}


def test_a_rule_that_comes_with_the_fact_it_asks_for_is_taken_up(live: Served, root: Path) -> None:
    generation = reload(live)
    with (root / "rulebook.toml").open("a") as rules:
        rules.write('\n[[rule]]\nid = "all"\ntitle = "All"\nfilter = "bench_intelligence >= $quality_floor"\n')
    for path in (root / "tenants").glob("*.toml"):
        if "quality_floor" not in path.read_text():
            edited(path, "[facts]", "[facts]\nquality_floor = 0.1")
    assert reload(live) == generation + 1
    assert not live.process.host.faults


# a tenant whose file broke


def test_a_tenant_of_another_name_than_its_file_stays_however_often_others_change(live: Served, root: Path) -> None:
    path = root / "tenants" / "a-file.toml"
    path.write_text((root / "tenants" / "acme-eu.toml").read_text().replace('"acme-eu"', '"another-name"'))
    generation = reload(live)
    before = fingerprint(live, "another-name")
    path.write_text("this is = = no TOML")
    for number in range(1, 4):
        with (root / "tenants" / "ladle-free.toml").open("a") as other:
            other.write(f"# {number}\n")
        assert reload(live) == generation + number
        assert fingerprint(live, "another-name") == before
        assert {fault.place.source for fault in live.process.host.faults} == {"tenants/a-file.toml"}
    path.unlink()
    reload(live)
    assert live.chat(tenant="another-name").status_code == 404  # a file taken away is a tenant taken away


# the sight of what has to be mended


def test_a_catalog_that_is_broken_at_the_start_is_taken_up_once_it_is_mended(patient: Running, tmp_path: Path) -> None:
    root = workspace(tmp_path, "mine.json")
    (root / "mine.json").write_text("{")
    with served(tmp_path, patient.url, root=root) as endpoint:
        assert endpoint.chat().json()["error"]["code"] == "not_initialized"
        before = look(endpoint)
        assert look(endpoint) == before
        shutil.copy(CATALOG, root / "mine.json")
        assert look(endpoint) != before
        endpoint.tell(lambda process: process.reload())
        assert endpoint.chat(compact=True).status_code == 200
        assert endpoint.get("/healthz").json() == {"ok": True, "initialized": True}


@pytest.mark.parametrize("broken", ["{", None], ids=["broken", "missing"])
def test_a_catalog_that_is_newly_named_and_broken_is_taken_up_once_it_is_mended(
    live: Served, root: Path, broken: str | None
) -> None:
    generation = reload(live)
    named(root, "new.json")
    if broken is not None:
        (root / "new.json").write_text(broken)
    assert reload(live) == generation
    assert live.process.host.faults
    before = look(live)
    assert look(live) == before
    shutil.copy(CATALOG, root / "new.json")
    assert look(live) != before
    assert reload(live) == generation + 1
    assert live.process.host.state is not None
    assert live.process.host.state.workspace.catalog_path.name == "new.json"


# what may not be kept


def quiet(path: Path) -> None:
    edited(path, LOUD, "no_log = true")


@pytest.mark.parametrize("body", [{}, {"stream": True}], ids=["plain", "stream"])
@pytest.mark.parametrize("change", [quiet, Path.unlink], ids=["quiet", "gone"])
def test_a_call_whose_tenant_becomes_quiet_while_it_runs_ends_as_a_quiet_one(
    live: Served, root: Path, patient: Running, change: Callable[[Path], None], body: dict[str, Any]
) -> None:
    path, word = root / "tenants" / "acme-eu.toml", f"wombat-{time.monotonic_ns()}"
    assert LOUD in path.read_text()
    kept = ask(live, f"kept {word}-before", **body)
    patient.tell(hold)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask, live, f"not kept {word}-while", **body)
        try:
            latest = time.monotonic() + 30
            while not under_way(live):
                assert time.monotonic() < latest
            change(path)
            reload(live)
        finally:
            patient.tell(go_on)
        hushed = asking.result(30)
    live.stored()
    store = live.process.traces.store()
    rows = {row.trace_id: row.no_log for row in store.rows(now_ms=0)}
    assert (rows[kept], rows[hushed]) == (False, True)
    assert isinstance(store.get(kept).trace, Trace)
    found = store.get(hushed).trace
    assert isinstance(found, QuietTrace)
    assert found.result is not None
    assert found.result.outcome == "ok"
    assert texts(live, f"{word}-before")
    assert not texts(live, f"{word}-while")


def ask(live: Served, text: str, **body: Any) -> str:
    """One call, answered; gives its trace's id. What the emulator says begins with what it was asked."""
    answer: httpx.Response = live.chat(
        tenant="acme-eu", compact=True, messages=[{"role": "user", "content": text}], **body
    )
    assert answer.status_code == 200
    assert text.rsplit(maxsplit=1)[-1] in answer.text
    data = next(line for line in answer.text.splitlines()[::-1] if "trace_id" in line)
    return json.loads(data.removeprefix("data: "))["x_router"]["trace_id"]


def texts(live: Served, word: str) -> bool:
    """Whether a word is in any file of the traces, as it is or compressed."""
    files = [path for path in live.folder.iterdir() if path.is_file() and path.suffix != ".wbtmp"]  # those come and go
    return any(word.encode() in data for path in files for data in readings(path.read_bytes()))
