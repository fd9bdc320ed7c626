# SPDX-License-Identifier: Apache-2.0
"""The benchmark works: every saver does every operation. What its numbers are is not looked at."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
BACKENDS = {"postgres", "sqlite", "redis", "memory"}
SESSIONS = {"append", "tail"}


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The numbers of the short form, which starts servers of its own."""
    folder = tmp_path_factory.mktemp("benchmark")
    files = ["--json", str(folder / "numbers.json"), "--plot", str(folder / "ratios.svg")]
    result = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "compare.py"), "--quick", *files],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "<svg" in (folder / "ratios.svg").read_text()
    read: dict[str, Any] = json.loads((folder / "numbers.json").read_text())
    return read


def test_every_cell_has_operations_and_no_error(numbers: dict[str, Any]) -> None:
    assert {cell["backend"] for cell in numbers["cells"]} == BACKENDS
    for cell in numbers["cells"]:
        assert len(cell["savers"]) == (1 if cell["operation"] in SESSIONS else 2), cell
        for saver in cell["savers"].values():
            assert "error" not in saver, cell
            assert saver["operations"] > 0, cell
            assert saver["operations_per_second"] > 0, cell
            assert 0 < saver["p50_us"] <= saver["p99_us"], cell


def test_the_wire_is_counted_where_there_is_one(numbers: dict[str, Any]) -> None:
    assert {row["backend"] for row in numbers["wire"]} == {"postgres", "redis"}
    for row in numbers["wire"]:
        assert row["round_trips"] >= 1, row
        assert row["sent_bytes"] > 0 and row["received_bytes"] > 0, row


def test_threads_take_room_where_they_are_kept(numbers: dict[str, Any]) -> None:
    assert {row["backend"] for row in numbers["stored"]} == BACKENDS - {"memory"}
    for row in numbers["stored"]:
        assert row["bytes"] > 0, row


def test_its_page_takes_the_numbers(numbers: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "numbers.json").write_text(json.dumps(numbers))
    code = "import json, sys, page; print(page.tables(json.load(open(sys.argv[1]))))"
    command = [sys.executable, "-c", code, str(tmp_path / "numbers.json")]
    result = subprocess.run(command, cwd=ROOT / "bench", check=True, capture_output=True, text=True)
    lines = result.stdout.splitlines()
    assert sum(line.startswith("### ") for line in lines) == len(BACKENDS) + 2
    for cell in numbers["cells"]:
        assert any(line.startswith(f"| {cell['operation']}") for line in lines), cell
    page = (ROOT / "docs" / "performance.md").read_text()
    assert re.search(r"<!-- tables: bench/page.py -->\n### .*<!-- end of tables -->\n", page, re.S)


def test_the_benchmark_of_retention_measures_all_it_names(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "bench" / "retention.py"), "--checkpoints", "800"]
    result = subprocess.run(
        [*command, "--seconds", "0.1", "--json", str(tmp_path / "numbers.json")],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    assert [row["rows"] for row in numbers["speed"]] == [3200] * 4
    assert all(len(speeds) == 4 for speeds in numbers["quarters"].values())
    for turn in numbers["beside_a_sweep"] + numbers["with_and_without"]:
        assert all(0 < put["p50_ms"] <= put["p99_ms"] for put in turn.values()), turn
    page = (ROOT / "docs" / "performance.md").read_text()
    heads = [line for line in result.stdout.splitlines() if "---" not in line and line]
    for line in heads:  # Its page has the same rows, with the numbers of another run.
        assert f"\n| {line.split(' |')[0][2:]} |" in page, line


def test_the_benchmark_of_migrations_measures_what_is_installed(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    assert "\nbuild/venv/bin/python bench/migrate.py --megabytes 60\n" in page
    command = [sys.executable, str(ROOT / "bench" / "migrate.py"), "--megabytes", "1"]
    result = subprocess.run(
        [*command, "--runs", "1", "--json", str(tmp_path / "numbers.json")],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    assert set(numbers) == {"1024", "100"}
    for size in numbers.values():
        assert {"COPY to COPY", "Postgres, threadkeep", "SQLite, threadkeep"} <= set(size["ways"])
        assert all(min(taken.values()) > 0 for taken in size["ways"].values())
        assert {"first", "second"} < set(size["again"]) and len(size["jobs"]) > 1


def test_the_commands_of_its_page_are_understood() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    commands = re.findall(r"^\$ bench/run.sh(.*)$", page, re.M)
    assert len(commands) >= 2
    code = "import sys, compare; compare.parser().parse_args(sys.argv[1:])"
    for command in commands:
        arguments = shlex.split(command, comments=True)
        subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT / "bench", check=True)
    commands = re.findall(r"^\$ build/venv/bin/python bench/retention.py(.*)$", page, re.M)
    assert len(commands) >= 2
    code = "import sys, retention; retention.parser().parse_args(sys.argv[1:])"
    for command in commands:
        arguments = shlex.split(command, comments=True)
        subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT / "bench", check=True)
