"""`workbench health reset`: forget breakers, disables and measures, all of them or those of one provider."""

from __future__ import annotations

import click

from workbench.cli import diagnostics
from workbench.cli.completion import complete_tenant
from workbench.cli.invocation import Invocation, declare


@declare("reset", "Forget breakers, disables and measures.")
@click.argument("target", metavar="[PROVIDER[/MODEL]]", required=False)
@click.option(
    "--tenant", metavar="T", shell_complete=complete_tenant, help="That tenant's breakers and disables alone."
)
@click.option("--emulated", is_flag=True, help="What calls to the emulator left behind.")
def command(invocation: Invocation, target: str | None, tenant: str | None, emulated: bool) -> int:
    """Forget what is known of PROVIDER, of one MODEL there, or of everyone.

    Breakers and disables are a provider's: with a model its measures alone go.
    """
    from workbench.session.calls.health.store import HealthStore
    from workbench.session.calls.places import state_folder

    provider, _, family = (target or "").partition("/")
    state = invocation.open().state
    if tenant is not None:
        state.tenant(tenant)
    if family and tenant is not None:
        raise diagnostics.usage("a model's measures are no tenant's", hint="leave --tenant or the model out")
    if target is not None:
        _known(provider, family, [(o.provider, o.model) for o in state.catalog.offers])
    store = HealthStore.at(state_folder(), emulated=emulated)
    gone = store.reset(tenant=tenant, provider=provider or None, family=family or None)
    if store.file.trouble is not None:
        invocation.complain([store.file.trouble])
        return diagnostics.FINDINGS
    if invocation.as_json:
        invocation.output.document({"forgotten": gone})
    else:
        invocation.output.line(f"{gone} {'entry' if gone == 1 else 'entries'} forgotten")
    return diagnostics.OK


def _known(provider: str, family: str, offers: list[tuple[str, str]]) -> None:
    """Raise `UsageError` for a name that the catalog does not have."""
    from workbench.language.refusal import did_you_mean

    providers = sorted({name for name, _ in offers})
    if provider not in providers:
        hint = did_you_mean(provider, providers) or "`workbench catalog show` lists them"
        raise diagnostics.usage(f"there is no provider `{provider}`", hint=hint, code="unknown_provider")
    families = sorted({model for name, model in offers if name == provider})
    if family and family not in families:
        hint = did_you_mean(family, families) or f"{provider} has {len(families)} models"
        raise diagnostics.usage(f"`{provider}` has no model `{family}`", hint=hint, code="unknown_model")
