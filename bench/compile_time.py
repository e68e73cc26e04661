#!/usr/bin/env python3
"""Measures how long dlavp compile takes: CPU seconds of the whole process, on one core.

    bench/compile_time.py --dlavp build/release/bin/dlavp
    bench/compile_time.py --network mobilenet_v1 --runs 9 --json

The network comes from tools/zoo (made-up weights, an ONNX file), its scales from a table, so that
neither calibration nor measuring is in the figure; reading the file and writing the loadable are.
The table has the scales of all sums (--no-join-sums when it is made): one that is missing would be
calibrated. A run that calibrates nevertheless is refused.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
CONFIGS = ("nv_small", "nv_large")
CALIBRATION_BOUND_S = 0.1  # with nothing to calibrate


def run(words):
    """User and system seconds of one process, and what it printed as JSON."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    return usage.ru_utime, usage.ru_stime, json.loads(printed)


def prepare(dlavp, network, folder):
    model, sample, scales = (os.path.join(folder, network + end) for end in (".onnx", ".npy", ".json"))
    words = ["tools/zoo/zoo.py", network, "-o", model, "--input", sample, "--count", "1"]
    subprocess.run(["/usr/bin/python3", *words], check=True, cwd=ROOT)
    out = os.path.join(folder, "out.nvdla")
    words = [dlavp, "compile", model, "--config", "nv_small", "-o", out, "--no-measure", "--json", "--no-join-sums"]
    run([*words, "--calibrate", sample, "--save-scales", scales])
    return [dlavp, "compile", model, "-o", out, "--no-measure", "--json", "--scales", scales, "--config"]


def measure(words, runs):
    all_runs = [run(words) for _ in range(runs)]
    user = [u for u, _, _ in all_runs]
    best = min(all_runs, key=lambda r: r[0])
    if best[2]["seconds"]["calibrate"] > CALIBRATION_BOUND_S:
        raise SystemExit(f"{best[2]['seconds']['calibrate']:.2f} s of calibration: scales are missing")
    return {
        "user_s": min(user),
        "user_median_s": statistics.median(user),
        "system_s": best[1],
        "stages_wall_s": best[2]["seconds"],
        "operations": best[2]["operations"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dlavp", default=os.path.join(ROOT, "build/release/bin/dlavp"))
    parser.add_argument("--network", default="resnet50")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dlavp_compile_") as folder:
        words = prepare(os.path.abspath(args.dlavp), args.network, folder)
        results = {config: measure([*words, config], args.runs) for config in CONFIGS}
    if args.json:
        print(json.dumps({"network": args.network, "runs": args.runs, "configs": results}, indent=2))
        return 0
    print(f"{args.network}, CPU seconds of {args.runs} runs")
    print(f"{'':<12}{'least user':>12}{'median user':>12}{'system':>10}{'operations':>12}  stages of the fastest (wall)")
    for config, r in results.items():
        stages = ", ".join(f"{k} {v:.2f}" for k, v in r["stages_wall_s"].items() if v >= 0.005)
        print(f"{config:<12}{r['user_s']:>12.2f}{r['user_median_s']:>12.2f}{r['system_s']:>10.2f}"
              f"{r['operations']:>12}  {stages}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
