"""How a process serves: what it is put together from, how it listens, reloads and ends."""
