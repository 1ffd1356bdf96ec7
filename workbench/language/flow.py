"""Flows, `sigma-flow/v1`: a few model calls that feed each other, admitted, normalized and named (LANGUAGE 10).

Owns the graph's rules and the canonical naming of its nodes; each node's policy goes through the one door of
`admission`. It runs nothing, and fills in no template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast, get_args

from workbench.errors import AdmissionError, Finding, Place
from workbench.language.admission import Admitted, check
from workbench.language.encoding import encode_string, fingerprint, identity
from workbench.language.parameters import text
from workbench.language.refusal import Code, Refusal, did_you_mean, kind_of, null, shown
from workbench.language.signature import V2
from workbench.language.vocabulary import Vocabulary

FLOW_VERSION: Final = "sigma-flow/v1"
MAX_FLOW_NODES: Final = 256
MAX_NODE_INPUTS: Final = 32
MAX_TEXT_BYTES: Final = 256 * 1024
"""Most bytes of one `system` or `template`."""
MAX_FLOW_BYTES: Final = 1024 * 1024
"""Most bytes of all texts and encoded policies together."""
MAX_ID_BYTES: Final = 256
MAX_UNREAD: Final = 16
"""Most keys that are told of as being no part of their nodes."""

Kind = Literal["input", "llm", "output"]
_KINDS: Final[tuple[str, ...]] = get_args(Kind)
_LLM_KEYS: Final = ("inputs", "system", "policy", "template")


@dataclass(frozen=True, slots=True)
class FlowNode:
    """One node of an admitted flow."""

    id: str
    """`n0`, `n1`, ... in the canonical order."""
    source_id: str
    kind: Kind
    inputs: tuple[str, ...] = ()
    """Canonical ids, in the order the node names them."""
    system: str | None = None
    policy: Admitted | None = None
    template: str | None = None

    def encode(self) -> str:
        """`(kind id system="..." policy=... template="..." inputs=[...])`, what it lacks left out."""
        parts = [self.kind, self.id]
        if self.system is not None:
            parts.append(f"system={encode_string(self.system)}")
        if self.policy is not None:
            parts.append(f"policy={self.policy.encoding}")
        if self.template is not None:
            parts.append(f"template={encode_string(self.template)}")
        if self.inputs:
            parts.append(f"inputs=[{','.join(self.inputs)}]")
        return f"({' '.join(parts)})"

    def as_json(self) -> dict[str, Any]:
        """The node as the normal form has it."""
        node: dict[str, Any] = {"kind": self.kind}
        if self.system is not None:
            node["system"] = self.system
        if self.policy is not None:
            node["policy"] = self.policy.normal
        if self.template is not None:
            node["template"] = self.template
        if self.inputs:
            node["inputs"] = list(self.inputs)
        return node


@dataclass(frozen=True, slots=True)
class AdmittedFlow:
    """A flow that has passed `check_flow`; nodes in canonical order, the input first."""

    nodes: tuple[FlowNode, ...]
    encoding: str
    """Versioned, of the normal form."""
    unread: tuple[str, ...] = field(default=(), compare=False)
    """Keys that are no part of their nodes, in words: they say nothing, and somebody wrote them."""

    @property
    def normal(self) -> list[Any]:
        """The normal form: `["flow", {id: node, ...}]`."""
        return ["flow", {node.id: node.as_json() for node in self.nodes}]

    @property
    def fingerprint(self) -> str:
        """The cache key `h1-h2`."""
        return fingerprint(self.encoding.encode())

    @property
    def identity(self) -> str:
        """SHA-256 of the encoding, hex."""
        return identity(self.encoding.encode())


@dataclass(frozen=True, slots=True)
class _Draft:
    """A node whose own contents are sound; its place in the graph is not yet judged."""

    kind: Kind
    inputs: tuple[str, ...]
    system: str | None
    policy: Admitted | None
    template: str | None
    unread: tuple[str, ...] = ()

    def content(self) -> str:
        if self.policy is None:
            return self.kind
        return "\0".join((self.kind, self.system or "", self.policy.encoding, self.template or ""))


class _Reading:
    """The first pass: every node by itself. Findings are collected, not raised."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.found: list[Finding] = []
        self.size = 0

    def refuse(self, refusal: Refusal, path: str) -> None:
        found = refusal.finding()
        place = Place(path=path + (found.place.path or "$")[1:])
        self.found.append(Finding(found.reason, found.code, place, found.hint))

    def nodes(self, term: Any) -> dict[str, _Draft]:
        drafts: dict[str, _Draft] = {}
        try:
            record = _nodes_of(term)
        except Refusal as refusal:
            self.refuse(refusal, "$")
            return drafts
        for node_id, node in record.items():
            path = f"$.flow[1].{shown(str(node_id), 40)[1:-1]}"
            try:
                text(node_id, MAX_ID_BYTES, "the id")
                draft = self.node(node, path)
            except Refusal as refusal:
                self.refuse(refusal, path)
                continue
            if draft is not None:
                drafts[node_id] = draft
            if self.size > MAX_FLOW_BYTES:
                self.refuse(Refusal("size", f"more than {MAX_FLOW_BYTES // 1024} KiB"), "$")
                break
        return drafts

    def node(self, node: Any, path: str) -> _Draft | None:
        """The node as a draft, None where its policy or a text was refused; raises `Refusal` where it is no node.

        A key that its kind does not have says nothing and is not in the normal form.
        """
        record = _record(node)
        kind = record.get("kind")
        if type(kind) is not str or kind not in _KINDS:
            reason = f"expected a node kind, got {shown(kind) if type(kind) is str else kind_of(kind)}"
            raise Refusal("flow", reason, "one of input, llm, output").at(".kind")
        for key, value in record.items():
            if value is None:
                raise null().at(f".{shown(str(key), 40)[1:-1]}")
            _no_slip(str(key), record, kind)
        inputs = _inputs(record.get("inputs", []))
        keys = _LLM_KEYS if kind == "llm" else ("inputs",)
        unread = tuple(str(key) for key in record if key != "kind" and key not in keys)
        if kind != "llm":
            return _Draft(cast("Kind", kind), inputs, None, None, None, unread)
        before = len(self.found)
        system = self.text(record, "system", path)
        template = self.text(record, "template", path) if "template" in record else None
        policy = self.policy(record, path)
        if len(self.found) > before:
            return None
        return _Draft("llm", inputs, system, policy, template, unread)

    def text(self, record: Mapping[str, Any], key: str, path: str) -> str | None:
        if key not in record:
            self.refuse(Refusal("flow", f"an llm node needs `{key}`"), path)
            return None
        try:
            value = text(record[key], MAX_TEXT_BYTES, "the text")
        except Refusal as refusal:
            self.refuse(refusal, f"{path}.{key}")
            return None
        self.size += len(value.encode())
        return value

    def policy(self, record: Mapping[str, Any], path: str) -> Admitted | None:
        if "policy" not in record:
            self.refuse(Refusal("flow", "an llm node needs `policy`"), path)
            return None
        try:
            admitted = check(record["policy"], self.vocabulary, version=V2, sort="Policy")
        except AdmissionError as error:
            for found in error.findings:
                place = Place(path=f"{path}.policy{(found.place.path or '$')[1:]}")
                self.found.append(Finding(found.reason, found.code, place, found.hint))
            return None
        self.size += len(admitted.encoding.encode())
        return admitted


def _nodes_of(term: Any) -> dict[Any, Any]:
    if term is None:
        raise null()
    items: list[Any] = term
    if type(term) is not list or len(items) != 2 or items[0] != "flow":
        raise Refusal("flow", 'expected ["flow", {ID: NODE, ...}]')
    if type(items[1]) is not dict:
        found = null() if items[1] is None else Refusal("flow", f"expected a record of nodes, got {kind_of(items[1])}")
        raise found.at(".flow[1]")
    nodes = cast("dict[Any, Any]", items[1])
    if len(nodes) > MAX_FLOW_NODES:
        raise Refusal("nodes", f"more than {MAX_FLOW_NODES} nodes").at(".flow[1]")
    return nodes


def _record(node: Any) -> dict[str, Any]:
    if type(node) is not dict:
        raise null() if node is None else Refusal("flow", f"expected a node (a record), got {kind_of(node)}")
    return cast("dict[str, Any]", node)


def _no_slip(key: str, record: Mapping[str, Any], kind: str) -> None:
    """Refuse a key that looks like one the node lacks: dropped, it would take a template with it."""
    if kind != "llm" or key == "kind" or key in _LLM_KEYS:
        return
    hint = did_you_mean(key, [name for name in _LLM_KEYS if name not in record])
    if hint is not None:
        raise Refusal("flow", f"unknown key {shown(key)} in a node of kind {kind}", hint)


def _inputs(value: Any) -> tuple[str, ...]:
    if type(value) is not list:
        found = null() if value is None else Refusal("flow", f"expected a list of ids, got {kind_of(value)}")
        raise found.at(".inputs")
    items = cast("list[Any]", value)
    if len(items) > MAX_NODE_INPUTS:
        raise Refusal("flow", f"more than {MAX_NODE_INPUTS} inputs").at(".inputs")
    for index, item in enumerate(items, 1):
        try:
            text(item, MAX_ID_BYTES, "the id")
        except Refusal as refusal:
            raise refusal.at(f".inputs[{index}]") from None
    return tuple(items)


class _Graph:
    """The second pass: how the nodes hang together."""

    def __init__(self, drafts: Mapping[str, _Draft]) -> None:
        self.drafts = drafts
        self.found: list[Finding] = []

    def say(self, node_id: str | None, reason: str, hint: str | None = None, code: Code = "flow") -> None:
        path = "$.flow[1]" if node_id is None else f"$.flow[1].{shown(node_id, 40)[1:-1]}"
        self.found.append(Finding(reason, code, Place(path=path), hint))

    def judge(self) -> None:
        for kind in ("input", "output"):
            count = sum(draft.kind == kind for draft in self.drafts.values())
            if count != 1:
                self.say(None, f"a flow has exactly one {kind} node, this one {count}")
        for node_id, draft in self.drafts.items():
            self.arity(node_id, draft)
            for wanted in draft.inputs:
                self.edge(node_id, wanted)
        if not self.found:
            self.paths()

    def arity(self, node_id: str, draft: _Draft) -> None:
        if draft.kind == "input" and draft.inputs:
            self.say(node_id, "an input node has no inputs")
        elif draft.kind == "llm" and not draft.inputs:
            self.say(node_id, "an llm node needs at least one input")
        elif draft.kind == "output" and len(draft.inputs) != 1:
            self.say(node_id, f"an output node has exactly one input, this one {len(draft.inputs)}")

    def edge(self, node_id: str, wanted: str) -> None:
        feeding = self.drafts.get(wanted)
        if feeding is None:
            self.say(node_id, f"unknown node {shown(wanted)}", did_you_mean(wanted, self.drafts))
        elif feeding.kind == "output":
            self.say(node_id, f"the output node {shown(wanted)} feeds nothing")

    def paths(self) -> None:
        """No cycle, and every node on a path from the input to the output. (What needs the output is never reached
        by others, and what has inputs hangs on the input, once there are no cycles.)"""
        named = canonical_ids(self.drafts)
        in_cycles = [node_id for node_id in self.drafts if node_id not in named]
        if in_cycles:
            self.say(in_cycles[0], "this node waits for itself: its inputs form a cycle")
            return
        reached: set[str] = set()
        waiting = [node_id for node_id, draft in self.drafts.items() if draft.kind == "output"]
        while waiting:
            node_id = waiting.pop()
            if node_id not in reached:
                reached.add(node_id)
                waiting.extend(self.drafts[node_id].inputs)
        for node_id in self.drafts:
            if node_id not in reached:
                self.say(node_id, "nothing on the way to the output uses this node")


def canonical_ids(drafts: Mapping[str, _Draft]) -> dict[str, str]:
    """New ids by old ones, in canonical order; nodes on or behind a cycle are missing.

    Among the nodes whose inputs all have their new id, the next is the one with the smallest content and inputs in byte
    order, of equals the one with the smallest old id.
    """
    named: dict[str, str] = {}
    contents = {node_id: draft.content() for node_id, draft in drafts.items()}
    keys: dict[str, tuple[str, str]] = {}
    waiting = dict(drafts)
    while waiting:
        for node_id, draft in waiting.items():
            if node_id not in keys and all(wanted in named for wanted in draft.inputs):
                keys[node_id] = (
                    f"{contents[node_id]}\x01{','.join(named[wanted] for wanted in draft.inputs)}",
                    node_id,
                )
        if not keys:
            break
        chosen = min(keys, key=keys.__getitem__)
        named[chosen] = f"n{len(named)}"
        del keys[chosen], waiting[chosen]
    return named


def _assembled(drafts: Mapping[str, _Draft]) -> AdmittedFlow:
    named = canonical_ids(drafts)
    nodes = tuple(
        FlowNode(
            new,
            old,
            draft.kind,
            tuple(named[wanted] for wanted in draft.inputs),
            draft.system,
            draft.policy,
            draft.template,
        )
        for old, new in named.items()
        for draft in (drafts[old],)
    )
    unread = tuple(
        f"node {shown(node.source_id, 40)}: {shown(key, 40)} is no key of {_A[node.kind]}, and has no effect"
        for node in nodes
        for key in drafts[node.source_id].unread
    )
    encoding = f"{FLOW_VERSION}:({' '.join(node.encode() for node in nodes)})"
    return AdmittedFlow(nodes, encoding, unread[:MAX_UNREAD])


_A: Final[Mapping[Kind, str]] = {"input": "an input", "llm": "an llm node", "output": "an output"}


def _read(term: object, vocabulary: Vocabulary) -> tuple[Mapping[str, _Draft], Sequence[Finding]]:
    reading = _Reading(vocabulary)
    drafts = reading.nodes(term)
    if reading.found:
        return drafts, reading.found
    graph = _Graph(drafts)
    graph.judge()
    return drafts, graph.found


def find_flow(term: object, vocabulary: Vocabulary) -> tuple[Finding, ...]:
    """Everything that keeps a flow from being admitted; the graph is judged once every node is sound by itself."""
    return tuple(_read(term, vocabulary)[1])


def check_flow(term: object, vocabulary: Vocabulary) -> AdmittedFlow:
    """Admit a flow. Raises `AdmissionError` with the first finding, as `check` does for a term."""
    drafts, found = _read(term, vocabulary)
    if found:
        raise AdmissionError("not admitted", found[:1])
    return _assembled(drafts)
