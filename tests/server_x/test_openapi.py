"""The OpenAPI document is true: a thousand generated requests, none of which breaks the endpoint or its description."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.core.failures import Failure
from schemathesis.specs.openapi import checks

from tests.scale import SOAK, scaled
from tests.server_x.endpoint import Served
from workbench.server.routes import ROUTES
from workbench.server.x.openapi.document import OPERATIONS, document

CASES = scaled(95, 850)
"""For each operation that takes anything; there are a dozen of them, so 10,000 in the long run (RELIABILITY R38)."""
MADE: Counter[str] = Counter()
"""How many requests were made, by mode of generation."""
ROUTING = {
    "no_candidates", "server_error", "content_filter", "payment_required", "model_unavailable", "network_error",
    "bad_response", "stream_interrupted", "unknown", "timeout",
}  # fmt: skip
"""What a call may fail with at its providers; everything else of 5xx would be ours."""


@pytest.fixture(scope="module")
def described(endpoint: Served) -> Iterator[Any]:
    yield schemathesis.openapi.from_url(f"{endpoint.url}/openapi.json")
    assert sum(MADE.values()) >= 1_000, MADE
    assert MADE["negative"] > 100, MADE
    print(dict(MADE))  # noqa: T201 - the figures of a long run


described_schema: Any = schemathesis.pytest.from_fixture("described")
KNOWN: Any = checks
WANTED = [
    KNOWN.status_code_conformance,
    KNOWN.content_type_conformance,
    KNOWN.response_schema_conformance,
    KNOWN.unsupported_method,
]


@pytest.mark.timeout(0 if SOAK else 600)
@described_schema.parametrize()
@settings(
    max_examples=CASES,
    phases=[Phase.explicit, Phase.generate],
    derandomize=not SOAK,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
def test_a_thousand_requests_are_answered_as_described(case: Any) -> None:
    MADE[case.meta.generation.mode.value] += 1
    answer = case.call()
    if answer.status_code >= 500:
        code = answer.json()["error"]["code"]
        ours = code.removeprefix("exhausted: ")
        if ours not in ROUTING and not ours.startswith("unknown profile"):
            raise Failure(operation=case.operation.label, title="ours", message=answer.text)
    case.validate_response(answer, checks=WANTED)


def test_every_route_is_described_and_every_description_is_a_route() -> None:
    described = {(operation.method, operation.path) for operation in OPERATIONS}
    assert described == {(route.method, route.path) for route in ROUTES}


def test_public_means_the_same_in_both() -> None:
    public = {(operation.method, operation.path) for operation in OPERATIONS if operation.public}
    assert public == {(route.method, route.path) for route in ROUTES if route.public}


def test_what_is_counted_may_be_told_to_wait() -> None:
    counted = {(operation.method, operation.path) for operation in OPERATIONS if operation.counted}
    assert counted == {(route.method, route.path) for route in ROUTES if route.counted}
    assert all("429" in document()["paths"][path][method.lower()]["responses"] for method, path in counted)


def test_the_query_that_is_read_is_described() -> None:
    described = {(each.method, each.path): tuple(name for name, *_ in each.query) for each in OPERATIONS}
    assert described == {(route.method, route.path): route.query for route in ROUTES}


def test_every_reference_is_there() -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            known = cast("dict[str, Any]", value)
            own = [known["$ref"]] if "$ref" in known else []
            return own + [each for inner in known.values() for each in references(inner)]
        if isinstance(value, list):
            return [each for inner in cast("list[Any]", value) for each in references(inner)]
        return []

    known = document()
    names = {name.rpartition("/")[2] for name in references(known)}
    assert names == set(known["components"]["schemas"])
