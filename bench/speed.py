#!/usr/bin/env python3
"""Prints every figure of speed of this project as a ratio, in one run.

Usage: speed.py [--build BUILD] [--data NVDLA_DATA] [--repeat N] [--json]

BUILD (build/release) holds dlavp, accelerator_bench and iss_bench (`ninja dlavp accelerator_bench iss_bench`).
Seconds are of processor time, all threads together, unless a column says wall. What is compared with:

Convolutions are summed up three ways: each trace alone (the bar of CONVOLUTION_BAR), all of them (the sum of their
cycles by the sum of their seconds), and all convolutions of a network (ResNet-50 as a whole).

RTL     the public RTL in Verilator 5.006 on one core of a machine of this kind: 121 thousand cycles a second for
        nv_small, 11 thousand for nv_large.
SystemC NVIDIA's model with its logging taken out, on the same machine: 57 million multiply-adds a second on
        nv_small, about 220 million on nv_large.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

RTL_CYCLES = {"nv_small": 121e3, "nv_large": 11e3}
SYSTEMC_MACS = {"nv_small": 57e6, "nv_large": 220e6}
CONVOLUTION_BAR = {"nv_small": 60e6, "nv_large": 6e6}  # simulated cycles a second
NETWORK_BAR_S = 3.0
MEMORY_BAR_MIB = 1024
FAST_BAR_S, FAST_BAR_ERROR = 0.2, 0.05
RESNET50_INPUT_BYTES = 4 * 224 * 224
ISS_BAR = 200e6  # instructions a second


class Bench:
    def __init__(self, build, data, repeat):
        self.bin, self.data, self.repeat = build / "bin", data, repeat

    def accelerator(self, config, paths, *options):
        command = [self.bin / "accelerator_bench", "--json", "--repeat", str(self.repeat), *options, config, *paths]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def loadable(self, config):
        return self.data / "peer_loadables" / f"resnet50_{config}_int8_perfilter.nvdla"

    def convolutions(self, config):
        """The published convolutions; the shortest take a millisecond, so each is run more often than a network."""
        folder = self.data / "traces" / config
        cases = sorted(p for p in folder.glob("*") if p.name.startswith(("dc_", "img_", "cc_")))
        if not cases:
            raise SystemExit(f"speed.py: no convolutions in {folder}")
        return self.accelerator(config, cases, "--repeat", str(10 * self.repeat))["rows"]

    def network(self, config, *options):
        out = self.accelerator(config, [self.loadable(config)], *options)
        return {**out["rows"][0], "peak_memory_mib": out["peak_memory_mib"]}

    def dlavp(self, *words):
        """What dlavp prints as JSON, its seconds, and its peak memory in KiB."""
        begun = time.monotonic()
        with subprocess.Popen([self.bin / "dlavp", *words, "--json"], stdout=subprocess.PIPE, text=True) as process:
            out = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"speed.py: dlavp {' '.join(map(str, words))} ended with {process.returncode}")
        wall = time.monotonic() - begun
        return json.loads(out), {"wall": wall, "seconds": usage.ru_utime + usage.ru_stime}, usage.ru_maxrss

    def image(self, folder):
        """Random bytes for the network's input."""
        path = pathlib.Path(folder) / "input.bin"
        path.write_bytes(random.Random(1).randbytes(RESNET50_INPUT_BYTES))
        return path

    def platform(self, config, *options):
        """The best of some runs with the firmware."""
        best = None
        for _ in range(self.repeat):
            out, seconds, memory = self.dlavp("run", self.loadable(config), "--config", config, *options)
            if best is None or seconds["seconds"] < best["seconds"]:
                run = out["runs"][0]
                best = {**seconds, "peak_memory_mib": memory // 1024, "instructions": run["instructions"],
                        "cycles": run["cycles"]["accelerator"] if run["cycles"] else None}
        return best

    def iss(self):
        command = [self.bin / "iss_bench", "--benchmark_format=json"]
        out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return {b["name"]: b["items_per_second"] for b in out["benchmarks"]}


def measure(bench):
    figures = {"convolutions": {}, "networks": {}, "platform": {}}
    for config in ("nv_small", "nv_large"):
        figures["convolutions"][config] = bench.convolutions(config)
        figures["networks"][config] = {
            "cycle": bench.network(config),
            "cycle, no function": bench.network(config, "--no-function"),
            "fast": bench.network(config, "--timing", "fast"),
            "fast, no function": bench.network(config, "--timing", "fast", "--no-function"),
            "none": bench.network(config, "--timing", "none")}
        with tempfile.TemporaryDirectory(prefix="dlavp_speed_") as folder:
            image = bench.image(folder)
            figures["platform"][config] = {
                "cycle": bench.platform(config, "--input", image),
                "cycle, no function": bench.platform(config, "--no-function"),
                "fast": bench.platform(config, "--input", image, "--timing", "fast"),
                "fast, no function": bench.platform(config, "--no-function", "--timing", "fast")}
    figures["iss"] = bench.iss()
    return figures


def met(value, bar):
    return "met" if value else f"NOT met ({bar})"


def print_convolutions(config, rows):
    bar = CONVOLUTION_BAR[config]
    all_of_them = {key: sum(row[key] for row in rows) for key in ("cycles", "seconds", "macs")}
    print(f"\nconvolutions, {config}: function and cycle timing")
    print(f"  {'':<44}{'cycles':>10}{'Mcycles/s':>11}{'x RTL':>8}{'x bar':>7}{'MMAC/s':>9}{'x SystemC':>11}")
    for row in [*rows, {"name": "all: cycles / seconds", **all_of_them}]:
        rate, macs = row["cycles"] / row["seconds"], row["macs"] / row["seconds"]
        print(f"  {row['name']:<44}{row['cycles']:>10}{rate / 1e6:>11.1f}{rate / RTL_CYCLES[config]:>8.0f}"
              f"{rate / bar:>7.2f}{macs / 1e6:>9.0f}{macs / SYSTEMC_MACS[config]:>11.1f}")
    below = sum(row["cycles"] / row["seconds"] < bar for row in rows)
    print(f"  bar of {bar / 1e6:g} million cycles a second: all together "
          f"{met(all_of_them['cycles'] / all_of_them['seconds'] >= bar, 'below')}; {below} of {len(rows)} traces are below it")


def print_network(config, runs):
    print(f"\nResNet-50 (NVIDIA's loadable), {config}: one operation at a time on the accelerator alone")
    exact = runs["cycle"]["cycles"]
    speed = exact / runs["cycle"]["seconds"]
    print(f"  as a whole {speed / 1e6:.1f} million cycles a second, {speed / CONVOLUTION_BAR[config]:.2f} of the bar of convolutions")
    for mode, row in runs.items():
        bar = FAST_BAR_S if mode == "fast, no function" else NETWORK_BAR_S
        error = "" if mode == "none" else f"  cycles {100 * (row['cycles'] / exact - 1):+.2f} % of cycle timing"
        rate = "" if mode == "none" else f"{row['cycles'] / row['seconds'] / RTL_CYCLES[config]:>8.0f} x RTL"
        print(f"  {mode:<20}{row['seconds']:>7.3f} s  {row['seconds'] / bar:>5.2f} of {bar} s{rate:>16}{error}"
              f"  {row['peak_memory_mib']} MiB")


def print_platform(config, runs):
    print(f"\nResNet-50, {config}: with the firmware on the core (dlavp run)")
    exact = runs["cycle"]["cycles"]
    for mode, row in runs.items():
        print(f"  {mode:<20}{row['wall']:>7.2f} s wall {row['seconds']:>6.2f} s  {row['instructions']} instructions"
              f"  {row['cycles']} cycles ({100 * (row['cycles'] / exact - 1):+.2f} %)  {row['peak_memory_mib']} MiB")
    cycle, fast = runs["cycle"], runs["fast, no function"]
    error = abs(fast["cycles"] / exact - 1)
    print(f"  under {NETWORK_BAR_S:g} s and {MEMORY_BAR_MIB} MiB: "
          f"{met(cycle['wall'] < NETWORK_BAR_S and cycle['peak_memory_mib'] < MEMORY_BAR_MIB, 'cycle')}; fast, no function, "
          f"under {FAST_BAR_S:g} s within {100 * FAST_BAR_ERROR:g} %: "
          f"{met(fast['seconds'] < FAST_BAR_S and error <= FAST_BAR_ERROR, 'fast')}")


def report(figures):
    for config, rows in figures["convolutions"].items():
        print_convolutions(config, rows)
    for config, runs in figures["networks"].items():
        print_network(config, runs)
    for config, runs in figures["platform"].items():
        print_platform(config, runs)
    print("\ninstruction set simulator")
    for name, rate in figures["iss"].items():
        print(f"  {name:<20}{rate / 1e6:>7.0f} MIPS  {rate / ISS_BAR:>5.2f} of {ISS_BAR / 1e6:.0f}")


def main():
    top = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=top / "build/release")
    parser.add_argument("--data", type=pathlib.Path,
                        default=pathlib.Path(os.environ.get("DLAVP_NVDLA_DATA", top / "../shared/nvdla")))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for tool in ("dlavp", "accelerator_bench", "iss_bench"):
        if not (options.build / "bin" / tool).exists():
            sys.exit(f"speed.py: no {options.build}/bin/{tool}; build it first")
    if not (options.data / "traces").is_dir():
        sys.exit(f"speed.py: no traces in {options.data}")
    figures = measure(Bench(options.build, options.data, options.repeat))
    print(json.dumps(figures, indent=2)) if options.json else report(figures)


if __name__ == "__main__":
    main()
