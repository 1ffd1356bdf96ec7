"""Hostile catalogs: each ends in a named finding or a clean refusal, and never in a crash or a grant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.catalog.support import as_text, build_catalog, document, load_text, with_offer, with_provider
from workbench.boundary.sanitiser import one_line
from workbench.catalog.catalog import Catalog
from workbench.catalog.checks import address_fault
from workbench.catalog.load import MAX_BYTES, load_catalog
from workbench.errors import CatalogError


def errors(catalog: Catalog) -> list[str]:
    return [finding.code for finding in catalog.findings if finding.severity == "error"]


def warnings(catalog: Catalog) -> list[str]:
    return [finding.code for finding in catalog.findings if finding.severity == "warning"]


# Whole files


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"format": "workbench-catalog/1", "format": "workbench-catalog/1"}', id="duplicate key"),
        pytest.param(
            as_text(document()).replace('"no_log": true', '"no_log": true, "no_log": false'), id="no_log twice"
        ),
        pytest.param(as_text(document()).replace("5.5", "NaN"), id="NaN"),
        pytest.param(as_text(document()).replace("5.5", "1e999"), id="beyond a double"),
        pytest.param(as_text(document()).encode("utf-16"), id="UTF-16"),
        pytest.param(as_text(document()).encode("utf-32"), id="UTF-32"),
        pytest.param(as_text(document()).replace("m1", "\\ud800"), id="lone surrogate"),
        pytest.param(as_text(document()).encode().replace(b"m1", b"\xed\xa0\x80"), id="raw surrogate"),
        pytest.param(as_text(document())[:-40], id="cut off"),
        pytest.param("", id="empty"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param("[]", id="not an object"),
        pytest.param('{"format": "something-else/9"}', id="another format"),
        pytest.param('{"format": "workbench-catalog/1"}', id="no rows"),
        pytest.param(as_text({**document(), "offers": {}}), id="offers are no list"),
        pytest.param(as_text({**document(), "surprise": 1}), id="unknown key"),
        pytest.param(as_text({**document(), "date": "2026-02-30"}), id="no such day"),
        pytest.param(
            as_text({**document(), "benchmarks": {"bench_x": {"version": "1"}, "bench_x_rank": {"version": "1"}}}),
            id="benchmark names that clash",
        ),
    ],
)
def test_a_file_that_is_no_catalog_is_refused_with_a_reason(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(CatalogError) as caught:
        load_text(tmp_path, text)
    assert caught.value.findings
    assert all(finding.reason for finding in caught.value.findings)


def test_a_byte_order_mark_passes_in_a_local_file(tmp_path: Path) -> None:
    assert len(load_text(tmp_path, b"\xef\xbb\xbf" + as_text(document()).encode())) == 3


def test_a_file_too_large_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "zeros.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(CatalogError) as caught:
        load_catalog(path)
    assert str(MAX_BYTES) in "".join(filter(str.isdigit, str(caught.value)))


@pytest.mark.parametrize("kind", ["missing", "directory"])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "c.json"
    if kind == "directory":
        path.mkdir()
    with pytest.raises(CatalogError):
        load_catalog(path)


# Flags that grant


@pytest.mark.parametrize("value", ["false", "true", 0, 1, None, [], {}])
@pytest.mark.parametrize("flag", ["no_log", "has_tee"])
def test_a_mistyped_flag_never_grants(flag: str, value: Any) -> None:
    catalog = with_offer(**{flag: value})
    assert flag not in catalog.candidates[0]
    assert len(catalog) == 3, "the row loads; only the flag is unknown"
    assert warnings(catalog) == ["flag_mistyped"]


# Rows


@pytest.mark.parametrize("price", [-1, -0.01, 1e308, 1_000_001, "5.5", True, [5]])
@pytest.mark.parametrize("field", ["price_in", "price_out"])
def test_a_bad_price_rejects_its_row_and_no_other(field: str, price: Any) -> None:
    catalog = with_offer(**{field: price})
    assert len(catalog) == 2
    assert [catalog.offer_id(i) for i in range(2)] == ["north/m1", "south/two"]
    (finding,) = catalog.findings
    assert str(finding.place).endswith(f"$.offers[0].{field}")


def test_a_finding_names_the_line(tmp_path: Path) -> None:
    doc = document()
    doc["offers"][1]["price_in"] = -1
    lines = [as_text(row) for row in doc["offers"]]
    head = as_text({name: value for name, value in doc.items() if name != "offers"})[:-1]
    text = f'{head},\n"offers": [\n' + ",\n".join(lines) + "\n]}\n"
    (finding,) = load_text(tmp_path, text).findings
    assert finding.place.line == 4
    assert text.splitlines()[3].startswith('{"provider": "north"')


@pytest.mark.parametrize("indent", [None, 2])
def test_where_a_row_has_no_line_of_its_own_none_is_made_up(tmp_path: Path, indent: int | None) -> None:
    doc = document()
    doc["offers"][1]["price_in"] = -1
    (finding,) = load_text(tmp_path, json.dumps(doc, indent=indent)).findings
    assert (finding.place.line, finding.place.path) == (None, "$.offers[1].price_in")


@pytest.mark.parametrize(
    "change",
    [
        {"provider": "nobody"},
        {"provider": 7},
        {"served_model_id": ""},
        {"served_model_id": "x" * 257},
        {"region": "EU!"},
        {"api_kind": "telnet"},
        {"request": {"base_url": "https://evil.example"}},
        {"surprise": 1},
        {"capabilities": {"context": -1}},
        {"capabilities": {"supports_everything": True}},
        {"date": "yesterday"},
        {"base_url": "file:///etc/passwd"},
        {"price_disagrees": {"source": "x"}},
    ],
)
def test_a_bad_row_is_left_out_with_its_place(change: dict[str, Any]) -> None:
    catalog = with_offer(**change)
    assert len(catalog) == 2
    assert errors(catalog)
    assert all("$.offers[0]" in str(finding.place) for finding in catalog.findings)


def test_rows_that_are_no_objects_are_left_out() -> None:
    doc = document()
    doc["offers"] += [None, 3, "offer", [], {"no_log": "false"}]
    doc["providers"].append(None)
    doc["models"].append("m9")
    catalog = build_catalog(doc)
    assert len(catalog) == 3
    assert {finding.severity for finding in catalog.findings} == {"error", "warning"}


# Addresses

UNSAFE = [
    "file:///etc/passwd",
    "ftp://host.example/",
    "http://169.254.169.254/latest",
    "https://169.254.169.254/",
    "https://[fe80::1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[fd00:ec2::254]/",
    "https://metadata.google.internal/",
    "https://2852039166/",
    "https://0xA9FEA9FE/",
    "https://169.254.43518/",
    "https://0251.0376.0251.0376/",
    "//host.example/",
    "host.example/v1",
    "https://user@host.example/",
    "https://user:secret@host.example/",
    "https://@host.example/",
    "https://host.example:99999/",
    "https://host.example:0/",
    "https://host.example:port/",
    "https://host.example/\r\nX-Evil: 1",
    "https://host.example/ v1",
    "https://ho st.example/",
    "https://host.example\\@evil.example/",
    "https://hоst.example/",
    "https://host。example/",
    "https://-host.example/",
    "https://host..example/",
    "https://host.example/?key=1",
    "https://host.example/#x",
    "https://",
    "https:///v1",
    "http://host.example/",
    "https://0.0.0.0/",
    "https://[zz]/",
    "https://224.0.0.1/",
    "javascript:alert(1)",
    "",
]


@pytest.mark.parametrize("url", UNSAFE)
def test_an_unsafe_address_rejects_its_row(url: str) -> None:
    assert address_fault(url) is not None or not url
    catalog = with_provider(base_urls={"default": url})
    assert "north" not in catalog.providers
    assert set(errors(catalog)) <= {"address_unsafe", "provider_unknown", "row_value"}
    assert len(catalog) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "https://api.example.com:8443/v1",
        "https://xn--hst-sna.example/v1",
        "https://93.184.216.34/v1",
        "https://10.0.0.5/v1",
        "http://127.0.0.1:8080/v1",
        "http://[::1]:8080/v1",
        "http://localhost:8080/v1",
    ],
)
def test_an_ordinary_address_passes_in_a_catalog_of_ones_own(url: str) -> None:
    assert address_fault(url) is None


@pytest.mark.parametrize(
    "url",
    ["https://10.0.0.5/", "https://192.168.1.1/", "https://[fd00::1]/", "http://127.0.0.1/", "http://localhost/",
     "https://localhost/", "https://100.64.0.1/", "https://[::ffff:10.0.0.1]/"],
)  # fmt: skip
def test_a_catalog_from_elsewhere_may_not_point_inside(url: str) -> None:
    assert address_fault(url, imported=True) is not None
    assert "north" not in with_provider(imported=True, base_urls={"default": url}).providers


# Keys


def test_a_key_variable_nobody_declared_is_held_in_a_catalog_from_elsewhere() -> None:
    catalog = with_provider(imported=True, auth_env="AWS_SECRET_ACCESS_KEY")
    assert catalog.held == {"north": "AWS_SECRET_ACCESS_KEY"}
    assert "auth_env" not in catalog.candidates[0]
    assert "key_held" in warnings(catalog)
    assert {fact.name: fact.value for fact in catalog.facts(0)}["auth_env"] is None


def test_a_declared_key_variable_passes() -> None:
    catalog = with_provider(imported=True, auth_env="OPENAI_API_KEY")
    assert not catalog.held
    assert catalog.candidates[0]["auth_env"] == "OPENAI_API_KEY"


@pytest.mark.parametrize("name", ["sk-abc123", "lower", "A B", "A\nB", "", "1A", "A" * 65])
def test_a_key_itself_is_no_variable_name(name: str) -> None:
    assert "north" not in with_provider(auth_env=name).providers


# Names


@pytest.mark.parametrize("twin", ["north", "NORTH", "ｎｏｒｔｈ"])
def test_the_second_of_two_equal_provider_ids_is_refused(twin: str) -> None:
    doc = document()
    doc["providers"].append({**doc["providers"][1], "id": twin, "name": "Twin"})
    catalog = build_catalog(doc)
    assert errors(catalog) == ["name_taken"]
    assert catalog.providers["north"].name == "North"
    assert len(catalog.providers) == 2


@pytest.mark.parametrize("twin", ["m1", "M1", "ｍ１"])
def test_the_second_of_two_equal_models_and_offers_is_refused(twin: str) -> None:
    doc = document()
    doc["models"].append({"id": twin, "released": "2020-01-01"})
    doc["offers"].append({**doc["offers"][0], "served_model_id": twin, "price_in": 0.01})
    catalog = build_catalog(doc)
    assert errors(catalog) == ["name_taken", "name_taken"]
    assert len(catalog) == 3
    assert catalog.candidates[0]["price_in"] == 5.5


def test_a_lookalike_of_a_provider_is_named() -> None:
    doc = document()
    doc["providers"].append({**doc["providers"][1], "id": "nоrth"})
    catalog = build_catalog(doc)
    assert "name_confusable" in warnings(catalog)


ESC = "\x1b"
SIGNS = [
    f"{ESC}]52;c;aGk=\x07",
    f"{ESC}]8;;https://evil.example{ESC}\\x",
    f"{ESC}]0;t\x07",
    f"{ESC}[2J",
    "\x9b2J",
    "\x07",
    "\r",
    "\x7f",
    "\x00",
    "\u202egnp.exe",
    "a\u200bb",
    "\u2028",
    "\U000e0041",
]


@pytest.mark.parametrize("name", SIGNS)
def test_names_with_hidden_characters_load_and_are_told(name: str) -> None:
    catalog = with_offer(model=f"m{name}", served_model_id=f"w{name}")
    assert len(catalog) == 3
    assert "name_hidden" in warnings(catalog)
    raw = [char for char in "".join(map(str, catalog.findings)) if not char.isprintable()]
    assert not raw
    assert catalog.candidates[0]["model_family"] == f"m{name}"
    assert one_line(catalog.offer_id(0)) != catalog.offer_id(0)


@pytest.mark.parametrize("name", ["[/", "[@click=app.quit]x[/]", "[red", "[ai/gpt-4]"])
def test_names_that_look_like_markup_are_names(name: str) -> None:
    catalog = with_offer(model=name, served_model_id=name)
    assert catalog.candidates[0]["model_family"] == name
    assert not catalog.findings
    assert catalog.find(f"north/{name}@eu") == 0 or catalog.offer_id(0) == f"north/{name}"


def test_findings_stay_short() -> None:
    doc = document()
    doc["offers"][0]["region"] = "x" * 100_000
    doc["offers"][1]["x" * 100_000] = 1
    for finding in build_catalog(doc).findings:
        assert len(finding.reason) <= 512
        assert len(str(finding)) <= 1200


def test_many_models_load() -> None:
    doc = document()
    row = doc["offers"][2]
    doc["offers"] = [{**row, "model": f"m{i}", "served_model_id": f"w{i}"} for i in range(20_000)]
    catalog = build_catalog(doc)
    assert len(catalog) == 20_000
    assert catalog.find("south/w19999") == 19_999
