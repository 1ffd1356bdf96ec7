"""What holds for one run of the command line, whatever the command: workspace, JSON or text, quiet, colour.

The options may stand before or after the command's name. Owns opening the workspace, and how a command is declared.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from workbench.cli import diagnostics
from workbench.cli.output import Output, write
from workbench.errors import Finding

if TYPE_CHECKING:
    from workbench.session.evaluation import Outcome
    from workbench.session.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class Invocation:
    """The options that every command has. Filled in by click while it reads the arguments, then only read."""

    workspace: Path | None = None
    as_json: bool = False
    quiet: bool = False
    no_color: bool = False

    @property
    def output(self) -> Output:
        """Where the result goes."""
        return Output.here(as_json=self.as_json, no_color=self.no_color)

    def open(self) -> Workspace:
        """The workspace of this run: `--workspace`, else the current folder, else the sample."""
        from workbench.session.workspace import open_workspace

        return open_workspace(self.root())

    def root(self) -> Path:
        """The folder of that workspace. Raises `UsageError` where there is none, or the current one is gone."""
        from workbench.session.workspace import find_workspace

        if self.workspace is not None and not self.workspace.exists():
            hint = "`workbench init DIR` makes one"
            raise diagnostics.usage(f"there is no folder `{self.workspace}`", hint=hint, code="no_folder")
        try:
            return find_workspace(self.workspace)
        except OSError as error:
            reason = f"the current folder can't be read: {(error.strerror or type(error).__name__).lower()}"
            raise diagnostics.usage(reason, hint="go to another one, or give --workspace", code="no_folder") from None

    def note(self, text: str) -> None:
        """Tell something on the side; not with `--quiet`, nor where stdout and stderr are read by a program."""
        if not self.quiet and not self.as_json:
            diagnostics.note(text)

    def warn(self, findings: Sequence[Finding]) -> None:
        """Tell warnings on the side; not with `--quiet`, and with `--json` they stand in the result."""
        if not self.quiet and not self.as_json:
            diagnostics.warn(findings)

    def complain(self, findings: Sequence[Finding]) -> None:
        """Tell errors that leave a result all the same; with `--json` they stand in it."""
        if not self.as_json:
            diagnostics.warn(findings)


def outcome_of(workspace: Workspace, tenant_id: str) -> Outcome:
    """What one tenant of the workspace gets.

    Raises `TenantError` where its file is broken, `CompileError` where it gives no policy, `UsageError` for an
    unknown id.
    """
    from workbench.errors import CompileError, TenantError
    from workbench.session.evaluation import Evaluator

    for broken in workspace.broken:
        if broken.path.stem == tenant_id:
            raise TenantError(f"tenant `{tenant_id}` can't be read", broken.findings)
    outcome = Evaluator().outcome(workspace.state, workspace.state.tenant(tenant_id))
    if outcome.compiled is None:
        raise CompileError(f"tenant `{tenant_id}` has no policy", outcome.errors)
    return outcome


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    invocation = ctx.ensure_object(Invocation)
    if value and param.name:
        setattr(invocation, param.name, value)


def _show_help(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        write(ctx.get_help() + "\n")
        ctx.exit()


class FilePath(click.Path):
    """A path from the command line; what no system takes for one is refused in words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click's, but a name too long or with a NUL is a wrong word and not an error of ours."""
        try:
            os.lstat(value)
        except (FileNotFoundError, NotADirectoryError):
            pass  # whether it has to be there is for the command to say
        except (OSError, ValueError) as error:
            self.fail((getattr(error, "strerror", None) or str(error)).lower(), param, ctx)
        return super().convert(value, param, ctx)


def common_options() -> list[click.Parameter]:
    """The options that every command takes, new ones for each command."""
    return [
        click.Option(
            ["--workspace", "-C"], type=FilePath(path_type=Path, file_okay=False), metavar="DIR", expose_value=False,
            callback=_keep, help="The workspace; else the current folder, else the sample.",
        ),
        click.Option(
            ["--json", "as_json"], is_flag=True, expose_value=False, callback=_keep,
            help="Print JSON, errors included.",
        ),
        click.Option(
            ["--quiet", "-q"], is_flag=True, expose_value=False, callback=_keep,
            help="No notes and no warnings.",
        ),
        click.Option(
            ["--no-color"], is_flag=True, expose_value=False, callback=_keep,
            help="No colour; `NO_COLOR` does the same.",
        ),
        help_option(),
    ]  # fmt: skip


def help_option() -> click.Option:
    """`--help`, written through our own output."""
    return click.Option(
        ["--help", "-h"], is_flag=True, is_eager=True, expose_value=False, callback=_show_help,
        help="Show this and leave.",
    )  # fmt: skip


CONTEXT: Final = {"max_content_width": 100}


def declare(
    name: str, summary: str, *, endures: bool = False, **settings: Any
) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a command: its function takes an `Invocation` first. `summary` is its line in the list of commands.

    One that `endures` runs until it is asked to end, and listens for signals itself once it is up. Until then they have
    their own way: what is raised in the midst of an import may be lost there, and the process would go on.
    """

    def wrap(function: Callable[..., Any]) -> click.Command:
        run = function if endures else _ending_well(function)
        made = click.command(
            name, short_help=summary, add_help_option=False, context_settings=dict(CONTEXT), **settings
        )(click.pass_obj(run))
        made.params.extend(common_options())
        return made

    return wrap


def _ending_well(function: F) -> F:
    @wraps(function)
    def run(*arguments: Any, **named: Any) -> Any:
        with diagnostics.signals():
            return function(*arguments, **named)

    return cast("F", run)


def limit_option(shown: int, says: str) -> Callable[[F], F]:
    """`--limit N` of a command that shows so many rows unless it is given; 0 is all."""
    return click.option(
        "--limit", type=click.IntRange(min=0), default=shown, show_default=True, metavar="N", help=says
    )  # fmt: skip
