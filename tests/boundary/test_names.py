"""Names from data and paths: RELIABILITY R46 and row 40 of its section 3."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.boundary.files import CODES, check_name, path_inside
from workbench.errors import FileRefused

HOSTILE_NAMES = [
    "../../etc/passwd", "/etc/x", "a\x00b", "a" * 300, "CON", "con", "nul.toml", "com1", "lpt9.x", ".hidden", "-rf",
    "trailing.", "", ".", "..", "a/b", "a\\b", "c:x", "a b", "é", "A", "a\n", "\u202eabc", "~", "~root", "$HOME", "_x",
    "a" * 65,
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_that_is_no_safe_file_name_is_refused(name: str) -> None:
    with pytest.raises(FileRefused) as caught:
        check_name(name, what="fixture id")
    (finding,) = caught.value.findings
    assert finding.code == "name"
    assert "fixture id" in finding.reason
    assert str(caught.value).replace("\n", "").isprintable()


@pytest.mark.parametrize("name", ["acme", "eu-bank_2", "0", "v1.2", "a" * 64, "console", "nully", "a..b"])
def test_an_ordinary_name_passes(name: str) -> None:
    assert check_name(name, what="tenant") == name


@pytest.mark.parametrize(
    "part",
    [
        "../x",
        "/etc/passwd",
        "a/../b",
        "a//b",
        "",
        ".",
        "a/.",
        "a\x00b",
        "a\\..\\b",
        "c:/x",
        "a\nb",
        "x" * 256,
        "é" * 128,
        "a\ud800",
    ],
)
def test_a_path_that_is_none_inside_is_refused(part: str, tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as caught:
        path_inside(tmp_path, "sub", part)
    assert caught.value.findings[0].code == "outside"


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "inner").mkdir(parents=True)
    (root / "out").symlink_to(tmp_path)
    (root / "in").symlink_to(root / "inner")
    (root / "loop").symlink_to(root / "loop")
    assert path_inside(root, "in", "x.toml") == root.resolve() / "inner" / "x.toml"
    for part in ("out/x", "out", "loop/x"):
        with pytest.raises(FileRefused):
            path_inside(root, part)


@given(st.lists(st.text(max_size=12) | st.sampled_from(["..", ".", "/", "a", "a/b", "C:", "~"]), max_size=4))
def test_no_parts_leave_the_folder(parts: list[str]) -> None:
    root = Path(__file__).parent.resolve()
    try:
        path = path_inside(root, *parts)
    except FileRefused as error:
        assert {finding.code for finding in error.findings} <= CODES  # noqa: PT017 - either outcome is right
    else:
        assert path == root or root in path.parents
