#!/usr/bin/python3
"""Compiles and runs every network of the zoo on configurations of NVDLA and writes the table of docs/zoo.md.

    tools/zoo/table.py --dlavp build/release/bin/dlavp -o docs/zoo.md
    tools/zoo/table.py --dlavp build/release/bin/dlavp --networks resnet50 --configs nv_small,nv_large

Each row is one `dlavp compile --check`: the network is compiled, its loadable runs to the end on the platform,
and every output value is compared with the int8 interpreter's. Results are kept in --work, and only what is
not there runs (--again runs all). Exit 1 if a network does not compile or an output differs.
"""
import argparse
import json
import os
import subprocess
import sys

import numpy as np

import zoo
from networks import NETWORKS

CONFIGS = ("nv_small", "nv_medium_1024_full", "nv_large")
CLOCK_HZ = 1e9
MULTIPLIERS = {"nv_small": 64, "nv_medium_1024_full": 1024, "nv_large": 2048}
HEAD = """# The zoo

Made by `tools/zoo/table.py`; do not edit. Networks come from `tools/zoo/zoo.py` (seeded random weights; shapes,
work and ranges as in the published networks), are compiled with calibration on two inputs, and run to the end on
the platform: firmware on the RISC-V core, accelerator, memory, on a third input.

Assumptions: int8, batch 1, accelerator and core at 1 GHz, platform `{platform}` (memory: {memory}),
cycles from the first enable to the last completion, the firmware's time between operations included; frames a
second from the firmware's start of the network to its end, with what the core computes at either end.
*Operations* are those of the accelerator and, after the plus, those on the core. *MACs used* is the share of the
multipliers' cycles that the network's own multiplications fill. *Compile* is the compiler's processor
time without calibration; *all* is the whole command's with calibration, interpreters and platform.
*SQNR* is int8 against floating point, the least of the outputs, for networks that end in Softmax of its input.
*Output* says whether every output value equals the int8 interpreter's.
"""


def run(dlavp, name, config, work, size):
    """One row as a dictionary."""
    model, samples = os.path.join(work, name + ".onnx"), os.path.join(work, f"input{size}.npy")
    if not os.path.exists(model):
        zoo.build(name, size).save(model)
    if not os.path.exists(samples):
        inputs = zoo.samples(size, 3)
        np.save(samples, inputs[:2])
        np.save(os.path.join(work, f"unseen{size}.npy"), inputs[2:])
    before = os.times()
    command = [dlavp, "compile", model, "--config", config, "-o", os.path.join(work, "out.nvdla"),
               "--calibrate", samples, "--check", "--input", os.path.join(work, f"unseen{size}.npy"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    row = {"network": name, "config": config, "exit": done.returncode, "seconds": seconds}
    try:
        row["result"] = json.loads(done.stdout)
    except ValueError:
        row["error"] = (done.stderr.strip().split("\n") or [""])[-1]
    return row


def compile_seconds(result):
    return sum(s for stage, s in result["cpu_seconds"].items() if stage not in ("samples", "calibrate", "measure"))


def sqnr_db(result):
    """The least of the outputs. Probabilities are steps of 1/127: instead of them, what Softmax reads, as the
    calibration inputs give it."""
    layers = [q for q in result["quantisation"] if not q["layer"].startswith("softmax")]
    if result["check"]["outputs"][0]["name"].startswith("softmax"):
        return layers[-1]["sqnr_db"]
    return min(out["sqnr_db"] for out in result["check"]["outputs"])


def cells(row):
    """The columns of one row after the network's name."""
    if "result" not in row or "check" not in row["result"]:
        return ["", "", "", "", "", "", "", f"{row['seconds']:.1f} s", f"no: {row.get('error', '')[:80]}"]
    result, check = row["result"], row["result"]["check"]
    cycles, core = check["cycles"]["accelerator"], result["core_operations"]
    return [
        f"{result['operations'] - core} + {core}",
        f"{cycles:,}",
        f"{CLOCK_HZ / check['cycles']['core']:.1f}",
        f"{check['bytes'] / 1e6:.1f}",
        f"{100 * check['macs'] / cycles / MULTIPLIERS[row['config']]:.1f} %",
        f"{compile_seconds(result):.2f} s",
        f"{row['seconds']:.1f} s",
        f"{sqnr_db(result):.1f} dB",
        "equal" if check["equal"] else f"{check['different']} of {check['values']} differ",
    ]


def page(rows, configs):
    checked = [r["result"]["check"] for r in rows if "check" in r.get("result", {})]
    first = checked[0] if checked else {"platform": "default", "memory": "?"}
    out = [HEAD.format(platform=first["platform"], memory=first["memory"])]
    for config in configs:
        out.append(f"## {config}\n")
        out.append("| network | input | operations | cycles | frames/s at 1 GHz | MB moved | MACs used | compile | all | SQNR | output |")
        out.append("|" + "---|" * 11)
        for row in rows:
            if row["config"] == config:
                size = NETWORKS[row["network"]][1]
                out.append(f"| {row['network']} | {size} | " + " | ".join(cells(row)) + " |")
        out.append("")
    return "\n".join(out)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dlavp", required=True, help="the program")
    parser.add_argument("--work", default="build/zoo", help="folder for models and results (default build/zoo)")
    parser.add_argument("--networks", default=",".join(NETWORKS), help="comma-separated (default: all)")
    parser.add_argument("--configs", default=",".join(CONFIGS), help=f"of {', '.join(MULTIPLIERS)}")
    parser.add_argument("--again", action="store_true", help="run also what has a result already")
    parser.add_argument("-o", "--output", help="the page (default: print it)")
    args = parser.parse_args()
    args.networks, args.configs = args.networks.split(","), args.configs.split(",")
    for kind, given, known in (("network", args.networks, NETWORKS), ("config", args.configs, MULTIPLIERS)):
        for name in given:
            if name not in known:
                parser.error(f"{kind} {name!r}, expected one of {', '.join(known)}")
    return args


def main():
    args = arguments()
    os.makedirs(args.work, exist_ok=True)
    rows, bad = [], 0
    for name in args.networks:
        for config in args.configs:
            kept = os.path.join(args.work, f"{name}.{config}.json")
            if args.again or not os.path.exists(kept):
                row = run(args.dlavp, name, config, args.work, NETWORKS[name][1])
                with open(kept, "w", encoding="utf-8") as f:
                    json.dump(row, f)
            with open(kept, encoding="utf-8") as f:
                rows.append(json.load(f))
            bad += rows[-1]["exit"] != 0
            print(f"{name} {config}: {' | '.join(cells(rows[-1]))}", file=sys.stderr, flush=True)
    text = page(rows, args.configs)
    if args.output:
        with open(args.output, "w", encoding="utf-8") as f:
            f.write(text)
    else:
        print(text)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
