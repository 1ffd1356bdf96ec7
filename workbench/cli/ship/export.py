"""`workbench export`: a tenant's policy and its sources as files."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from workbench.cli import diagnostics
from workbench.cli.completion import complete_tenant
from workbench.cli.documents import STREAM
from workbench.cli.invocation import Invocation, declare, outcome_of
from workbench.cli.shapes import policy_json
from workbench.language.runnable import runnable
from workbench.session.export import Export, export_of, refuse_clashes


@declare("export", "Write a tenant's policy and its sources to files.")
@click.argument("tenant", shell_complete=complete_tenant)
@click.option("--out", default=".", show_default="the current folder", metavar="DIR", help="- prints the policy.")
@click.option("--force", is_flag=True, help="Replace files that say something else.")
def command(invocation: Invocation, tenant: str, out: str, force: bool) -> int:
    """Write TENANT's policy to sigma-pol-FINGERPRINT.json, and where each clause comes from to
    sigma-pol-FINGERPRINT.TENANT.sources.json beside it.

    The policy file holds version, fingerprint and policy_ir, as the public host downloads it; the tenant's facts are in
    neither file. A file that says the same already is left alone; links, pipes and folders are refused.
    """
    workspace = invocation.open()
    outcome = outcome_of(workspace, tenant)
    assert outcome.compiled is not None  # noqa: S101 - outcome_of raises where there is none
    parcel = export_of(workspace.state, outcome)
    warnings = (*parcel.warnings, *runnable(outcome.compiled.policy))
    if out == STREAM:
        invocation.output.raw(parcel.contents[parcel.file_name].decode())
        invocation.warn(warnings)
        return diagnostics.OK
    folder = Path(out)
    clashes = parcel.clashes(folder)
    if clashes and not force:
        raise refuse_clashes(clashes)
    written = parcel.write(folder)
    if invocation.as_json:
        body = {
            "tenant": tenant,
            "policy": policy_json(outcome.compiled.policy),
            "files": [_file_json(path, parcel) for path in written],
            "not_included": parcel.sidecar["not_included"],
            "warnings": [finding.as_document() for finding in warnings],
        }
        invocation.output.document(body)
        return diagnostics.OK
    for path in written:
        invocation.output.line(f"wrote {path} ({len(parcel.contents[path.name])} bytes)")
    for words in parcel.sidecar["not_included"]:
        invocation.note(f"not in it: {words}")
    invocation.warn(warnings)
    return diagnostics.OK


def _file_json(path: Path, parcel: Export) -> dict[str, Any]:
    data = parcel.contents[path.name]
    return {"path": str(path), "bytes": len(data), "sha256": sha256(data).hexdigest()}
