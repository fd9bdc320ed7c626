# SPDX-License-Identifier: Apache-2.0
"""Packages for tests, apart from those of the interpreter that runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BUILD = Path(__file__).parents[3] / "build"


def installed(name: str, *arguments: str) -> Path:
    """The folder build/NAME with what these arguments of `pip install` ask for; made once."""
    folder = BUILD / name
    if not folder.exists():
        BUILD.mkdir(exist_ok=True)
        new = tempfile.mkdtemp(dir=BUILD)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, "--target", new, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        try:
            os.rename(new, folder)
        except OSError:  # Another process was faster.
            shutil.rmtree(new)
    return folder
