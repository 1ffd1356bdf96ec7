"""The endpoint: the same evaluator behind an OpenAI-compatible API, where the policy travels with the call.

Raw ASGI, no framework in the way of a request. Decides nothing: `session` and `engine` do, `gateway` makes the calls.
"""
