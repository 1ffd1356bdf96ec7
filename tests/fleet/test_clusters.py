"""The same tenants on a real local Spark and a real local Ray: the rows that `decide_batch` itself gives.

Each runs in a process of its own, so that neither's threads, signals and warnings are this one's; its Python workers
are processes beside it. A machine without them, or without Java, skips these tests, except in CI.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import ROOT, environment
from tests.fleet.worlds import plan_of, sample
from workbench.whatif.fleet.arrow import load, pa
from workbench.whatif.fleet.deciding.batch import decide_batch
from workbench.whatif.fleet.plan import FleetPlan
from workbench.whatif.fleet.sample import sample_batches

TENANTS = 6_000
WORKERS_AT_LEAST = 2

_SPARK = """
from pyspark.sql import SparkSession
from workbench.whatif.fleet.spark import decide_frame

settings = {
    "spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "500", "spark.python.worker.reuse": "true",
}
builder = SparkSession.builder.master("local[2]")
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
frame = spark.read.parquet(source).repartition(4)
noted = frame.mapInArrow(note_each, frame.schema)
rows = [row.asDict() for row in decide_frame(noted, plan).collect()]
spark.stop()
"""

_RAY = """
import ray
from workbench.whatif.fleet.ray import decide_dataset

ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
context = ray.data.DataContext.get_current()
context.enable_progress_bars = False
blocks = ray.data.read_parquet(source).repartition(4)
noted = blocks.map_batches(Noted(), batch_format="pyarrow", batch_size=500)
rows = decide_dataset(noted, plan, batch_size=500).take_all()
ray.shutdown()
"""

_AROUND = """
import json, os, pickle, sys, time

source, plan_file, out = sys.argv[1:]
with open(plan_file, "rb") as file:
    plan = pickle.load(file)

def note():
    open(os.path.join(os.path.dirname(source), f"worker-{{os.getpid()}}"), "w").close()

def note_each(batches):
    for batch in batches:
        note()
        yield batch

class Noted:
    def __call__(self, table):
        note()
        return table

{body}
with open(out, "w") as file:
    json.dump({{"rows": rows, "driver": os.getpid()}}, file)
"""


def _lacking(*modules: str) -> None:
    missing = [name for name in modules if find_spec(name) is None]
    if "pyspark" in modules and shutil.which("java") is None:
        missing.append("java")
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"not installed: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def _base(folder: Path) -> tuple[Path, FleetPlan, list[dict[str, Any]]]:
    """A source, its plan, and what `decide_batch` says of it here."""
    batch = next(iter(sample_batches(sample(), TENANTS)))
    ids = batch.column(0).to_pylist()
    ids[7] = "Not A Name"
    batch = batch.set_column(0, "id", pa.array(ids))
    source = folder / "tenants.parquet"
    load("pyarrow.parquet").write_table(pa.Table.from_batches([batch]), source)
    plan = plan_of(sample(), batch, by=("plan", "region"))
    return source, plan, decide_batch(batch, plan).to_pylist()


def _run(body: str, folder: Path, source: Path, plan: FleetPlan) -> dict[str, Any]:
    import pickle

    (folder / "plan").write_bytes(pickle.dumps(plan))
    (folder / "job.py").write_text(_AROUND.format(body=body), encoding="utf-8")
    out = folder / "out.json"
    path = os.pathsep.join(
        [str(ROOT), *(entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry)]
    )
    quiet = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        "RAY_TMPDIR": "/tmp",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYTHONWARNINGS": "ignore",
        "TMPDIR": str(folder),
    }
    settings = environment(PYTHONPATH=path, **quiet)
    done = subprocess.run(
        [sys.executable, str(folder / "job.py"), str(source), str(folder / "plan"), str(out)],
        cwd=folder, env=settings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4_000:]
    done_there: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    workers = {path.name.removeprefix("worker-") for path in folder.glob("worker-*")}
    done_there["workers"] = len(workers - {str(done_there["driver"])})
    return done_there


def _same(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert sorted(found, key=lambda row: row["id"]) == sorted(expected, key=lambda row: row["id"])
    assert sum(row["error"] is not None for row in found) == 1


@pytest.mark.timeout(300)
def test_spark_decides_as_one_process_does(tmp_path: Path) -> None:
    _lacking("pyspark", "pandas")
    source, plan, expected = _base(tmp_path)
    done = _run(_SPARK, tmp_path, source, plan)
    _same(done["rows"], expected)
    assert done["workers"] >= WORKERS_AT_LEAST


@pytest.mark.timeout(300)
def test_ray_decides_as_one_process_does(tmp_path: Path) -> None:
    _lacking("ray", "pandas")
    source, plan, expected = _base(tmp_path)
    done = _run(_RAY, tmp_path, source, plan)
    _same(done["rows"], expected)
    assert done["workers"] >= 1
