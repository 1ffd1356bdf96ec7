"""What can be done on the screen of the endpoint."""

from __future__ import annotations

from workbench.session.actions.action import Action

ACTIONS: tuple[Action, ...] = (
    Action("serve.open", ("S",), "serve", "serve the workspace to OpenAI clients, live", command="workbench serve"),
    Action("serve.toggle", ("s",), "start", "start the endpoint, or stop it", "serve", footer=True),
    Action("serve.emulator", ("e",), "emulator", "let an emulator answer, without keys; again: no more", "serve", True),
    Action(
        "serve.tenant", ("t",), "tenant", "show one tenant's calls, the next one's, all again", "serve", footer=True
    ),
    Action("serve.trace", ("enter",), "trace", "open the trace of the call", "serve", footer=True),
    Action("serve.curl", ("c",), "curl", "copy one call as curl", "serve", footer=True),
    Action("serve.python", ("p",), "Python", "copy one call in Python", "serve", footer=True),
    Action("serve.typescript", ("T",), "TypeScript", "copy one call in TypeScript", "serve", footer=True),
    Action("serve.clear", ("C",), "clear", "forget the calls that are listed; their traces stay", "serve"),
)
