"""The public functions, used as docs/api.md shows them; the page's own code is run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import workbench
from workbench.engine.pool import Pool
from workbench.session.workspace import sample_root

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
CATALOG_FREE = [
    "policy", ["cmp", "price_out", "le", 10], ["neg", ["normalize", ["field", "price_out"]]],
    ["argmax"], ["id"], ["always", {"action": "next_candidate"}],
]  # fmt: skip


def test_the_page_runs_as_it_stands(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 2
    (tmp_path / "policies").symlink_to(sample_root())
    path = os.pathsep.join([str(PAGE.parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "region = eu <- eu-residency {'region': 'eu'}" in done.stdout


def test_every_public_name_is_there_and_no_other() -> None:
    for name in workbench.__all__:
        assert getattr(workbench, name).__doc__
    with pytest.raises(AttributeError):
        _ = workbench.no_such_name  # pyright: ignore[reportAttributeAccessIssue]


def test_a_bare_term_cannot_be_decided() -> None:
    with pytest.raises(workbench.WorkbenchError):
        workbench.admit(["polcy"])
    with pytest.raises(workbench.WorkbenchError):
        workbench.admit(None)


def test_candidates_of_your_own() -> None:
    pool = Pool(
        [{"provider_id": "a", "model_family": "m", "price_out": 5}, {"provider_id": "b", "model_family": "m"}],
        workbench.Vocabulary(),
    )
    decision = workbench.decide(workbench.admit(CATALOG_FREE), pool)
    assert decision.order == (0,)
    assert [(r.index, r.reason) for r in decision.rejected] == [(1, "cmp:price_out:le")]


def test_columns_are_built_once_per_catalog() -> None:
    state = workbench.load_workspace(sample_root()).state
    policy = workbench.admit(CATALOG_FREE, state.catalog.vocabulary)
    assert workbench.decide(policy, state.catalog) == workbench.decide(policy, state.pool)


def test_import_loads_no_terminal_web_or_http_library() -> None:
    code = (
        "import sys, workbench\n"
        "workbench.admit, workbench.decide, workbench.compile, workbench.load_workspace\n"
        "heavy = {'textual', 'rich', 'httpx', 'starlette', 'click', 'lark', 'tomlkit'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    root = str(PAGE.parents[1])
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_equal_bytes_are_read_once_and_another_vocabulary_is_another_reading() -> None:
    data = json.dumps(CATALOG_FREE).encode()
    vocabulary = workbench.Vocabulary()
    first = workbench.admit_json(data, vocabulary)
    assert workbench.admit_json(bytes(bytearray(data)), vocabulary) is first
    assert first == workbench.admit(CATALOG_FREE, vocabulary)
    other = workbench.admit_json(data, workbench.Vocabulary())
    assert other is not first
    assert other == first
    with pytest.raises(workbench.WorkbenchError):
        workbench.admit_json(b'["policy", null]', vocabulary)
    with pytest.raises(workbench.WorkbenchError):
        workbench.admit_json(b"[NaN", vocabulary)


def test_many_policies_are_admitted_in_bounded_memory() -> None:
    vocabulary = workbench.Vocabulary()
    for k in range(1_100):
        term = ["cmp", "price_out", "le", k]
        assert workbench.admit_json(json.dumps(term).encode(), vocabulary).normal == term


def test_a_decision_is_kept_by_what_it_reads() -> None:
    catalog = workbench.load_workspace(sample_root()).state.catalog
    policy = workbench.admit(CATALOG_FREE, catalog.vocabulary)
    first = workbench.decide(policy, catalog)
    assert workbench.decide(policy, catalog, {"request": {"requirements": {"min_context": 1e9}}}) is first
    health = {"state": {"ema": {"nobody|nothing": {"price_out": 1}}}}
    assert workbench.decide(policy, catalog, health) == first
    found: list[workbench.Decision] = []
    thread = threading.Thread(target=lambda: found.append(workbench.decide(policy, catalog)))
    thread.start()
    thread.join()
    assert found == [first]
    assert found[0] is not first
