# SPDX-License-Identifier: Apache-2.0
"""Counts tests in JUnit files: prints "PASSED FAILED", then the name of each that failed.

Usage: count_results.py JUNIT_FILE [FOLDER]

JUNIT_FILE is what ctest or pytest wrote. A test of ctest that is a GoogleTest program has written a
report of its own into FOLDER; its single tests are counted in its
place. A skipped test counts as failed: nothing here may be skipped.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def results(path):
    """The names of all tests of one report, and of the bad ones, whichever tool wrote it."""
    every, bad = [], []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        every.append(name)
        tags = {child.tag for child in case}
        if tags & {"failure", "error"} or case.get("status") in ("fail", "notrun"):
            bad.append(name)
        elif "skipped" in tags:
            bad.append(name + " (skipped)")
    return every, bad


def main():
    every, bad = results(sys.argv[1])
    passed, failed = len(every) - len(bad), len(bad)
    for path in sorted(pathlib.Path(sys.argv[2]).glob("*.xml")) if len(sys.argv) > 2 else []:
        own, own_bad = results(path)
        # The program's single tests replace the one test that it was for ctest. That one failed if
        # any of them did; one that was only skipped is none to ctest.
        replaced = any(not name.endswith(" (skipped)") for name in own_bad)
        passed += len(own) - len(own_bad) - (not replaced)
        failed += len(own_bad) - replaced
        bad += own_bad
    print(passed, failed)
    print(*bad, sep="\n", end="\n" if bad else "")


main()
