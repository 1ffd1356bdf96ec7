"""The outage drill: what the fallback machine would do while providers are down, on a virtual clock."""
