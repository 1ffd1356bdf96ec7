"""Where a workspace's tokens are: the option, else the environment, else a file in the user's state folder."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from workbench.boundary.files import expanded
from workbench.errors import Finding, Place, UsageError
from workbench.server.callers.tables import CallersError, open_tables
from workbench.server.callers.token import Token
from workbench.server.callers.tokens import Tokens
from workbench.session.tracing.places import default_place
from workbench.traces.databases.address import ENDINGS, is_address, masked

VARIABLE: Final = "WORKBENCH_TOKENS"


def tokens_place(root: Path, option: str | None = None, environment: Mapping[str, str] | None = None) -> Path | str:
    """The file, or the address of the PostgreSQL database, that the tokens of the workspace in `root` are in.

    Raises `UsageError` where the option or the variable names none.
    """
    given = os.environ if environment is None else environment
    for text, where in ((option, "--tokens"), (given.get(VARIABLE), VARIABLE)):
        if text:
            return _named(text, where)
    traces = default_place(root)
    return traces.parent.parent / "tokens" / traces.name


def _named(text: str, where: str) -> Path | str:
    if is_address(text):
        return text
    if "://" in text or "\x00" in text or not text.endswith(ENDINGS):
        shown = masked(text) if "://" in text else text
        hint = f"a file whose name ends in {', '.join(ENDINGS)}, or postgresql://USER@HOST/DATABASE"
        finding = Finding(f"`{shown}` is no place for tokens", "token_place", Place(where), hint)
        raise UsageError("the place of the tokens can't be used", [finding])
    return expanded(text).absolute()


class LazyTokens:
    """The tokens of a place that may not be there yet: none then, and those that somebody makes later."""

    def __init__(self, place: Path | str) -> None:
        self.place = place
        self.quick = isinstance(place, Path)
        self._tokens: Tokens | None = None
        self._opening = threading.Lock()

    def opened(self) -> Tokens:
        """The store, made where nothing is. Raises `CallersError`."""
        with self._opening:
            if self._tokens is None:
                self._tokens = Tokens(open_tables(self.place))
            return self._tokens

    def all(self) -> tuple[Token, ...]:
        """Every token. Raises `CallersError`; makes no file."""
        if self._tokens is None and isinstance(self.place, Path) and not self.place.exists():
            return ()
        return self.opened().all()

    def check(self) -> bool:
        """Whether the file is there; one that is not can be made. Raises `CallersError`; makes its folder at most."""
        path = self.place
        if not isinstance(path, Path):
            return True
        if path.exists():
            self.all()
            return True
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with TemporaryFile(dir=path.parent):
                return False
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            finding = Finding(reason, "token_file", Place(str(path)), "name another place with --tokens PLACE")
            raise CallersError(f"the tokens in `{path}` cannot be kept", [finding]) from None

    def close(self) -> None:
        """End it."""
        if self._tokens is not None:
            self._tokens.database.close()
            self._tokens = None
