"""Ways to send a call that are faster than plain httpx, behind its interface; chosen by measurement."""
