"""The screen of the outage drill."""
