"""Runs a flow: every node as soon as its inputs are there, each by its own policy, inside the same envelopes.

Owns what a node is asked and when; each call is made and recorded as any other, under the flow's trace id and its own
node's name.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from workbench.gateway.codecs.content import Image, parts_of
from workbench.gateway.codecs.neutral import LocalFault, Usage
from workbench.gateway.dispatch import Stop
from workbench.gateway.events import Answer
from workbench.language.flow import AdmittedFlow, FlowNode
from workbench.server.chat.answering import cost_of
from workbench.server.chat.calling import Engine, Running, prepare
from workbench.server.chat.parameters import Call
from workbench.server.chat.subject import Subject, Sugar, subject_of
from workbench.server.errors import Refused, invalid, said
from workbench.server.hooks import Caller, Spent
from workbench.server.state import ServerState
from workbench.server.x.requirements import pin_of

AT_ONCE: Final = 16
"""Most nodes of one flow that call at the same time."""
_FREE_OF_FLOWS: Final = ("tools", "tool_choice", "parallel_tool_calls")


@dataclass(slots=True)
class NodeRun:
    """One node that was called."""

    node: FlowNode
    running: Running
    answer: Answer


CUT_SHORT: Final = Answer("cancelled", None, None, (), ())
"""Of a node that was calling when another one failed."""


class NodeFailed(Exception):
    """A node got no answer, which ends the flow."""

    def __init__(self, run: NodeRun) -> None:
        super().__init__(run.node.id)
        self.run = run


class _Share:
    """A node's part of the flow's ticket: what it spent is the flow's."""

    def __init__(self, flow: FlowRun) -> None:
        self._flow = flow

    async def close(self, spent: Spent | None) -> None:
        """Add it up."""
        if spent is not None:
            self._flow.spend(spent)


@dataclass(slots=True)
class FlowRun:
    """One flow on its way."""

    engine: Engine
    state: ServerState
    call: Call
    caller: Caller
    flow: AdmittedFlow
    trace_id: str
    began_ms: int
    owner: str
    """Whose running totals its session is."""
    unread: tuple[str, ...] = ()
    """Warnings of what the call says beside the flow, and the flow decides."""
    runs: dict[str, NodeRun] = field(default_factory=dict[str, NodeRun])
    """By node, in the order in which they ended."""
    spent: Spent | None = None
    """None where nothing was."""
    failed: NodeRun | None = None
    _subjects: dict[str, Subject] = field(default_factory=dict[str, Subject])
    _stops: list[Stop] = field(default_factory=list[Stop])
    _stopped: bool = False
    _latest: float = 0.0
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def check(self) -> None:
        """Look at every node before the first one calls. Raises `Refused`."""
        input_text(self.call)
        pin = pin_of(self.call.body.get("requirements") or {})
        sugar = Sugar() if pin is None else Sugar(family=pin.model, provider=pin.provider)
        for node in self.flow.nodes:
            if node.policy is not None:
                try:
                    self._subjects[node.id] = subject_of(self.call, sugar, self.state, self.caller, node.policy.source)
                except Refused as refused:
                    raise replace(refused, message=said(f"node {node.source_id[:80]}: {refused.message}")) from None

    async def run(self) -> str:
        """The text that reaches the output. Raises `NodeFailed` for the first node without an answer, or `Refused`."""
        self._latest = time.monotonic() + self.engine.host.options.deadline_ms / 1000
        texts: dict[str, asyncio.Future[str]] = {}
        loop = asyncio.get_running_loop()
        for node in self.flow.nodes:
            texts[node.id] = loop.create_future()
        try:
            async with asyncio.TaskGroup() as group:
                for node in self.flow.nodes:
                    group.create_task(self._node(node, texts))
        except* NodeFailed as failures:
            failed = failures.exceptions[0]
            while isinstance(failed, BaseExceptionGroup):
                failed = failed.exceptions[0]
            assert isinstance(failed, NodeFailed)  # noqa: S101 - by the clause
            self.failed = failed.run
            raise failed from None
        output = next(node for node in self.flow.nodes if node.kind == "output")
        return texts[output.id].result()

    def stop(self) -> None:
        """End every call, and those that would begin."""
        self._stopped = True
        for stop in self._stops:
            stop.stop()

    def spend(self, spent: Spent) -> None:
        """One node's use."""
        known = self.spent
        if known is None:
            self.spent = spent
            return
        priced = [each.cost_usd for each in (known, spent) if each.cost_usd is not None]
        self.spent = Spent(
            (known.tokens_in or 0) + (spent.tokens_in or 0),
            (known.tokens_out or 0) + (spent.tokens_out or 0),
            sum(priced) if priced else None,
            partly=known.partly or spent.partly or len(priced) == 1,
        )

    async def _node(self, node: FlowNode, texts: dict[str, asyncio.Future[str]]) -> None:
        inputs = [await texts[wanted] for wanted in node.inputs]
        if node.kind == "input":
            said = input_text(self.call)
        elif node.kind == "output":
            said = inputs[0]
        else:
            said = await self._ask(node, inputs)
        texts[node.id].set_result(said)

    async def _ask(self, node: FlowNode, inputs: list[str]) -> str:
        assert node.policy is not None  # noqa: S101 - a call has one
        messages: list[dict[str, Any]] = [{"role": "user", "content": assembled(node.template, inputs)}]
        if node.system:
            messages.insert(0, {"role": "system", "content": node.system})
        asked = replace(self.call, neutral={**self.call.neutral, "messages": messages}, stream=False, session=None)
        subject = self._subjects[node.id]
        async with self._room:
            running = prepare(self.engine, self.state, asked, subject, _Share(self))
            running.trace.own = replace(running.trace.own, trace_id=f"{self.trace_id}.{node.id}")
            running.told = replace(running.told, trace_id=running.trace.own.trace_id)
            running.deadline_ms = max(self._latest - time.monotonic(), 0.0) * 1000
            self._stops.append(running.stop)
            if self._stopped:
                running.stop.stop()
            try:
                answer = await running.run()
            except asyncio.CancelledError:
                self.runs[node.id] = NodeRun(node, running, CUT_SHORT)
                raise
        run = self.runs[node.id] = NodeRun(node, running, answer)
        if answer.reply is None:
            raise NodeFailed(run)
        return answer.reply.text

    def usage(self) -> Usage:
        """What all nodes counted."""
        found = [run.answer.reply.usage for run in self.runs.values() if run.answer.reply is not None]
        counted = [usage for usage in found if usage is not None]
        cached = [usage.tokens_cached for usage in counted if usage.tokens_cached is not None]
        return Usage(
            sum(usage.tokens_in or 0 for usage in counted),
            sum(usage.tokens_out or 0 for usage in counted),
            sum(cached) if cached else None,
        )

    @property
    def warnings(self) -> list[str]:
        """What has no effect beside the flow, and what every node's answer warns of, each once."""
        found = dict.fromkeys(self.unread)
        for run in self._in_order():
            reply = run.answer.reply
            for word in (*run.running.told.warnings, *(reply.warnings if reply is not None else ())):
                found[word] = None
            if run.answer.unrecorded:
                found["trace_not_written"] = None
        return list(found)

    @property
    def emulated(self) -> bool:
        """Whether a server that imitates providers answered any node."""
        return any(attempt.emulated for run in self.runs.values() for attempt in run.answer.attempts)

    @property
    def cost_basis(self) -> str | None:
        """Where the figure of the whole comes from; the weaker one where nodes differ."""
        found = {_cost(run)[1] for run in self.runs.values()} - {None}
        return None if not found else "reported" if found == {"reported"} else "computed"

    def _in_order(self) -> list[NodeRun]:
        return [self.runs[node.id] for node in self.flow.nodes if node.id in self.runs]

    def nodes_json(self, *, compact: bool) -> list[tuple[dict[str, Any], bytes]]:
        """Each call's facts in the flow's order, and its own decision's trace."""
        names = {node.id: node.source_id for node in self.flow.nodes}
        return [_node_json(run, names, compact) for run in self._in_order()]


def _cost(run: NodeRun) -> tuple[float | None, str | None]:
    """What a node's answer cost, and where the figure comes from."""
    answer = run.answer
    if answer.reply is None or answer.index is None:
        return None, None
    return cost_of(answer.reply.usage, run.running.shown.state.kept.candidates[answer.index])


def _node_json(run: NodeRun, names: Mapping[str, str], compact: bool) -> tuple[dict[str, Any], bytes]:
    answer, shown = run.answer, run.running.shown
    row = None if answer.index is None else shown.state.kept.candidates[answer.index]
    usage = answer.reply.usage if answer.reply is not None else None
    facts: dict[str, Any] = {
        "node": run.node.source_id,
        "inputs": [names[wanted] for wanted in run.node.inputs],
        "policy_fingerprint": shown.subject.policy.fingerprint,
        "provider": None if row is None else row["provider_id"],
        "served_model_id": None if row is None else row["served_model_id"],
        "price_in": None if row is None else row.get("price_in"),
        "price_out": None if row is None else row.get("price_out"),
        "tokens_in": usage.tokens_in if usage else None,
        "tokens_out": usage.tokens_out if usage else None,
        "cost_usd": _cost(run)[0],
        "latency_ms": round(answer.latency_ms),
        "trace_id": run.running.told.trace_id,
    }
    return facts, run.running.decision_trace(answer, compact=compact)


def input_text(call: Call) -> str:
    """What a flow works on: the text of the last message of the user. Raises `Refused` where there is none."""
    for message in reversed(call.neutral["messages"]):
        if message["role"] == "user":
            try:
                parts = parts_of(message.get("content"))
            except LocalFault:
                parts = []
            if any(isinstance(part, Image) for part in parts):
                break
            said = "\n".join(part for part in parts if isinstance(part, str))
            if said:
                return said
            break
    raise invalid("a flow works on the text of the last user message, and there is none", param="messages")


def refuse_tools(call: Call) -> None:
    """Raises `Refused` for what a flow cannot pass on."""
    for name in _FREE_OF_FLOWS:
        if name in call.neutral:
            raise invalid(f"`{name}` has no place in a flow: its nodes answer in text", param=name)


def assembled(template: str | None, inputs: list[str]) -> str:
    """What a node is asked: its template filled in, else its one input, else its inputs as sections."""
    if template is not None:
        return _filled(template, inputs)
    if len(inputs) == 1:
        return inputs[0]
    return "\n\n".join(f"[input {number}]\n{said}" for number, said in enumerate(inputs, start=1))


def _filled(template: str, inputs: list[str]) -> str:
    """`$N` is the text of input N, nothing where there is none; what an input says is not looked at again."""
    parts = template.split("$")
    made = [parts[0]]
    for part in parts[1:]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            made.append("$" + part)
            continue
        number = int(digits[:6])
        made.append((inputs[number - 1] if 1 <= number <= len(inputs) else "") + part[len(digits) :])
    return "".join(made)
