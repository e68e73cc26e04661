#!/usr/bin/env python3
"""Measures what each optimisation of the compiler is worth and writes docs/ablation.md.

    bench/ablation.py --dlavp build/release/bin/dlavp -o docs/ablation.md

Networks come from tools/zoo (made-up weights). Every switch that `dlavp compile --help` names is
switched off by itself; what is compiled runs on the platform, firmware included. Cycles do not
depend on the machine, so the same tree gives the same page.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
NETWORKS = ("resnet50", "googlenet")
CONFIGS = ("nv_small", "nv_large")
TILING = ("--no-overlap", "--no-reuse-weights", "--no-flatten")
HEAD = """# What each optimisation is worth

Written by `bench/ablation.py` from real runs; regenerate it when the compiler changes. Every figure is one run of the
platform, firmware included. Cycles: of the accelerator, from the first enable to the last completion, with whatever the core
computes between. Bytes: moved at the accelerator's memory ports. Operations: of the accelerator. Scales are calibrated once and
given to every run; sums whose scale is given are kept, so `--no-join-sums` shows nothing here (docs/compiler.md has its worth).
"""


class Bench:
    def __init__(self, dlavp, folder):
        self.dlavp, self.folder = dlavp, folder
        self.assumptions = ""

    def json(self, *words):
        done = subprocess.run([self.dlavp, *words, "--json"], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"dlavp {' '.join(words)}\n{done.stderr}")
        return json.loads(done.stdout)

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, network):
        """The network, one input, and its scales, so that no run calibrates again."""
        model, sample = self.path(f"{network}.onnx"), self.path(f"{network}.npy")
        words = ["tools/zoo/zoo.py", network, "-o", model, "--input", sample, "--count", "1"]
        subprocess.run(["/usr/bin/python3", *words], check=True, cwd=ROOT)
        words = ["compile", model, "--config", "nv_small", "-o", self.path("first.nvdla"), "--no-measure"]
        self.json(*words, "--calibrate", sample, "--save-scales", self.path(f"{network}.json"))

    def run(self, network, config, switches=()):
        """Operations, cycles and bytes of a network compiled with `switches`."""
        model, out = self.path(f"{network}.onnx"), self.path("out.nvdla")
        words = ["compile", model, "--config", config, "-o", out, "--no-measure", *switches]
        self.json(*words, "--scales", self.path(f"{network}.json"))
        result = self.json("run", out, "--config", config, "--input", self.path(f"{network}.npy"))
        run = result["runs"][0]
        self.assumptions = (
            f"Assumptions: {result['clock_hz'] / 1e6:g} MHz (accelerator and core), {result['precision']}, batch "
            f"{result['batch']}, platform `{result['platform']}`, memory {result['memory']}; published input sizes."
        )
        operations = sum(op["engine"] != "CPU" for op in run["operations"])
        print(f"{network} {config} {' '.join(switches)}: {run['cycles']['accelerator']}", file=sys.stderr)
        return operations, run["cycles"]["accelerator"], run["bytes"]

    def switches(self):
        """name -> what it says of itself, of every switch of the compiler."""
        text = subprocess.run([self.dlavp, "compile", "--help"], capture_output=True, text=True, check=True).stdout
        found = re.findall(r"^  (--no-[a-z-]+)\s+(\S.*(?:\n {20,}\S.*)*)", text, re.M)
        return {name: " ".join(about.split()) for name, about in found if name != "--no-measure"}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def thousands(n):
    return f"{n:,}".replace(",", " ")


def percent(value, base):
    return f"{100 * (value / base - 1):+.2f} %"


def fusion(bench, config):
    """Fusion and pipelining, off and on."""
    choices = (
        ("neither", ("--no-fuse", "--no-fuse-pool", "--no-pipeline")),
        ("pipelining", ("--no-fuse", "--no-fuse-pool")),
        ("fusion", ("--no-pipeline",)),
        ("both", ()),
    )
    rows = []
    for network in NETWORKS:
        base = None
        for name, switches in choices:
            operations, cycles, moved = bench.run(network, config, switches)
            base = base or (cycles, moved)
            rows.append((network, name, operations, thousands(cycles), f"{base[0] / cycles:.2f}x", thousands(moved),
                         f"{moved / base[1]:.2f}"))
    return table(("network", "on", "operations", "cycles", "faster", "bytes", "of the bytes"), rows)


def tiling(bench, config):
    rows = []
    for network in NETWORKS:
        chosen = bench.run(network, config)
        for name, switches in (("chosen by cost", ()), ("the fewest tiles of each layer", TILING)):
            operations, cycles, moved = bench.run(network, config, switches)
            rows.append((network, name, operations, thousands(cycles), percent(cycles, chosen[1]), thousands(moved),
                         percent(moved, chosen[2])))
    return table(("network", "tiles", "operations", "cycles", "", "bytes", ""), rows)


def singles(bench, config, switches):
    rows = []
    for network in NETWORKS:
        all_on = bench.run(network, config)
        rows.append((network, "all on", all_on[0], thousands(all_on[1]), "", thousands(all_on[2]), ""))
        for name in switches:
            operations, cycles, moved = bench.run(network, config, (name,))
            rows.append((network, f"`{name}`", operations, thousands(cycles), percent(cycles, all_on[1]),
                         thousands(moved), percent(moved, all_on[2])))
    return table(("network", "switch", "operations", "cycles", "", "bytes", ""), rows)


def page(bench):
    switches = bench.switches()
    for network in NETWORKS:
        bench.make(network)
    parts = [HEAD]
    parts.append("## Fusion and pipelining, nv_large\n\nFusion: addition, activation and normalisation in the operation "
                 "that makes their operand, pooling on the fly. Pipelining: an operation\nstarts while others run, in the "
                 "second register group; off, each waits until what is before it is complete.\n")
    parts.append(fusion(bench, "nv_large"))
    parts.append("## Tiling, nv_small\n\nTiles chosen for the whole network by the timing model's closed form, against the "
                 "fewest tiles that each layer needs to fit (`" + " ".join(TILING) + "`).\n")
    parts.append(tiling(bench, "nv_small"))
    for config in CONFIGS:
        parts.append(f"## Each switch alone, {config}\n")
        parts.append(singles(bench, config, switches))
    parts.append("| switch | off means |\n|---|---|\n" + "".join(f"| `{n}` | {a} |\n" for n, a in switches.items()))
    parts.append(bench.assumptions + "\n")
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dlavp", default=os.path.join(ROOT, "build/release/bin/dlavp"))
    parser.add_argument("-o", "--output", required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dlavp_ablation_") as folder:
        text = page(Bench(os.path.abspath(args.dlavp), folder))
    with open(args.output, "w", encoding="utf-8") as f:
        f.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
