"""What is broken in a drill: providers that are down, faults, the seed of their chances, how slow a usual answer is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from workbench.boundary.sanitiser import one_line
from workbench.engine.fallback import Call
from workbench.engine.faults import Fault, FaultPlan, names_of, parse_faults, simulated
from workbench.engine.pool import Pool
from workbench.engine.values import number
from workbench.engine.virtual import Simulated
from workbench.session.state import WorkspaceState

ASSUMED_MS: Final = 1_000.0
"""How long a call takes where the catalog does not say. An assumption, and shown as one."""
DOWN: Final = "down"
"""The fault of a provider that is down: the connection closes without an answer."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is broken. The same trouble gives the same drill."""

    faults: tuple[Fault, ...] = ()
    """The first that is meant for a call, and whose chance comes up, is played."""
    seed: int = 0
    latency_ms: float = ASSUMED_MS
    """Of a call whose offer states no latency; a failing call takes as long, unless its fault says otherwise."""
    streamed: bool = False

    @property
    def down(self) -> tuple[str, ...]:
        """Providers that are down altogether, in the order given."""
        return tuple(fault.provider for fault in self.faults if _is_down(fault))

    def toggled(self, provider: str) -> Trouble:
        """The same trouble with this provider down, or up again."""
        if provider in self.down:
            kept = tuple(fault for fault in self.faults if not (_is_down(fault) and fault.provider == provider))
            return replace(self, faults=kept)
        return replace(self, faults=(Fault(provider, None, DOWN), *self.faults))

    def with_fault(self, fault: Fault) -> Trouble:
        """The same trouble and one more fault; a fault that is there already is taken out again."""
        kept = tuple(known for known in self.faults if known != fault)
        return replace(self, faults=(*kept, fault) if len(kept) == len(self.faults) else kept)

    def words(self) -> tuple[str, ...]:
        """Each fault as it is written."""
        return tuple(f"{fault.provider} down" if _is_down(fault) else str(fault) for fault in self.faults)


def _is_down(fault: Fault) -> bool:
    return fault.kind == DOWN and fault.model is None and fault.probability == 1


def trouble_of(
    state: WorkspaceState, down: Iterable[str] = (), faults: Iterable[str] = (), *, options: bool = True
) -> tuple[Fault, ...]:
    """The faults of these providers and texts, providers that are down first.

    `options` says whether they were written as options of a command, which findings then name.
    Raises `UsageError` with every finding: an unknown provider or model, a fault that can't be read.
    """
    texts = {f"{provider}={DOWN}": f"--down {one_line(provider, limit=80)}" for provider in down}

    def place(text: str) -> str:
        return texts.get(text, f"--fault {text}") if options else text

    return parse_faults([*texts, *faults], names_of(state.catalog.candidates), place)


class Answers:
    """How the providers answer the calls of one request, fault by fault."""

    def __init__(self, trouble: Trouble, pool: Pool) -> None:
        self._trouble, self._pool = trouble, pool
        self._plan = FaultPlan(trouble.faults, seed=trouble.seed)
        self.played: list[Fault | None] = []
        """The fault of each call so far; None where it is answered well."""
        self.assumed = False
        """Whether a call took the assumed time."""

    def __call__(self, call: Call) -> Simulated:
        candidate = self._pool.candidates[call.index]
        stated = number(candidate.get("latency_ms"))
        self.assumed |= stated is None
        usual = self._trouble.latency_ms if stated is None else stated
        fault = self._plan.next(*_names(candidate))
        self.played.append(fault)
        return simulated(fault, streamed=self._trouble.streamed, request=call.request, usual_ms=usual)


def _names(candidate: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    return str(candidate.get("provider_id")), candidate.get("model_family"), candidate.get("served_model_id")
