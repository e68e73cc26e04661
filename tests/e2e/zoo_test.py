#!/usr/bin/python3
"""Small versions of every network of the zoo: compiled, run on the platform, compared.

    tests/e2e/zoo_test.py DLAVP NETWORK

Each network on each of three configurations: every output value of the platform equals the int8 interpreter's,
the float interpreter agrees with PyTorch (zoo_reference.json, made by zoo_reference.py), and the int8 outputs are
20 dB SQNR or better; where the network ends in Softmax, what that reads.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools", "zoo"))

import zoo
from networks import NETWORKS
from table import sqnr_db

CONFIGS = ("nv_small", "nv_medium_1024_full", "nv_large")
WIDTH = 0.125
KEPT = 48  # values of each output in the reference, evenly spread
FLOAT_TOLERANCE = 1e-4  # of the largest value
LEAST_SQNR_DB = 20.0


def size_of(name):
    return max(NETWORKS[name][2], 32)


def kept(values):
    return np.asarray(values, np.float64).ravel()[np.linspace(0, np.size(values) - 1, KEPT).astype(int)]


def compile_and_check(dlavp, name, config, folder):
    samples = zoo.samples(size_of(name), 2)
    np.save(os.path.join(folder, "input.npy"), samples)
    zoo.build(name, size_of(name), WIDTH).save(os.path.join(folder, "model.onnx"))
    done = subprocess.run([dlavp, "compile", "model.onnx", "--config", config, "--calibrate", "input.npy",
                           "-o", "model.nvdla", "--check", "--json"], cwd=folder, capture_output=True, text=True)
    if '"check"' not in done.stdout:
        return None, [f"{config}: exit {done.returncode}: {done.stderr.strip()}"]
    result = json.loads(done.stdout)
    check = result["check"]
    problems = [] if check["equal"] else [f"{config}: {check['first_difference']}"]
    if not sqnr_db(result) >= LEAST_SQNR_DB:
        problems.append(f"{config}: {sqnr_db(result):.1f} dB SQNR, expected {LEAST_SQNR_DB:.0f}")
    return result, problems


def problems_of(dlavp, name, reference, folder):
    problems = []
    for config in CONFIGS:
        whole, wrong = compile_and_check(dlavp, name, config, folder)
        problems += wrong
        if whole is None:
            continue
        result = whole["check"]
        if len(result["outputs"]) != len(reference):
            problems.append(f"{config}: {len(result['outputs'])} outputs, expected {len(reference)}")
        for out, expected in zip(result["outputs"], reference):
            expected = np.array(expected)
            error = abs(kept(out["float"]) - expected).max() / abs(expected).max()
            if not error <= FLOAT_TOLERANCE:
                problems.append(f"{config}: '{out['name']}' is {error:.2g} of the largest value off PyTorch")
        print(f"{name} {config}: {result['values']} values, {result['cycles']['accelerator']} cycles, "
              f"{sqnr_db(whole):.1f} dB")
    return problems


def main():
    dlavp, name = os.path.abspath(sys.argv[1]), sys.argv[2]
    with open(os.path.join(HERE, "zoo_reference.json"), encoding="utf-8") as f:
        reference = json.load(f)[name]
    with tempfile.TemporaryDirectory() as folder:
        problems = problems_of(dlavp, name, reference, folder)
    for problem in problems:
        print(f"FAILED {name}, {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
