"""Evaluates an ONNX model in PyTorch, as the independent float reference of the tests.

Each operator is a few lines on torch tensors, written from the ONNX operator specification. Left out:
control flow, sequences, and whatever the tests' networks do not contain (named when met).
"""
import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

torch.set_num_threads(1)
OPERATORS = {}


def operator(*names):
    def add(function):
        for name in names:
            OPERATORS[name] = function
        return function

    return add


def padded(x, a, kernel, value):
    """Explicit padding, so that asymmetric pads need no case of their own."""
    rank = len(kernel)
    if a.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        strides, dilations, before, after = a.get("strides", [1] * rank), a.get("dilations", [1] * rank), [], []
        for n, k, s, d in zip(x.shape[2:], kernel, strides, dilations):
            total = max(0, (-(-n // s) - 1) * s + (k - 1) * d + 1 - n)
            low = total // 2 if a["auto_pad"] == "SAME_UPPER" else total - total // 2
            before.append(low)
            after.append(total - low)
        pads = before + after
    else:
        pads = a.get("pads", [0] * 2 * rank)
    flat = [p for i in reversed(range(rank)) for p in (pads[i], pads[i + rank])]
    return F.pad(x, flat, value=value)


@operator("Conv")
def conv(a, x, w, b=None):
    x = padded(x, a, w.shape[2:], 0.0)
    return F.conv2d(x, w, b, a.get("strides", [1, 1]), 0, a.get("dilations", [1, 1]), a.get("group", 1))


@operator("ConvTranspose")
def conv_transpose(a, x, w, b=None):
    pads, out_pad = a.get("pads", [0] * 4), a.get("output_padding", [0, 0])
    y = F.conv_transpose2d(x, w, b, a.get("strides", [1, 1]), 0, 0, a.get("group", 1), a.get("dilations", [1, 1]))
    y = F.pad(y, [0, out_pad[1], 0, out_pad[0]]) if b is None else F.pad(
        y - b[:, None, None], [0, out_pad[1], 0, out_pad[0]]) + b[:, None, None]
    return y[:, :, pads[0] : y.shape[2] - pads[2], pads[1] : y.shape[3] - pads[3]]


@operator("Gemm")
def gemm(a, x, w, b=0.0):
    x = x.T if a.get("transA", 0) else x
    return a.get("alpha", 1.0) * x @ (w.T if a.get("transB", 0) else w) + a.get("beta", 1.0) * b


@operator("BatchNormalization")
def batch_norm(a, x, gamma, beta, mean, variance):
    return F.batch_norm(x, mean, variance, gamma, beta, False, 0, a.get("epsilon", 1e-5))


def ceil_padding(x, a, kernel):
    """What ceil_mode adds behind: windows may begin in the input or its padding, no later."""
    if not a.get("ceil_mode", 0):
        return [0, 0]
    pads, strides, extra = a.get("pads", [0] * 4), a.get("strides", [1, 1]), []
    for i in range(2):
        n = x.shape[2 + i] + pads[i] + pads[i + 2]
        out = -(-(n - kernel[i]) // strides[i])
        out -= out * strides[i] >= x.shape[2 + i] + pads[i]
        extra.append(max(0, out * strides[i] + kernel[i] - n))
    return extra


def pool_input(a, x, value):
    kernel = a["kernel_shape"]
    extra = ceil_padding(x, a, kernel)
    return F.pad(padded(x, a, kernel, value), [0, extra[1], 0, extra[0]], value=value)


@operator("MaxPool")
def max_pool(a, x):
    return F.max_pool2d(pool_input(a, x, -np.inf), a["kernel_shape"], a.get("strides", [1, 1]), 0,
                        a.get("dilations", [1, 1]))


@operator("AveragePool")
def average_pool(a, x):
    kernel, strides = a["kernel_shape"], a.get("strides", [1, 1])
    ones = torch.ones_like(x[:, :1])
    if a.get("count_include_pad", 0):
        ones = padded(ones, a, kernel, 1.0)
        extra = ceil_padding(x, a, kernel)
        counts = F.pad(ones, [0, extra[1], 0, extra[0]])
    else:
        counts = pool_input(a, ones, 0.0)
    return F.avg_pool2d(pool_input(a, x, 0.0), kernel, strides) / F.avg_pool2d(counts, kernel, strides)


OPERATORS |= {
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "GlobalMaxPool": lambda a, x: x.amax((2, 3), keepdim=True),
    "Relu": lambda a, x: F.relu(x),
    "Clip": lambda a, x, low=None, high=None: x.clip(
        a.get("min", -np.inf) if low is None else low, a.get("max", np.inf) if high is None else high),
    "LeakyRelu": lambda a, x: F.leaky_relu(x, a.get("alpha", 0.01)),
    "PRelu": lambda a, x, slope: torch.where(x < 0, x * slope, x),
    "Sigmoid": lambda a, x: torch.sigmoid(x),
    "Tanh": lambda a, x: torch.tanh(x),
    "HardSigmoid": lambda a, x: (a.get("alpha", 0.2) * x + a.get("beta", 0.5)).clip(0, 1),
    "HardSwish": lambda a, x: F.hardswish(x),
    "Elu": lambda a, x: F.elu(x, a.get("alpha", 1.0)),
    "Exp": lambda a, x: x.exp(),
    "Sqrt": lambda a, x: x.sqrt(),
    "Erf": lambda a, x: x.erf(),
    "Pow": lambda a, x, y: x**y,
    "Add": lambda a, x, y: x + y,
    "Sub": lambda a, x, y: x - y,
    "Mul": lambda a, x, y: x * y,
    "Div": lambda a, x, y: x / y,
    "Max": lambda a, *x: torch.stack(torch.broadcast_tensors(*x)).amax(0),
    "Min": lambda a, *x: torch.stack(torch.broadcast_tensors(*x)).amin(0),
    "Concat": lambda a, *x: torch.cat(x, a["axis"]),
    "Softmax": lambda a, x: x.softmax(a.get("axis", -1)),
    "LogSoftmax": lambda a, x: x.log_softmax(a.get("axis", -1)),
    "Flatten": lambda a, x: x.reshape(int(np.prod(x.shape[: a.get("axis", 1)])), -1),
    "Identity": lambda a, x: x,
    "Dropout": lambda a, x, *ignored: x,
    "MatMul": lambda a, x, y: x @ y,
    "Transpose": lambda a, x: x.permute(a.get("perm", list(reversed(range(x.ndim))))),
    "Constant": lambda a: torch.tensor(a["value"]),
}


@operator("LRN")
def lrn(a, x):
    n, size = x.shape[1], a["size"]
    squares = F.pad(x * x, [0, 0, 0, 0, (size - 1) // 2, size // 2])
    total = sum(squares[:, i : i + n] for i in range(size))
    return x / (a.get("bias", 1.0) + a.get("alpha", 1e-4) / size * total) ** a.get("beta", 0.75)


@operator("Reshape")
def reshape(a, x, shape):
    return x.reshape([x.shape[i] if n == 0 else int(n) for i, n in enumerate(shape.tolist())])


@operator("Squeeze")
def squeeze(a, x, axes=None):
    for axis in sorted(axes.tolist() if axes is not None else a["axes"], reverse=True):
        x = x.squeeze(axis)
    return x


@operator("Unsqueeze")
def unsqueeze(a, x, axes=None):
    for axis in sorted(axes.tolist() if axes is not None else a["axes"]):
        x = x.unsqueeze(axis)
    return x


@operator("ReduceMean")
def reduce_mean(a, x):
    return x.mean(a.get("axes", list(range(x.ndim))), keepdim=bool(a.get("keepdims", 1)))


@operator("Split")
def split(a, x, sizes=None):
    sizes = a["split"] if sizes is None else sizes.tolist()
    return x.split(sizes, a.get("axis", 0))


@operator("Slice")
def slice_(a, x, starts, ends, axes=None, steps=None):
    axes = axes.tolist() if axes is not None else range(len(starts))
    index = [slice(None)] * x.ndim
    for i, axis in enumerate(axes):
        index[axis] = slice(int(starts[i]), int(ends[i]), 1 if steps is None else int(steps[i]))
    return x[tuple(index)]


@operator("Pad")
def pad(a, x, pads, value=None):
    pads, rank = pads.tolist(), x.ndim
    flat = [p for i in reversed(range(rank)) for p in (pads[i], pads[i + rank])]
    mode = {"edge": "replicate"}.get(a.get("mode", "constant"), a.get("mode", "constant"))
    if mode != "constant":
        return F.pad(x, flat[:4], mode)
    return F.pad(x, flat, value=0.0 if value is None else float(value))


@operator("Resize", "Upsample")
def resize(a, x, *rest):
    scales, sizes = (rest[-1], None) if len(rest) != 3 else (rest[1], rest[2])
    size = sizes.tolist()[2:] if sizes is not None else [int(n * s) for n, s in zip(x.shape[2:], scales.tolist()[2:])]
    transform = a.get("coordinate_transformation_mode", "half_pixel")
    if a.get("mode", "nearest") == "nearest":
        if any(n % m for n, m in zip(size, x.shape[2:])):
            raise NotImplementedError("Resize: nearest by a fraction")
        return F.interpolate(x, size=size, mode="nearest")
    if transform not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        raise NotImplementedError(f"Resize: linear, {transform}")
    return F.interpolate(x, size=size, mode="bilinear", align_corners=transform == "align_corners")


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def attribute(given):
    value = onnx.helper.get_attribute_value(given)
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else text(value)


def run(model, *inputs, watch=None):
    """The model's outputs for numpy inputs, in order; `watch(node, tensor)` sees every result."""
    graph = model.graph
    values = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    names = [i.name for i in graph.input if i.name not in values]
    values |= {name: torch.from_numpy(np.asarray(x, np.float32)) for name, x in zip(names, inputs)}
    with torch.no_grad():
        for node in graph.node:
            if node.op_type not in OPERATORS:
                raise NotImplementedError(f"{node.op_type} ({node.name})")
            a = {x.name: attribute(x) for x in node.attribute}
            out = OPERATORS[node.op_type](a, *[values[i] if i else None for i in node.input])
            for name, value in zip(node.output, out if isinstance(out, (tuple, list)) else [out]):
                values[name] = value
            if watch:
                watch(node, values[node.output[0]])
    return [values[o.name].numpy() for o in graph.output]
