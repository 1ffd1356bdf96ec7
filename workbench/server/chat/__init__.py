"""Calls: `POST /v1/chat/completions` and `POST /v1/responses`, plain, streaming and as flows."""
