# SPDX-License-Identifier: Apache-2.0
"""What becomes of this package in a forked child.

Stores are refused there, by the native module. What is shared by all stores of a process begins
anew: another thread of the parent may have held its locks at the moment of the fork.
"""

from __future__ import annotations

import os
from collections.abc import Callable


def runs_in_child(function: Callable[[], None]) -> Callable[[], None]:
    """A decorator: calls the function in each child, before ``os.fork()`` returns there."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=function)
    return function
