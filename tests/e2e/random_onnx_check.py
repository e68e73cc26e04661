#!/usr/bin/python3
"""Random ONNX models through the compiler, compared with PyTorch.

    tests/e2e/random_onnx_check.py DLAVP [--count 200] [--seed 1] [--configs nv_small,nv_large]

Each model is a few nodes with random attributes, as ONNX spells them (opset 13). The float interpreter must agree
with PyTorch, and every output value of the platform with the int8 interpreter. A failing model is kept, and its
seed printed. Left out: what compiler/tests/random_graph covers below ONNX (shrinking, every configuration).
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import onnx_torch

FLOAT_TOLERANCE = 1e-4  # of the largest value


class Maker:
    """Adds random nodes; `live` holds name and shape of what can be read."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.constants, self.live = [], [], []
        shape = (1, self.pick(1, 20), self.pick(4, 14), self.pick(4, 14))
        self.inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
        self.live.append(("x", shape))

    def pick(self, low, high):
        return int(self.random.integers(low, high + 1))

    def one_of(self, *items):
        return items[self.pick(0, len(items) - 1)]

    def real(self, shape, low=-1.0, high=1.0):
        return self.random.uniform(low, high, shape).astype(np.float32)

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, kind, inputs, outputs=1, **attributes):
        names = [f"{kind}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, names[0], **attributes))
        return names if outputs > 1 else names[0]

    def model(self):
        read = {i for n in self.nodes for i in n.input}
        outputs = [o for n in self.nodes for o in n.output if o not in read]
        infos = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs]
        graph = helper.make_graph(self.nodes, "random", self.inputs, infos, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)


def window(m, shape, most):
    kernel = [m.pick(1, most), m.pick(1, most)]
    strides, dilations = [m.pick(1, 2), m.pick(1, 2)], [m.one_of(1, 1, 2), m.one_of(1, 1, 2)]
    extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    pads = [m.pick(0, (e - 1) // 2) for e in extent * 2]
    if any(n + a + b < e for n, a, b, e in zip(shape[2:], pads[:2], pads[2:], extent)):
        return None
    return {"kernel_shape": kernel, "strides": strides, "pads": pads, "dilations": dilations}


def conv(m, x, s):
    a = window(m, s, 4)
    if not a:
        return None
    groups = m.one_of(1, 1, *[g for g in range(1, s[1] + 1) if s[1] % g == 0])
    kernels, depth = groups * m.pick(1, max(1, 24 // groups)), s[1] // groups
    w = m.real((kernels, depth, *a["kernel_shape"])) * np.float32(1.7 / np.sqrt(depth * np.prod(a["kernel_shape"])))
    bias = [m.constant(m.real(kernels))] if m.pick(0, 1) else []
    return m.node("Conv", [x, m.constant(w), *bias], group=groups, **a)


def conv_transpose(m, x, s):
    a = window(m, (1, 1, 99, 99), 4)
    w = m.real((s[1], m.pick(1, 8), *a["kernel_shape"])) / np.float32(np.sqrt(s[1]))
    extra = {"output_padding": [m.pick(0, n - 1) for n in a["strides"]]} if m.pick(0, 1) else {}
    return m.node("ConvTranspose", [x, m.constant(w), m.constant(m.real(w.shape[1]))], **a, **extra)


def pool(m, x, s):
    a = window(m, s, 4)
    if not a:
        return None
    a.pop("dilations")
    kind = m.one_of("MaxPool", "AveragePool")
    if kind == "AveragePool" and m.pick(0, 1):
        a["count_include_pad"] = 1
    return m.node(kind, [x], ceil_mode=m.pick(0, 1), **a)


def point(m, x, s):
    kind = m.one_of("Relu", "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Elu", "Erf", "Clip", "PRelu")
    if kind == "Clip":
        return m.node(kind, [x, m.constant(np.float32(-0.5)), m.constant(np.float32(m.one_of(0.7, 6)))])
    if kind == "PRelu":
        return m.node(kind, [x, m.constant(m.real((s[1], 1, 1)))])
    if kind == "HardSwish":  # opset 14: as exporters spell it before
        return m.node("Mul", [x, m.node("HardSigmoid", [x], alpha=1 / 6, beta=0.5)])
    attributes = {"LeakyRelu": {"alpha": 0.1}, "HardSigmoid": {"alpha": 0.2, "beta": 0.4}}.get(kind, {})
    return m.node(kind, [x], **attributes)


def arithmetic(m, x, s):
    kind = m.one_of("Add", "Sub", "Mul", "Max", "Min", "Div")
    same = [n for n, t in m.live if t == s]
    if kind != "Div" and m.pick(0, 1):
        return m.node(kind, [x, m.one_of(*same)])
    shape = m.one_of((), (1,), (s[1], 1, 1), (1, s[1], 1, 1), (s[2], s[3]), s)
    operand = m.constant(m.real(shape, 0.5, 1.5) if kind == "Div" else m.real(shape))
    return m.node(kind, [x, operand] if kind == "Div" or m.pick(0, 1) else [operand, x])


def batch_norm(m, x, s):
    values = [m.real(s[1]), m.real(s[1]), m.real(s[1]), m.real(s[1], 0.5, 2)]
    return m.node("BatchNormalization", [x, *map(m.constant, values)], epsilon=1e-4)


def join(m, x, s):
    axis = m.one_of(1, 1, 2, 3, -1)
    fits = [n for n, t in m.live if all(i == axis % 4 or t[i] == s[i] for i in range(4))]
    return m.node("Concat", [x, *[m.one_of(*fits) for _ in range(m.pick(1, 2))]], axis=axis)


def cut(m, x, s):
    if s[1] < 2:
        return None
    first = m.pick(1, s[1] - 1)
    parts = m.node("Split", [x, m.constant(np.array([first, s[1] - first]))], 2, axis=1)
    return parts if m.pick(0, 1) else parts[::-1]


def move(m, x, s):
    kind = m.one_of("Slice", "Pad", "Transpose", "Resize", "ReduceMean", "GlobalAveragePool", "GlobalMaxPool", "Shuffle")
    if kind == "Slice":
        axis = m.pick(1, 3)
        start = m.pick(0, s[axis] - 1)
        last = m.one_of(s[axis], 2**31 - 1, max(start + 1, s[axis] - 1))
        return m.node(kind, [x, *[m.constant(np.array([v])) for v in (start, last, axis, m.pick(1, 2))]])
    if kind == "Pad":
        pads = np.array([0, 0, m.pick(0, 2), m.pick(0, 2)] * 2)
        mode = m.one_of("constant", "reflect", "edge")
        return m.node(kind, [x, m.constant(pads)], mode=mode) if min(s[2:]) > 2 else None
    if kind == "Transpose":
        return m.node(kind, [x], perm=[0, *(1 + m.random.permutation(3))])
    if kind == "Resize":
        scales = m.constant(np.array([1, 1, m.pick(1, 3), m.pick(1, 3)], np.float32))
        if m.pick(0, 1):
            return m.node(kind, [x, "", scales], mode="nearest", nearest_mode="floor",
                          coordinate_transformation_mode="asymmetric")
        return m.node(kind, [x, "", scales], mode="linear",
                      coordinate_transformation_mode=m.one_of("half_pixel", "align_corners"))
    if kind == "ReduceMean":
        return m.node(kind, [x], axes=m.one_of([2, 3], [-1], [1]), keepdims=1)
    if kind == "Shuffle":
        if s[1] % 2:
            return None
        y = m.node("Reshape", [x, m.constant(np.array([1, 2, s[1] // 2, *s[2:]]))])
        return m.node("Reshape", [m.node("Transpose", [y], perm=[0, 2, 1, 3, 4]), m.constant(np.array(s))])
    return m.node(kind, [x])


def normalise(m, x, s):
    kind = m.one_of("LRN", "Softmax", "LogSoftmax")
    if kind == "LRN":
        return m.node(kind, [x], size=m.one_of(3, 5), alpha=0.3, beta=0.75, bias=1.0)
    return m.node(kind, [x], axis=m.one_of(1, 2, -1))


RULES = [conv] * 4 + [conv_transpose] + [pool] * 3 + [point] * 4 + [arithmetic] * 3 + [batch_norm, join, join, cut] + \
        [move] * 4 + [normalise]


def make(seed):
    """A model, an input batch, and PyTorch's outputs for its first."""
    m = Maker(seed)
    images = m.real((2, *m.live[0][1][1:]))
    wanted = m.pick(1, 6)
    shapes = dict(m.live)
    for _ in range(4 * wanted):
        if len(m.nodes) >= wanted:
            break
        x, s = m.live[-1] if m.pick(0, 2) else m.one_of(*m.live)
        out = m.one_of(*RULES)(m, x, s)
        if out is None:
            continue
        seen = {}
        onnx_torch.run(m.model(), images[:1], watch=lambda n, t: seen.update({n.output[0]: tuple(t.shape)}))
        for name in out if isinstance(out, list) else [out]:
            if name in seen and len(seen[name]) == 4 and np.prod(seen[name]) < 8000:
                m.live.append((name, seen[name]))
                shapes[name] = seen[name]
    model = m.model()
    return model, images, onnx_torch.run(model, images[:1])


def check(dlavp, seed, config, folder):
    model, images, expected = make(seed)
    if not model.graph.node:
        return []
    onnx.save(model, os.path.join(folder, "model.onnx"))
    np.save(os.path.join(folder, "input.npy"), images)
    done = subprocess.run([dlavp, "compile", "model.onnx", "--config", config, "--calibrate", "input.npy",
                           "-o", "model.nvdla", "--check", "--json"], cwd=folder, capture_output=True, text=True)
    if '"check"' not in done.stdout:
        return [f"exit {done.returncode}: {done.stderr.strip()}"]
    result = json.loads(done.stdout)["check"]
    problems = [] if result["equal"] else [result["first_difference"]]
    for out, exact in zip(result["outputs"], expected):
        found = np.array(out.get("float", []))
        if found.size and not abs(found - exact.ravel()).max() <= FLOAT_TOLERANCE * max(1e-3, abs(exact).max()):
            problems.append(f"'{out['name']}' is {abs(found - exact.ravel()).max():.3g} off PyTorch "
                            f"(largest {abs(exact).max():.3g})")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dlavp")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--configs", default="nv_small,nv_large")
    parser.add_argument("--keep", help="folder for models that fail")
    args = parser.parse_args()
    configs, bad = args.configs.split(","), 0
    for seed in range(args.seed, args.seed + args.count):
        config = configs[seed % len(configs)]
        with tempfile.TemporaryDirectory() as folder:
            problems = check(os.path.abspath(args.dlavp), seed, config, folder)
            for problem in problems:
                print(f"seed {seed} {config}: {problem}", flush=True)
            if problems and args.keep:
                os.makedirs(args.keep, exist_ok=True)
                os.replace(os.path.join(folder, "model.onnx"), os.path.join(args.keep, f"{seed}.onnx"))
        bad += bool(problems)
    print(f"{args.count} random models, {args.count - bad} hold")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
