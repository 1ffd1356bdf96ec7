"""Amazon Bedrock's ids: which place a key promises, and what the API takes.

`eu.` and the like are geographic profiles and part of the id; `bedrock/REGION/` is the price map's own prefix. An id
without either promises no place. London and Zurich lie outside the EU.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_KEY: Final = re.compile(
    r"^(?:bedrock(?P<mantle>_mantle)?/)?(?:(?P<aws>[a-z]{2}(?:-gov)?-[a-z]+-\d)/)?(?:invoke/|converse/)?(?P<id>[a-z0-9-]+\..+)$"
)
_PROFILE: Final = re.compile(r"^(eu|us-gov|us|apac|au|jp|global|ca|in|sa|kr|uk)\.(?=[a-z0-9-]+\.)")
_REGIONS: Final = {
    "us-gov": "us_gov", "us": "us", "eu": "eu", "ap-northeast-1": "jp", "ap-northeast-3": "jp", "ap-northeast-2": "kr",
    "ap-southeast-2": "au", "ap-southeast-4": "au", "ap-southeast-1": "sg", "ap-south": "in", "ca": "ca", "sa": "sa",
    "ap": "apac",
}  # fmt: skip
_OUTSIDE_EU: Final = {"eu-west-2": "uk", "eu-central-2": "ch"}
_VENDOR: Final = re.compile(r"^(?:[a-z0-9-]+)\.(?=.)")


@dataclass(frozen=True, slots=True)
class BedrockId:
    """One key of the price map, taken apart."""

    wire_id: str
    region: str | None
    model: str
    """The id without profile and vendor."""
    aws_region: str | None = None
    mantle: bool = False
    """Served by the OpenAI-compatible endpoint of its own."""

    @property
    def base_url(self) -> str | None:
        """The endpoint of the one AWS region that the key names."""
        if self.aws_region is None:
            return None
        if self.mantle:
            return f"https://bedrock-mantle.{self.aws_region}.api.aws/v1"
        return f"https://bedrock-runtime.{self.aws_region}.amazonaws.com"


def place(aws_region: str) -> str:
    """Our region for an AWS region: `eu-central-1` is `eu`, `eu-west-2` (London) is `uk`."""
    if aws_region in _OUTSIDE_EU:
        return _OUTSIDE_EU[aws_region]
    for prefix, region in _REGIONS.items():
        if aws_region == prefix or aws_region.startswith(f"{prefix}-"):
            return region
    return "unknown_place"


def take_apart(key: str) -> BedrockId | None:
    """The parts of a price map's Bedrock key; None where it is no plain id (reservations, wildcards)."""
    match = _KEY.match(key)
    if match is None or "commitment" in key or "*" in key:
        return None
    wire_id, aws = match["id"], match["aws"]
    profile = _PROFILE.match(wire_id)
    region = place(aws) if aws else None
    if profile is not None:
        region = profile[1].replace("-", "_")
    bare = wire_id[profile.end() :] if profile is not None else wire_id
    vendor = _VENDOR.match(bare)
    model = bare[vendor.end() :] if vendor is not None else bare
    if bare.startswith("deepseek."):
        model = f"deepseek-{model}"
    return BedrockId(wire_id, region, model, aws, bool(match["mantle"]))
