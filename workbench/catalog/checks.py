"""What a catalog's names and addresses must be, beyond their type.

Owns: safe base addresses, names of key variables, names equal in disguise. Pure; opens nothing and resolves nothing
(the address that a name resolves to is checked where it is dialled).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final
from urllib.parse import SplitResult, urlsplit

DECLARED_KEY_NAMES: Final = frozenset((
    "AI21_API_KEY", "ANTHROPIC_API_KEY", "AWS_BEARER_TOKEN_BEDROCK", "AZURE_API_KEY", "AZURE_OPENAI_API_KEY",
    "BASETEN_API_KEY", "BERGET_API_KEY", "CEREBRAS_API_KEY", "CHUTES_API_KEY", "CLOUDFLARE_API_KEY", "COHERE_API_KEY",
    "CRUSOE_API_KEY", "DASHSCOPE_API_KEY", "DATABRICKS_TOKEN", "DEEPINFRA_API_KEY", "DEEPSEEK_API_KEY",
    "DIGITALOCEAN_ACCESS_TOKEN", "FIREWORKS_API_KEY", "FRIENDLI_TOKEN", "GEMINI_API_KEY", "GMICLOUD_API_KEY",
    "GOOGLE_API_KEY", "GOOGLE_VERTEX_ACCESS_TOKEN", "GROQ_API_KEY", "HF_TOKEN", "HUGGINGFACE_API_KEY",
    "INCEPTRON_API_KEY",
    "INFOMANIAK_API_TOKEN", "IONET_API_KEY", "IONOS_API_KEY", "IOINTELLIGENCE_API_KEY", "META_API_KEY",
    "META_MODEL_API_KEY", "MINIMAX_API_KEY", "MISTRAL_API_KEY", "MODEL_API_KEY", "MOONSHOT_API_KEY", "MORPH_API_KEY",
    "NEBIUS_API_KEY", "NOVITA_API_KEY", "NVIDIA_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "OVHCLOUD_API_KEY",
    "PERPLEXITY_API_KEY", "REGOLO_API_KEY", "SAMBANOVA_API_KEY", "SCALEWAY_API_KEY", "SILICONFLOW_API_KEY",
    "STACKIT_API_KEY", "STEPFUN_API_KEY", "TENCENT_TOKENHUB_API_KEY", "TOGETHER_API_KEY", "UPSTAGE_API_KEY",
    "VENICE_API_KEY", "WANDB_API_KEY", "XAI_API_KEY", "XIAOMI_API_KEY", "ZAI_API_KEY", "ZHIPU_API_KEY",
))  # fmt: skip
"""Variables that a catalog from elsewhere may name as a key. Any other is held until a person confirms it."""

_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_NUMBER_LABEL: Final = re.compile(r"(?:0[xX][0-9A-Fa-f]*|[0-9]+)")
_METADATA_NAMES: Final = frozenset(("metadata", "metadata.google.internal", "instance-data", "metadata.azure.internal"))
_METADATA_ADDRESSES: Final = frozenset(("fd00:ec2::254", "100.100.100.200", "168.63.129.16"))
_LOOPBACK: Final = "localhost"


def folded(name: str) -> str:
    """What two names must not share: NFKC, then case folding, then NFKC again."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def hidden(name: str) -> bool:
    """Whether a name holds characters that a terminal or an eye would not show as themselves."""
    return any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for char in name)


def address_fault(url: str, *, imported: bool = False) -> str | None:
    """Why `url` may not be called, or None where it may.

    `https` everywhere but on loopback; no user, no query, no fragment; a host of plain ASCII letters or an ordinary
    IP address that is neither link-local nor a cloud's metadata service. From elsewhere (`imported`) no private one.
    """
    if any(not 0x21 <= ord(char) <= 0x7E or char in '\\"<>^`{|}' for char in url):
        return "has a character that no address has"
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        return f"is no address: {error}"
    if parts.scheme not in {"https", "http"}:
        return "does not begin with `https://`"
    if not host:
        return "names no host"
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        return "carries a user name or password"
    if port == 0:
        return "has port 0"
    if parts.query or parts.fragment:
        return "carries a query or a fragment"
    return _host_fault(parts, host, imported=imported)


def _host_fault(parts: SplitResult, host: str, *, imported: bool) -> str | None:
    if parts.netloc.startswith("["):
        try:
            address: ipaddress.IPv4Address | ipaddress.IPv6Address | None = ipaddress.IPv6Address(host)
        except ValueError:
            return "is no address: not an IPv6 host"
    else:
        name = host.rstrip(".")
        if not _HOST.fullmatch(name) or ".." in name:
            return "names a host with unusual characters"
        if name in _METADATA_NAMES:
            return "points at a cloud's metadata service"
        address = _ipv4(name)
        if address is None and _NUMBER_LABEL.fullmatch(name.rsplit(".", 1)[-1]):
            return "hides an IP address in a number"
    loopback = host == _LOOPBACK if address is None else address.is_loopback
    fault = _address_class_fault(address, imported=imported) if address is not None else None
    if fault is None and imported and loopback:
        fault = "points at this machine"
    if fault is None and parts.scheme == "http" and not loopback:
        fault = "is not `https`"
    return fault


def _ipv4(name: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(name)
    except ValueError:
        return None


def _address_class_fault(address: ipaddress.IPv4Address | ipaddress.IPv6Address, *, imported: bool) -> str | None:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return _address_class_fault(address.ipv4_mapped, imported=imported)
    if address.is_link_local or str(address) in _METADATA_ADDRESSES:
        return "is link-local, or a cloud's metadata service"
    if address.is_loopback:
        return None
    if address.is_multicast or address.is_unspecified or address.is_reserved:
        return "is no address of a host"
    if imported and (address.is_private or not address.is_global):
        return "is an address inside a private network"
    return None
