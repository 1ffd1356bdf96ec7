"""The guarded TOML loader: the tables `tomllib` reads, or a `DocumentError` with its line; every key has its line."""

from __future__ import annotations

from typing import Any, cast

from tests.fuzz.harness import fuzz, measured, well_worded

with measured(__name__):
    import tomllib

    from workbench.boundary import guarded_toml
    from workbench.errors import DocumentError


def one_input(data: bytes) -> None:
    """Reads one input, and looks for the lines of all it holds."""
    document = _read(data)
    if document is None:
        return
    text = data.decode("utf-8-sig")
    assert repr(_settled(tomllib.loads(text))) == repr(_settled(document))
    lines = text.count("\n") + 1
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        if path:
            line = guarded_toml.locate(text, path)
            assert line is None or 1 <= line <= lines, path
        waiting.extend(((*path, key), item) for key, item in _inside(value))


def _read(data: bytes) -> dict[str, Any] | None:
    try:
        return guarded_toml.loads(data, source="in.toml")
    except DocumentError as error:
        (finding,) = error.findings
        assert well_worded(finding.reason), finding
        line = finding.place.line
        assert line is None or 1 <= line <= data.count(b"\n") + 1, finding
        return None


def _inside(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return list(cast("dict[str | int, Any]", value).items())
    return list(enumerate(cast("list[Any]", value))) if isinstance(value, list) else []


def _settled(value: Any) -> Any:
    """A value whose whole numbers beyond 2^53 are doubles, as the loader gives them."""
    if isinstance(value, dict):
        return {key: _settled(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_settled(item) for item in cast("list[Any]", value)]
    return float(value) if type(value) is int and abs(value) > 2**53 else value


if __name__ == "__main__":
    fuzz("toml", one_input)
