"""The wheel: what is in it, and that it works away from the checkout (RELIABILITY R48)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ALLOWED = re.compile(
    r"workbench/(?:[a-z_]+/)*[a-z_]+\.py"
    r"|workbench/py\.typed"
    r"|workbench/(?:[a-z_]+/)*[a-z_]+\.(?:lark|tcss)"
    r"|workbench/language/clause_text/grammar_table\.json"
    r"|workbench/cli/author/template/(?:tenants/)?[a-z]+\.toml"
    r"|workbench/_data/catalogs/SHA256SUMS"
    r"|workbench/_data/catalogs/(?:[a-z0-9_-]+/)*[a-z0-9_.-]+\.(?:json|toml|md)"
    r"|workbench/_data/sample_tenants/(?:[a-z0-9_-]+/)*[a-z0-9_.-]+\.(?:toml|json|md)"
    r"|policy_workbench-[0-9.]+\.dist-info/(?:METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE)"
)
MAX_DIRECT = 12


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    building = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    done = subprocess.run(building, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`workbench` as installed from the wheel into an environment of its own, which borrows the libraries at hand."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    python = home / "bin" / "python"
    purelib = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    site = Path(purelib.stdout.strip())
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel],
        check=True,
    )
    # At the end of the path and as a plain folder: the checkout's own editable install is not followed.
    (site / "zz_libraries.pth").write_text(
        f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n", encoding="utf-8"
    )
    return home / "bin" / "workbench"


def run(command: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [command, *arguments], cwd=folder, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )


def test_the_wheel_holds_only_what_is_allowed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries if not ALLOWED.fullmatch(entry.filename)] == []
    assert [entry.filename for entry in entries if entry.external_attr >> 16 & 0o111] == []
    assert len({entry.filename for entry in entries}) == len(entries)


def test_the_wheel_holds_every_module_and_all_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {str(path.relative_to(ROOT)) for path in (ROOT / "workbench").rglob("*.py")}
    for folder in ("catalogs", "sample_tenants"):
        data = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
        assert data
        wanted |= {f"workbench/_data/{path.relative_to(ROOT)}" for path in data}
    assert wanted - names == set()


def test_few_direct_dependencies(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        lines = archive.read(metadata).decode().splitlines()
    direct = [line for line in lines if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert 0 < len(direct) <= MAX_DIRECT


def test_the_installed_command_works_outside_the_checkout(command: Path, tmp_path: Path) -> None:
    shown = run(command, tmp_path, "--help")
    assert shown.returncode == 0, shown.stderr
    assert "workbench" in shown.stdout
    tenants = run(command, tmp_path, "tenants", "--json")
    assert tenants.returncode == 0, tenants.stderr
    assert json.loads(tenants.stdout)
    assert "acme-eu" in tenants.stdout


def test_the_installed_code_is_the_wheels(command: Path, tmp_path: Path) -> None:
    python = command.with_name("python")
    done = subprocess.run(
        [python, "-c", "import workbench; print(workbench.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(done.stdout.strip()).is_relative_to(command.parents[1])
