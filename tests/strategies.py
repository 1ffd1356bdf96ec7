"""Well-typed terms for property tests, made from the signature: whatever it has, they have.

`terms(sort)` gives admissible terms of one sort over a vocabulary and a version; `preds`, `scorers`, `selectors`,
`xforms`, `failplans`, `policies` are its short forms. `depth` bounds the levels below the root.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st

from workbench.language.signature import ACTIONS, FAIL_REASONS, OPS, RELATIONS, SORTS, V1, V2, Version, operations
from workbench.language.vocabulary import CORE, V1_FIELDS, Category, Field, Vocabulary

Terms = st.SearchStrategy[list[Any]]

SAMPLE: Vocabulary = CORE.extend(
    [
        Field("bench_intelligence", "Num", 0.0, "index", "a benchmark figure"),
        Field("bench_intelligence_rank", "Num", 1e9, "", "its rank"),
        Field("trains_on_data", "Bool", True, "", "prompts may be trained on"),
        Field("dpa", "Bool", False, "", "a data processing agreement is offered"),
    ],
    [Category("region", ("eu", "us", "global", "unknown"), "where it is served")],
)
"""Core fields, two numbers, two flags and a category."""

PROVIDERS = ("openai", "mistral", "azure", "deepseek", "scaleway")
FAMILIES = ("gpt-5.5", "mistral-large-3", "deepseek-v3", "llama-4")
CAPABILITIES = ("supports_tools", "supports_vision", "supports_json_mode", "supports_seed")
PARAMETERS = ("temperature", "top_p", "max_tokens", "seed")


def numbers() -> st.SearchStrategy[float]:
    """Finite numbers: the small ones that policies hold, the edges, and any double."""
    return st.one_of(
        st.sampled_from([0, -0.0, 1, 1.0, 0.5, -1, 5, 1000, 2**53, 2**53 + 1, 2**63, 1e21, 1e-7, 1e308, -1e308]),
        st.integers(-(2**64), 2**64),
        st.floats(allow_nan=False, allow_infinity=False),
    )


def texts(known: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """Known names, mostly, and any short string of Unicode scalar values."""
    free = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
    return st.one_of(st.sampled_from(known), st.sampled_from(known), free) if known else free


def actions() -> st.SearchStrategy[dict[str, Any]]:
    """Action records, well-formed; not all of them are runnable."""
    return st.fixed_dictionaries(
        {"action": st.sampled_from(ACTIONS)},
        optional={
            "then_action": st.sampled_from(ACTIONS),
            "attempts": numbers(),
            "open_breaker_ms": numbers(),
            "backoff_ms": st.one_of(numbers(), st.lists(numbers(), max_size=4)),
            "knob": numbers(),
        },
    )


def _chains() -> st.SearchStrategy[list[dict[str, str]]]:
    plain = st.fixed_dictionaries({"provider": texts(PROVIDERS), "model": texts(FAMILIES)})
    wire = st.fixed_dictionaries(
        {"provider_id": texts(PROVIDERS), "model_family": texts(FAMILIES)}, optional={"model": texts(FAMILIES)}
    )
    return st.lists(st.one_of(plain, wire), max_size=5)


def _recipes() -> st.SearchStrategy[list[Any]]:
    record = st.dictionaries(texts(), numbers(), max_size=3)
    return st.lists(st.one_of(texts(("redact", "strip")), record), max_size=4)


def parameters(kind: str, vocabulary: Vocabulary = SAMPLE, version: Version = V2) -> st.SearchStrategy[Any]:
    """Admissible values of one parameter sort."""
    own = tuple(field.name for field in V1_FIELDS) if version == V1 else ()
    table: dict[str, st.SearchStrategy[Any]] = {
        "Num": numbers(),
        "Count": st.one_of(st.integers(1, 8), st.sampled_from([1.0, 3.0, 2**60])),
        "Rel": st.sampled_from(RELATIONS),
        "NumField": st.sampled_from([*vocabulary.of_sort("Num"), *own]),
        "BoolField": st.sampled_from(vocabulary.of_sort("Bool")),
        "Tier": st.sampled_from(vocabulary.tiers),
        "Family": texts(FAMILIES),
        "Provider": texts(PROVIDERS),
        "ServedBy": texts(PROVIDERS),
        "Capability": texts(CAPABILITIES),
        "ParamName": texts(PARAMETERS),
        "Sym": texts(("trim",)),
        "Provenance": texts(("probe", "user")),
        "FailReason": texts(FAIL_REASONS),
        "Scalar": st.one_of(numbers(), texts(("from_ctx",)), st.booleans()),
        "Action": actions(),
        "Recipe": _recipes(),
        "Chain": _chains(),
    }
    return table[kind]


def terms(sort: str, vocabulary: Vocabulary = SAMPLE, version: Version = V2, depth: int = 4) -> Terms:
    """Admissible terms of a sort, at most `depth` levels below the root (a policy needs 1)."""
    cache: dict[tuple[str, int], Terms] = {}

    def of(wanted: str, levels: int) -> Terms:
        made = cache.get((wanted, levels))
        if made is None:
            made = cache[wanted, levels] = _terms_of(wanted, levels)
        return made

    def _terms_of(wanted: str, levels: int) -> Terms:
        choices: list[Terms] = []
        for op in operations(version).values():
            kinds = op.arguments(version)
            if op.sort != wanted or (levels == 0 and not SORTS.isdisjoint(kinds)):
                continue
            parts = [of(kind, levels - 1) if kind in SORTS else parameters(kind, vocabulary, version) for kind in kinds]
            args: st.SearchStrategy[Any] = (
                st.lists(parts[0], min_size=1, max_size=4) if op.variadic else st.tuples(*parts)
            )
            choices.append(args.map(lambda values, name=op.name: [name, *values]))
        return st.one_of(choices)

    return of(sort, depth)


def preds(vocabulary: Vocabulary = SAMPLE, version: Version = V2, depth: int = 4) -> Terms:
    """Filters."""
    return terms("Pred", vocabulary, version, depth)


def scorers(vocabulary: Vocabulary = SAMPLE, version: Version = V2, depth: int = 4) -> Terms:
    """Rankings."""
    return terms("Scorer", vocabulary, version, depth)


def selectors(vocabulary: Vocabulary = SAMPLE, version: Version = V2, depth: int = 3) -> Terms:
    """Selections."""
    return terms("Selector", vocabulary, version, depth)


def xforms(vocabulary: Vocabulary = SAMPLE, version: Version = V2, depth: int = 3) -> Terms:
    """Transforms."""
    return terms("Xform", vocabulary, version, depth)


def failplans(vocabulary: Vocabulary = SAMPLE, version: Version = V2, depth: int = 4) -> Terms:
    """Failure plans."""
    return terms("FailPlan", vocabulary, version, depth)


def policies(vocabulary: Vocabulary = SAMPLE, version: Version = V2, depth: int = 4) -> Terms:
    """Whole policies."""
    return terms("Policy", vocabulary, version, depth)


def rearranged(term: list[Any]) -> Terms:
    """The same term with the children of `and` `or` `add` `ev_add` in any order and re-nested, at every level."""
    return st.randoms(use_true_random=False).map(lambda random: rearrange(term, random))


def rearrange(term: list[Any], random: Random) -> list[Any]:
    """One such rearrangement."""
    op = OPS[term[0]]
    given = len(term) - 1
    kinds = op.args * given if op.variadic else op.arguments(V1 if given == 6 else V2)
    children = [rearrange(arg, random) if kind in SORTS else arg for kind, arg in zip(kinds, term[1:], strict=True)]
    if op.name in _UNITS:
        random.shuffle(children)
        if len(children) > 1 and random.random() < 0.5:
            cut = random.randrange(1, len(children))
            children = [[op.name, *children[:cut]], *children[cut:]]
        if random.random() < 0.2:
            children.append([_UNITS[op.name]])
    return [op.name, *children]


_UNITS = {"and": "top", "or": "bot", "add": "zero", "ev_add": "ev_zero"}
