"""One decision, never made before, beside what pip installs for the same job; all in one run, taking turns.

    python -m benchmarks.peers [--json]

Ours gives order, scores and the reason of every rejected offer. Cedar and CEL do the filter alone: one check per offer,
with the reason, over policies, entities and contexts that were parsed before; nobody is ranked. LiteLLM's router does
the ranking by cost alone and gives the winner. What each of them answers is compared with ours first, so that nobody is
timed at another job. A peer that is not installed is named in a note. The extra `bench` brings them all.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from itertools import cycle
from typing import Any, Final

import numpy as np

from benchmarks.measure import Work, medians
from benchmarks.offers import CONTEXT, FILTERS, VOCABULARY, offers, policies_with, policy_of
from benchmarks.tables import Cell, Table, script
from workbench.engine.decide import decide
from workbench.engine.decision import Decision
from workbench.engine.pool import Pool
from workbench.language.admission import Admitted

SIZES: Final = (15, 300, 2_500, 10_000)
ROUTED: Final = (300, 2_500)
PACKAGES: Final = {"Cedar": "cedarpy", "CEL": "common-expression-language", "LiteLLM": "litellm"}
MOST: Final = 10**12
"""Stands for infinity among Cedar's whole numbers."""

Term = list[Any]


@dataclass(frozen=True, slots=True)
class Job:
    """One policy over one pool, and what ours decides."""

    name: str
    policy: Admitted
    pool: Pool
    decision: Decision

    @property
    def checks(self) -> list[Term]:
        """What the filter tries one after the other, the request's requirements spelled out."""
        found: list[Term] = []
        for child in self.policy.normal[1][1:]:
            found += _required() if child[0] == "meets_req" else [child]
        return found

    def facts(self) -> list[dict[str, Any]]:
        """Every offer's facts, defaults filled in: what the checks look at and nothing else."""
        columns = self.pool.columns
        fields = {name for check in self.checks for name in _fields(check)}
        numbers = {name: columns.numbers(name).tolist() for name in fields if VOCABULARY.fields[name].sort == "Num"}
        flags = {name: columns.flags(name).tolist() for name in fields - numbers.keys()}
        facts = {**numbers, **flags, "tools": columns.capability("supports_tools").tolist()}
        return [
            {"provider": self.pool.candidates[k]["provider_id"], **{name: column[k] for name, column in facts.items()}}
            for k in range(len(self.pool))
        ]


def _required() -> list[Term]:
    """The requirements of `CONTEXT` in the order of trial."""
    return [["has_cap", "supports_tools"], ["cmp", "context", "ge", CONTEXT.requirements["min_context"]]]


def _fields(term: Term) -> Iterator[str]:
    if term[0] in {"is", "cmp"}:
        yield term[1]
    elif term[0] in {"and", "or", "not"}:
        for child in term[1:]:
            yield from _fields(child)


def job(name: str, size: int) -> Job:
    """The policy of that name over that many offers."""
    policy, pool = policy_of(name), Pool(offers(size), VOCABULARY)
    return Job(name, policy, pool, decide(policy, pool, CONTEXT))


_RELATIONS: Final = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


def written(term: Term, offer: str, number: Callable[[float], str]) -> str:
    """A predicate as Cedar and CEL both spell it; `offer` is what stands before a fact's name."""
    op = term[0]
    if op in {"and", "or"}:
        return "(" + f" {'&&' if op == 'and' else '||'} ".join(written(each, offer, number) for each in term[1:]) + ")"
    if op == "not":
        return f"!({written(term[1], offer, number)})"
    if op == "is":
        return f"{offer}{term[1]}"
    if op == "has_cap":
        return f"{offer}tools"
    if op == "provider_eq":
        return f'{offer}provider == "{term[1]}"'
    return f"{offer}{term[1]} {_RELATIONS[term[2]]} {number(term[3])}"


def thousandths(value: float) -> int:
    """Cedar counts in whole numbers; the made-up prices have three decimals."""
    return MOST if value == np.inf else round(value * 1000)


def cedar(work: Job) -> Work:
    """One request per offer, in one batch, the policies and the offers parsed beforehand."""
    peer: Any = import_module("cedarpy")
    rules = ["permit(principal, action, resource);"]
    for place, check in enumerate(work.checks):
        condition = written(check, "resource.", lambda value: str(thousandths(value)))
        rules.append(f'@id("{place}") forbid(principal, action, resource) unless {{ {condition} }};')
    entities: list[dict[str, Any]] = []
    for place, facts in enumerate(work.facts()):
        attributes = {name: thousandths(value) if isinstance(value, float) else value for name, value in facts.items()}
        entities.append({"uid": {"type": "Offer", "id": str(place)}, "attrs": attributes, "parents": []})
    policies = peer.PolicySet.from_str("\n".join(rules))
    known = peer.Entities.from_json_str(json.dumps(entities))
    requests: list[dict[str, Any]] = [
        {"principal": 'Tenant::"t"', "action": 'Action::"call"', "resource": f'Offer::"{place}"', "context": {}}
        for place in range(len(work.pool))
    ]

    def run() -> Sequence[Any]:
        return peer.is_authorized_batch(requests, policies, known)

    allowed = [place for place, result in enumerate(run()) if result.allowed]
    assert tuple(allowed) == work.decision.survivor_indices, "Cedar admits other offers"
    return run


def cel(work: Job) -> Work:
    """One evaluation per offer, that gives the place of the first check which fails."""
    peer: Any = import_module("cel")
    expression = str(len(work.checks))
    for place in reversed(range(len(work.checks))):
        condition = written(work.checks[place], "", lambda value: repr(float(value)))
        expression = f"!({condition}) ? {place} : ({expression})"
    program = peer.compile(expression)
    contexts = [peer.Context(variables=facts) for facts in work.facts()]

    def run() -> list[Any]:
        return [program.execute(context) for context in contexts]

    assert run() == work.decision.codes.tolist(), "CEL gives other reasons"
    return run


def litellm(work: Job) -> Work:
    """The router's choice among as many deployments of one model, by cost."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    logging.disable(logging.CRITICAL)
    peer: Any = import_module("litellm")
    columns = work.pool.columns
    costs = (columns.or_zero("price_in") + columns.or_zero("price_out") + 0.001).tolist()
    deployments = [
        {
            "model_name": "model",
            "litellm_params": {
                "model": f"openai/m{place}",
                "api_key": "none",
                "input_cost_per_token": cost / 1e6,
                "output_cost_per_token": 1e-12,
            },
            "model_info": {"id": str(place)},
        }
        for place, cost in enumerate(costs)
    ]
    router = peer.Router(model_list=deployments, routing_strategy="cost-based-routing")
    loop = asyncio.new_event_loop()
    messages = [{"role": "user", "content": "hello"}]

    def run() -> Any:
        return loop.run_until_complete(
            router.async_get_available_deployment(model="model", messages=messages, request_kwargs={})
        )

    chosen = int(run()["model_info"]["id"])
    assert costs[chosen] == min(costs), "LiteLLM chooses a dearer one"
    return run


PEERS: Final[dict[str, Callable[[Job], Work]]] = {"Cedar": cedar, "CEL": cel, "LiteLLM": litellm}


def installed() -> tuple[dict[str, str], list[str]]:
    """Versions of the peers that are here, and a note for each that is not."""
    versions: dict[str, str] = {}
    notes: list[str] = []
    for name, package in PACKAGES.items():
        try:
            versions[name] = version(package)
        except PackageNotFoundError:
            notes.append(f"{name} was skipped: `{package}` is not installed (pip install 'policy-workbench[bench]').")
    return versions, notes


def candidates(work: Job, versions: dict[str, str]) -> dict[str, Work]:
    """Everything that is timed in one run; ours with other weights each time, so that no sort is known by heart."""
    turns = cycle(policies_with(FILTERS[work.name]))
    forgetful = Pool(work.pool.candidates, VOCABULARY)

    def cold() -> object:
        forgetful.columns.memory.forget()
        return decide(next(turns), forgetful, CONTEXT)

    found: dict[str, Work] = {
        "columnar": lambda: decide(next(turns), work.pool, CONTEXT),
        "columnar, masks forgotten": cold,
        "reference": lambda: decide(next(turns), work.pool, CONTEXT, evaluator="reference"),
    }
    for name, make in PEERS.items():
        if name in versions and (name != "LiteLLM" or len(work.pool) in ROUTED):
            found[name] = make(work)
    return found


def measure() -> list[Table]:
    """A table for each policy: sizes down, peers across, in microseconds and as ratios to ours."""
    versions, notes = installed()
    names = ("columnar", "columnar, masks forgotten", "reference", *versions)
    head = ("offers", "survivors", *(f"{name} µs" for name in names), *(f"{name} / columnar" for name in names[2:]))
    told = [f"{name} is {PACKAGES[name]} {number}." for name, number in versions.items()]
    tables: list[Table] = []
    for name in FILTERS:
        rows: list[tuple[Cell, ...]] = []
        for size in SIZES:
            work = job(name, size)
            assert work.decision == decide(work.policy, work.pool, CONTEXT, evaluator="reference")
            took = medians(candidates(work, versions), passes=2 if size > 300 else 3, rounds=5)
            times = [took.get(each) for each in names]
            ratios = [None if time is None else time / took["columnar"] for time in times[2:]]
            rows.append((float(size), float(work.decision.survivors), *times, *ratios))
        title = f"One decision, uncached, policy `{name}`"
        tables.append(Table(f"peers-{name}", title, head, tuple(rows), (*told, *notes)))
    return tables


if __name__ == "__main__":
    sys.exit(script(__doc__, measure))
