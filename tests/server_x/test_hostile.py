"""Hostile requests on a real socket: hosts, targets, methods, bodies, keys that steer, policies wider than allowed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.server_x.endpoint import HELLO, Served, policy, served
from tests.server_x.test_rank import workspace
from workbench.server.callers.gate import Settings
from workbench.server.host import Options

TRICKS: list[tuple[str, str, bytes]] = [
    ("evil host", "/x/rank", b"evil.example"),
    ("evil host with port", "/x/rank", b"evil.example:80"),
    ("path in host", "/x/rank", b"x/../v1"),
    ("healthz in host", "/x/rank", b"127.0.0.1/healthz"),
    ("user in host", "/x/rank", b"127.0.0.1@evil.example"),
    ("question in host", "/x/rank", b"127.0.0.1?"),
    ("space in host", "/x/rank", b"127.0.0.1 evil"),
    ("rebinding", "/x/rank", b"127.0.0.1.evil.example"),
    ("other loopback", "/x/rank", b"127.0.0.2"),
    ("zero", "/x/rank", b"0.0.0.0"),
    ("decimal", "/x/rank", b"2130706433"),
    ("empty host", "/x/rank", b""),
    ("non-ascii host", "/x/rank", "löcalhost".encode()),
    ("two slashes", "//x/rank", b"127.0.0.1"),
    ("two slashes behind", "/x//rank", b"127.0.0.1"),
    ("dot", "/x/./rank", b"127.0.0.1"),
    ("dot dot", "/healthz/../x/rank", b"127.0.0.1"),
    ("encoded dots", "/healthz/%2e%2e/x/rank", b"127.0.0.1"),
    ("encoded dots upper", "/healthz/%2E%2E/x/rank", b"127.0.0.1"),
    ("encoded slash", "/x%2frank", b"127.0.0.1"),
    ("encoded letter", "/%78/rank", b"127.0.0.1"),
    ("double encoded", "/%2578/rank", b"127.0.0.1"),
    ("semicolon", "/x/rank;/healthz", b"127.0.0.1"),
    ("semicolon inside", "/x;a=b/rank", b"127.0.0.1"),
    ("upper case", "/X/RANK", b"127.0.0.1"),
    ("trailing slash", "/x/rank/", b"127.0.0.1"),
    ("null", "/x/rank%00", b"127.0.0.1"),
    ("backslash", "/x\\rank", b"127.0.0.1"),
    ("fragment", "/x/rank#/healthz", b"127.0.0.1"),
    ("absolute form", "http://127.0.0.1/x/rank", b"127.0.0.1"),
    ("absolute form elsewhere", "http://evil.example/healthz", b"127.0.0.1"),
    ("encoded slash in a parameter", "/v1/models/profile%2Fdefault", b"127.0.0.1"),
    ("colon encoded twice", "/v1/models/profile%253Adefault", b"127.0.0.1"),
    ("line feed in a parameter", "/v1/models/profile%0adefault", b"127.0.0.1"),
    ("overlong", "/x/%c0%ae%c0%ae/rank", b"127.0.0.1"),
]


@pytest.fixture(scope="module")
def shut(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with served(tmp_path_factory.mktemp("shut"), emulator, settings=Settings(required=True)) as made:
        yield made


def request(target: str, host: bytes, method: str = "POST", *lines: bytes, body: bytes = b"{}") -> bytes:
    head = [f"{method} {target} HTTP/1.1".encode(), b"Host: " + host, b"Content-Length: %d" % len(body), *lines]
    return b"\r\n".join([*head, b"Connection: close", b"", body])


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@pytest.mark.parametrize(("target", "host"), [trick[1:] for trick in TRICKS], ids=[trick[0] for trick in TRICKS])
def test_no_host_and_no_target_gets_past_the_token(shut: Served, target: str, host: bytes) -> None:
    found = shut.raw(request(target, host))
    assert status(found) in {400, 401, 404}, found
    assert b"ranked" not in found
    assert b'"ok"' not in found


@pytest.mark.parametrize(
    "target", ["/x/rank", "/v1/models", "/metrics", "/x/traces/abc", "/default/v1/chat/completions"]
)
def test_what_is_not_public_needs_a_token(shut: Served, target: str) -> None:
    for method in ("GET", "POST"):
        assert status(shut.raw(request(target, b"127.0.0.1", method))) in {401, 405}


@pytest.mark.parametrize(
    "value",
    [b"Bearer \xc3\xa9", b"Bearer " + b"a" * 60_000, b"", b"Bearer", b"' OR '1'='1", b"Bearer ' OR '1'='1"],
)
def test_authorization_that_is_none_gets_one_body(shut: Served, value: bytes) -> None:
    found = shut.raw(request("/x/rank", b"127.0.0.1", "POST", b"Authorization: " + value))
    assert status(found) == 401
    assert found.endswith(
        b'{"error":{"message":"a valid bearer token is needed","type":"auth_error","code":"caller_auth"}}'
    )


def test_two_authorizations_are_none(shut: Served) -> None:
    right = f"Authorization: Bearer {shut.token('twice')}".encode()
    assert status(shut.raw(request("/v1/models", b"127.0.0.1", "GET", right, right, body=b""))) == 401
    assert status(shut.raw(request("/v1/models", b"127.0.0.1", "GET", right, body=b""))) == 200


@pytest.mark.parametrize(
    "data",
    [
        b"OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"CONNECT 127.0.0.1:443 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /x/rank HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
    ids=["options", "trace", "connect", "http2", "websocket"],
)
def test_other_protocols_and_methods_are_4xx(endpoint: Served, data: bytes) -> None:
    found = endpoint.raw(data)
    assert 400 <= status(found) < 500, found
    assert b"access-control" not in found.lower()


BODIES = [
    b"[" * 100_000, b'{"temperature": ' + b"9" * 5000 + b"}", b'{"temperature": NaN}', b'{"model": "a", "model": "b"}',
    b'{"model": "\xff"}', b"", b"[]", b"null", b'{"model": "\\ud800"}', b"\xef\xbb\xbf{}", b'{"a": 1e999}',
    '{"model": "x"}'.encode("utf-16"),
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/x/rank", "/x/compile", "/x/policy/normalize"])
def test_a_body_that_is_unsafe_is_refused_in_openais_shape(endpoint: Served, path: str, body: bytes) -> None:
    answer = endpoint.post(path, body)
    assert answer.status_code in {400, 422}
    assert isinstance(answer.json()["error"]["message"], str)


WRONG: list[dict[str, Any]] = [
    {"temperature": False}, {"temperature": "0"}, {"temperature": 1e308}, {"n": 1_000_000}, {"max_tokens": -1},
    {"max_tokens": 1e18}, {"max_tokens": 1.5}, {"top_p": 2}, {"stream": "yes"}, {"seed": "x"},
    {"messages": [{"role": "__init__", "content": "x"}]}, {"messages": [{"role": "user", "content": [[["x"]]]}]},
    {"messages": [{"role": "user", "content": "x"}] * 100_000}, {"messages": "x"}, {"tools": [{}]},
    {"policy_ir": "x"}, {"session": 3}, {"tenant": 3},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_parameter_of_the_wrong_kind_is_refused(endpoint: Served, wrong: dict[str, Any]) -> None:
    answer = endpoint.post("/v1/chat/completions", {**HELLO, **wrong})
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["message"]


STEERING = {
    "base_url": "http://evil.example", "api_base": "http://evil.example", "api_key": "sk-canary-7f3a",
    "headers": {"x": "canary-7f3a"}, "extra_headers": {"x": "canary-7f3a"}, "timeout": 1,
    "proxy": "http://evil.example",
}  # fmt: skip


@pytest.mark.parametrize("name", STEERING)
def test_what_would_steer_a_call_is_never_forwarded(endpoint: Served, name: str) -> None:
    answer = endpoint.post("/v1/chat/completions", {**HELLO, name: STEERING[name]})
    assert answer.status_code == 400
    assert "canary" not in answer.text
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    "model", ["pin:x/y", "pin:x", "family:", "family:" + "a" * 1_000_000, "profile:\x1b[31m", "gpt-4o"]
)
def test_a_model_that_nobody_has_is_refused_with_a_reason(endpoint: Served, model: str) -> None:
    answer = endpoint.post("/v1/chat/completions", {**HELLO, "model": model})
    assert answer.status_code in {400, 404, 413, 502, 503}
    error = answer.json()["error"]
    assert error["code"]
    assert "\x1b" not in answer.text
    if model == "pin:x/y":
        assert (answer.status_code, error["code"]) == (503, "no_candidates")


def test_a_policy_wider_than_the_envelope_stays_inside_it(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator, root=workspace(tmp_path, 'envelope = "region = eu"')) as made:
        for term in (
            policy(["top"]),
            policy(["or", ["top"], ["is", "region_us"]]),
            policy(["not", ["is", "region_eu"]]),
        ):
            answer = made.chat(policy_ir=term)
            if answer.status_code == 200:
                assert answer.json()["x_router"]["region"] == "eu"
            else:
                assert answer.json()["error"]["code"] == "no_candidates"


def test_a_policy_of_a_megabyte_is_refused_at_its_cap(endpoint: Served) -> None:
    term = policy(["or", *[["family_eq", "x" * 200]] * 4_000])
    assert len(json.dumps(term)) < 1 << 20
    answer = endpoint.chat(policy_ir=term)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_policy"
    large = endpoint.chat(policy_ir=policy(["family_eq", "x" * (1 << 20)]))
    assert large.status_code == 413


@pytest.mark.parametrize(
    ("origin", "answered"),
    [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://localhost.evil.example", 403),
        ("http://localhost@evil.example", 403),
        ("localhost", 403),
        ("", 403),
        ("http://localhost:3000", 200),
        ("http://[::1]:3000", 200),
    ],
)
def test_a_page_of_another_site_spends_no_money(endpoint: Served, origin: str, answered: int) -> None:
    body = json.dumps({**HELLO, "compact": True}).encode()
    page = {"content-type": "text/plain", "origin": origin}
    found = endpoint.client.post("/v1/chat/completions", content=body, headers=page)
    assert found.status_code == answered
    if answered == 403:
        assert found.json()["error"]["code"] == "cross_origin"
        named = {**page, "authorization": "Bearer any"}  # which a page cannot send without having asked first
        assert endpoint.client.post("/v1/chat/completions", content=body, headers=named).status_code == 200


def test_where_everybody_needs_a_token_any_name_will_do(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator, settings=Settings(required=True), options=Options(any_name=True)) as endpoint:
        secret = endpoint.token()
        named = {"host": "router.internal", "authorization": f"Bearer {secret}"}
        assert endpoint.get("/v1/models", **named).status_code == 200
        assert endpoint.get("/v1/models", host="router.internal").status_code == 401
        assert endpoint.get("/healthz", host="10.1.2.3").status_code == 200


@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
def test_a_colon_in_a_path_may_be_encoded(endpoint: Served, colon: str) -> None:
    found = endpoint.get(f"/v1/models/profile{colon}default")
    assert (found.status_code, found.json()["id"]) == (200, "profile:default")


UNREAD = [
    "/v1/chat/completions?tenant=acme-eu", "/default/v1/chat/completions?tenant=acme-eu",
    "/v1/responses?tenant=acme-eu", "/x/rank?tenant=acme-eu", "/x/policy/build?admit=1",
    "/x/policy/templates/eu?quality_floor=1",
]  # fmt: skip


@pytest.mark.parametrize("target", UNREAD)
def test_what_stands_in_the_query_of_a_post_is_refused_for_the_body(endpoint: Served, target: str) -> None:
    answer = endpoint.post(target, {**HELLO, "compact": True})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "unsupported_parameter")
    assert error["param"] == target.partition("?")[2].partition("=")[0]
    assert "in the body" in error["message"]


@pytest.mark.parametrize("path", ["/v1/models", "/x/fields", "/x/policy/templates", "/x/traces/none", "/metrics"])
def test_a_question_without_parameters_refuses_any(endpoint: Served, path: str) -> None:
    answer = endpoint.get(f"{path}?tenant=acme-eu")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported_parameter")


def test_a_query_is_looked_at_after_the_token_and_never_at_a_health_check(shut: Served, endpoint: Served) -> None:
    assert shut.get("/x/fields?tenant=acme-eu").status_code == 401
    assert endpoint.get("/healthz?probe=1").status_code == 200


def test_a_parameter_that_stands_twice_is_refused(endpoint: Served) -> None:
    answer = endpoint.get("/x/rank?profile=default&tenant=acme-eu&tenant=other")
    assert answer.status_code == 400
    assert "`tenant` stands 2 times" in answer.json()["error"]["message"]


def test_a_question_says_which_parameters_it_reads(endpoint: Served) -> None:
    message = endpoint.get("/x/rank?profil=default").json()["error"]["message"]
    assert "did you mean `profile`?" in message
    assert endpoint.get("/x/rank?" + "&".join(f"a{number}=1" for number in range(80))).status_code == 400
