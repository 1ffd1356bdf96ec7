"""A workspace's keys: environment, `.env` beside it, the system's keyring; and which key may go where, remembered.

Owns the file of bindings (names and origins, never a key). A key whose variable is known goes to the origins that it
was bound to at first sight, which `first_sight` judges; any other needs a person's word (RELIABILITY R24). Where the
file was lost, what a key was bound to is unknown: then first sight binds nothing, from there on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench.engine.values import record
from workbench.errors import Finding, UsageError
from workbench.gateway.codecs.neutral import LocalFault
from workbench.gateway.codecs.route import Route
from workbench.gateway.dotenv import read_dotenv
from workbench.gateway.keys import Bindings, Keys, keyring_lookup
from workbench.session.calls.first_sight import FirstSight
from workbench.session.calls.places import Document, KeptFile

FILE: str = "key-origins.json"
_HELD: str = "until a key is allowed, it is held: --send-key NAME=ORIGIN lets it go there"


@dataclass(slots=True)
class KeyRing:
    """The keys of one workspace and their bindings."""

    keys: Keys
    file: KeptFile
    findings: tuple[Finding, ...] = ()
    """What is odd about `.env`, and about the file of bindings: unread, every key is held."""
    held: tuple[tuple[str, str], ...] = field(default=())
    """Names and origins of the catalog that wait for a person's word."""

    @classmethod
    def open(cls, root: Path, folder: Path, environment: Mapping[str, str]) -> KeyRing:
        """The keys that a workspace in `root` can use; bindings are kept in `folder`."""
        dotenv = read_dotenv(root)
        file = KeptFile(folder / FILE)
        document = file.read()
        bindings = Bindings.of(record(document.get("origins")))
        bindings.asks = file.trouble is not None or document.get("asks", False) is not False
        bindings.trusts = FirstSight(environment, dotenv.values).trusts
        forgotten = () if file.trouble is None else (replace(file.trouble, hint=_HELD),)
        keys = Keys(environment, dotenv.values, bindings, keyring_lookup)
        return cls(keys, file, (*dotenv.findings, *forgotten))

    @property
    def environment(self) -> dict[str, str]:
        """Variables by name, the process's own before those of `.env`: for addresses, not for keys."""
        return {**self.keys.dotenv, **{name: value for name, value in self.keys.environment.items() if value}}

    def settle(self, candidates: Iterable[Mapping[str, Any]]) -> None:
        """Bind what was never seen to where this catalog sends it, and see what is held."""
        with_keys = [c for c in candidates if self.keys.has(str(c.get("auth_env")))]
        if not with_keys:
            self.held = ()
            return
        before = self.keys.bindings.as_document()
        self.held = self.keys.bindings.settle(with_keys)
        if self.keys.bindings.as_document() != before:
            self._keep()

    @property
    def waiting(self) -> tuple[Finding, ...]:
        """A finding for each key that is held: the variable, the origin, and how to let it go there."""
        return tuple(
            Finding(
                f"`{name}` is held from {origin}", "key_held", hint=f"--send-key {name}={origin} lets it go there",
                severity="warning",
            )
            for name, origin in self.held
        )  # fmt: skip

    def confirm(self, name: str, origin: str) -> None:
        """A person says that this key may go there; remembered."""
        self.keys.bindings.confirm(name, origin)
        self.held = tuple(each for each in self.held if each != (name, origin))
        self._keep()

    def confirm_text(self, text: str) -> None:
        """The same for `NAME=ORIGIN`, which has to be held. Raises `UsageError`."""
        name, _, origin = text.partition("=")
        if (name, origin) not in self.held:
            waiting = ", ".join(f"`{n}={o}`" for n, o in self.held)
            hint = f"waiting: {waiting}" if waiting else "no key is waiting"
            raise UsageError("nothing to confirm", [Finding(f"`{text}` is not held", "key_held", hint=hint)])
        self.confirm(name, origin)

    def state_of(self, candidate: Mapping[str, Any], *, allow_http: bool = False) -> tuple[str | None, str | None]:
        """The variable of an offer's key and what is wrong with it: `missing`, `held`, `malformed`; None if nothing."""
        try:
            route = Route.of(candidate, allow_http=allow_http)
        except LocalFault:
            return None, None
        if route.key_name is None:
            return None, None
        try:
            self.keys.key(route)
        except LocalFault as fault:
            return route.key_name, fault.detail.removeprefix("local_key_")
        return route.key_name, None

    def lacking(self, candidates: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
        """A finding where none of the offers can be called, for want of a key or an address."""
        names: dict[tuple[str, str], str | None] = {}
        for candidate in candidates:
            way = str(candidate.get("auth_env")), str(candidate.get("base_url") or "")
            if way in names or not way[1]:
                continue
            names[way], why = self.state_of(candidate)
            if why is None:
                return ()
        wanted = ", ".join(f"`{name}`" for name in sorted(set(names.values()) - {None}, key=str)[:3])
        such = f"set one, such as {wanted}" if wanted else "state an address"
        hint = f"{such}; or run `workbench emulate`, and give its URL with --emulator"
        return (Finding("no offer can be called: there is no key for any", "no_key", hint=hint, severity="warning"),)

    def _keep(self) -> None:
        mine = self.keys.bindings.known

        def merged(document: Document) -> tuple[Document, None]:
            both = Bindings.of(record(document.get("origins")))
            asks = self.keys.bindings.asks or document.get("asks", False) is not False
            for name, origins in mine.items():
                both.known.setdefault(name, set()).update(origins)
            return {"origins": both.as_document(), **({"asks": True} if asks else {})}, None

        self.file.change(merged)
