"""The door into the language: a term is admitted soundly, or refused with an `AdmissionError`; nothing else.

An input that starts with `[` is a term in JSON. Any other is a list of choices: the first byte says which sort and
version, and whether the term is broken afterwards.
"""

from __future__ import annotations

from tests.fuzz.harness import ByteRandom, fuzz, measured, well_worded

with measured(__name__):
    from typing import Any

    from tests.mutation import mutated, sound
    from tests.strategies import SAMPLE
    from workbench.boundary import strict_json
    from workbench.engine.context import Context
    from workbench.engine.decide import decide
    from workbench.engine.pool import Pool
    from workbench.errors import AdmissionError, DocumentError
    from workbench.language.admission import Admitted, check, compose, find
    from workbench.language.encoding import encode
    from workbench.language.lowering import lower
    from workbench.language.migrate import migrate
    from workbench.language.normal_form import normalize
    from workbench.language.refusal import CODES
    from workbench.language.runnable import runnable
    from workbench.language.signature import V1, V2, Version

SORTS = ("Pred", "Scorer", "Selector", "Xform", "FailPlan", "Policy", "Policy", "Evidence")
POOL = Pool(
    [
        {"provider_id": "openai", "model_family": "gpt-5.5", "price_in": 5, "capabilities": {"supports_tools": True}},
        {"provider_id": "mistral", "tok_s": 9, "no_log": True, "region_eu": True},
        {},
    ],
    SAMPLE,
)
CONTEXT = Context({"requirements": {"privacy": "no_log"}}, {"ema": {"openai|gpt-5.5": {"price_in": 2}}}, 7)


def one_input(data: bytes) -> None:
    """Brings one term to the door."""
    if data[:1] == b"[":
        try:
            term: Any = strict_json.loads(data)
        except DocumentError:
            return
        for version in (V1, V2):
            _knock(term, version)
        _lower(term)
        return
    head = data[0] if data else 0
    random = ByteRandom(data[1:])
    version: Version = V1 if head & 8 or SORTS[head & 7] == "Evidence" else V2
    term = sound(random, SORTS[head & 7], version, 5)
    if head & 16:
        term = mutated(random, term)
    else:
        assert find(term, SAMPLE, version=version) == ()
    _knock(term, version)
    _lower(term)


def _knock(term: Any, version: Version) -> None:
    found = find(term, SAMPLE, version=version)
    assert all(one.code in CODES and well_worded(f"{one.reason}") for one in found), found
    assert all(well_worded(f"{one.place.path}{one.hint or ''}"[:512]) for one in found), found
    try:
        admitted = check(term, SAMPLE, version=version)
    except AdmissionError as error:
        _same(error.findings, found[:1])
        return
    _same(found, ())
    assert normalize(admitted.source, version) == admitted.normal == normalize(admitted.normal, version)
    assert f"{version}:{encode(admitted.normal)}" == admitted.encoding
    assert check(admitted.normal, SAMPLE, version=version) == admitted
    runnable(admitted)
    if admitted.sort == "Policy":
        _decide(admitted)


def _same(found: object, expected: object) -> None:
    assert found == expected


def _decide(policy: Admitted) -> None:
    assert decide(policy, POOL, CONTEXT) == decide(policy, POOL, CONTEXT, evaluator="reference")
    try:
        migrate(policy, SAMPLE)
    except AdmissionError:
        assert policy.version == V1  # v2 has no such field
    try:
        narrowed = compose(policy, check(["is", "no_log"], SAMPLE), SAMPLE)
    except AdmissionError:
        return  # too deep once wrapped, or of v1
    assert set(decide(narrowed, POOL, CONTEXT).survivor_indices) <= {1}


def _lower(term: Any) -> None:
    try:
        lower(term, SAMPLE)
    except AdmissionError as error:
        _same([one for one in error.findings if one.code not in CODES], [])


if __name__ == "__main__":
    fuzz("term", one_input)
