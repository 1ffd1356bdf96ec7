"""What click says about wrong arguments, in the workbench's own shape and words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import click

from workbench.errors import Finding, Place, UsageError


class Finite(click.FloatRange):
    """A number within bounds: neither infinite nor `nan`, which no bound keeps out."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; fails as an option's value does."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{number} is not a finite number", param, ctx)
        return number


def usage_error(error: click.ClickException) -> UsageError:
    """The same complaint as a `UsageError` with one finding and a way out."""
    reason, hint, code = _words(error)
    return UsageError("the command line can't be read", [Finding(reason, code, Place(), hint or _help_hint(error))])


def _words(error: click.ClickException) -> tuple[str, str | None, str]:
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        hint = _argument_hint(error, name) or suggestion(name, _options(error.ctx))
        return f"no such option `{name}`", hint, "no_such_option"
    if isinstance(error, click.MissingParameter):
        name = error.param.human_readable_name if error.param is not None else "parameter"
        return f"`{name.upper()}` is missing", _usage_hint(error), "missing_argument"
    if isinstance(error, click.BadParameter):
        name = _spelling(error.param)
        return f"`{name}` can't be used: {_plain(error.message)}", None, "bad_value"
    return _plain(error.format_message()), _usage_hint(error), "usage"


def _spelling(param: click.Parameter | None) -> str:
    if param is None:
        return "value"
    return param.human_readable_name.upper() if isinstance(param, click.Argument) else max(param.opts, key=len)


def _plain(message: str) -> str:
    text = message.strip().removesuffix(".")
    return (text[:1].lower() + text[1:]).replace("'", "`")


def _options(ctx: click.Context | None) -> list[str]:
    if ctx is None:
        return []
    return [name for param in ctx.command.get_params(ctx) if isinstance(param, click.Option) for name in param.opts]


def _argument_hint(error: click.UsageError, option: str) -> str | None:
    """Where what was written as an option goes without one, as in `rank --tenant NAME`."""
    if error.ctx is None:
        return None
    arguments = [param for param in error.ctx.command.params if isinstance(param, click.Argument)]
    if option.strip("-").replace("-", "_") not in {param.name for param in arguments}:
        return None
    return f"it goes without `{option}`: {_usage_hint(error)}"


def _usage_hint(error: click.ClickException) -> str | None:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    if ctx is None:
        return None
    return f"write `{' '.join([ctx.command_path, *ctx.command.collect_usage_pieces(ctx)])}`"


def _help_hint(error: click.ClickException) -> str | None:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    return None if ctx is None else f"`{ctx.command_path} --help` lists what it takes"


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """`did you mean ...?` for the nearest known word, None where none is near."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), 1)
    return f"did you mean `{close[0]}`?" if close else None
