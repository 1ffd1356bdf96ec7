"""Commands that decide and say why."""
