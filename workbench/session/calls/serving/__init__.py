"""The endpoint as a screen sees it: a child process that serves, what it tells, and how it is called."""
