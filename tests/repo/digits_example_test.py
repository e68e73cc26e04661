#!/usr/bin/env python3
"""The digits example in the tree is what its README says.

Runs the committed ONNX file with plain loops over its nodes (numpy, no runtime) on every held-out
image, and checks that pictures, labels and calibration samples agree with each other.
"""
import os
import struct
import sys
import zlib

try:
    import numpy as np
    import onnx
    from onnx import numpy_helper
except ImportError as error:
    print(f"skipped: no data ({error})")
    sys.exit(0)

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FOLDER = os.path.join(ROOT, "examples", "digits")


def windows(x, kernel, stride):
    """All kernel x kernel windows: N, C, H', W', kernel, kernel."""
    view = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), (2, 3))
    return view[:, :, ::stride, ::stride]


def conv(x, w, b, pads):
    top, left, bottom, right = pads
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    return np.einsum("nchwrs,kcrs->nkhw", windows(x, w.shape[2], 1), w) + b[:, None, None]


def batch_norm(x, scale, shift, mean, variance, epsilon):
    column = [v[:, None, None] for v in (scale, shift, mean, variance)]
    return (x - column[2]) / np.sqrt(column[3] + epsilon) * column[0] + column[1]


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def run_node(node, values):
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    inputs = [values[name] for name in node.input]
    if node.op_type == "Conv":
        return conv(*inputs, attributes["pads"])
    if node.op_type == "BatchNormalization":
        return batch_norm(*inputs, attributes["epsilon"])
    if node.op_type == "Relu":
        return np.maximum(inputs[0], 0)
    if node.op_type == "Add":
        return inputs[0] + inputs[1]
    if node.op_type in ("MaxPool", "AveragePool"):
        w = windows(inputs[0], attributes["kernel_shape"][0], attributes["strides"][0])
        return w.max((4, 5)) if node.op_type == "MaxPool" else w.mean((4, 5))
    if node.op_type == "Flatten":
        return inputs[0].reshape(len(inputs[0]), -1)
    if node.op_type == "Gemm":
        return inputs[0] @ inputs[1].T + inputs[2]
    if node.op_type == "Softmax":
        return softmax(inputs[0])
    raise SystemExit(f"digits.onnx uses an operator this test does not know: {node.op_type}")


def run_model(model, images):
    values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    values["image"] = images.astype(np.float32)
    for node in model.graph.node:
        values[node.output[0]] = run_node(node, values)
    return values[model.graph.output[0].name]


def read_png(path):
    """An 8-bit grey PNG without filters, as the training script writes them."""
    with open(path, "rb") as f:
        data = f.read()
    width, height = struct.unpack(">II", data[16:24])
    start = data.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    lines = zlib.decompress(data[start : start + length])
    return np.frombuffer(lines, np.uint8).reshape(height, width + 1)[:, 1:]


def check(condition, message):
    if not condition:
        print(f"FAIL: {message}")
    return bool(condition)


def main():
    load = lambda name: np.load(os.path.join(FOLDER, name))
    images, labels, samples = load("test_images.npy"), load("test_labels.npy"), load("calibration.npy")
    model_path = os.path.join(FOLDER, "digits.onnx")
    model = onnx.load(model_path)
    probability = run_model(model, images)
    accuracy = (probability.argmax(1) == labels).mean()
    ok = check(images.shape == (400, 1, 8, 8) and images.dtype == np.uint8, f"{images.shape}")
    ok &= check(samples.shape[1:] == (1, 8, 8) and len(samples) >= 32, f"{samples.shape}")
    ok &= check(np.allclose(probability.sum(1), 1, atol=1e-4), "probabilities do not sum to one")
    ok &= check(accuracy >= 0.97, f"accuracy {accuracy:.4f}, expected 0.97 or more")
    ok &= check(os.path.getsize(model_path) < 1 << 20, "digits.onnx is larger than 1 MB")
    held_out = {image.tobytes() for image in images}
    ok &= check(not any(s.tobytes() in held_out for s in samples), "a sample is a held-out image")
    names = sorted(os.listdir(os.path.join(FOLDER, "images")))
    ok &= check(len(names) == 20, f"{len(names)} pictures, expected 20")
    for name in names:
        pixels = read_png(os.path.join(FOLDER, "images", name))
        match = [labels[i] for i in range(len(images)) if (images[i, 0] == pixels).all()]
        ok &= check(match and match[0] == int(name[0]), f"{name} is not that held-out digit")
    print(f"digits: {100 * accuracy:.2f} % of {len(images)} held-out images")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
