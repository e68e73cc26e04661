#!/usr/bin/env python3
"""Prints every figure of speed of this project as a ratio, in one run.

Usage: speed.py [--build BUILD] [--data NVDLA_DATA] [--repeat N] [--json]

BUILD (build/release) holds dlavp, accelerator_bench and iss_bench (`ninja dlavp accelerator_bench iss_bench`).
Seconds are of processor time, all threads together, unless a column says wall. What is compared with:

RTL     the public RTL in Verilator 5.006 on one core of a machine of this kind: 121 thousand cycles a second for
        nv_small, 11 thousand for nv_large.
SystemC NVIDIA's model with its logging taken out, on the same machine: 57 million multiply-adds a second on
        nv_small, about 220 million on nv_large.
"""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import time

RTL_CYCLES = {"nv_small": 121e3, "nv_large": 11e3}
SYSTEMC_MACS = {"nv_small": 57e6, "nv_large": 220e6}
CONVOLUTION_BAR = {"nv_small": 60e6, "nv_large": 6e6}  # simulated cycles a second
NETWORK_BAR_S = 3.0
FAST_BAR_S = 0.2
ISS_BAR = 200e6  # instructions a second


class Bench:
    def __init__(self, build, data, repeat):
        self.bin, self.data, self.repeat = build / "bin", data, repeat

    def accelerator(self, config, paths, *options):
        command = [self.bin / "accelerator_bench", "--json", "--repeat", str(self.repeat), *options, config, *paths]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def convolutions(self, config):
        folder = self.data / "traces" / config
        cases = sorted(p for p in folder.glob("*") if p.name.startswith(("dc_", "img_", "cc_")))
        return self.accelerator(config, cases)["rows"] if cases else []

    def network(self, config, *options):
        loadable = self.data / "peer_loadables" / f"resnet50_{config}_int8_perfilter.nvdla"
        out = self.accelerator(config, [loadable], *options)
        return {**out["rows"][0], "peak_memory_mib": out["peak_memory_mib"]}

    def platform(self, config, *options):
        loadable = self.data / "peer_loadables" / f"resnet50_{config}_int8_perfilter.nvdla"
        command = [self.bin / "dlavp", "run", loadable, "--config", config, "--json", *options]
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        run = json.loads(out)["runs"][0]
        return {"wall": wall, "seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                "peak_memory_mib": after.ru_maxrss // 1024, "instructions": run["instructions"],
                "cycles": run["cycles"]["accelerator"] if run["cycles"] else None}

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
        figures["platform"][config] = {
            "cycle, no function": bench.platform(config, "--no-function"),
            "fast, no function": bench.platform(config, "--no-function", "--timing", "fast")}
    figures["iss"] = bench.iss()
    return figures


def print_convolutions(config, rows):
    print(f"\nconvolutions, {config}: function and cycle timing")
    print(f"  {'':<44}{'cycles':>10}{'Mcycles/s':>11}{'x RTL':>8}{'x bar':>7}{'MMAC/s':>9}{'x SystemC':>11}")
    for row in rows:
        rate, macs = row["cycles"] / row["seconds"], row["macs"] / row["seconds"]
        print(f"  {row['name']:<44}{row['cycles']:>10}{rate / 1e6:>11.1f}{rate / RTL_CYCLES[config]:>8.0f}"
              f"{rate / CONVOLUTION_BAR[config]:>7.2f}{macs / 1e6:>9.0f}{macs / SYSTEMC_MACS[config]:>11.1f}")


def print_network(config, runs):
    print(f"\nResNet-50 (NVIDIA's loadable), {config}: one operation at a time on the accelerator alone")
    exact = runs["cycle"]["cycles"]
    for mode, row in runs.items():
        bar = FAST_BAR_S if mode == "fast, no function" else NETWORK_BAR_S
        error = "" if mode == "none" else f"  cycles {100 * (row['cycles'] / exact - 1):+.2f} % of cycle timing"
        rate = "" if mode == "none" else f"{row['cycles'] / row['seconds'] / RTL_CYCLES[config]:>8.0f} x RTL"
        print(f"  {mode:<20}{row['seconds']:>7.3f} s  {row['seconds'] / bar:>5.2f} of {bar} s{rate:>16}{error}"
              f"  {row['peak_memory_mib']} MiB")


def print_platform(config, runs):
    print(f"\nResNet-50, {config}: with the firmware on the core (dlavp run)")
    exact = runs["cycle, no function"]["cycles"]
    for mode, row in runs.items():
        print(f"  {mode:<20}{row['wall']:>7.2f} s wall {row['seconds']:>6.2f} s  {row['instructions']} instructions"
              f"  {row['cycles']} cycles ({100 * (row['cycles'] / exact - 1):+.2f} %)  {row['peak_memory_mib']} MiB")


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
