#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when an example in the documentation is not what the compiled example says.

A fenced block after `<!-- example: examples/FILE NAME -->` must equal the region of that file
between `// [snippet NAME]` and `// [/snippet NAME]` (`#` instead of `//` in Python), less its common
indentation. Without NAME the block must equal the whole file. With --write the blocks are filled in. A C++ block without such a line is a
failure, unless `<!-- no example -->` stands before it.
"""

import re
import sys
import tempfile
import textwrap
from pathlib import Path

FENCE = re.compile(r"(?:^<!--\s*(?P<mark>[^>]*?)\s*-->\n+)?"
                   r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


def region(text, name):
    """The lines of a snippet; None when the file has none of this name."""
    if not name:
        return text
    begin = re.compile(rf"^\s*(?://|#) \[snippet {re.escape(name)}\]\n", re.MULTILINE)
    end = re.compile(rf"^\s*(?://|#) \[/snippet {re.escape(name)}\]$", re.MULTILINE)
    start = begin.search(text)
    stop = end.search(text, start.end()) if start else None
    return textwrap.dedent(text[start.end():stop.start()]) if stop else None


def problem(root, mark, language, body):
    example = re.fullmatch(r"example:\s*(\S+)(?:\s+(\S+))?", mark or "")
    if not example:
        unmarked = language == "cpp" and mark != "no example"
        return "a C++ block without <!-- example: FILE NAME -->" if unmarked else None
    path, name = example.groups()
    if not (root / path).is_file():
        return f"{path} does not exist"
    expected = region((root / path).read_text(encoding="utf-8"), name)
    if expected is None:
        return f"{path} has no snippet {name}"
    if body.strip("\n") != expected.strip("\n"):
        return f"the block differs from {path} {name or ''}"
    return None


def problems_of(root, document):
    text = (root / document).read_text(encoding="utf-8")
    for fence in FENCE.finditer(text):
        found = problem(root, fence["mark"], fence["language"], fence["body"])
        if found:
            yield f"{document}:{text.count(chr(10), 0, fence.start('body'))}: {found}"


def documents(root):
    top = [p for p in [root / "README.md", root / "CONTRIBUTING.md"] if p.is_file()]
    return [p.relative_to(root) for p in top + sorted((root / "docs").rglob("*.md"))]


def all_problems(root):
    found = documents(root)
    if not found:
        yield f"no documents below {root}"
    for document in found:
        yield from problems_of(root, document)


def write_examples(root):
    def filled(fence):
        example = re.fullmatch(r"example:\s*(\S+)(?:\s+(\S+))?", fence["mark"] or "")
        if not example:
            return fence[0]
        path, name = example.groups()
        body = region((root / path).read_text(encoding="utf-8"), name).strip("\n") + "\n"
        return fence[0][: fence.start("body") - fence.start()] + body + "```"

    for document in documents(root):
        text = (root / document).read_text(encoding="utf-8")
        (root / document).write_text(FENCE.sub(filled, text), encoding="utf-8")


SOURCE = "int a;\n  // [snippet b]\n  int b;\n    int c;\n  // [/snippet b]\n"
EXAMPLES = [
    ("<!-- example: a.cpp b -->\n```cpp\nint b;\n  int c;\n```\n", False),
    ("<!-- example: a.cpp b -->\n\n```cpp\nint b;\n  int c;\n```\n", False),
    ("<!-- example: a.cpp -->\n```cpp\n" + SOURCE + "```\n", False),
    ("<!-- no example -->\n```cpp\nint x;\n```\n", False),
    ("```sh\nls\n```\n", False),
    ("<!-- example: a.cpp b -->\n```cpp\nint b;\n```\n", True),
    ("<!-- example: a.cpp c -->\n```cpp\nint b;\n```\n", True),
    ("<!-- example: b.cpp -->\n```cpp\nint b;\n```\n", True),
    ("```cpp\nint b;\n```\n", True),
]


def self_test():
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "a.cpp").write_text(SOURCE)
        wrong = []
        for text, found in EXAMPLES:
            (root / "README.md").write_text(text)
            if bool(list(problems_of(root, "README.md"))) != found:
                wrong.append(f"{text!r} should be {'refused' if found else 'fine'}")
    return wrong


def main():
    if sys.argv[1] == "--write":
        write_examples(Path(sys.argv[2]))
        return 0
    problems = self_test() if sys.argv[1] == "--self-test" else list(all_problems(Path(sys.argv[1])))
    print("\n".join(problems) or "no problem")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
