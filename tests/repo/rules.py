#!/usr/bin/env python3
"""The tree's own rules. Each is one test:

    rules.py includes|lengths|errors|words|docs|registers|help|self [--dlavp PROGRAM]

A rule prints every place where it is broken and what to do, and ends with 1. Exceptions are in
exceptions.txt, each with its reason. Standard library only, but for the register page's generator.
"""
import argparse
import ast
import os
import re
import subprocess
import sys
import tempfile

import tree

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
GENERATOR = os.path.join(ROOT, "tools", "gen_regs.py")
UNITS = ("bdma", "cdp", "conv", "glb", "mcif", "pdp", "rubik", "sdp")
# What units see of each other: interfaces, no unit's inside.
INTERFACES = ("models/nvdla/unit.hpp", "models/nvdla/unit_context.hpp", "models/mcif/")
FOUNDATION = ("models/common/", "models/sim/", "models/regs/")
# Where compiler, platform and firmware meet: the loadable, and the C of a user's layers.
MEETING_POINTS = ("compiler/loadable/", "sw/kit/")
MAX_FILE, MAX_FUNCTION = 500, 60
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
SYSTEMC = re.compile(r"^(systemc|tlm|sysc/|tlm_)")


def allowed_prefixes(path):
    """Folders that a file may include from; None for any."""
    part = path.split("/")
    if path.startswith("models/"):
        unit = part[1]
        own = f"models/{unit}/"
        if unit == "common":
            return (own,)
        if unit in ("sim", "regs"):
            return FOUNDATION
        if unit == "nvdla":
            return ("models/",)
        return FOUNDATION + INTERFACES + (own,)
    if path.startswith("compiler/"):
        return ("compiler/", "models/common/") + MEETING_POINTS
    if path.startswith("vp/"):
        return ("vp/", "models/", "sw/") + MEETING_POINTS
    if path.startswith("sw/kit/"):
        return ("sw/", "models/common/")
    if path.startswith("sw/"):
        return ("sw/",) + MEETING_POINTS
    return None


def may_use_systemc(path):
    return path.startswith(("vp/", "apps/", "cosim/", "models/nvdla/", "models/tlm/"))


def rule_includes(args):
    """Dependencies point one way; SystemC stays out of units and compiler."""
    broken = []
    for path in tree.files(ROOT):
        if not path.endswith(tree.CXX_ENDS) or tree.is_test(path):
            continue
        allowed = allowed_prefixes(path)
        for kind, name in INCLUDE.findall(tree.read(ROOT, path)):
            if SYSTEMC.match(name) and not may_use_systemc(path):
                broken.append((path, f"includes <{name}>; SystemC belongs in models/nvdla and vp"))
            in_tree = kind == '"' and os.path.exists(os.path.join(ROOT, name))
            if in_tree and allowed is not None and not name.startswith(allowed):
                broken.append((path, f"includes {name}; it may include from {', '.join(allowed)}"))
    return broken


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def rule_lengths(args):
    """Files of at most 500 lines, functions of at most 60."""
    broken = []
    for path in tree.files(ROOT):
        if not path.endswith(tree.SOURCE_ENDS):
            continue
        text = tree.read(ROOT, path)
        lines = text.count("\n")
        if lines > MAX_FILE:
            broken.append((path, f"{lines} lines, at most {MAX_FILE}; split it"))
        functions = []
        if path.endswith(tree.CXX_ENDS):
            functions = tree.cxx_functions(text)
        elif path.endswith(".py"):
            functions = list(python_functions(text))
        for name, line, length in functions:
            if length > MAX_FUNCTION:
                what = f"line {line}: {name} has {length} lines, at most {MAX_FUNCTION}; split it"
                broken.append((f"{path}:{name}", what))
    return broken


ERROR_ID = re.compile(r'"([a-z][a-z0-9_]{2,}\.[a-z][a-z0-9_]{2,})"')
# An id put together from parts cannot be looked up in the tests.
COMPOSED_ID = re.compile(
    r"""(?:errors?_?|list_|failures_|diagnostics)(?:\.|->)add\(\s*
        (?:[\w".]+\s*\+|fmt::format\()""", re.X)
FILE_NAME = re.compile(r"\.(hpp|cpp|yaml|onnx|json|nvdla|npy|png|txt|html|csv|pgm|jpg|cfg|dat|txn|elf|bin)$")


def timing_keys(paths):
    """Keys of configs/timing as the sources spell them: last two parts of each path in the YAML."""
    keys = set()
    for path in paths:
        if not (path.startswith("configs/timing/") and path.endswith(".yaml")):
            continue
        parents = [os.path.basename(path)[:-5]]
        for line in tree.read(ROOT, path).split("\n"):
            match = re.match(r"^(\s*)([\w.]+):", line)
            if match:
                depth = len(match.group(1)) // 2 + 1
                parents = parents[:depth] + [match.group(2)]
                keys.add(".".join(parents[-2:]))
                keys.add(match.group(2))
    return keys


def rule_errors(args):
    """Every error id in the sources is written out, and mentioned by a test."""
    paths = tree.files(ROOT)
    skip = timing_keys(paths)
    tested = "\n".join(
        tree.read(ROOT, p) or "" for p in paths if tree.is_test(p) and p.endswith(tree.SOURCE_ENDS)
    )
    broken = []
    for path in paths:
        if not path.endswith(tree.CXX_ENDS) or tree.is_test(path):
            continue
        text = tree.read(ROOT, path)
        for composed in COMPOSED_ID.finditer(text):
            number = text.count("\n", 0, composed.start()) + 1
            broken.append((path, f"line {number}: an error id put together; write it out"))
        for number, line in enumerate(text.split("\n"), 1):
            for name in ERROR_ID.findall(line.split("//")[0]):
                if FILE_NAME.search(name) or name in skip or "include" in line:
                    continue
                if name not in tested and name not in [b[0] for b in broken]:
                    broken.append((name, f"{path}:{number}: no test mentions this id"))
    return broken


WORDS = [
    (r"\b(TODO|FIXME|XXX)\b", 0),
    (r"\b(stub(s|bed)?|hack(s|y)?|dummy|placeholder)\b", re.I),
    (r"\bcopyright\b|\bSPDX-", re.I),
]


def rule_words(args):
    """No words that say the work is unfinished, no copyright heads."""
    broken = []
    for path in tree.files(ROOT):
        if path == "LICENSE" or path.startswith("tests/repo/"):
            continue
        text = tree.read(ROOT, path)
        if text is None:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            for pattern, flags in WORDS:
                found = re.search(pattern, line, flags)
                if found:
                    broken.append((path, f"line {number}: '{found.group(0)}'"))
    return broken


def rule_docs(args):
    """Every unit that is built has a page, which leads to its registers."""
    paths = set(tree.files(ROOT))
    broken = []
    for unit in UNITS:
        page = f"docs/units/{unit}.md"
        if f"models/{unit}/CMakeLists.txt" in paths and page not in paths:
            broken.append((unit, f"{page} is missing"))
    for unit in UNITS:
        page = f"docs/units/{unit}.md"
        if page in paths:
            text = tree.read(ROOT, page)
            if "(registers.md#" not in text:
                broken.append((page, "does not lead to registers.md"))
            for name in re.findall(r"`((?:models|tests|configs|compiler)/[\w/.]+\.\w+)`", text):
                if name not in paths:
                    broken.append((page, f"names {name}, which does not exist"))
    return broken


def rule_registers(args):
    """The register page is the one that its generator writes."""
    page = "docs/units/registers.md"
    tables = [os.path.join(ROOT, p) for p in tree.files(ROOT) if p.endswith(".regs.yaml")]
    with tempfile.TemporaryDirectory() as folder:
        fresh = os.path.join(folder, "registers.md")
        subprocess.run([sys.executable, GENERATOR, "--page", fresh, *tables], check=True)
        with open(fresh, encoding="utf-8") as f:
            wanted = f.read()
    path = os.path.join(ROOT, page)
    if os.path.exists(path) and tree.read(ROOT, page) == wanted:
        return []
    return [(page, "is not what the tables say; build the target register_page")]


def rule_help(args):
    """Every subcommand has --help with an example, and refuses an unknown option with 2."""
    if not args.dlavp:
        raise SystemExit("rules.py help needs --dlavp")

    def run(*words):
        return subprocess.run([args.dlavp, *words], capture_output=True, text=True)

    overview = run("--help").stdout
    commands = re.findall(r"^  ([a-z]+) {2,}\S", overview, re.M)
    broken = [] if commands else [("dlavp --help", "lists no command")]
    for command in commands:
        done = run(command, "--help")
        if done.returncode != 0:
            broken.append((command, f"--help ends with {done.returncode}, expected 0"))
        if "Examples:" not in done.stdout or f"  dlavp {command}" not in done.stdout:
            broken.append((command, "--help shows no example"))
        if "--json" not in done.stdout:
            broken.append((command, "--help shows no --json"))
        if run(command, "--no-such-option").returncode != 2:
            broken.append((command, "an unknown option does not end with 2"))
    print(f"{len(commands)} commands")
    return broken


SAMPLE = """
namespace a {
// a comment with a brace {
int first(int x) {
  const char* s = "}";
  auto f = [](int y) {
    return y;
  };
  return f(x);
}
struct S {
  void second() const {
    if (true) {
    }
  }
};
const int kTable[] = {1, 2};
}
"""


# A tree that breaks every rule: path -> content.
BROKEN_TREE = {
    "models/pdp/CMakeLists.txt": "",
    "models/pdp/pdp.cpp": '#include <systemc>\n#include "vp/soc.hpp"\n// a st' + 'ub\n',
    "models/pdp/pdp_core.cpp": 'void f() { fail("pdp.never_tested"); }\n',
    "models/pdp/pdp_op.cpp": 'void f() { errors.add(unit + ".size"); }\n',
    "models/pdp/tests/pdp_test.cpp": 'TEST_CASE("x") { names("pdp.something_else"); }\n',
    "vp/soc.hpp": "\n" * 501,
    "vp/long.cpp": "int f() {\n" + "  g();\n" * 60 + "}\n",
    "tools/long.py": "def f():\n" + "    g()\n" * 60,
    "docs/units/cdp.md": "see `models/cdp/cdp_core.hpp`\n",
    "models/glb/glb.regs.yaml": "unit: GLB\nabout: interrupts\nbase: {hw2: 0x1000}\nregisters: {}\n",
    "docs/units/registers.md": "# Registers\n",
}
# What each rule must find in it.
EXPECTED_BREACHES = {
    "includes": ["models/pdp/pdp.cpp", "models/pdp/pdp.cpp"],
    "lengths": ["tools/long.py:f", "vp/long.cpp:f", "vp/soc.hpp"],
    "errors": ["models/pdp/pdp_op.cpp", "pdp.never_tested"],
    "words": ["models/pdp/pdp.cpp"],
    "docs": ["docs/units/cdp.md", "docs/units/cdp.md", "pdp"],
    "registers": ["docs/units/registers.md"],
}
# A program whose command has no example, no --json, and takes any option.
BROKEN_PROGRAM = """#!/bin/sh
[ "$1" = --help ] && echo "  paint      paints"
exit 0
"""


def check_broken_tree(expect):
    """Every rule finds what is wrong in a tree made for that."""
    global ROOT
    kept = ROOT
    with tempfile.TemporaryDirectory() as ROOT:
        try:
            for path, content in BROKEN_TREE.items():
                full = os.path.join(ROOT, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w") as f:
                    f.write(content)
            for rule, wanted in EXPECTED_BREACHES.items():
                expect(rule, sorted(subject for subject, _ in RULES[rule](None)), wanted)
            program = os.path.join(ROOT, "dlavp")
            with open(program, "w") as f:
                f.write(BROKEN_PROGRAM)
            os.chmod(program, 0o755)
            found = rule_help(argparse.Namespace(dlavp=program))
            expect("help", [subject for subject, _ in found], ["paint"] * 3)
        finally:
            ROOT = kept


def rule_self(args):
    """The rules can tell good from bad."""
    broken = []

    def expect(what, got, wanted):
        if got != wanted:
            broken.append((what, f"got {got}, expected {wanted}"))

    expect("functions", tree.cxx_functions(SAMPLE), [("first", 4, 7), ("second", 12, 4)])
    expect("unit", allowed_prefixes("models/pdp/pdp.cpp")[-1], "models/pdp/")
    expect("compiler", "vp/soc/x.hpp".startswith(allowed_prefixes("compiler/emit/x.cpp")), False)
    expect("systemc in a unit", may_use_systemc("models/sdp/sdp.cpp"), False)
    expect("ids", ERROR_ID.findall('fail("pdp.out_width", "a.b", "file")'), ["pdp.out_width"])
    expect("words", bool(re.search(WORDS[1][0], "a Stub of", WORDS[1][1])), True)
    expect("words", bool(re.search(WORDS[1][0], "stubborn", WORDS[1][1])), False)
    expect("files", "tests/repo/rules.py" in tree.files(ROOT), True)
    check_broken_tree(expect)
    return broken


RULES = {
    "includes": rule_includes,
    "lengths": rule_lengths,
    "errors": rule_errors,
    "words": rule_words,
    "docs": rule_docs,
    "registers": rule_registers,
    "help": rule_help,
    "self": rule_self,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rule", choices=RULES)
    parser.add_argument("--dlavp", help="the built program, for the rule 'help'")
    args = parser.parse_args()
    excused = tree.exceptions(ROOT)
    rule = RULES[args.rule]
    broken = [(s, m) for s, m in rule(args) if (args.rule, s) not in excused]
    for subject, message in broken:
        print(f"{subject}: {message}")
    print(f"{rule.__doc__} {len(broken)} broken.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
