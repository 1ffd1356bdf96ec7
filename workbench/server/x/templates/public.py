"""The four templates that clients of the public host know, with its options and defaults, in terms of our own.

`provider_order` is a preference and no fence: offers of other providers come after those named. Each uses `prefer`,
which the public engine refuses.
"""

from __future__ import annotations

from typing import Final

from workbench.language.admission import Term
from workbench.server.x.templates.options import (
    Option,
    Template,
    Values,
    at_least_nothing,
    between,
    count,
    groups,
    one_of,
    share,
    word,
)
from workbench.server.x.templates.terms import (
    cheapness,
    healthy_first,
    ordered,
    policy,
    up,
    weighted,
    within_price,
)

ORDER: Final = [["openai_codex"], ["antseed"], ["bedrock", "bedrock_market"], ["openrouter", "openrouter_market"]]
_SHARE: Final = {"expected_input_share": Option(share, 0.8)}
_RELIABLE: Final = {"reliability_floor": Option(share, 0.8)}
_PRICES: Final = {"max_price_in": Option(at_least_nothing, 5), "max_price_out": Option(at_least_nothing, 25)}
_ORDER: Final = {"provider_order": Option(groups, ORDER, "provider")}


def _filters(values: Values) -> list[Term]:
    return [*up(), ["cmp", "success_rate", "ge", values["reliability_floor"]], *within_price(values)]


def _cheapest_family(values: Values) -> Term:
    by_order = values["provider_strategy"] == "ordered"
    inner = ordered(values["provider_order"], ["argmax"]) if by_order else ["argmax"]
    filters = [*_filters(values), ["family_eq", values["family"]]]
    return policy(filters, cheapness(values["expected_input_share"]), healthy_first(inner))


def _smart_value(values: Values) -> Term:
    filters = [*_filters(values), ["cmp", "bench_intelligence_rank", "le", values["top_n"]]]
    return policy(filters, cheapness(values["expected_input_share"]), healthy_first(["argmax"]))


def _agent(values: Values) -> Term:
    filters = [
        *_filters(values),
        ["has_cap", "supports_tools"],
        ["cmp", "context", "ge", values["min_context"]],
        ["cmp", "bench_agentic_rank", "le", values["top_n"]],
    ]
    select = ["top_k", values["top_k"], healthy_first(ordered(values["provider_order"], ["argmax"]))]
    patience = [
        "seq",
        ["set_param", "first_token_timeout_ms", values["first_token_timeout_ms"]],
        ["set_param", "timeout_ms", values["attempt_timeout_ms"]],
    ]
    rank = weighted((0.7, ["normalize", ["field", "bench_agentic"]]), (0.3, cheapness(0.8)))
    return policy(filters, rank, select, patience)


def _default(values: Values) -> Term:
    top = ["cmp", "bench_intelligence_rank", "le", values["top_n"]]
    select = healthy_first(["prefer", top, ordered(values["provider_order"], ["argmax"])])
    rank = weighted(
        (values["cost_weight"], cheapness(values["expected_input_share"])),
        (values["intelligence_weight"], ["normalize", ["field", "bench_intelligence"]]),
    )
    return policy(_filters(values), rank, select)


PUBLIC: Final = (
    Template(
        "cheapest-family",
        "The cheapest reliable offer of one model family; on request, preferred providers first.",
        {
            "family": Option(word, None, "model"), **_SHARE, **_RELIABLE, **_PRICES,
            "provider_strategy": Option(one_of("cost", "ordered"), "cost"), **_ORDER,
        },
        _cheapest_family,
        public=True,
    ),
    Template(
        "smart-value",
        "The cheapest reliable offer among the top models by measured intelligence.",
        {"top_n": Option(count, 5), **_SHARE, **_RELIABLE, **_PRICES},
        _smart_value,
        public=True,
    ),
    Template(
        "agent",
        "For agents: tools, a long context, the top models by agentic benchmark, quick to leave a silent provider.",
        {
            "top_n": Option(count, 10), "top_k": Option(count, 8), "min_context": Option(count, 128_000), **_RELIABLE,
            "max_price_in": Option(at_least_nothing, 15), "max_price_out": Option(at_least_nothing, 30),
            "first_token_timeout_ms": Option(between(1, 50_000), 10_000),
            "attempt_timeout_ms": Option(between(1, 50_000), 22_000), **_ORDER,
        },
        _agent,
        public=True,
    ),
    Template(
        "default",
        "A sound policy for callers who state none: top models first, preferred providers first, then mostly by cost.",
        {
            "top_n": Option(count, 5), **_SHARE, **_RELIABLE, **_PRICES, "cost_weight": Option(share, 0.75),
            "intelligence_weight": Option(share, 0.25), **_ORDER,
        },
        _default,
        public=True,
    ),
)  # fmt: skip
