"""`workbench token` and the part of `workbench serve` that asks for tokens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Ran, call
from tests.server_x.processes import child
from workbench.boundary.machine import is_loopback
from workbench.cli.output import Output
from workbench.cli.tokens.shown import now_ms

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what has to be refused
SECRET = re.compile(r"wbt_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("WORKBENCH_TOKENS", str(tmp_path / "tokens.db"))

    def run(*words: str) -> Ran:
        return call("token", *words)

    return run


def test_a_secret_is_printed_once_and_shown_nowhere_else(token: Any) -> None:
    made = token("new", "ci bot", "--tenant", "acme-eu", "--budget", "5", "--rate", "60", "--expires", "30d")
    assert made.code == 0
    secret = made.out.strip()
    assert SECRET.fullmatch(secret)
    assert secret not in made.err
    (row,) = token("list", "--json").json["tokens"]
    assert (row["name"], row["tenants"], row["budget_usd"], row["spent_usd"]) == ("ci bot", ["acme-eu"], 5.0, 0.0)
    for words in (("list",), ("list", "--json"), ("show", "ci bot"), ("show", "ci bot", "--json")):
        out = token(*words).out
        assert secret not in out
        assert secret.split("_", 2)[2] not in out


def test_json_holds_the_secret_once(token: Any) -> None:
    made = token("new", "one", "--json").json
    assert SECRET.fullmatch(made["token"])
    assert (made["tenants"], made["routes"], made["standing"]) == (None, None, "active")


def test_revoking_ends_it_and_says_so_again(token: Any) -> None:
    token("new", "one")
    assert token("revoke", "one").code == 0
    assert "was revoked" in token("revoke", "one").out
    assert token("list", "--json").json["tokens"] == []
    (row,) = token("list", "--all", "--json").json["tokens"]
    assert row["standing"] == "revoked"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("new", "x", "--tenant", "acme"), "acme-eu"), (("new", "x", "--route", "/v1/chat/completion"), "did you mean"),
        (("new", "x", "--expires", "3y"), "30d"), (("new", "x", "--expires", "2020-01-01"), "come"),
        (("new", "x\x1b"), "letters"), (("show", "zz"), "token list"), (("revoke", "zz"), "token list"),
        (("new", "x", "--rate", "0"), ""), (("new", "x", "--budget", "-1"), ""),
        (("new", "x", "--budget", "nan"), "finite"), (("new", "x", "--budget", "inf"), "range"),
        (("new",), ""), (("zap",), ""),
        (("list", "--tokens", "/etc/passwd"), ".db"), (("list", "--tokens", "mysql://a:b@c/d"), "postgresql"),
        (("list", "--shared", "redis://127.0.0.1:x"), "HOST:PORT"),
    ],
)  # fmt: skip
def test_a_word_that_is_off_is_refused_with_a_way_out(token: Any, words: tuple[str, ...], hint: str) -> None:
    ran = token(*words)
    assert ran.code == 2
    assert hint in ran.err
    assert "Traceback" not in ran.err
    assert "\x1b" not in ran.err


def test_a_file_that_is_no_store_is_refused_and_left_alone(token: Any, tmp_path: Path) -> None:
    other, folder = tmp_path / "other.db", tmp_path / "folder.db"
    other.write_bytes(b"somebody's own")
    folder.mkdir()
    for place in (other, folder):
        ran = token("list", "--tokens", str(place))
        assert ran.code == 1
        assert str(place) in ran.err
    assert other.read_bytes() == b"somebody's own"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.db", "other.db"]


def test_two_of_one_name_have_to_be_told_apart(token: Any) -> None:
    token("new", "one")
    token("new", "one")
    ran = token("revoke", "one")
    assert ran.code == 2
    assert "tok_" in ran.err


def test_a_name_whose_other_tokens_are_revoked_means_the_one_that_is_not(token: Any) -> None:
    for _ in range(2):
        token("new", "one")
        assert token("revoke", "one").code == 0
    made = token("new", "one", "--json").json
    assert token("show", "one", "--json").json["id"] == made["id"]
    assert made["id"] in token("revoke", "one").out
    assert [row["standing"] for row in token("list", "--all", "--json").json["tokens"]] == ["revoked"] * 3
    assert token("revoke", "one").code == 2, "all three are revoked: which of them is asked for cannot be known"


def test_beyond_loopback_there_has_to_be_a_token(token: Any, tmp_path: Path) -> None:
    ran = call("serve", "--host", EVERYWHERE, "--port", "0", "--traces", str(tmp_path / "t.db"))
    assert ran.code == 2
    assert "workbench token new" in ran.err


def test_with_a_token_it_serves_everyone_who_has_one(token: Any, tmp_path: Path) -> None:
    import httpx

    secret = token("new", "one").out.strip()
    tokens = str(tmp_path / "tokens.db")
    words = ("--host", EVERYWHERE, "--tokens", tokens, "--traces", str(tmp_path / "t.db"), "--allow-host", "127.0.0.1")
    with child(*words, XDG_STATE_HOME=str(tmp_path)) as made:
        url = f"http://127.0.0.1:{made.url.rpartition(':')[2]}"
        with httpx.Client(base_url=url, trust_env=False) as client:
            assert client.get("/v1/models").status_code == 401
            assert client.get("/healthz").status_code == 200
            assert client.get("/v1/models", headers={"authorization": f"Bearer {secret}"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("127.0.0.1", False), ("localhost", False), ("::1", False), ("127.9.9.9", False), (EVERYWHERE, True),
        ("::", True),
        ("", True), ("192.168.1.4", True), ("example.org", True), ("localhost.example.org", True), ("2130706433", True),
    ],
)  # fmt: skip
def test_who_reaches_a_host(host: str, reached: bool) -> None:
    assert is_loopback(host) is not reached


def test_a_place_that_cannot_be_made_is_told_with_reason_and_way_out(
    token: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKBENCH_TOKENS")
    (tmp_path / "file").write_text("")
    nowhere = Path("/proc/1/none")
    cases = ((tmp_path / "file", "not a directory", "list"), (tmp_path / "file", "not a directory", "new"),
             (nowhere, "no such file", "new"))  # fmt: skip
    for home, reason, word in cases:
        monkeypatch.setenv("XDG_STATE_HOME", str(home))
        ran = token(word, *(["one"] if word == "new" else []))
        assert ran.code == 1
        assert ran.err.startswith(f"{home}/"), "the place"
        assert f": {reason}" in ran.err
        assert "--tokens PLACE" in ran.err
        assert "Errno" not in ran.err


def test_a_file_that_is_not_there_is_said_to_be_missing_and_not_made(token: Any, tmp_path: Path) -> None:
    ran = token("list")
    assert (ran.code, ran.out) == (0, "\n".join([*ran.out.splitlines()[:-1], "no tokens", ""]))
    assert f"there is no file {tmp_path / 'tokens.db'} yet" in ran.err
    place = tmp_path / "none" / "x.db"
    for words in (("list",), ("list", "--json"), ("show", "one"), ("revoke", "one")):
        ran = token(*words, "--tokens", str(place))
        assert ran.code == 2
        assert "there is no such file" in ran.err
        assert str(place) in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_secret_given_for_a_name_means_its_token_and_is_not_repeated(token: Any) -> None:
    secret = token("new", "one").out.strip()
    token("new", "two")
    shown = token("show", secret)
    assert (shown.code, secret in shown.out + shown.err) == (0, False)
    assert "one" in shown.out
    wrong = f"{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}"
    for text in (wrong, secret[:-4], secret[4:], secret.upper(), f"Bearer {secret}"):
        for word in ("show", "revoke"):
            ran = token(word, text)
            assert ran.code == 2
            assert "secret" in ran.err
            assert secret[20:40].lower() not in (ran.out + ran.err).lower()
    revoked = token("revoke", secret)
    assert (revoked.code, secret in revoked.out + revoked.err) == (0, False)
    assert token("show", "one", "--json").json["standing"] == "revoked"


def test_a_secret_is_no_name_for_a_token(token: Any) -> None:
    secret = token("new", "one").out.strip()
    ran = token("new", secret)
    assert ran.code == 2
    assert secret not in ran.out + ran.err
    assert len(token("list", "--json").json["tokens"]) == 1


def test_a_beginning_of_an_id_means_the_one_token_that_has_it(token: Any) -> None:
    ids = [token("new", f"token {number}", "--json").json["id"] for number in range(40)]
    whole = ids[0]
    size = next(size for size in range(5, 17) if sum(each.startswith(whole[:size]) for each in ids) == 1)
    for text in (whole[:size], f"{whole[:size]}…"):
        assert token("show", text, "--json").json["id"] == whole
    ran = token("revoke", whole[: size - 1])
    assert ran.code == 2
    if size > 5:
        assert "begins" in ran.err
        assert ran.err.count("(token ") >= 2
    assert "`tok_`" in token("revoke", "tok_").err
    assert all(row["standing"] == "active" for row in token("list", "--json").json["tokens"])


def test_amounts_are_written_out_so_that_they_can_be_compared(token: Any, tmp_path: Path) -> None:
    from workbench.server.callers.tables import open_tables, writing
    from workbench.server.shared.base import month_of

    spent = {"0.00003": 21_449, "1000000": 999_999_999_999_999, "50": 1_000, "0.5": 0}
    rows = {budget: token("new", f"b{budget}", "--budget", budget, "--json").json["id"] for budget in spent}
    database = open_tables(tmp_path / "tokens.db")
    values = [{"token": rows[budget], "month": month_of(now_ms()), "nano": nano} for budget, nano in spent.items()]
    insert = "INSERT INTO caller_spending (token, month, nano_usd, calls) VALUES (:token, :month, :nano, 1)"
    writing(database, lambda execute: [execute(insert, row) for row in values])
    database.close()
    shown = [line.split()[-2:] for line in token("list").out.splitlines()[1:]]
    assert shown == [["0.00003", "0.0000214"], ["1000000", "999999.9999"], ["50", "<0.0001"], ["0.5", "0.0000"]]
    assert "0.00003" in token("show", "b0.00003").out
    assert "e-05" not in token("show", "b0.00003").out


def test_the_list_says_until_when_a_token_is_good(token: Any) -> None:
    token("new", "one", "--expires", "2999-01-31")
    token("new", "two", "--rate", "10000000")
    out = token("list").out
    assert "until" in out
    assert "2999-02-01T00:00:00Z" in out
    assert "10000000/min" in out
    assert "routes" not in out, "none of them has any"


def test_ids_are_whole_on_a_narrow_terminal(token: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a rather long name of a token", "another one"):
        token("new", name, "--budget", "0.00003", "--rate", "60", "--expires", "30d", "--concurrency", "3")
    ids = [row["id"] for row in token("list", "--json").json["tokens"]]

    def narrow(**given: bool) -> Output:
        return Output(given["as_json"], width=80)

    monkeypatch.setattr(Output, "here", narrow)
    lines = token("list", "--all").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ids
    assert max(map(len, lines)) <= 80
