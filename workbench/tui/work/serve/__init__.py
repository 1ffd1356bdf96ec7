"""The screen of the endpoint."""
