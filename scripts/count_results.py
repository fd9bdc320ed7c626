# SPDX-License-Identifier: Apache-2.0
"""Counts tests in JUnit files: prints "PASSED FAILED".

Usage: count_results.py JUNIT_FILE [FOLDER]

JUNIT_FILE is what ctest or pytest wrote. A test of ctest that is a GoogleTest program has written a
report of its own into FOLDER; its single tests are counted in its place. A skipped test counts as
failed: nothing here may be skipped.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def counts(path):
    """(all, bad) of one report, whichever tool wrote it."""
    total = bad = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        total += 1
        tags = {child.tag for child in case}
        status = case.get("status")
        bad += bool(tags & {"failure", "error", "skipped"}) or status in ("fail", "notrun")
    return total, bad


def main():
    total, bad = counts(sys.argv[1])
    for path in sorted(pathlib.Path(sys.argv[2]).glob("*.xml")) if len(sys.argv) > 2 else []:
        own_total, own_bad = counts(path)
        # The program's single tests replace the one test that it was for ctest. If it failed by
        # them, that one is among the bad ones already.
        total += own_total - 1
        bad += own_bad - (1 if own_bad else 0)
    print(total - bad, bad)


main()
