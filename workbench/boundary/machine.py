"""This machine: which hosts are it and nobody else, and which of its processes live."""

from __future__ import annotations

import ipaddress
import os
import sys


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the host: `localhost`, or a loopback address. No other name counts."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def alive(pid: int) -> bool:
    """Whether a process of that number lives, here and now; yes where nobody can say, and for 0."""
    if sys.platform == "win32":
        return True  # there, signal 0 ends the process it asks about
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
