"""Commands about the offers there are."""
