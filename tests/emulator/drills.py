"""A small pool and a cascade down it, for drills without a socket."""

from __future__ import annotations

from typing import Any

from workbench.engine.context import Context
from workbench.engine.fallback import Cascade
from workbench.engine.pool import Pool
from workbench.language.admission import check
from workbench.language.vocabulary import CORE


def offer(provider: str, family: str, served: str) -> dict[str, Any]:
    """A candidate that no one calls."""
    return {"provider_id": provider, "model_family": family, "served_model_id": served}


POOL = Pool([offer("alpha", "m-1", "served/m:1@2"), offer("beta", "m-1", "m-1"), offer("gamma", "m-2", "x")], CORE)


def cascade() -> Cascade:
    """All three in order; whatever fails, the next one."""
    plan = ["always", {"action": "next_candidate"}]
    policy = check(["policy", ["top"], ["zero"], ["ordered"], ["id"], plan], CORE)
    return Cascade(policy, (0, 1, 2), POOL, Context({"messages": [{"role": "user", "content": "x"}]}), "acme")
