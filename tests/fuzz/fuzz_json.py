"""The strict JSON loader: a value that comes back as it is, or a `DocumentError` with its place; nothing else."""

from __future__ import annotations

import json

from tests.fuzz.harness import fuzz, measured, well_worded

with measured(__name__):
    from workbench.boundary import strict_json
    from workbench.boundary.strict_json import JsonValue
    from workbench.errors import DocumentError


def one_input(data: bytes) -> None:
    """Reads one input, as bytes and as text."""
    value = _read(data)
    if value is None:
        return
    assert strict_json.loads(data.decode()) == value
    again = strict_json.loads(strict_json.canonical(value))
    assert again == value
    assert strict_json.canonical(again) == strict_json.canonical(value)
    assert strict_json.loads(strict_json.dumps(value, indent=1)) == value
    assert json.loads(data, parse_int=float) == value


def _read(data: bytes) -> JsonValue:
    try:
        return strict_json.loads(data, source="in.json")
    except DocumentError as error:
        (finding,) = error.findings
        assert well_worded(finding.reason), finding
        assert finding.place.source == "in.json"
        line, column = finding.place.line, finding.place.column
        if line is not None:
            lines = data.split(b"\n")
            assert 1 <= line <= len(lines), finding
            assert column is None or 0 <= column <= len(lines[line - 1]), finding
        return None


if __name__ == "__main__":
    fuzz("json", one_input)
