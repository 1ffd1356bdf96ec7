"""Five templates of our own, one for each kind of customer: free, enterprise, EU, regulated, VIP.

What a catalog does not know is never read as allowed: an unknown region, DPA, retention or score keeps an offer out.
"""

from __future__ import annotations

from typing import Any, Final

from workbench.language.admission import Term
from workbench.server.x.templates.options import (
    Option,
    Template,
    Values,
    at_least_nothing,
    count,
    flag,
    names,
    share,
    word,
)
from workbench.server.x.templates.terms import (
    cheapness,
    from_providers,
    healthy_first,
    policy,
    up,
    weighted,
    within_price,
)

_BEST: Final[Term] = healthy_first(["argmax"])


def _floor(default: float) -> dict[str, Option]:
    return {"quality_floor": Option(share, default)}


def _prices(price_in: float, price_out: float) -> dict[str, Option]:
    return {
        "max_price_in": Option(at_least_nothing, price_in),
        "max_price_out": Option(at_least_nothing, price_out),
        "expected_input_share": Option(share, 0.8),
    }


def _base(values: Values) -> list[Term]:
    return [*up(), ["cmp", "bench_intelligence", "ge", values["quality_floor"]], *within_price(values)]


def _private(values: Values) -> list[Term]:
    """Bound by contract, and not trained on."""
    return [["is", "dpa"]] * values["dpa"] + [["not", ["is", "trains_on_data"]]]


def _free(values: Values) -> Term:
    return policy(_base(values), cheapness(values["expected_input_share"]), _BEST)


def _enterprise(values: Values) -> Term:
    filters = [*_base(values), from_providers(values["approved_providers"]), *_private(values)]
    return policy(filters, cheapness(values["expected_input_share"]), _BEST)


def _eu(values: Values) -> Term:
    filters = [*_base(values), ["is", "region_eu"], *_private(values)]
    return policy(filters, cheapness(values["expected_input_share"]), _BEST)


def _regulated(values: Values) -> Term:
    kept: Term = ["or", ["is", "no_log"], ["is", "has_tee"]]
    filters: list[Any] = [*_base(values), ["is", f"region_{values['region']}"], *_private(values), kept]
    filters.append(["cmp", "retention_days", "le", values["max_retention_days"]])
    if values["baa"]:
        filters.append(["is", "baa"])
    return policy(filters, cheapness(values["expected_input_share"]), _BEST)


def _vip(values: Values) -> Term:
    weight = values["quality_weight"]
    rank = weighted(
        (weight, ["normalize", ["field", "bench_intelligence"]]),
        (round(1 - weight, 12), cheapness(values["expected_input_share"])),
    )
    return policy(_base(values), rank, ["top_k", values["top_k"], _BEST])


_DPA: Final = {"dpa": Option(flag, True)}

OURS: Final = (
    Template(
        "free",
        "Free tier: a low floor of quality, and the cheapest model above it.",
        {**_floor(0.2), **_prices(1, 4)},
        _free,
        public=False,
    ),
    Template(
        "enterprise",
        "Enterprise: the providers that the contract names, with a data processing agreement, the cheapest first.",
        {"approved_providers": Option(names, None, "provider"), **_floor(0.5), **_prices(15, 75), **_DPA},
        _enterprise,
        public=False,
    ),
    Template(
        "eu",
        "EU tenant: processed in the EU, with a data processing agreement, never trained on.",
        {**_floor(0.5), **_prices(15, 75), **_DPA},
        _eu,
        public=False,
    ),
    Template(
        "regulated",
        "Health or bank: one region, nothing kept or a trusted environment, short retention, a BAA where it is asked.",
        {
            **_floor(0.4), **_prices(30, 150), **_DPA, "region": Option(word, "eu", "region"),
            "baa": Option(flag, False), "max_retention_days": Option(at_least_nothing, 30),
        },
        _regulated,
        public=False,
    ),
    Template(
        "vip",
        "VIP: only the best models, the better before the cheaper.",
        {**_floor(0.6), **_prices(30, 150), "quality_weight": Option(share, 0.8), "top_k": Option(count, 5)},
        _vip,
        public=False,
    ),
)  # fmt: skip
