"""A call as a command line for `curl`, with the variable's name where the key goes. Never holds a key."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final

from workbench.errors import Finding, UsageError
from workbench.gateway.codecs import codec_of
from workbench.gateway.codecs.neutral import HttpRequest, LocalFault
from workbench.gateway.codecs.route import Route

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNSAFE: Final = re.compile(r"[^\n -~]")


def curl_of(candidate: Mapping[str, Any], request: Mapping[str, Any], *, stream: bool, allow_http: bool = False) -> str:
    """The command for one candidate and the request as it would be sent there; ASCII, several lines.

    Raises `UsageError` where nothing can be sent to it.
    """
    try:
        route = Route.of(candidate, allow_http=allow_http)
        http = codec_of(route).request(route, request, stream=stream)
    except LocalFault as fault:
        finding = Finding(f"nothing can be sent to this offer ({fault.detail})", "no_curl")
        raise UsageError("no curl", [finding]) from None
    return _UNSAFE.sub("?", " \\\n  ".join(_words(http)))


def _words(http: HttpRequest) -> list[str]:
    words = ["curl -sS" + (" -N" if http.stream else ""), f"-X {http.method} {shlex.quote(http.url)}"]
    if http.key_name is not None and _VARIABLE.fullmatch(http.key_name):
        words.append(f'-H "{http.key_header}: {http.key_prefix}${{{http.key_name}}}"')
    words += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in http.headers]
    body = json.dumps(json.loads(http.body), ensure_ascii=True).replace("\x7f", "\\u007f")
    return [*words, f"--data-raw {shlex.quote(body)}"]
