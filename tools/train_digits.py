#!/usr/bin/env python3
"""Trains the digits network of examples/digits and writes everything in that folder.

A small convolutional network on scikit-learn's bundled handwritten digits (8x8 pixels), trained
with numpy alone: im2col convolutions, batch normalisation, Adam, fixed seed. Left out: validation
during training and early stopping; the held-out images are looked at once, at the end.

    /usr/bin/python3 tools/train_digits.py --out examples/digits
"""
import argparse
import os
import struct
import sys
import zlib

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # one thread: the same sums in the same order everywhere

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

SEED = 20
HELD_OUT = 400
CALIBRATION = 64
PIXEL_STEP = 15  # the data's 0..16 become the pixel values 0..240
EPOCHS = 30
BATCH = 32


class Conv:
    """3x3, padding 1, stride 1, on N x H x W x C."""

    def __init__(self, rng, inputs, outputs):
        self.weight = rng.normal(0, np.sqrt(2 / (9 * inputs)), (9 * inputs, outputs))
        self.weight = self.weight.astype(np.float32)
        self.bias = np.zeros(outputs, np.float32)
        self.inputs = inputs

    def parameters(self):
        return ["weight", "bias"]

    def forward(self, x, training):
        n, h, w, c = x.shape
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        taps = [padded[:, r : r + h, s : s + w] for r in range(3) for s in range(3)]
        self.columns = np.concatenate(taps, axis=3).reshape(n * h * w, 9 * c)
        self.shape = x.shape
        return (self.columns @ self.weight + self.bias).reshape(n, h, w, -1)

    def backward(self, g):
        n, h, w, c = self.shape
        flat = g.reshape(n * h * w, -1)
        self.grad = {"weight": self.columns.T @ flat, "bias": flat.sum(0)}
        columns = (flat @ self.weight.T).reshape(n, h, w, 9, c)
        out = np.zeros((n, h + 2, w + 2, c), np.float32)
        for tap in range(9):
            r, s = divmod(tap, 3)
            out[:, r : r + h, s : s + w] += columns[:, :, :, tap]
        return out[:, 1:-1, 1:-1]


class BatchNorm:
    def __init__(self, channels):
        self.scale = np.ones(channels, np.float32)
        self.shift = np.zeros(channels, np.float32)
        self.mean = np.zeros(channels, np.float32)
        self.variance = np.ones(channels, np.float32)
        self.epsilon = np.float32(1e-5)

    def parameters(self):
        return ["scale", "shift"]

    def forward(self, x, training):
        mean, variance = self.mean, self.variance
        if training:
            mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
            self.mean = 0.9 * self.mean + 0.1 * mean
            self.variance = 0.9 * self.variance + 0.1 * variance
        self.inverse = 1 / np.sqrt(variance + self.epsilon)
        self.normal = (x - mean) * self.inverse
        return self.normal * self.scale + self.shift

    def backward(self, g):
        axes = (0, 1, 2)
        self.grad = {"scale": (g * self.normal).sum(axes), "shift": g.sum(axes)}
        g = g * self.scale
        return self.inverse * (g - g.mean(axes) - self.normal * (g * self.normal).mean(axes))


class Relu:
    def parameters(self):
        return []

    def forward(self, x, training):
        self.mask = x > 0
        return x * self.mask

    def backward(self, g):
        return g * self.mask


class Pool:
    """2x2, stride 2; maximum or average."""

    def __init__(self, maximum):
        self.maximum = maximum

    def parameters(self):
        return []

    def forward(self, x, training):
        n, h, w, c = x.shape
        windows = x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 5, 2, 4)
        windows = windows.reshape(n, h // 2, w // 2, c, 4)
        self.shape = x.shape
        self.best = windows.argmax(4) if self.maximum else None
        return windows.max(4) if self.maximum else windows.mean(4)

    def backward(self, g):
        n, h, w, c = self.shape
        share = np.full((4,), 0.25, np.float32)
        if self.maximum:
            share = (self.best[..., None] == np.arange(4)).astype(np.float32)
        out = (g[..., None] * share).reshape(n, h // 2, w // 2, c, 2, 2)
        return out.transpose(0, 1, 4, 2, 5, 3).reshape(n, h, w, c)


class Dense:
    """Fully connected, on the channels, lines and columns in ONNX's order."""

    def __init__(self, rng, inputs, outputs):
        self.weight = rng.normal(0, np.sqrt(1 / inputs), (inputs, outputs)).astype(np.float32)
        self.bias = np.zeros(outputs, np.float32)

    def parameters(self):
        return ["weight", "bias"]

    def forward(self, x, training):
        self.shape = x.transpose(0, 3, 1, 2).shape
        self.flat = x.transpose(0, 3, 1, 2).reshape(len(x), -1)
        return self.flat @ self.weight + self.bias

    def backward(self, g):
        self.grad = {"weight": self.flat.T @ g, "bias": g.sum(0)}
        return (g @ self.weight.T).reshape(self.shape).transpose(0, 2, 3, 1)


class Network:
    """conv-bn-relu, a residual block, max pool, conv-relu, average pool, dense."""

    def __init__(self, rng):
        self.conv1, self.norm1, self.relu1 = Conv(rng, 1, 16), BatchNorm(16), Relu()
        self.conv2, self.relu2 = Conv(rng, 16, 16), Relu()
        self.conv3, self.norm3, self.relu3 = Conv(rng, 16, 16), BatchNorm(16), Relu()
        self.pool1 = Pool(maximum=True)
        self.conv4, self.relu4 = Conv(rng, 16, 32), Relu()
        self.pool2 = Pool(maximum=False)
        self.dense = Dense(rng, 32 * 2 * 2, 10)
        self.head = [self.conv1, self.norm1, self.relu1]
        self.branch = [self.conv2, self.relu2, self.conv3, self.norm3]
        self.tail = [self.relu3, self.pool1, self.conv4, self.relu4, self.pool2, self.dense]

    def layers(self):
        return self.head + self.branch + self.tail

    def forward(self, x, training=False):
        for layer in self.head:
            x = layer.forward(x, training)
        trunk = x
        for layer in self.branch:
            x = layer.forward(x, training)
        x = x + trunk
        for layer in self.tail:
            x = layer.forward(x, training)
        return x

    def backward(self, g):
        for layer in reversed(self.tail):
            g = layer.backward(g)
        trunk = g
        for layer in reversed(self.branch):
            g = layer.backward(g)
        g = g + trunk
        for layer in reversed(self.head):
            g = layer.backward(g)


class Adam:
    def __init__(self, network):
        self.slots = [(layer, name) for layer in network.layers() for name in layer.parameters()]
        self.moments = [[np.zeros_like(getattr(l, n))] * 2 for l, n in self.slots]
        self.steps = 0

    def step(self, rate):
        self.steps += 1
        for i, (layer, name) in enumerate(self.slots):
            g = layer.grad[name]
            first, second = self.moments[i]
            first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
            self.moments[i] = [first, second]
            first_hat = first / (1 - 0.9**self.steps)
            second_hat = second / (1 - 0.999**self.steps)
            update = rate * first_hat / (np.sqrt(second_hat) + 1e-8)
            setattr(layer, name, (getattr(layer, name) - update).astype(np.float32))


def softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def shifted(rng, x):
    """The images moved by up to one pixel in each direction."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    out = np.empty_like(x)
    for i, (dy, dx) in enumerate(rng.integers(0, 3, (len(x), 2))):
        out[i] = padded[i, dy : dy + 8, dx : dx + 8]
    return out


def train(x, labels):
    rng = np.random.default_rng(SEED)
    network = Network(rng)
    optimiser = Adam(network)
    batches = len(x) // BATCH
    for epoch in range(EPOCHS):
        order = rng.permutation(len(x))
        total = 0.0
        for b in range(batches):
            pick = order[b * BATCH : (b + 1) * BATCH]
            progress = (epoch * batches + b) / (EPOCHS * batches)
            p = softmax(network.forward(shifted(rng, x[pick]), training=True))
            total -= np.log(p[np.arange(BATCH), labels[pick]] + 1e-12).mean()
            p[np.arange(BATCH), labels[pick]] -= 1
            network.backward(p.astype(np.float32) / BATCH)
            optimiser.step(0.003 * 0.5 * (1 + np.cos(np.pi * progress)))
        print(f"epoch {epoch + 1:2d}  loss {total / batches:.4f}", file=sys.stderr)
    return network


def onnx_model(network):
    """The trained network; its input is the pixel value 0..255, the division sits in conv1."""
    tensors = []
    nodes = []

    def constant(name, value):
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def node(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def conv(layer, name, source, scale=1.0):
        kernels = (layer.weight * scale).reshape(3, 3, layer.inputs, -1).transpose(3, 2, 0, 1)
        inputs = [source, constant(name + ".weight", kernels), constant(name + ".bias", layer.bias)]
        return node("Conv", inputs, name, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1])

    def norm(layer, name, source):
        parts = ("scale", "shift", "mean", "variance")
        inputs = [source] + [constant(f"{name}.{p}", getattr(layer, p)) for p in parts]
        return node("BatchNormalization", inputs, name, epsilon=float(layer.epsilon))

    x = conv(network.conv1, "conv1", "image", 1 / 255)
    trunk = node("Relu", [norm(network.norm1, "norm1", x)], "relu1")
    x = node("Relu", [conv(network.conv2, "conv2", trunk)], "relu2")
    x = norm(network.norm3, "norm3", conv(network.conv3, "conv3", x))
    x = node("Relu", [node("Add", [x, trunk], "add")], "relu3")
    x = node("MaxPool", [x], "pool1", kernel_shape=[2, 2], strides=[2, 2])
    x = node("Relu", [conv(network.conv4, "conv4", x)], "relu4")
    x = node("AveragePool", [x], "pool2", kernel_shape=[2, 2], strides=[2, 2])
    x = node("Flatten", [x], "flatten", axis=1)
    weight = constant("dense.weight", network.dense.weight.T)
    x = node("Gemm", [x, weight, constant("dense.bias", network.dense.bias)], "dense", transB=1)
    node("Softmax", [x], "probability", axis=1)
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [1, 10])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 7
    model.producer_name = "tools/train_digits.py"
    onnx.checker.check_model(model)
    return model


def png(pixels):
    """An 8-bit grey PNG."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    height, width = pixels.shape
    lines = b"".join(b"\0" + row.tobytes() for row in pixels.astype(np.uint8))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines, 9))
        + chunk(b"IEND", b"")
    )


def write_images(out, pixels, labels):
    """Two held-out images of each digit, named by their label."""
    folder = os.path.join(out, "images")
    os.makedirs(folder, exist_ok=True)
    for digit in range(10):
        for copy, index in enumerate(np.flatnonzero(labels == digit)[:2]):
            name = f"{digit}{'ab'[copy]}.png"
            with open(os.path.join(folder, name), "wb") as f:
                f.write(png(pixels[index, 0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="examples/digits", help="folder to write")
    args = parser.parse_args()
    digits = load_digits()
    pixels = (digits.images * PIXEL_STEP).astype(np.uint8)[:, None]
    order = np.random.default_rng(SEED).permutation(len(pixels))
    test, training = order[:HELD_OUT], order[HELD_OUT:]
    x = pixels.transpose(0, 2, 3, 1).astype(np.float32) / 255
    network = train(x[training], digits.target[training])
    guess = network.forward(x[test]).argmax(1)
    accuracy = (guess == digits.target[test]).mean()

    os.makedirs(args.out, exist_ok=True)
    onnx.save(onnx_model(network), os.path.join(args.out, "digits.onnx"))
    np.save(os.path.join(args.out, "test_images.npy"), pixels[test])
    np.save(os.path.join(args.out, "test_labels.npy"), digits.target[test].astype(np.uint8))
    np.save(os.path.join(args.out, "calibration.npy"), pixels[training[:CALIBRATION]])
    write_images(args.out, pixels[test], digits.target[test])
    print(f"float accuracy on {HELD_OUT} held-out images: {100 * accuracy:.2f} %")
    return 0 if accuracy >= 0.97 else 1


if __name__ == "__main__":
    sys.exit(main())
