#!/usr/bin/python3
"""Random quantised ONNX models (QuantizeLinear and DequantizeLinear), compared with integer arithmetic.

    tests/e2e/qdq_test.py DLAVP [--count 60] [--seed 1]

As exporters write them: uint8 or int8 activations with zero points, int8 weights with a scale a kernel, int32 biases.
Each model is evaluated here as its nodes say, in integers and rounding once a QuantizeLinear. The platform must keep
the output's scale and zero point, equal the int8 interpreter, and be at most a step off, seldom: requantising factors
have 16 bits in hardware. More is allowed behind roundings that the compiler may leave out: a convolution's before the
sum that is taken into it, and those of what only a Concat reads.
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

CONFIGS = ("nv_small", "nv_large")
FEW_VALUES = 64  # whose means say nothing
MOST_VALUES = 4096  # of an output: more are not in the report
KINDS = {"uint8": (0, 255), "int8": (-128, 127)}


class Quantised:
    """An activation: its integers (1, C, H, W), its scale and zero point, and the name of its dequantised tensor."""

    def __init__(self, name, values, scale, zero):
        self.name, self.values, self.scale, self.zero = name, values, scale, zero

    def real(self):
        return (self.values - self.zero) * np.float64(self.scale)


class Maker:
    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.kind = "uint8" if self.pick(0, 1) else "int8"
        self.nodes, self.constants, self.live = [], [], []
        self.skipped = 0  # roundings that the compiler may leave out
        shape = (1, self.pick(1, 9), self.pick(5, 11), self.pick(5, 11))
        low = self.random.uniform(-2, 0)
        self.image = self.random.uniform(low, low + 3, shape).astype(np.float32)
        self.input = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
        self.quantise("x", self.image.astype(np.float64))

    def pick(self, low, high):
        return int(self.random.integers(low, high + 1))

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, operator, inputs, **attributes):
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def quantise(self, name, exact, like=None):
        """Adds the pair behind tensor `name` of real values `exact`, with a range that holds them or that of `like`."""
        first, last = KINDS[self.kind]
        if like is None:
            low, high = min(exact.min(), 0.0), max(exact.max(), 1e-3)
            scale = np.float32((high - low) / 255 * self.random.uniform(1, 1.1))  # no ratio of two that makes ties
            zero = int(np.clip(np.round(first - low / scale), first, last))
        else:
            scale, zero = like.scale, like.zero
        values = np.clip(np.round(exact / np.float64(scale)) + zero, first, last)
        pair = [self.constant(scale), self.constant(np.array(zero, self.kind))]
        q = self.node("QuantizeLinear", [name, *pair])
        self.live.append(Quantised(self.node("DequantizeLinear", [q, *pair]), values, scale, zero))

    def weights(self, array, axis):
        """int8 weights with a scale an index of `axis`: their dequantised tensor's name, integers and scales."""
        others = tuple(i for i in range(array.ndim) if i != axis)
        scales = (abs(array).max(others) / 127).astype(np.float32)
        along = [-1 if i == axis else 1 for i in range(array.ndim)]
        ints = np.round(array / scales.reshape(along))
        words = [self.constant(ints.astype(np.int8)), self.constant(scales), self.constant(np.zeros_like(scales, np.int8))]
        return self.node("DequantizeLinear", words, axis=axis), ints, scales.astype(np.float64)

    def bias(self, count, scales):
        ints = np.round(self.random.uniform(-0.5, 0.5, count) / scales)
        words = [self.constant(ints.astype(np.int32)), self.constant(scales.astype(np.float32))]
        return self.node("DequantizeLinear", [*words, self.constant(np.zeros(count, np.int32))], axis=0), ints

    def finish(self, name, exact):
        """With or without a Relu, which exporters leave out where the range starts at zero."""
        relu = self.pick(0, 2)
        if relu:
            exact = np.maximum(exact, 0)
            name = self.node("Relu", [name]) if relu == 1 else name
        self.quantise(name, exact)

    def model(self):
        read = {i for n in self.nodes for i in n.input}
        outputs = [x for x in self.live if x.name not in read]
        infos = [helper.make_tensor_value_info(x.name, TensorProto.FLOAT, None) for x in outputs]
        graph = helper.make_graph(self.nodes, "quantised", [self.input], infos, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7), outputs


def windows(values, kernel, strides, pads):
    """(C, taps, OH, OW): what each tap reads; outside is zero."""
    padded = np.pad(values[0], ((0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    size = [(n - k) // s + 1 for n, k, s in zip(padded.shape[1:], kernel, strides)]
    taps = [padded[:, i:i + strides[0] * size[0]:strides[0], j:j + strides[1] * size[1]:strides[1]]
            [:, :size[0], :size[1]] for i in range(kernel[0]) for j in range(kernel[1])]
    return np.stack(taps, 1)


def conv(m, x, depthwise=False, same=False):
    channels = x.values.shape[1]
    kernel = [3, 3] if same else [m.pick(1, 3), m.pick(1, 3)]
    strides = [1, 1] if same else [m.pick(1, 2), m.pick(1, 2)]
    pads = [1, 1, 1, 1] if same else [m.pick(0, (k - 1)) for k in kernel * 2]
    kernels, depth = (channels, 1) if depthwise else (channels if same else m.pick(1, 20), channels)
    shape = (kernels, depth, *kernel)
    name, ints, scales = m.weights(m.random.uniform(-1, 1, shape) / np.sqrt(depth * np.prod(kernel)), 0)
    step = np.float64(x.scale) * scales
    bias, b = m.bias(kernels, step)
    read = windows(x.values - x.zero, kernel, strides, pads)
    taps = ints.reshape(kernels, depth, -1)
    total = np.einsum("kt,kthw->khw", taps[:, 0], read) if depthwise else np.einsum("kct,cthw->khw", taps, read)
    out = m.node("Conv", [x.name, name, bias], group=channels if depthwise else 1, kernel_shape=kernel,
                 strides=strides, pads=pads)
    m.finish(out, ((total + b[:, None, None]) * step[:, None, None])[None])


def add(m, x):
    other = next((y for y in m.live[::-1] if y is not x and y.values.shape == x.values.shape), x)
    m.finish(m.node("Add", [other.name, x.name]), x.real() + other.real())


def residual(m, x):
    conv(m, x, same=True)
    y = m.live[-1]
    m.skipped += 1
    m.finish(m.node("Add", [x.name, y.name]), x.real() + y.real())


def max_pool(m, x):
    read = windows(x.real() - x.real().min() + 1, (2, 2), (2, 2), (0, 0, 0, 0))
    exact = (read.max(1) + x.real().min() - 1)[None]
    m.quantise(m.node("MaxPool", [x.name], kernel_shape=[2, 2], strides=[2, 2]), exact, like=x)


def concat(m, x):
    fits = [y for y in m.live if y.values.shape[2:] == x.values.shape[2:] and 2 * y.values.size < MOST_VALUES]
    if not fits or 2 * x.values.size > MOST_VALUES:
        return
    other = fits[m.pick(0, len(fits) - 1)]
    m.skipped += 1
    m.quantise(m.node("Concat", [x.name, other.name], axis=1), np.concatenate([x.real(), other.real()], 1))


def fully_connected(m, x):
    flat = (x.values - x.zero).reshape(1, -1)
    weights = m.random.uniform(-1, 1, (m.pick(16, 40), flat.shape[1])) / np.sqrt(flat.shape[1])
    name, ints, scales = m.weights(weights, 0)
    step = np.float64(x.scale) * scales
    bias, b = m.bias(len(weights), step)
    out = m.node("Gemm", [m.node("Flatten", [x.name]), name, bias], transB=1)
    m.quantise(out, (flat @ ints.T + b) * step)


RULES = [conv, conv, lambda m, x: conv(m, x, depthwise=True), add, residual, residual, max_pool, concat]


def make(seed):
    m = Maker(seed)
    for _ in range(m.pick(1, 5)):
        x = m.live[-1]
        if min(x.values.shape[2:]) < 3:
            break
        RULES[m.pick(0, len(RULES) - 1)](m, x)
    if len(m.live) == 1 or m.pick(0, 2) == 0:
        fully_connected(m, m.live[-1])
    return m


def allowed(skipped):
    """Steps of the output: at most, on average, and on average with the sign."""
    return (1, 0.05, 0.05) if skipped == 0 else (min(1 + 2 * skipped, 5), 0.5, 0.2)


def check(dlavp, seed, config, folder):
    m = make(seed)
    model, outputs = m.model()
    onnx.save(model, os.path.join(folder, "model.onnx"))
    np.save(os.path.join(folder, "input.npy"), m.image)
    done = subprocess.run([dlavp, "compile", "model.onnx", "--config", config, "--calibrate", "input.npy",
                           "-o", "model.nvdla", "--check", "--json"], cwd=folder, capture_output=True, text=True)
    if '"check"' not in done.stdout:
        return [f"exit {done.returncode}: {done.stderr.strip()}"], 0.0
    result = json.loads(done.stdout)["check"]
    problems = [] if result["equal"] else [result["first_difference"]]
    first = KINDS[m.kind][0]
    worst = 0.0
    for out, expected in zip(result["outputs"], outputs, strict=True):
        found = out["scale"], out["zero_point"]
        wanted = float(expected.scale), expected.zero - first - 128
        if found != wanted:
            problems.append(f"'{out['name']}' has scale and zero point {found}, the model says {wanted}")
            continue
        steps = np.array(out["values"]) - (expected.values.ravel() - first - 128)
        many = steps.size >= FEW_VALUES
        mean, bias = (abs(steps).mean(), steps.mean()) if many else (0.0, 0.0)
        worst = max(worst, mean)
        most, most_mean, most_bias = allowed(m.skipped)
        if not (abs(steps).max() <= most and mean <= most_mean and abs(bias) <= most_bias):
            problems.append(f"'{out['name']}' is up to {abs(steps).max():.0f} steps off, {mean:.3f} on average, "
                            f"{bias:.3f} with its sign")
    return problems, worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dlavp")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    bad, worst = 0, 0.0
    for seed in range(args.seed, args.seed + args.count):
        for config in CONFIGS:
            with tempfile.TemporaryDirectory() as folder:
                problems, steps = check(os.path.abspath(args.dlavp), seed, config, folder)
            for problem in problems:
                print(f"FAILED seed {seed} {config}: {problem}", flush=True)
            bad += bool(problems)
            worst = max(worst, steps)
    print(f"{args.count} quantised models, {bad} of {args.count * len(CONFIGS)} runs wrong; "
          f"at most {worst:.3f} steps off on average")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
