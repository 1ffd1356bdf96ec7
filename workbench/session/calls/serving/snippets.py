"""How the endpoint is called, to paste: curl, Python, TypeScript. Each is whole and runs as it stands.

Their lines fit a terminal of 80 columns. Beyond loopback the key is read from `WORKBENCH_TOKEN`; on loopback any text
does.
"""

from __future__ import annotations

import json
import shlex
from typing import Any, Final

PROMPT: Final = "Say hello in one sentence."


def body(tenant: str | None) -> dict[str, Any]:
    """One chat call in the name of a tenant."""
    whose = {} if tenant is None else {"tenant": tenant}
    return {"model": "", **whose, "messages": [{"role": "user", "content": PROMPT}]}


def curl(url: str, tenant: str | None) -> str:
    """For a shell; why each offer was left out would fill many screens there."""
    *head, messages = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in body(tenant).items())
    data = shlex.quote("{" + ", ".join((*head, '"compact": true')) + f",\n  {messages}}}")
    return (
        f"curl -s {url}/v1/chat/completions \\\n"
        '  -H "authorization: Bearer ${WORKBENCH_TOKEN:-local}" \\\n'
        "  -H 'content-type: application/json' \\\n"
        f"  -d {data}\n"
    )


def python(url: str, tenant: str | None) -> str:
    """With the OpenAI SDK: `pip install openai`."""
    extra = "" if tenant is None else f"\n    extra_body={{'tenant': {tenant!r}}},"
    return f"""import os

from openai import OpenAI

client = OpenAI(
    base_url={f"{url}/v1"!r},
    api_key=os.environ.get('WORKBENCH_TOKEN', 'local'),
)
answer = client.chat.completions.create(
    model='',
    messages=[{{'role': 'user', 'content': {PROMPT!r}}}],{extra}
)
print(answer.choices[0].message.content)
for each in answer.x_router['decision_trace']['rejected'][:5]:
    rules = [rule['rule'] for rule in each.get('rules', [])]
    print(each['provider'], each['model'], rules)
"""


def typescript(url: str, tenant: str | None) -> str:
    """With the OpenAI SDK for Node: `npm install openai`."""
    whose = (
        ""
        if tenant is None
        else f"\n  // @ts-expect-error - a key of the router's own\n  tenant: {json.dumps(tenant)},"
    )
    return f"""import OpenAI from "openai";

const client = new OpenAI({{
  baseURL: {json.dumps(f"{url}/v1")},
  apiKey: process.env.WORKBENCH_TOKEN ?? "local",
}});
const answer = await client.chat.completions.create({{
  model: "",{whose}
  messages: [{{ role: "user", content: {json.dumps(PROMPT)} }}],
}});
console.log(answer.choices[0].message.content);
"""
