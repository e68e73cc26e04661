#!/usr/bin/env python3
"""dlavp inspect on a small loadable: the text, every field as JSON, and its refusals.

    inspect_test.py dlavp tests/data/small.nvdla
"""
import json
import os
import subprocess
import sys
import tempfile

PROGRAM, MODEL = sys.argv[1:3]
failures = []


def run(*words):
    return subprocess.run([PROGRAM, "inspect", *words], capture_output=True, text=True)


def check(what, good):
    if not good:
        failures.append(what)
        print(f"FAIL: {what}")


def check_text():
    text = run(MODEL)
    check("exit 0", text.returncode == 0)
    for part in ("loadable 0.7.0", "PDP", "4x4x8 @1+0x0", "2x2x8 @2+0x0", "max 2x2 stride 2x2"):
        check(f"the text shows '{part}'", part in text.stdout)
    check("fields only with --verbose", "pool_mode" not in text.stdout)
    verbose = run(MODEL, "--verbose").stdout
    for part in ("pool_mode = 1", "padding_value", "task-0-surf_list", '"surf_stride":128'):
        check(f"--verbose shows '{part}'", part in verbose)


def check_json():
    j = json.loads(run(MODEL, "--json").stdout)
    (task,) = j["tasks"]
    (op,) = task["operations"]
    check("task", task["interface"] == "DLA" and task["version"] == "0.12.3")
    check("engine", op["engine"] == "PDP" and op["fields"]["pool_width"] == 1)
    cubes = {c["name"]: c for c in op["cubes"]}
    check("cubes", cubes["src_data"]["width"] == 4 and cubes["dst_data"]["surf_stride"] == 32)
    check("tensors", [t["name"] for t in j["tensors"]] == ["data", "pool"])
    check("memories", len(j["memories"]) == 6 and len(j["blobs"]) == 4)


def check_refused(what, words, error):
    done = run(*words)
    check(f"{what}: exit 2, not {done.returncode}", done.returncode == 2)
    check(f"{what}: names {error}", error in done.stderr)
    check(f"{what}: nothing on standard output", done.stdout == "")


def check_refusals():
    with open(MODEL, "rb") as f:
        whole = f.read()
    check_refused("no file", ["no-such-file.nvdla"], "inspect.file")
    check_refused("a folder", [os.path.dirname(MODEL)], "inspect.file")
    check_refused("no argument", [], "cli.missing")
    check_refused("an unknown option", [MODEL, "--colour"], "cli.option")
    with tempfile.TemporaryDirectory() as folder:
        for name, content, error in (
            ("cut", whole[: len(whole) // 2], "loadable.format"),
            ("empty", b"", "loadable.format"),
            ("name", whole.replace(b"task-0-op_list", b"task-0-xx_list", 1), "loadable.blob_missing"),
        ):
            path = os.path.join(folder, name)
            with open(path, "wb") as f:
                f.write(content)
            check_refused(name, [path], error)


check_text()
check_json()
check_refusals()
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)
