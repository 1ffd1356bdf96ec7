"""Which store a workspace has, who may say so, and that no password of an address is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.boundary import files
from workbench.errors import FileRefused, TraceError, UsageError, WorkbenchError, WorkspaceError
from workbench.session import tracing
from workbench.session.settings import Settings
from workbench.session.workspace import open_workspace
from workbench.traces.opening import open_store

CANARY = "hunter2secret"
ADDRESSES = [
    f"postgresql://u:{CANARY}@h/db",
    f"postgresql://u:{CANARY}@h:5432/db?sslmode=require",
    f"postgresql://u:x{CANARY}/{CANARY}@h/db",
    f"postgresql://u:p@{CANARY}@h/db",
    f"postgresql://u:x?{CANARY}=1@h/db",
    f"postgresql://h/db?password={CANARY}",
    f"postgresql://h/db?sslmode=require&PASSWORD={CANARY}&x=1",
    f"postgresql://h/db?sslpassword={CANARY}",
    f"postgresql://u:{CANARY}",
    f"postgresql://u:x/{CANARY}",
    f"postgresql://u:x?{CANARY}",
    f"postgresql://u:{CANARY}@[::1]:5432/db",
    f"postgresql://u:{CANARY}@h:12ab/db",
    f"POSTGRES://u:{CANARY}@h/db",
]


def stated(folder: Path, line: str) -> None:
    path = folder / "workbench.toml"
    path.write_text(f"{line}\n{path.read_text()}")


def test_the_option_wins_then_the_variable_then_the_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stated(folder, 'traces = "state/here.db"')
    workspace = open_workspace(folder)
    assert tracing.place_of(workspace) == folder / "state" / "here.db"
    monkeypatch.setenv("WORKBENCH_TRACES", str(folder / "variable.db"))
    assert tracing.place_of(workspace) == folder / "variable.db"
    assert tracing.place_of(workspace, str(folder / "option.db")) == folder / "option.db"
    monkeypatch.setenv("WORKBENCH_TRACES", "")
    assert tracing.place_of(workspace) == folder / "state" / "here.db"


def test_without_any_word_each_folder_has_its_own(tmp_path: Path) -> None:
    one, other = tmp_path / "A b" / "Policies!", tmp_path / "c" / "Policies!"
    places = [tracing.place_for(root, Settings("", ""), environment={}) for root in (one, other)]
    assert all(isinstance(place, Path) and place.name.startswith("policies-") for place in places)
    assert places[0] != places[1]
    assert tracing.place_for(one, None, environment={}) == places[0]


@pytest.mark.parametrize(
    "value",
    [
        "/etc/passwd.db",
        "../other.db",
        "~/x.db",
        "notes.txt",
        "state/",
        "",
        "mysql://u:hunter2secret@h/x",
        "a/../../x.db",
    ],
)
def test_settings_name_no_file_of_somebody_elses(folder: Path, value: str) -> None:
    stated(folder, f'traces = "{value}"')
    with pytest.raises(WorkspaceError) as caught:
        open_workspace(folder)
    (finding,) = caught.value.findings
    assert finding.code == "trace_place"
    assert (finding.place.line, finding.place.path) == (1, "traces")
    assert CANARY not in str(caught.value)


def test_settings_of_another_type_are_refused_and_a_slip_gets_a_suggestion(folder: Path) -> None:
    stated(folder, "traces = 5\ntrace = 'x.db'")
    with pytest.raises(WorkspaceError) as caught:
        open_workspace(folder)
    assert {finding.code for finding in caught.value.findings} == {"wrong_type", "unknown_key"}
    assert any("did you mean `traces`" in (finding.hint or "") for finding in caught.value.findings)


def test_a_link_does_not_lead_out_of_the_workspace(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (folder / "state").symlink_to(tmp_path / "outside")
    stated(folder, 'traces = "state/traces.db"')
    with pytest.raises(FileRefused):
        tracing.place_of(open_workspace(folder))


@pytest.mark.parametrize("text", ["notes.txt", "x.db\x00", "mysql://u:hunter2secret@h/db", ".bashrc"])
def test_an_option_that_names_no_store_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        tracing.place_for(Path("/nowhere"), None, text, {})
    assert "postgresql://" in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_password_is_shown_wherever_it_stands(address: str) -> None:
    place = tracing.place_for(Path("/nowhere"), None, address, {})
    assert place == address
    traces = tracing.Traces(place)
    assert CANARY not in traces.shown
    assert CANARY not in repr(Settings("", "", traces=address))


@pytest.mark.parametrize("address", [*ADDRESSES, f"postgresql://u:{CANARY}@127.0.0.1:1/db"])
def test_no_password_is_in_the_error_of_a_database_that_cannot_be_reached(address: str) -> None:
    local = address.replace("@h", "@127.0.0.1:1").replace("//h/", "//127.0.0.1:1/").replace(":1:5432", ":1")
    with pytest.raises(TraceError) as caught:
        open_store(local.replace("@[::1]:5432", "@[::1]:1"))
    assert CANARY not in f"{caught.value!s} {caught.value!r} {caught.value.args}"


def test_a_file_that_was_taken_away_is_begun_again(tmp_path: Path) -> None:
    traces = tracing.Traces(tmp_path / "state" / "traces.db")
    assert (traces.existing(), traces.standing) == (None, "none")
    assert not (tmp_path / "state").exists(), "reading makes no file"
    first = traces.store()
    assert traces.store() is first
    for path in (tmp_path / "state").iterdir():
        path.unlink()
    assert traces.store() is not first
    assert (tmp_path / "state" / "traces.db").exists()
    traces.close()


def test_a_recorder_counts_what_it_loses_and_recovers(tmp_path: Path) -> None:
    blocked = tmp_path / "state"
    files.write_atomic(blocked, b"no folder")
    traces = tracing.Traces(blocked / "traces.db")
    recorder = traces.recorder()
    assert (recorder.store, traces.standing) == (None, "failed")
    assert not recorder.attempt(lambda store: store.rows(now_ms=0))
    assert recorder.lost == 1
    assert isinstance(recorder.last_error, WorkbenchError)
    blocked.unlink()
    assert traces.recorder() is recorder
    assert recorder.attempt(lambda store: store.rows(now_ms=0))
    assert (recorder.lost, traces.standing) == (1, "open")
    traces.close()
