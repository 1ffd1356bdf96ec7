"""Real calls: wire formats, keys, failures by name, and the dispatcher that walks a cascade over HTTP.

Only this package opens sockets outward. It knows no store: a recorder is handed to it.
"""
