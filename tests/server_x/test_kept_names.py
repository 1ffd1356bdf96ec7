"""Under which name a call is kept that is no tenant's: one that no tenant can have, so that no tenant reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.server_x.endpoint import served
from workbench.traces.listing import Filter

FACTS = {"plan": "free", "region": "eu", "data_class": "public", "dpa_signed": False, "vip_support": False,
         "no_log": False}  # fmt: skip
STATED: tuple[dict[str, Any], ...] = (
    {"tenant_state": FACTS}, {"tenant_state": {"id": "acme-eu", "facts": FACTS}}, {},
)  # fmt: skip


def test_no_tenant_of_any_name_reads_a_call_of_no_tenant(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator) as made:
        free = made.token("free")
        token_id = "tok_" + free.split("_")[1]
        names = ("request", "acme-eu", "caller-local", f"caller-{token_id}", f"caller.{token_id}")
        bound = made.token("bound", tenants=names)
        for body, kept in zip(STATED, ("state:request", "state:acme-eu", f"caller:{token_id}"), strict=True):
            trace_id = made.chat(free, compact=True, **body).json()["x_router"]["trace_id"]
            path = f"/x/traces/{trace_id}"
            assert made.get(path, authorization=f"Bearer {free}").json()["tenant"] == kept
            assert made.get(path, authorization=f"Bearer {bound}").status_code == 404
        own = made.chat(bound, tenant="acme-eu", compact=True).json()["x_router"]["trace_id"]
        assert made.get(f"/x/traces/{own}", authorization=f"Bearer {bound}").json()["tenant"] == "acme-eu"
        made.stored()
        store = made.process.traces.store()
        assert [row.trace_id for row in store.rows(Filter(tenant="acme-eu"), now_ms=0)] == [own]
        assert len(store.rows(Filter(tenant="state:acme-eu"), now_ms=0)) == 1
