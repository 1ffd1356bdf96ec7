"""The first rows of the speed table, each beside its target: deciding, admitting, compiling, starting.

    python -m benchmarks.targets [--json]

A decision is uncached where its policy was not decided before: 64 policies of other weights take turns, which also
keeps the processor from learning one sort by heart. The clauses' masks are kept, as they are after the first tenant.
Tenants are those of the sample workspace over its catalog.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count, cycle, islice
from pathlib import Path
from typing import Final

from benchmarks.language import POLICY
from benchmarks.measure import firsts, medians
from benchmarks.offers import CONTEXT, FILTERS, VOCABULARY, offers, policies_with, policy_of
from benchmarks.tables import Cell, Table, script
from workbench.api import load_workspace
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.decisions import Decisions
from workbench.engine.pool import Pool
from workbench.language.admission import check
from workbench.language.vocabulary import CORE
from workbench.rulebook.compile import compile_policy
from workbench.rulebook.rulebook import Rulebook, under
from workbench.rulebook.tenant import Tenant
from workbench.session.workspace import Workspace

ROOT: Final = Path(__file__).resolve().parent.parent
UNCACHED: Final = {15: 25.6, 300: 42.5, 2_500: 50.0, 10_000: 200.0}
"""Microseconds by offers: a fifth, a twentieth and a two-hundredth of what the design names for the Lua engine."""

Rows = Iterator[tuple[Cell, ...]]


def decisions() -> Rows:
    """Uncached and kept decisions."""
    for size, target in UNCACHED.items():
        pool = Pool(offers(size), VOCABULARY)
        work: dict[str, Callable[[], object]] = {}
        for name, keep in FILTERS.items():
            turns = cycle(policies_with(keep))
            work[name] = lambda turns=turns, pool=pool: decide(next(turns), pool, CONTEXT)
        for name, took in medians(work).items():
            yield f"one decision, uncached, {size:,} offers, policy `{name}`", took, target
    kept = Decisions(Pool(offers(2_500), VOCABULARY))
    wide, tenant = policy_of("wide"), policy_of("tenant")
    health = Context(CONTEXT.request, {"breakers": {"p1": True}})
    work = {
        "no request facts read": lambda: kept.decide(tenant, CONTEXT),
        "health read": lambda: kept.decide(tenant, health),
        "the request's requirements read": lambda: kept.decide(wide, CONTEXT),
    }
    for name, took in medians(work).items():
        yield f"one decision, cached, {name}", took, 1.0


def admission() -> Rows:
    """A new policy through the door."""
    took = medians({"admit": lambda: check(POLICY, CORE).identity})["admit"]
    yield "admit, normalize, encode and name a new policy of 8 clauses", took, 40.0


def compiled(tenant: Tenant, rulebook: Rulebook) -> str:
    """A tenant's state brought to the identity of its policy."""
    return compile_policy(tenant, rulebook, rulebook.vocabulary).policy.identity


def tenants() -> Rows:
    """From the state of a tenant to the identity of its policy."""
    workspace = load_workspace(ROOT / "sample_tenants")
    rulebook = workspace.state.rulebook
    tenant = workspace.state.tenant("brueckwald")
    spread = tuple(varied(tenant, 200))
    turns, fresh = cycle(spread), count(1)

    def unseen() -> object:
        floor = 0.5 + next(fresh) / 2**40
        return compiled(replace(tenant, facts={**tenant.facts, "quality_floor": floor}), rulebook)

    work: dict[str, Callable[[], object]] = {
        "the same state again": lambda: compiled(tenant, rulebook),
        "a tenant with a state that was seen": lambda: compiled(replace(next(turns)), rulebook),
        "a value never seen, its clause read from text": unseen,
    }
    took = medians(work)
    took["a new combination of clauses that were read"] = combined(rulebook, spread)
    targets = {"the same state again": 0.5, "a new combination of clauses that were read": 30.0}
    for name, each in took.items():
        yield f"tenant state to policy to identity: {name}", each, targets.get(name)
    many = tuple(replace(tenant, id=f"{tenant.id}-{k}") for k, tenant in zip(range(200), cycle(spread), strict=False))
    yield "200 tenants compiled, nothing read before", cold(workspace, many), 50_000.0


def varied(tenant: Tenant, number: int) -> Iterator[Tenant]:
    """The tenant with other lists of approved providers, each list another one."""
    known = ("amazon-bedrock", "azure", "google-vertex", "mistral", "scaleway", "openai", "anthropic", "nebius")
    for bits in islice(count(1), number):
        chosen = tuple(name for place, name in enumerate(known) if bits >> place & 1)
        yield replace(tenant, facts={**tenant.facts, "approved_providers": chosen})


def combined(rulebook: Rulebook, spread: tuple[Tenant, ...]) -> float:
    """Microseconds for a policy whose clauses are known and which is not: two lists that never met before."""
    floors = [0.5 + place / 64 for place in range(16)]
    plain = [replace(spread[0], facts={**spread[0].facts, "quality_floor": floor}) for floor in floors]
    for tenant in (*plain, *spread):
        compiled(tenant, rulebook)
    fresh = (
        replace(tenant, facts={**tenant.facts, "quality_floor": floor}) for tenant in spread for floor in floors[1:]
    )

    def prepare() -> Callable[[], object]:
        some = tuple(islice(fresh, 100))
        return lambda: [compiled(tenant, rulebook) for tenant in some]

    return firsts(prepare, 25) / 100


def cold(workspace: Workspace, many: tuple[Tenant, ...]) -> float:
    """Microseconds to compile these tenants under a rulebook that was just read."""

    def prepare() -> Callable[[], object]:
        rulebook = under(workspace.state.rulebook, workspace.state.vocabulary)
        return lambda: [compiled(tenant, rulebook) for tenant in many]

    return firsts(prepare, 7)


def imports() -> Rows:
    """What importing costs over bare Python with numpy; by the wall, the quickest of several processes."""
    programs = {
        "import numpy": "import numpy",
        "import workbench": "import numpy, workbench",
        "import workbench and its public functions": "import numpy, workbench; workbench.decide, workbench.compile",
    }
    took = dict.fromkeys(programs, float("inf"))
    for _ in range(15):
        for name, program in programs.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
            took[name] = min(took[name], (time.perf_counter() - start) * 1e6)
    bare = took.pop("import numpy")
    for name, target in zip(took, (60_000.0, None), strict=True):
        yield f"{name}, over bare Python with numpy", max(took[name] - bare, 0.0), target


def measure() -> list[Table]:
    """One table."""
    rows: list[tuple[Cell, ...]] = []
    for part in (decisions, admission, tenants, imports):
        for what, took, target in part():
            met = None if target is None else "met" if float(took or 0) <= float(target) else "missed"
            rows.append((what, took, target, met))
    return [Table("targets", "Beside the targets", ("what", "µs", "target µs", ""), tuple(rows))]


if __name__ == "__main__":
    sys.exit(script(__doc__, measure))
