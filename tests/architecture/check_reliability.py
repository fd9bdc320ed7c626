#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when docs/reliability.md names a test that does not exist.

In the last column of its tables every `PROGRAM: Suite.case` must be a case in a source of that test
program, and every `PROGRAM` a test. A row that names none needs words instead, and has them.
"""

import re
import sys
import tempfile
from pathlib import Path

DOCUMENT = "docs/reliability.md"
PROGRAM = re.compile(r"threadkeep(?:_postgres)?_test\((\w+)([^)]*)\)")
NAMED = re.compile(r"add_test\(\s*NAME ([\w${}]+)")
CASE = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)")


def cases_of(sources):
    return {".".join(case) for source in sources if source.is_file()
            for case in CASE.findall(source.read_text(encoding="utf-8"))}


def programs_of(root):
    """The cases of each test program; those of all files beside it where it names none."""
    programs = {}
    for build in sorted((root / "tests").rglob("CMakeLists.txt")):
        text = build.read_text(encoding="utf-8")
        for name, words in PROGRAM.findall(text):
            named = [build.parent / word for word in words.split() if word.endswith(".cpp")]
            programs[name] = cases_of(named or build.parent.glob("*.cpp"))
        for name in NAMED.findall(text):
            for each in re.findall(r"foreach\(backend ([\w ]+)\)", text) or [""]:
                for backend in each.split() or [""]:
                    programs.setdefault(name.replace("${backend}", backend), set())
    return programs


def evidence_of(text):
    """What stands in the last column of each row that is a promise, with its line."""
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if not line.startswith("|") or len(cells) < 2 or set(cells[-1]) <= set("-|"):
            continue
        if cells[-1] != "shown by":
            yield number, re.findall(r"`([^`]+)`", cells[-1])


def problems_of(root):
    programs = programs_of(root)
    for number, names in evidence_of((root / DOCUMENT).read_text(encoding="utf-8")):
        if not names:
            yield f"{DOCUMENT}:{number}: a promise without a test"
        for name in names:
            program, _, case = name.partition(": ")
            if program not in programs:
                yield f"{DOCUMENT}:{number}: there is no test program {program}"
            elif case and case not in programs[program]:
                yield f"{DOCUMENT}:{number}: {program} has no case {case}"


def self_test():
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "docs").mkdir()
        (root / "tests" / "a").mkdir(parents=True)
        (root / "tests" / "a" / "CMakeLists.txt").write_text(
            "threadkeep_test(one SOURCES x.cpp)\nthreadkeep_test(all SOURCES ${sources})\n"
            "foreach(backend b c)\nadd_test(NAME soak_${backend} COMMAND soak)\nendforeach()\n",
            encoding="utf-8")
        (root / "tests" / "a" / "x.cpp").write_text("TEST_F(S, x) {}\n", encoding="utf-8")
        (root / "tests" / "a" / "y.cpp").write_text("TEST(S, y) {}\n", encoding="utf-8")
        rows = ["`one: S.x`", "`all: S.y`, `soak_c`", "`one: S.y`", "`two`", "words"]
        (root / DOCUMENT).write_text(
            "| promise | shown by |\n|---|---|\n" + "".join(f"| p | {row} |\n" for row in rows),
            encoding="utf-8")
        found = [problem.split(": ", 1)[1] for problem in problems_of(root)]
    expected = ["one has no case S.y", "there is no test program two", "a promise without a test"]
    return [] if found == expected else [f"expected {expected}, found {found}"]


def main():
    problems = self_test() if sys.argv[1] == "--self-test" else list(problems_of(Path(sys.argv[1])))
    print("\n".join(problems) or "no problem")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
