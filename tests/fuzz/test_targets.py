"""Every fuzz target over its corpus and a few hundred inputs beside it, so that none of them rots."""

from __future__ import annotations

import json
import re
from importlib import import_module
from random import Random
from typing import Any

import pytest

from tests.fuzz import harness
from tests.scale import SOAK, scaled

NAMES = ("term", "clause", "json", "toml")


@pytest.mark.timeout(0 if SOAK else 120)
@pytest.mark.parametrize("name", NAMES)
def test_a_target_over_its_corpus_and_noise(name: str) -> None:
    target: Any = import_module(f"tests.fuzz.fuzz_{name}")
    for data in harness.inputs(name, Random(name), scaled(300, 30_000)):
        target.one_input(data)


@pytest.mark.parametrize("name", NAMES)
def test_a_corpus_is_small_and_there(name: str) -> None:
    files = list((harness.CORPUS / name).iterdir())
    assert len(files) >= 8
    assert sum(path.stat().st_size for path in files) <= 65_536


def _lenient(data: bytes, **_options: str) -> object:
    return json.loads(data)


def test_a_target_fails_where_what_it_fuzzes_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    target: Any = import_module("tests.fuzz.fuzz_json")
    monkeypatch.setattr(target.strict_json, "loads", _lenient)
    with pytest.raises(ValueError, match=re.escape("Expecting")):
        target.one_input(b"{")
