"""What was decided and what came of it, kept so that it can be shown, searched and decided again.

Imports no gateway and no screen; whoever makes calls is handed a `Recorder`.
"""
