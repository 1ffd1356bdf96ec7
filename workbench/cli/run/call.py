"""`workbench call`: one test call through a tenant's policy, quoted before, watched while it runs, traced."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli import diagnostics
from workbench.cli.completion import complete_tenant
from workbench.cli.invocation import FilePath, Invocation, declare, outcome_of
from workbench.cli.usage import Finite
from workbench.errors import Finding, Place, ProviderFailure, UsageError

if TYPE_CHECKING:
    from workbench.session.calls.answer import Called
    from workbench.session.calls.caller import Caller, Prepared
    from workbench.session.calls.question import Question
    from workbench.session.workspace import Workspace

MOST_PROMPT = 4 * 1024 * 1024
_FILE = FilePath(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says beside tenant and prompt."""

    emulator: str | None
    yes: bool
    unknown_cost: bool
    max_cost: float | None
    system: str | None
    tools: Path | None
    json_mode: bool
    schema: Path | None
    image: tuple[Path, ...]
    max_tokens: int | None
    temperature: float | None
    no_stream: bool
    timeout: float | None
    curl: bool
    traces: str | None
    other: str | None
    send_key: tuple[str, ...]


@declare("call", "Make one test call for a tenant.")
@click.argument("tenant", shell_complete=complete_tenant)
@click.argument("prompt")
@click.option("--emulator", metavar="URL", help="Call a running `workbench emulate` in place of the providers.")
@click.option("--yes", "-y", is_flag=True, help="Send without asking, what it costs at most being known.")
@click.option("--unknown-cost", is_flag=True, help="With --yes: send even where nobody knows what it can cost.")
@click.option("--max-cost", type=Finite(min=0), metavar="USD", help="Send nothing that could cost more.")
@click.option("--system", metavar="TEXT", help="The system prompt.")
@click.option("--tools", type=_FILE, metavar="FILE", help="Tools that the model may call: a JSON list.")
@click.option("--json-mode", is_flag=True, help="Ask for one JSON object.")
@click.option("--schema", type=_FILE, metavar="FILE", help="Ask for JSON that follows this JSON schema.")
@click.option("--image", type=_FILE, multiple=True, metavar="FILE", help="A picture; may be repeated.")
@click.option("--max-tokens", type=int, metavar="N", help="The longest answer; 1024 where nothing is said.")
@click.option("--temperature", type=float, metavar="X", help="0 to 2.")
@click.option("--no-stream", is_flag=True, help="Ask for the answer in one piece.")
@click.option("--timeout", type=float, metavar="S", help="Seconds for the whole call, 50 at most.")
@click.option("--with", "other", metavar="TENANT", shell_complete=complete_tenant, help="Call for a second one too.")
@click.option("--curl", is_flag=True, help="Print the winner's call for curl, and send nothing.")
@click.option("--traces", metavar="PLACE", help="The trace store; `workbench traces` says which one else.")
@click.option("--send-key", multiple=True, metavar="NAME=ORIGIN", help="Let a key go to an address it is held from.")
def command(invocation: Invocation, tenant: str, prompt: str, **options: Any) -> int:
    """Make one call for TENANT with PROMPT, down its failure plan; PROMPT `-` is stdin.

    Says first who would answer and the most that it can cost over the whole plan, and asks once. The answer goes to
    stdout, everything else to stderr. Ctrl+C cancels. Exit code 3 where the policy leaves nobody, 4 where nobody
    answers.
    """
    wanted = Options(**options)
    workspace = invocation.open()
    asked = _question(prompt, wanted)
    caller = _caller(workspace, wanted)
    with closing(caller.traces):
        tenants = [tenant, *([wanted.other] if wanted.other is not None else [])]
        return _call(invocation, workspace, caller, tenants, asked, wanted, from_stdin=prompt == "-")


def _call(
    invocation: Invocation, workspace: Workspace, caller: Caller, tenants: list[str], asked: Question, wanted: Options,
    *, from_stdin: bool,
) -> int:  # fmt: skip
    for each in tenants:
        outcome_of(workspace, each)
    prepared = [caller.prepare(workspace.state, each, asked) for each in tenants]
    if wanted.send_key:
        for text in wanted.send_key:
            caller.ring.confirm_text(text)
        prepared = [caller.prepare(workspace.state, each, asked) for each in tenants]
    if wanted.curl:
        return _curl(invocation, prepared)
    from workbench.cli.run.calling import Calling

    calling = Calling(invocation, workspace.state, caller, prepared)
    calling.show_quotes()
    if any(not each.nobody for each in prepared):
        _sendable(caller, prepared)
        _consent(invocation, prepared, wanted, from_stdin=from_stdin)
    called = calling.run()
    return _code(called) if calling.signalled is None else 128 + calling.signalled


def _question(prompt: str, wanted: Options) -> Question:
    from workbench.cli.documents import read_input
    from workbench.session.calls.question import MAX_TOKENS, Question, read_image, read_schema, read_tools

    if prompt == "-":
        data, source = read_input("-", max_bytes=MOST_PROMPT)
        try:
            prompt = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise UsageError("no prompt", [Finding("this is not UTF-8", "prompt", Place(source))]) from None
    made = Question(
        prompt=prompt,
        system=wanted.system,
        tools=read_tools(wanted.tools) if wanted.tools else (),
        json_mode=wanted.json_mode,
        schema=read_schema(wanted.schema) if wanted.schema else None,
        images=tuple(read_image(path) for path in wanted.image),
        temperature=wanted.temperature,
        max_tokens=MAX_TOKENS if wanted.max_tokens is None else wanted.max_tokens,
        stream=not wanted.no_stream,
    )
    if wanted.timeout is not None:
        from dataclasses import replace

        made = replace(made, deadline_ms=wanted.timeout * 1000.0)
    return made.checked()


def _caller(workspace: Workspace, wanted: Options) -> Caller:
    from workbench.gateway.redirected import Redirected
    from workbench.session.calls.caller import Caller
    from workbench.session.tracing import Traces, place_of

    emulator = Redirected.to(wanted.emulator).origin if wanted.emulator is not None else None
    return Caller(workspace.root, Traces(place_of(workspace, wanted.traces)), emulator=emulator)


def _curl(invocation: Invocation, prepared: list[Prepared]) -> int:
    """The winners' calls for a shell."""
    found = [each.curl(each.cascade.order[0]) for each in prepared if not each.nobody]
    if invocation.as_json:
        shown = [{"tenant": each.tenant, "curl": None if each.nobody else found.pop(0)} for each in prepared]
        invocation.output.document({"calls": shown})
    else:
        for text in found:
            invocation.output.raw(text + "\n")
    nobody = [each for each in prepared if each.nobody]
    if nobody:
        invocation.complain(
            [Finding(f"no offer is left for tenant `{each.tenant}`", "no_candidate") for each in nobody]
        )
        return diagnostics.NO_CANDIDATE
    return diagnostics.OK


def _sendable(caller: Caller, prepared: list[Prepared]) -> None:
    """Refuse where nothing that a tenant's plan reaches can be called; every variable that would mend it is named."""
    from workbench.session.calls.wording import lack_lines

    found: list[Finding] = []
    for each in prepared:
        if not each.stuck:
            continue
        found += [
            Finding(f"tenant `{each.tenant}`: {line}", "no_key", hint="set it, in the environment or in `.env`")
            for line in lack_lines(each.lacks, each.cascade.order)
        ]
        found += [
            Finding(f"`{name}` is held from {origin}", "key_held", hint=f"--send-key {name}={origin} lets it go there")
            for name, origin in caller.ring.held
            if any(lack.variable == name for lack in each.lacks)
        ]
    if found:
        hint = "`workbench emulate` answers without keys; then give --emulator URL"
        raise ProviderFailure("nothing can be called", [*found, Finding("no call was made", "not_sent", hint=hint)])


def _consent(invocation: Invocation, prepared: list[Prepared], wanted: Options, *, from_stdin: bool) -> None:
    """Raise unless the calls may be made: the limit first, then the person."""
    from workbench.cli.run.consent import Consent

    bounds = [each.quote.usd for each in prepared if not each.nobody]
    known = [bound for bound in bounds if bound is not None]
    total = sum(known) if len(known) == len(bounds) else None
    Consent(total, max_cost=wanted.max_cost).settle(
        yes=wanted.yes, unknown_cost=wanted.unknown_cost, can_ask=not from_stdin and not invocation.as_json
    )


def _code(called: list[Called]) -> int:
    """The worst of the calls."""
    codes = [_code_of(each.outcome) for each in called]
    return max(codes)


def _code_of(outcome: str) -> int:
    return {
        "ok": diagnostics.OK,
        "no_candidates": diagnostics.NO_CANDIDATE,
        "cancelled": diagnostics.INTERRUPTED,
    }.get(outcome, diagnostics.PROVIDER_FAILURE)
