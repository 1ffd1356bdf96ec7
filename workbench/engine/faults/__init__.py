"""Faults that a provider may be given on purpose: one grammar for the emulator and for the outage drill.

    PROVIDER[/MODEL]=KIND[:ARGUMENT][@PROBABILITY]

`openai=rate_limit:30s`, `mistral=cut_after:20@0.3`, `*=slow:2s`. Owns the closed table of kinds, the grammar, who is
struck when, and what the fallback machine is told of it. Plays nothing itself: no socket, no clock.
"""

from __future__ import annotations

from workbench.engine.faults.grammar import EVERYONE, Fault, names_of, parse_fault, parse_faults
from workbench.engine.faults.plan import FaultPlan
from workbench.engine.faults.simulated import simulated
from workbench.engine.faults.table import FAULTS, Kind, Told

__all__ = [
    "EVERYONE", "FAULTS", "Fault", "FaultPlan", "Kind", "Told", "names_of", "parse_fault", "parse_faults", "simulated",
]  # fmt: skip
