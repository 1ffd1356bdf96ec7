"""Policies by intent: a few options in, a whole policy out. `public` and `ours` hold them, `options` reads them."""
