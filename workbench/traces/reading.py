"""An exported record, read back: the inverse of `document`, given the population it was decided over.

Trusts nothing of the document: digests are computed from what it holds and must be those it states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any, NoReturn, cast

import numpy as np

from workbench.engine.context import Context
from workbench.errors import DocumentError, Finding
from workbench.language.admission import check
from workbench.traces.parts.asked import asked_of, state_of
from workbench.traces.parts.catalogs import KeptCatalog
from workbench.traces.parts.sources import Sources
from workbench.traces.parts.steps import Step, steps_of
from workbench.traces.parts.verdicts import Verdicts
from workbench.traces.parts.words import STORED_BASES, TOLD_BASES, Digest, Ending, Fingerprint, Identifier, Whose
from workbench.traces.record import (
    SCHEMA,
    AnyTrace,
    Exchange,
    Head,
    Material,
    QuietTrace,
    Record,
    Result,
    Trace,
    Usage,
)

_WORDS = {"inf": float("inf"), "-inf": float("-inf"), "nan": float("nan")}


def from_document(document: object, catalog: KeptCatalog) -> Record:
    """The record whose JSON this is.

    Raises `DocumentError` where it is none, names another population than `catalog`, or states a digest that its own
    content does not have; `AdmissionError` for a policy that is none.
    """
    if not isinstance(document, dict):
        _refuse("a record is a JSON object")
    held = cast("dict[str, Any]", document)
    if held.get("schema") != SCHEMA:
        _refuse("it is of another schema")
    if held.get("population_sha256") != catalog.content_sha256:
        _refuse("it was decided over another population")
    try:
        return _record(held, catalog)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        _refuse(f"{type(error).__name__}: {error}")


def _refuse(reason: str) -> NoReturn:
    raise DocumentError("a record cannot be read", [Finding(reason, "trace_document")]) from None


def _record(held: Mapping[str, Any], catalog: KeptCatalog) -> Record:
    policy = check(held["policy_ir"], catalog.vocabulary, version=held["policy_version"], sort="Policy")
    sources = Sources.from_document(held["sources"])
    verdicts = _verdicts(held, sources)
    material = Material(catalog, policy, sources, state_of(held["state"]), verdicts)
    asked = asked_of(Context({"requirements": held["requirements"], "scope": held["scope"]}), catalog)
    head = Head(
        Identifier(held["trace_id"]), round(datetime.fromisoformat(held["time"]).timestamp() * 1000),
        Whose(held["tenant"]), policy.version, Fingerprint(policy.fingerprint), Digest(policy.identity),
        catalog.sha256, catalog.content_sha256, Digest(held["rulebook_sha256"]), sources.content_sha256,
        Digest(sha256(material.state_content).hexdigest()), verdicts.content_sha256, asked, held["seed"],
        held["emulated"] is True,
    )  # fmt: skip
    for name in ("policy_sha256", "policy_fingerprint", "catalog_sha256"):
        if held[name] != getattr(head, name):
            _refuse(f"`{name}` is not that of its content")
    return Record(_trace(held, head, verdicts, catalog), material, held["sequence"])


def _verdicts(held: Mapping[str, Any], sources: Sources) -> Verdicts:
    population = int(held["population"])
    rows, away = held["ranked"], held["rejected"]
    reasons = tuple(sorted({str(row["reason"]) for row in away}))
    codes = np.full(population, len(reasons), dtype="<u2")
    filters = [source.id for source in sources.filters]
    failed = np.zeros((len(filters), population), dtype=np.bool_)
    for row in away:
        codes[row["index"]] = reasons.index(row["reason"])
        for rule in row["rules"]:
            failed[filters.index(rule["id"]), row["index"]] = True
    scores = [_WORDS[row["score"]] if isinstance(row["score"], str) else row["score"] for row in rows]
    return Verdicts(
        population, np.array([row["index"] for row in rows], dtype="<i4").tobytes(),
        np.array(scores, dtype="<f8").tobytes(), reasons, codes.tobytes(),
        tuple(np.packbits(line).tobytes() for line in failed),
    )  # fmt: skip


def _trace(held: Mapping[str, Any], head: Head, verdicts: Verdicts, catalog: KeptCatalog) -> AnyTrace:
    result = None if held["outcome"] is None else _result(held)
    steps = tuple(_step(event, verdicts, catalog) for event in held["decision_path"])
    if held["no_log"] is not False:
        return QuietTrace(head, result, tuple(step.quiet for step in steps))
    text = held.get("exchange")
    return Trace(head, result, steps, None if text is None else Exchange(text["request"], text["response"]))


def _result(held: Mapping[str, Any]) -> Result:
    tokens, chosen, told = held["tokens"], held["chosen"], held["cost_basis"]
    basis = STORED_BASES.get(told, told if told in TOLD_BASES else None)
    usage = Usage(
        tokens["in"], tokens["out"], tokens["cached"], held["cost_usd"], basis,
        held["first_token_ms"], held["tokens_per_s"],
    )  # fmt: skip
    return Result(Ending(held["outcome"]), None if chosen is None else chosen["index"], held["total_latency_ms"], usage)


def _step(event: Mapping[str, Any], verdicts: Verdicts, catalog: KeptCatalog) -> Step:
    """One event; the place it states stands, where the catalog has such a place."""
    step = steps_of([event], verdicts.order, catalog)[0]
    index = event["index"]
    if not isinstance(index, int) or not -1 <= index < verdicts.population:
        _refuse("an event names no offer")
    return replace(step, quiet=replace(step.quiet, index=index))
