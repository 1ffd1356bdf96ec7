"""HTTP inward: the endpoint, and the emulated providers. The only place that knows an ASGI library."""
