"""The names of models: many spellings of one model, from ids on the wire to one family name.

`eu.anthropic.claude-opus-4-7-20260416-v1:0`, `claude-opus-4-7@default` and `anthropic/claude-opus-4.7` are all
`claude-opus-4.7`. Folds what is only an address (vendor, region, date, revision); keeps what is another model (size,
`mini`, `thinking`, `-2507`). Aliases that no rule can know are data: `catalogs/facts/families.json`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_DATE: Final = re.compile(r"[-@](?:20\d{6}|20\d\d-\d\d-\d\d)$")
_REVISION: Final = re.compile(r"(?:-v\d+:\d+(?::\d+k)?|-v1|-\d+:\d+|:\d+|@default|@latest|@\d{3})$")
_FORM: Final = re.compile(r"-(?:instruct|it|maas|fp8|nvfp4|bf16|fp8-dynamic|tput|tee|latest)$")
_NOT_CHAT: Final = re.compile(
    r"embed|rerank|guard|safeguard|whisper|tts|transcri|audio|realtime|-image|image-|imagen|imagine|video|veo|ocr|"
    r"voxtral|orpheus|asr|livetranslate|moderation|search-preview|search-api|deep-research|computer-use|container|"
    r"router|robotics|lyria|omni|bge|e5-|clip|pegasus|\bft:|commitment|customtools|vibe-cli|fim"
)
_REWRITES: Final = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"^(?:openai-)(gpt|o\d)", r"\1"),
        (r"^(?:anthropic-)(claude)", r"\1"),
        (r"^(?:google-)(gem)", r"\1"),
        (r"^(?:zai-org-|z-ai-|zai-)(glm)", r"\1"),
        (r"^(?:fw-)", ""),
        (r"^(?:nvidia-)(nemotron)", r"\1"),
        (r"^(?:meta-)(llama)", r"\1"),
        (r"^(?:cohere-)(command)", r"\1"),
        (r"^llama(\d)", r"llama-\1"),
        (r"^qwen-(\d)", r"qwen\1"),
        (r"(?<=\d)[p_](?=\d)", "."),
        (r"^(claude-(?:opus|sonnet|haiku|fable|mythos)-\d)-(\d{1,2})(?=$|-)", r"\1.\2"),
        (r"^(claude-3)-(5|7)(?=-)", r"\1.\2"),
        (r"^(grok-\d)-(\d{1,2})(?=$|-)", r"\1.\2"),
        (r"^(llama-\d)-(\d)-", r"\1.\2-"),
        (r"^(glm-\d)-(\d)(?=$|-)", r"\1.\2"),
        (r"^(deepseek-v\d)-(\d)(?=-|$)", r"\1.\2"),
        (r"^(gpt-\d)-(\d)(?=$|-)", r"\1.\2"),
        (r"^(qwen\d)-(\d)-(?=\d+(?:\.\d+)?[bt])", r"\1.\2-"),
        (r"^(mistral-medium-\d)-(\d)$", r"\1.\2"),
        (r"^(llama-4-(?:maverick|scout)).*$", r"\1"),
    )
)


def is_chat(name: str) -> bool:
    """Whether a name is a text model's: no embedding, speech, image, guard or tool of the provider's own."""
    return _NOT_CHAT.search(name.casefold()) is None


def stem(wire_id: str) -> str:
    """An id without vendor path, date, revision and form, in lower case: what aliases of one deployment share."""
    name = wire_id.casefold().rsplit("/", 1)[-1]
    for _ in range(6):
        shorter = _FORM.sub("", _REVISION.sub("", _DATE.sub("", name)))
        if shorter == name or not shorter:
            return name
        name = shorter
    return name


def is_alias(wire_id: str) -> bool:
    """Whether an id only points at another one: dated, `-latest`, `@default`."""
    name = wire_id.casefold()
    return bool(_DATE.search(name) or name.endswith(("-latest", "@default", "@latest")) or re.search(r"@\d+", name))


def family(wire_id: str, aliases: Mapping[str, str] | None = None) -> str:
    """The family of an id on the wire. `aliases` maps families to the name they go by."""
    name = stem(wire_id)
    for pattern, new in _REWRITES:
        name = pattern.sub(new, name)
    known = aliases or {}
    return known.get(name, name)
