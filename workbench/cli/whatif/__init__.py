"""Commands that ask what would happen if."""
