"""A group of commands whose modules are imported when one of them runs, and not before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from workbench.cli.invocation import CONTEXT, common_options
from workbench.cli.usage import suggestion
from workbench.errors import Finding, Place, UsageError


@dataclass(frozen=True, slots=True)
class Entry:
    """A command known by name, and where it is."""

    module: str
    """The module that defines `command`."""
    summary: str
    """The command's own short help, repeated here so that a list of commands imports none of them."""
    section: str
    """The heading it stands under in the group's help."""


class LazyGroup(click.Group):
    """Looks commands up in a table of entries."""

    def __init__(self, *args: Any, entries: Mapping[str, Entry], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Every name, in the table's order."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of that name, imported now."""
        entry = self.entries.get(cmd_name)
        return None if entry is None else import_module(entry.module).command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with our own words for a name that is not there."""
        if args and args[0] not in self.entries and not ctx.resilient_parsing:
            hint = suggestion(args[0], self.entries) or f"`{ctx.command_path} --help` lists them"
            reason = f"no such command `{args[0]}`"
            raise UsageError("the command line can't be read", [Finding(reason, "no_such_command", Place(), hint)])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """The commands by section, without importing one."""
        width = max(map(len, self.entries))
        for section in dict.fromkeys(entry.section for entry in self.entries.values()):
            with formatter.section(section):
                rows = [(name, entry) for name, entry in self.entries.items() if entry.section == section]
                formatter.write_dl([(name.ljust(width), entry.summary) for name, entry in rows])


def group_of(name: str, entries: Mapping[str, Entry], summary: str, text: str) -> LazyGroup:
    """A group that does nothing but hold commands; `summary` is its line in a list, `text` its help."""
    made = LazyGroup(
        name, entries=entries, short_help=summary, help=text, no_args_is_help=False, add_help_option=False,
        context_settings=dict(CONTEXT),
    )  # fmt: skip
    made.params.extend(common_options())
    return made
