"""The signature of sigma-pol as data: every operation, its sort, its arguments, the versions that have it.

Whether a position takes a sub-term or a parameter is decided here and never by looking at the value (LANGUAGE.md 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Sort = Literal["Pred", "Scorer", "Selector", "Xform", "FailPlan", "Policy", "Evidence"]
Parameter = Literal[
    "Num", "Count", "Rel", "NumField", "BoolField", "Tier", "Family", "Provider", "ServedBy", "Capability",
    "ParamName", "Sym", "Provenance", "FailReason", "Scalar", "Action", "Recipe", "Chain",
]  # fmt: skip
Version = Literal["sigma-pol/v1", "sigma-pol/v2"]

V1: Final = "sigma-pol/v1"
V2: Final = "sigma-pol/v2"
BOTH: Final[frozenset[Version]] = frozenset((V1, V2))

SORTS: Final[frozenset[str]] = frozenset(("Pred", "Scorer", "Selector", "Xform", "FailPlan", "Policy", "Evidence"))
"""Names of argument positions that hold a sub-term; every other name is a parameter."""

RELATIONS: Final = ("lt", "le", "eq", "ne", "ge", "gt")
ACTIONS: Final = ("retry_same", "next_candidate", "next_provider_same_model", "disable_provider", "abort")
FAIL_REASONS: Final = (
    "rate_limit", "timeout", "server_error", "auth_error", "bad_request", "content_filter", "bad_response",
    "model_unavailable", "network_error", "context_overflow", "stream_interrupted", "payment_required", "unknown",
)  # fmt: skip

MAX_DEPTH: Final = 64
"""The root is depth 1."""
MAX_NODES: Final = 4096
"""Sub-terms, the root included; parameters do not count."""


@dataclass(frozen=True, slots=True)
class Op:
    """One operation."""

    name: str
    sort: Sort
    args: tuple[str, ...]
    """Argument positions: a sort or a parameter each. Of a variadic op, the one kind it repeats."""
    meaning: str
    variadic: bool = False
    """One or more of `args[0]`."""
    versions: frozenset[Version] = BOTH
    alternative: tuple[str, ...] | None = None
    """The arguments under v1 where they differ (`policy` has `Evidence` first)."""

    def arguments(self, version: Version) -> tuple[str, ...]:
        """The argument positions under `version`."""
        return self.alternative if self.alternative is not None and version == V1 else self.args


_V1_ONLY: Final[frozenset[Version]] = frozenset((V1,))
_V2_ONLY: Final[frozenset[Version]] = frozenset((V2,))

_TABLE: Final = (
    Op("top", "Pred", (), "always true"),
    Op("bot", "Pred", (), "always false"),
    Op("and", "Pred", ("Pred",), "true where every argument is", variadic=True),
    Op("or", "Pred", ("Pred",), "true where one argument is", variadic=True),
    Op("not", "Pred", ("Pred",), "true where its argument is false"),
    Op("meets_req", "Pred", (), "the request's own requirements hold"),
    Op("scope_matches", "Pred", (), "the candidate has no scope, or the request's"),
    Op("is", "Pred", ("BoolField",), "a yes-or-no field holds"),
    Op("cmp", "Pred", ("NumField", "Rel", "Num"), "a number field compared with a number"),
    Op("tier_eq", "Pred", ("Tier",), "the candidate's tier is this one"),
    Op("min_tier", "Pred", ("Tier",), "the candidate's tier is this one or a higher one"),
    Op("family_eq", "Pred", ("Family",), "the model family is this one"),
    Op("provider_eq", "Pred", ("Provider",), "the provider is this one", versions=_V2_ONLY),
    Op("served_by_eq", "Pred", ("ServedBy",), "the executed route is this one", versions=_V2_ONLY),
    Op("has_cap", "Pred", ("Capability",), "a capability flag is true"),
    Op("zero", "Scorer", (), "0 for everyone"),
    Op("add", "Scorer", ("Scorer",), "the sum", variadic=True),
    Op("scale", "Scorer", ("Num", "Scorer"), "a multiple"),
    Op("gate", "Scorer", ("Pred", "Scorer"), "0 where the predicate fails; drops nobody"),
    Op("neg", "Scorer", ("Scorer",), "s becomes 1 - s"),
    Op("normalize", "Scorer", ("Scorer",), "min-max over the survivors"),
    Op("clamp", "Scorer", ("Num", "Num", "Scorer"), "held between two numbers"),
    Op("field", "Scorer", ("NumField",), "a number field's value"),
    Op("lit", "Scorer", ("Num",), "one number for everyone"),
    Op("quality", "Scorer", (), "v1 composite: measured or hinted quality", versions=_V1_ONLY),
    Op("speed", "Scorer", (), "v1 composite: measured latency", versions=_V1_ONLY),
    Op("cost", "Scorer", (), "v1 composite: estimated cost of the request", versions=_V1_ONLY),
    Op("free_credit", "Scorer", (), "v1 composite: credits left at the provider", versions=_V1_ONLY),
    Op("partner", "Scorer", (), "v1 composite: the tier as a number", versions=_V1_ONLY),
    Op("argmax", "Selector", (), "best first"),
    Op("ordered", "Selector", (), "the input order"),
    Op("sample", "Selector", ("Num",), "seeded draw, weighted by rank"),
    Op("chain", "Selector", ("Chain",), "a fixed list in its order"),
    Op("top_k", "Selector", ("Count", "Selector"), "the first k of the inner order"),
    Op("prefer", "Selector", ("Pred", "Selector"), "those that match first, each part in order", versions=_V2_ONLY),
    Op("id", "Xform", (), "the request as it is"),
    Op("seq", "Xform", ("Xform",), "one after the other", variadic=True),
    Op("set_param", "Xform", ("ParamName", "Scalar"), "set a request parameter"),
    Op("inject_seed", "Xform", ("ParamName",), "set a parameter to the seed"),
    Op("clamp_param", "Xform", ("ParamName", "Num", "Num"), "hold a parameter between two numbers"),
    Op("jitter", "Xform", ("ParamName", "Num"), "move a parameter by a seeded amount"),
    Op("filter_text", "Xform", ("Recipe",), "a directive on text, for the host"),
    Op("filter_image", "Xform", ("Recipe",), "a directive on images, for the host"),
    Op("custom", "Xform", ("Sym",), "a transform that the host registered"),
    Op("when", "Xform", ("Pred", "Xform"), "the transform where the predicate holds"),
    Op("always", "FailPlan", ("Action",), "one action for every failure"),
    Op("override", "FailPlan", ("FailPlan", "FailReason", "Action"), "another action for one reason"),
    Op(
        "policy", "Policy", ("Pred", "Scorer", "Selector", "Xform", "FailPlan"),
        "filter, rank, select, transform, fall back",
        alternative=("Evidence", "Pred", "Scorer", "Selector", "Xform", "FailPlan"),
    ),
    Op("ev_zero", "Evidence", (), "no evidence", versions=_V1_ONLY),
    Op("ev_add", "Evidence", ("Evidence",), "evidence together", variadic=True, versions=_V1_ONLY),
    Op("ev_scale", "Evidence", ("Num", "Evidence"), "evidence weighted", versions=_V1_ONLY),
    Op("decay", "Evidence", ("Num", "Evidence"), "evidence ageing", versions=_V1_ONLY),
    Op("from_prov", "Evidence", ("Provenance",), "evidence from a source", versions=_V1_ONLY),
)  # fmt: skip

OPS: Final[dict[str, Op]] = {op.name: op for op in _TABLE}


def operations(version: Version) -> dict[str, Op]:
    """The operations that `version` has, by name."""
    return {name: op for name, op in OPS.items() if version in op.versions}
