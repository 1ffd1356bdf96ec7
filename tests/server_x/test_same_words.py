"""A call's answer and its trace say the same words: whose rule it was, and where the cost comes from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.cli.command import call as command
from tests.server_x.endpoint import Served, policy, served
from workbench.session.workspace import sample_root
from workbench.traces.document import document
from workbench.traces.wire import from_row, to_row

PROFILES = '\n[profiles.cheap]\nfilters = ["provider = mistral"]\n\n[profiles]\nmine = "mine.json"\n'


@pytest.fixture(scope="module")
def profiled(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("profiled")
    root = folder / "workspace"
    shutil.copytree(sample_root(), root)
    settings = root / "workbench.toml"
    settings.write_text(settings.read_text() + PROFILES)
    (root / "mine.json").write_text('["policy", ["provider_eq", "mistral"], ["zero"], ["argmax"], ["id"], '
                                    '["always", {"action": "next_candidate"}]]')  # fmt: skip
    with served(folder, emulator, root=root) as made:
        yield made


def words(rows: list[dict[str, Any]]) -> list[list[str]]:
    """The rule words of each rejected offer."""
    return [[rule["rule"] for rule in row["rules"]] for row in rows]


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("", {"model": "pin:mistral/mistral-medium-3.5"}, "request"),
        ("", {"policy_ir": policy(["provider_eq", "mistral"])}, "policy"),
        ("", {"policy_ir": policy(["provider_eq", "mistral"]), "tenant": "acme-eu"}, "policy"),
        ("/cheap", {}, "profile"),
        ("/mine", {}, "profile"),
        ("", {"tenant": "acme-eu"}, "eu-residency"),
    ],
)
def test_a_trace_names_the_rules_that_the_answer_named(
    profiled: Served, path: str, body: dict[str, Any], word: str
) -> None:
    asked = {"messages": [{"role": "user", "content": "hello"}], **body}
    told = profiled.post(f"{path}/v1/chat/completions", asked).json()["x_router"]
    trace = profiled.get(f"/x/traces/{told['trace_id']}").json()
    said = words(told["decision_trace"]["rejected"])
    assert words(trace["rejected"]) == said
    assert any(word in rules for rules in said)
    assert "own" not in {rule for rules in said for rule in rules}
    sources = {source["id"]: source["rule"] for source in trace["sources"]}
    assert {sources[rule["id"]] for row in trace["rejected"] for rule in row["rules"]} >= {word}
    profiled.stored()
    shown = command("traces", "show", told["trace_id"], "--rejected", "--traces", str(profiled.folder / "traces.db"))
    assert (shown.code, f" {word} " in shown.out) == (0, True)


def test_a_trace_and_the_answer_say_one_word_for_the_basis_of_the_cost(profiled: Served) -> None:
    told = profiled.chat(tenant="acme-eu", compact=True).json()["x_router"]
    trace = profiled.get(f"/x/traces/{told['trace_id']}").json()
    assert (trace["cost_basis"], trace["cost_usd"]) == (told["cost_basis"], told["cost_usd"])
    assert told["cost_basis"] == "computed"


@pytest.mark.parametrize(
    ("stored", "told"), [("estimated", "computed"), ("reported", "computed"), ("provider", "reported")]
)
def test_what_was_stored_before_is_read_in_the_words_of_now(profiled: Served, stored: str, told: str) -> None:
    trace_id = profiled.chat(tenant="acme-eu", compact=True).json()["x_router"]["trace_id"]
    profiled.stored()
    kept = profiled.process.traces.store().get(trace_id)
    row = to_row(kept.trace).replace(b'"cost_basis":"reported"', f'"cost_basis":"{stored}"'.encode())
    assert document(replace(kept, trace=from_row(row)))["cost_basis"] == told
