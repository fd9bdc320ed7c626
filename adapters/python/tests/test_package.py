# SPDX-License-Identifier: Apache-2.0
"""The package as a whole: its types, its examples and its documentation."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import threadkeep
from postgres_server import PostgresServer

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "python.md"


def test_types(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    assert (Path(threadkeep.__file__).parent / "py.typed").exists()
    given = getattr(pytestconfig, "cache", None)
    cache = given.mkdir("mypy") if given else tmp_path
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache)]
    result = subprocess.run(
        [*command, "-p", "threadkeep"], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_everything_public_is_documented() -> None:
    undocumented = []
    for name in threadkeep.__all__:
        thing = getattr(threadkeep, name)
        if isinstance(thing, str):
            continue
        members = [(name, thing)] + [
            (f"{name}.{key}", value)
            for key, value in vars(thing).items()
            if callable(value) and not key.startswith("_")
        ]
        undocumented += [label for label, value in members if not value.__doc__]
    assert undocumented == []


def test_the_command_comes_with_the_package(tmp_path: Path) -> None:
    with threadkeep.Store("sqlite:" + str(tmp_path / "agent.db")) as store:
        store.setup()
    command = Path(sys.executable).with_name("threadkeep")
    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.split()[-1] == threadkeep.__version__
    doctor = [command, "doctor", "--url", "sqlite:" + str(tmp_path / "agent.db")]
    subprocess.run(doctor, check=True)


def blocks() -> list[tuple[str, str]]:
    text = PAGE.read_text()
    found = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    return [(f"block {number}", code) for number, code in enumerate(found, 1)]


def readme_blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)


# The server of the documentation; the tests have one of their own in its place.
DOCUMENTED = "postgresql://agents@db.example/agents"


def run(code: str, folder: Path, database: str) -> None:
    script = folder / "block.py"
    script.write_text(code.replace(DOCUMENTED, database))
    environment = {"THREADKEEP_URL": "sqlite:server.db", "LANGGRAPH_AES_KEY": "k" * 32}
    result = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", str(script)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, code + result.stdout + result.stderr


@pytest.mark.parametrize("code", [code for _, code in blocks()], ids=[name for name, _ in blocks()])
def test_the_documentation_runs(code: str, tmp_path: Path, postgres_server: PostgresServer) -> None:
    """Each block of docs/python.md is a program of its own."""
    run(code, tmp_path, postgres_server.url(postgres_server.new_database()))


def test_the_documentation_runs_again_in_one_folder(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    """A reader tries one block after the other, and one of them twice."""
    database = postgres_server.url(postgres_server.new_database())
    for code in [*readme_blocks(), *(code for _, code in blocks())] * 2:
        run(code, tmp_path, database)


def test_there_are_blocks() -> None:
    assert len(blocks()) >= 5 and len(readme_blocks()) >= 1
