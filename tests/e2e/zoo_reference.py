#!/usr/bin/python3
"""Writes zoo_reference.json: what PyTorch computes for the small networks of zoo_test.py. Needs python3-torch.

    tests/e2e/zoo_reference.py            writes the file
    tests/e2e/zoo_reference.py --verify   computes again and compares; exit 1 if the file is not right
"""
import json
import os
import sys

import numpy as np

import onnx_torch
import zoo_test
from networks import NETWORKS
import zoo

PATH = os.path.join(zoo_test.HERE, "zoo_reference.json")


def compute():
    out = {}
    for name in NETWORKS:
        size = zoo_test.size_of(name)
        model = zoo.build(name, size, zoo_test.WIDTH).model()
        outputs = onnx_torch.run(model, zoo.samples(size, 2)[:1])
        out[name] = [[float(f"{v:.7g}") for v in zoo_test.kept(o)] for o in outputs]
    return out


def main():
    found = compute()
    if sys.argv[1:] != ["--verify"]:
        with open(PATH, "w", encoding="utf-8") as f:
            f.write("{\n" + ",\n".join(f'"{k}": {json.dumps(v)}' for k, v in found.items()) + "\n}\n")
        return 0
    with open(PATH, encoding="utf-8") as f:
        stored = json.load(f)
    bad = 0
    for name, outputs in found.items():
        for a, b in zip(outputs, stored[name]):
            error = np.abs(np.subtract(a, b)).max() / np.abs(b).max()
            print(f"{name}: {error:.2g}")
            bad += not error <= 1e-5
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
