"""A small language for writing networks as ONNX with seeded weights, numpy only.

Every value carries its shape (channels, height, width) and an estimate of its mean and variance, so that
weights can be scaled to keep activations near unit size through any depth, and batch-norm statistics
match what arrives there. Channel counts go through `width`, which makes small versions of a network
for tests. Left out: training, batches, anything but opset 13.
"""
import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper

OPSET = 13


@dataclass(frozen=True)
class Value:
    name: str
    channels: int
    height: int
    width: int
    mean: float = 0.0
    variance: float = 1.0


def pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def rectified(mean, variance):
    """Mean and mean square of max(x, 0) for a normal x."""
    s = math.sqrt(variance) or 1e-9
    density = math.exp(-((mean / s) ** 2) / 2) / math.sqrt(2 * math.pi)
    share = (1 + math.erf(mean / s / math.sqrt(2))) / 2
    return mean * share + s * density, (mean**2 + variance) * share + mean * s * density


class Builder:
    """Each method adds a node and gives its value."""

    def __init__(self, name, seed=1, width=1.0):
        self.name, self.width = name, width
        self.random = np.random.default_rng([seed, *name.encode()])
        self.nodes, self.initializers, self.inputs, self.outputs = [], [], [], []
        self.counts = Counter()

    # Plumbing.

    def scaled(self, channels):
        return max(1, round(channels * self.width))

    def input(self, channels, height, width, name="input"):
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, height, width]))
        return Value(name, channels, height, width)

    def constant(self, name, array):
        array = np.ascontiguousarray(array)
        kind = TensorProto.FLOAT if array.dtype == np.float32 else TensorProto.INT64
        self.initializers.append(helper.make_tensor(name, kind, array.shape, array.tobytes(), raw=True))
        return name

    def node(self, kind, inputs, channels, height, width, mean, variance, **attributes):
        self.counts[kind] += 1
        name = f"{kind.lower()}{self.counts[kind]}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return Value(name, channels, height, width, mean, variance)

    def like(self, kind, x, mean=None, variance=None, inputs=(), **attributes):
        """A node whose output has the shape of `x`."""
        return self.node(kind, [x.name, *inputs], x.channels, x.height, x.width,
                         x.mean if mean is None else mean, x.variance if variance is None else variance,
                         **attributes)

    # Layers with weights.

    def _weights(self, x, shape, gain):
        """Normal weights that bring the output to a variance of gain squared."""
        power = x.variance + x.mean**2
        fan_in = int(np.prod(shape[1:]))
        w = self.random.standard_normal(shape, np.float32)
        return w * np.float32(gain / math.sqrt(fan_in * max(power, 1e-6)))

    def _uniform(self, low, high, n):
        return self.random.uniform(low, high, n).astype(np.float32)

    def conv(self, x, channels, kernel=1, stride=1, pad=None, groups=1, bias=True, gain=1.0, scale=True):
        """Padding is half of the kernel unless given; the output's variance is about gain squared."""
        channels = self.scaled(channels) if scale else channels
        kernel, stride = pair(kernel), pair(stride)
        pad = tuple(k // 2 for k in kernel) if pad is None else pair(pad)
        w = self._weights(x, (channels, x.channels // groups, *kernel), gain)
        size = [(n + 2 * p - k) // s + 1 for n, p, k, s in zip((x.height, x.width), pad, kernel, stride)]
        name = f"conv{self.counts['Conv'] + 1}"
        inputs = [x.name, self.constant(name + ".weight", w)]
        if bias:
            inputs.append(self.constant(name + ".bias", self._uniform(-0.1, 0.1, channels)))
        return self.node("Conv", inputs, channels, *size, 0.0, gain**2, kernel_shape=kernel, strides=stride,
                         pads=[*pad, *pad], group=groups, dilations=[1, 1])

    def batch_norm(self, x, gain=1.0):
        n, name = x.channels, f"batchnormalization{self.counts['BatchNormalization'] + 1}"
        constants = {
            "gamma": self._uniform(0.8, 1.2, n) * np.float32(gain),
            "beta": self._uniform(-0.2, 0.2, n) * np.float32(gain),
            "mean": x.mean + self._uniform(-0.1, 0.1, n) * np.float32(math.sqrt(x.variance)),
            "variance": self._uniform(0.8, 1.25, n) * np.float32(x.variance),
        }
        inputs = [self.constant(f"{name}.{k}", v.astype(np.float32)) for k, v in constants.items()]
        return self.like("BatchNormalization", x, 0.0, gain**2, inputs, epsilon=1e-5)

    def dense(self, x, channels, gain=1.0, scale=True):
        channels = self.scaled(channels) if scale else channels
        x = x if (x.height, x.width) == (0, 0) else self.flatten(x)
        name = f"gemm{self.counts['Gemm'] + 1}"
        w = self.constant(name + ".weight", self._weights(x, (channels, x.channels), gain))
        b = self.constant(name + ".bias", self._uniform(-0.1, 0.1, channels))
        return self.node("Gemm", [x.name, w, b], channels, 0, 0, 0.0, gain**2, transB=1)

    def conv_bn(self, x, channels, kernel=1, stride=1, pad=None, groups=1, act="relu", gain=1.0):
        x = self.batch_norm(self.conv(x, channels, kernel, stride, pad, groups, bias=False), gain)
        return getattr(self, act)(x) if act else x

    def conv_relu(self, x, channels, kernel=1, stride=1, pad=None, groups=1):
        return self.relu(self.conv(x, channels, kernel, stride, pad, groups))

    # Activations.

    def relu(self, x):
        mean, power = rectified(x.mean, x.variance)
        return self.like("Relu", x, mean, power - mean**2)

    def relu6(self, x):
        mean, power = rectified(x.mean, x.variance)
        bounds = [self.constant(f"clip{self.counts['Clip'] + 1}.{k}", np.float32(v)) for k, v in
                  (("min", 0), ("max", 6))]
        return self.like("Clip", x, mean, power - mean**2, bounds)

    def leaky_relu(self, x, alpha=0.1):
        mean, power = rectified(x.mean, x.variance)
        low_mean, low_power = rectified(-x.mean, x.variance)
        mean, power = mean - alpha * low_mean, power + alpha**2 * low_power
        return self.like("LeakyRelu", x, mean, power - mean**2, alpha=alpha)

    def softmax(self, x):
        return self.like("Softmax", x, 0.0, 1.0, axis=1)

    def lrn(self, x, size=5, alpha=1e-4, beta=0.75, bias=1.0):
        factor = (bias + alpha * (x.mean**2 + x.variance)) ** -beta
        return self.like("LRN", x, x.mean * factor, x.variance * factor**2, size=size, alpha=alpha,
                         beta=beta, bias=bias)

    # Shapes and sums.

    def _pool(self, kind, x, kernel, stride, pad, ceil, mean, variance, **attributes):
        size = []
        for n in (x.height, x.width):
            out = (n + 2 * pad - kernel + (stride - 1 if ceil else 0)) // stride + 1
            size.append(out - 1 if ceil and (out - 1) * stride >= n + pad else out)
        if ceil:
            attributes["ceil_mode"] = 1
        return self.node(kind, [x.name], x.channels, *size, mean, variance, kernel_shape=[kernel] * 2,
                         strides=[stride] * 2, pads=[pad] * 4, **attributes)

    def max_pool(self, x, kernel, stride=None, pad=0, ceil=False):
        shift = 0.8 * math.sqrt(x.variance)
        return self._pool("MaxPool", x, kernel, stride or kernel, pad, ceil, x.mean + shift, 0.6 * x.variance)

    def average_pool(self, x, kernel, stride=None, pad=0, ceil=False):
        return self._pool("AveragePool", x, kernel, stride or kernel, pad, ceil, x.mean, x.variance / 2,
                          count_include_pad=1 if pad else 0)

    def global_average_pool(self, x):
        return self.node("GlobalAveragePool", [x.name], x.channels, 1, 1, x.mean, x.variance / 8)

    def flatten(self, x):
        n = x.channels * x.height * x.width
        return self.node("Flatten", [x.name], n, 0, 0, x.mean, x.variance, axis=1)

    def add(self, a, b):
        return self.like("Add", a, a.mean + b.mean, a.variance + b.variance, [b.name])

    def concat(self, *values):
        n = sum(v.channels for v in values)
        mean = sum(v.mean * v.channels for v in values) / n
        power = sum((v.mean**2 + v.variance) * v.channels for v in values) / n
        first = values[0]
        return self.node("Concat", [v.name for v in values], n, first.height, first.width, mean,
                         power - mean**2, axis=1)

    def upsample(self, x, factor=2):
        name = f"resize{self.counts['Resize'] + 1}.scales"
        scales = self.constant(name, np.array([1, 1, factor, factor], np.float32))
        return self.node("Resize", [x.name, "", scales], x.channels, x.height * factor, x.width * factor,
                         x.mean, x.variance, mode="nearest", coordinate_transformation_mode="asymmetric",
                         nearest_mode="floor")

    # The end.

    def output(self, x):
        shape = [1, x.channels] if (x.height, x.width) == (0, 0) else [1, x.channels, x.height, x.width]
        self.outputs.append(helper.make_tensor_value_info(x.name, TensorProto.FLOAT, shape))

    def model(self):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=7,
                                 producer_name="dlavp tools/zoo")

    def save(self, path):
        onnx.save(self.model(), path)
