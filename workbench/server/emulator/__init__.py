"""A real local server that speaks for every provider of the catalog, and fails on purpose.

For trying calls and failure plans with no key and no network. Each answer is labelled as emulated, in a header and in
its text. Loopback only; it is sent no key, keeps no prompt, and calls nobody.
"""

from __future__ import annotations

from workbench.server.emulator.emulator import Emulator, Served
from workbench.server.emulator.playing import Pace
from workbench.server.emulator.running import Running, new_loop, running, serving

__all__ = ["Emulator", "Pace", "Running", "Served", "new_loop", "running", "serving"]
