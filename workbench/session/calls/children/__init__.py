"""Our own commands as child processes of the app."""
