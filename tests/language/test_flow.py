"""Flows: what is admitted, how nodes are named, and what the whole is called."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

import pytest

from workbench.errors import AdmissionError
from workbench.language.encoding import fingerprint, identity
from workbench.language.flow import check_flow, find_flow
from workbench.language.vocabulary import CORE

POLICY: list[Any] = [
    "policy", ["and", ["meets_req"]], ["zero"], ["argmax"], ["id"], ["always", {"action": "abort"}],
]  # fmt: skip
ENC = 'sigma-pol/v2:(policy (meets_req) (zero) (argmax) (id) (always {"action":"abort"}))'


def llm(*inputs: str, system: Any = "s", **more: Any) -> dict[str, Any]:
    return {"kind": "llm", "system": system, "policy": POLICY, "inputs": list(inputs), **more}


def flow(**nodes: Any) -> list[Any]:
    return ["flow", {"in": {"kind": "input"}, **nodes}]


def out(of: str) -> dict[str, Any]:
    return {"kind": "output", "inputs": [of]}


def test_a_chain() -> None:
    made = check_flow(flow(work=llm("in", system='say "hi"\n'), end=out("work")), CORE)
    assert made.encoding == (
        f'sigma-flow/v1:((input n0) (llm n1 system="say \\"hi\\"\\n" policy={ENC} inputs=[n0]) (output n2 inputs=[n1]))'
    )
    assert made.fingerprint == fingerprint(made.encoding.encode())
    assert made.identity == identity(made.encoding.encode())
    assert [node.source_id for node in made.nodes] == ["in", "work", "end"]
    assert made.normal[1]["n1"]["policy"][1] == ["meets_req"]
    assert check_flow(made.normal, CORE) == check_flow(check_flow(made.normal, CORE).normal, CORE)
    assert check_flow(made.normal, CORE).encoding == made.encoding


def test_straight_through() -> None:
    assert check_flow(flow(end=out("in")), CORE).encoding == "sigma-flow/v1:((input n0) (output n1 inputs=[n0]))"


FAN: list[Any] = flow(
    a=llm("in", system="b"),
    b=llm("in", system="a"),
    c=llm("in", system="a", template="$1"),
    join=llm("c", "a", "b", "a", system="join", template="$1 and $2"),
    end=out("join"),
)


def test_nodes_are_named_by_content_and_the_order_of_inputs_stays() -> None:
    made = check_flow(FAN, CORE)
    assert [(node.id, node.source_id, node.inputs) for node in made.nodes] == [
        ("n0", "in", ()),
        ("n1", "b", ("n0",)),
        ("n2", "c", ("n0",)),
        ("n3", "a", ("n0",)),
        ("n4", "join", ("n2", "n3", "n1", "n3")),
        ("n5", "end", ("n4",)),
    ]
    assert 'template="$1 and $2" inputs=[n2,n3,n1,n3])' in made.encoding


@pytest.mark.parametrize("seed", range(20))
def test_ids_and_their_order_do_not_matter(seed: int) -> None:
    random = Random(seed)
    old = list(FAN[1])
    new = dict(zip(old, random.sample([f"x{i}" for i in range(50)], len(old)), strict=True))
    random.shuffle(old)
    nodes = {new[name]: copy.deepcopy(FAN[1][name]) for name in old}
    for node in nodes.values():
        if "inputs" in node:
            node["inputs"] = [new[wanted] for wanted in node["inputs"]]
    assert check_flow(["flow", nodes], CORE).encoding == check_flow(FAN, CORE).encoding


def test_a_missing_template_is_not_an_empty_one() -> None:
    with_empty = check_flow(flow(a=llm("in", template=""), end=out("a")), CORE)
    assert 'template="" inputs' in with_empty.encoding
    assert with_empty.encoding != check_flow(flow(a=llm("in"), end=out("a")), CORE).encoding


def test_what_a_node_has_beside_its_kind_is_no_part_of_it() -> None:
    bare = check_flow(flow(a=llm("in"), end=out("a")), CORE)
    noted = flow(a=llm("in", label="first", x=5), end={**out("a"), "label": "last", "system": "unused"})
    noted[1]["in"] |= {"inputs": [], "title": "question"}
    assert check_flow(noted, CORE).encoding == bare.encoding
    assert check_flow(noted, CORE).normal == bare.normal
    assert check_flow(noted, CORE) == bare
    assert check_flow(noted, CORE).unread == (
        "node 'in': 'title' is no key of an input, and has no effect",
        "node 'a': 'label' is no key of an llm node, and has no effect",
        "node 'a': 'x' is no key of an llm node, and has no effect",
        "node 'end': 'label' is no key of an output, and has no effect",
        "node 'end': 'system' is no key of an output, and has no effect",
    )
    assert not bare.unread


REFUSED: list[tuple[Any, str, str]] = [
    (None, "$", "null is not allowed in a term"),
    (["flow"], "$", 'expected ["flow", {ID: NODE, ...}]'),
    (["flow", []], "$.flow[1]", "expected a record of nodes, got a list"),
    (["flow", None], "$.flow[1]", "null is not allowed in a term"),
    (["flow", {}], "$.flow[1]", "a flow has exactly one input node, this one 0"),
    (flow(), "$.flow[1]", "a flow has exactly one output node, this one 0"),
    (flow(b={"kind": "input"}, end=out("in")), "$.flow[1]", "a flow has exactly one input node, this one 2"),
    (flow(a=out("in"), b=out("in")), "$.flow[1]", "a flow has exactly one output node, this one 2"),
    (flow(a=None), "$.flow[1].a", "null is not allowed in a term"),
    (flow(a={"kind": "tool"}), "$.flow[1].a.kind", "expected a node kind, got 'tool'"),
    (flow(a={}), "$.flow[1].a.kind", "expected a node kind, got null"),
    (flow(a=llm("in", tempalte="x"), end=out("a")), "$.flow[1].a", "unknown key 'tempalte' in a node of kind llm"),
    (flow(a=llm("in", note=None), end=out("a")), "$.flow[1].a.note", "null is not allowed in a term"),
    (flow(a={"kind": "llm", "inputs": ["in"], "policy": POLICY}), "$.flow[1].a", "an llm node needs `system`"),
    (flow(a={"kind": "llm", "inputs": ["in"], "system": ""}), "$.flow[1].a", "an llm node needs `policy`"),
    (flow(a=llm("in", system=None)), "$.flow[1].a.system", "null is not allowed in a term"),
    (flow(a=llm("in", template=5)), "$.flow[1].a.template", "expected a string, got a number"),
    (flow(a=llm("in", policy=["top"])), "$.flow[1].a.policy", "expected a Policy term, got Pred"),
    (
        flow(a=llm("in", policy=["policy", ["is", "eu"], *POLICY[2:]])),
        "$.flow[1].a.policy.policy[1].is[1]",
        "undeclared field 'eu'",
    ),
    (flow(a=llm(), end=out("a")), "$.flow[1].a", "an llm node needs at least one input"),
    (flow(a=llm("nn"), end=out("a")), "$.flow[1].a", "unknown node 'nn'"),
    (flow(a=llm(*["in"] * 33), end=out("a")), "$.flow[1].a.inputs", "more than 32 inputs"),
    (flow(a=llm("in", inputs=None), end=out("a")), "$.flow[1].a.inputs", "null is not allowed in a term"),
    (flow(a=llm("in", inputs=["in", 5]), end=out("a")), "$.flow[1].a.inputs[2]", "expected a string, got a number"),
    (flow(end={"kind": "output"}), "$.flow[1].end", "an output node has exactly one input, this one 0"),
    (
        flow(end={"kind": "output", "inputs": ["in", "in"]}),
        "$.flow[1].end",
        "an output node has exactly one input, this one 2",
    ),
    (flow(a=llm("in", "end"), end=out("a")), "$.flow[1].a", "the output node 'end' feeds nothing"),
    (
        ["flow", {"in": {"kind": "input", "inputs": ["in"]}, "e": out("in")}],
        "$.flow[1].in",
        "an input node has no inputs",
    ),
    (flow(a=llm("in"), b=llm("in"), end=out("a")), "$.flow[1].b", "nothing on the way to the output uses this node"),
    (
        flow(a=llm("in", "b"), b=llm("a"), end=out("b")),
        "$.flow[1].a",
        "this node waits for itself: its inputs form a cycle",
    ),
    (flow(a=llm("a"), end=out("in")), "$.flow[1].a", "this node waits for itself: its inputs form a cycle"),
    (["flow", {f"n{i}": {"kind": "input"} for i in range(257)}], "$.flow[1]", "more than 256 nodes"),
    (
        flow(a=llm("in", system="\ud800")),
        "$.flow[1].a.system",
        "'⟨U+D800⟩' holds a lone surrogate, which is no character",
    ),
]


@pytest.mark.parametrize(("term", "path", "reason"), REFUSED, ids=[row[2] + " " + row[1] for row in REFUSED])
def test_refused_with_place_and_reason(term: Any, path: str, reason: str) -> None:
    with pytest.raises(AdmissionError) as caught:
        check_flow(term, CORE)
    (finding,) = caught.value.findings
    assert (finding.place.path, finding.reason) == (path, reason)
    assert find_flow(term, CORE)[0] == finding


def test_every_finding_of_every_node_is_told() -> None:
    broken = flow(a=llm("in", system=1, template=2, policy=3), b={"kind": "x"}, end=out("a"))
    assert [finding.place.path for finding in find_flow(broken, CORE)] == [
        "$.flow[1].a.system",
        "$.flow[1].a.template",
        "$.flow[1].a.policy",
        "$.flow[1].b.kind",
    ]


def test_limits_are_met_and_not_passed() -> None:
    nodes = {f"a{i}": llm("in", system=str(i)) for i in range(32)}
    layers = {f"b{i}": llm(*nodes, system=str(i)) for i in range(32)}
    full = flow(**nodes, **layers, join=llm(*layers), end=out("join"))
    assert len(check_flow(full, CORE).nodes) == 67
    chain = {f"c{i:03}": llm(f"c{i - 1:03}" if i else "in") for i in range(254)}
    assert len(check_flow(flow(**chain, end=out("c253")), CORE).nodes) == 256
    heavy = flow(**{f"a{i}": llm("in", system="x" * 250_000) for i in range(5)}, end=out("a0"))
    assert [finding.code for finding in find_flow(heavy, CORE)] == ["size"]
