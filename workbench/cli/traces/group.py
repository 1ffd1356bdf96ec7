"""`workbench traces`: the commands about what was decided and called before."""

from __future__ import annotations

from typing import Final

from workbench.cli.groups import Entry, group_of

_HERE: Final = "workbench.cli.traces"

COMMANDS: Final = {
    "list": Entry(f"{_HERE}.listing", "List traces, newest first.", "Commands"),
    "show": Entry(f"{_HERE}.show", "Show one trace: attempts, rejections, cost, sources.", "Commands"),
    "export": Entry(f"{_HERE}.export", "Write traces as JSON lines.", "Commands"),
    "prune": Entry(f"{_HERE}.prune", "Delete traces.", "Commands"),
}

_HELP: Final = """List, show, export and delete traces: what was decided, and what came of it.

Where they are: --traces, else WORKBENCH_TRACES, else `traces` in workbench.toml, else a file of the workspace's own in
your state folder. `workbench replay` decides one again.
"""

command: Final = group_of("traces", COMMANDS, "List, show, export and delete traces.", _HELP)
