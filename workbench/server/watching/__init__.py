"""What the endpoint tells of itself: counters for Prometheus, spans for OpenTelemetry. Never a prompt, never a key."""
