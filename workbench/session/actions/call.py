"""What can be done on the screen of test calls."""

from __future__ import annotations

from workbench.session.actions.action import Action

ACTIONS: tuple[Action, ...] = (
    Action("call.open", ("c",), "call", "make one test call through this tenant's policy", command="workbench call"),
    Action("call.edit", ("i",), "prompt", "write what to ask; enter shows what it can cost", "call", footer=True),
    Action("call.yes", ("y",), "send", "send what is quoted; afterwards, copy the call as curl", "call", footer=True),
    Action("call.no", ("n",), "not now", "send nothing and go back to the prompt", "call"),
    Action(
        "call.emulator", ("e",), "emulator", "answer by a local emulator, without keys; again: no more", "call", True
    ),
    Action("call.elsewhere", ("u",), "URL", "let an emulator answer that runs in another terminal", "call"),
    Action("call.fault", ("f",), "faults", "let emulated providers fail: openai=rate_limit", "call", footer=True),
    Action(
        "call.second", ("t",), "2nd tenant", "call for another tenant beside this one; again: no more", "call", True
    ),
    Action("call.trace", ("enter",), "trace", "open the trace of the call", "call"),
    Action("call.system", ("s",), "system", "write a system prompt", "call"),
    Action("call.json", ("J",), "JSON", "ask for one JSON object, or no more", "call"),
    Action("call.tools", ("o",), "tools", "name a JSON file of tools that the model may call", "call"),
    Action("call.tokens", ("m",), "tokens", "set the longest answer", "call"),
    Action("call.stream", ("S",), "stream", "ask for a stream, or for the answer in one piece", "call"),
    Action("call.key", ("K",), "key", "let a key go to an address that it is held from", "call"),
)
