#!/usr/bin/python3
"""Exports torchvision's convolutional classifiers with random weights, compiles them, and compares.

    tests/e2e/torchvision_check.py DLAVP [--models a,b] [--configs nv_small,nv_large] [--work DIR] [--table FILE]

For every model and configuration: it compiles; every output value of the platform equals the int8 interpreter's;
the float interpreter's logits agree with PyTorch's; the int8 logits are 20 dB SQNR or better on an input that
calibration did not see. Weights are random, their scales such that activations stay sane. Left out:
transformers, and what needs trained weights.
"""
import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np
import torch
import torchvision

FAMILIES = ("alexnet", "convnext", "densenet", "efficientnet", "googlenet", "inception", "mnasnet", "mobilenet",
            "regnet", "resnet", "resnext", "shufflenet", "squeezenet", "vgg", "wide_resnet")
# The smallest inputs at which every pooling has something to pool, and adaptive ones divide.
SIZES = {"alexnet": 224, "vgg": 224, "inception": 107}
SIZE = 64
LEAST_SQNR_DB = 20.0
FLOAT_TOLERANCE = 1e-3  # of the largest logit


def names():
    models = torchvision.models.list_models(module=torchvision.models)
    return [m for m in models if m.startswith(FAMILIES)]


def size_of(name):
    return next((s for family, s in SIZES.items() if name.startswith(family)), SIZE)


def images(count, size, seed):
    """Smooth noise with the spread of normalised pictures."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(count, 3, size // 8 + 1, size // 8 + 1, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear")
    return (1.2 * smooth + 0.4 * torch.randn(count, 3, size, size, generator=generator)).clip(-2.5, 2.5)


def settle(module, inputs):
    """Gives a batch norm the size of what arrives at it, so that activations stay near one at any depth.
    One figure for all channels: taking each channel's mean away, as training does, leaves random networks that
    amplify every rounding."""
    size = inputs[0].square().mean().sqrt()
    module.running_var.fill_(size.square())
    torch.nn.init.normal_(module.running_mean, 0, 0.1 * float(size))


def build(name, size):
    """The model in evaluation mode with random weights."""
    torch.manual_seed(1)
    extra = {"aux_logits": False, "init_weights": True} if name in ("googlenet", "inception_v3") else {}
    model = torchvision.models.get_model(name, weights=None, **extra).eval()
    hooks = []
    for module in model.modules():
        if hasattr(module, "layer_scale"):  # else ConvNeXt's branches vanish
            torch.nn.init.constant_(module.layer_scale, 0.1)
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.7, 1.3)
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
            hooks.append(module.register_forward_pre_hook(settle))
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, 0, 2 / module.in_features**0.5)
    with torch.no_grad():
        model(images(2, size, 11))
    for hook in hooks:
        hook.remove()
    return model


def prepare(name, work):
    """Writes the model and its inputs; gives PyTorch's logits for the test input."""
    size, base = size_of(name), os.path.join(work, name)
    test = images(1, size, 99)
    if not os.path.exists(base + ".logits.npy"):
        model = build(name, size)
        torch.onnx.export(model, test, base + ".onnx", opset_version=13, input_names=["image"],
                          output_names=["logits"])
        np.save(base + ".calibrate.npy", images(4, size, 21).numpy())
        np.save(base + ".test.npy", test.numpy())
        with torch.no_grad():
            np.save(base + ".logits.npy", model(test).numpy())
    return np.load(base + ".logits.npy").ravel()


def check(dlavp, name, config, work, logits):
    """A row: what was measured, and in "problems" what does not hold."""
    base, start = os.path.join(work, name), time.monotonic()
    command = [dlavp, "compile", base + ".onnx", "--config", config, "--calibrate", base + ".calibrate.npy",
               "-o", os.path.join(work, "out.nvdla"), "--check", "--input", base + ".test.npy", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    row = {"model": name, "size": size_of(name), "config": config, "problems": []}
    if '"check"' not in done.stdout:
        row["problems"].append(f"exit {done.returncode}: {done.stderr.strip()[:300]}")
        return row
    result = json.loads(done.stdout)
    out = result["check"]["outputs"][0]
    exact, ints = np.array(out["float"]), np.array(out["values"]) * out["scale"]
    row["float_error"] = float(abs(exact - logits).max() / abs(logits).max())
    row["sqnr_db"] = float(10 * np.log10((logits**2).sum() / ((ints - logits) ** 2).sum()))
    row["cycles"] = result["check"]["cycles"]["accelerator"]
    row["operations"], row["seconds"] = result["operations"], time.monotonic() - start
    row["top1"] = bool(ints.argmax() == logits.argmax())
    if not result["check"]["equal"]:
        row["problems"].append(f"{result['check']['different']} output values differ from the interpreter's")
    if not row["float_error"] <= FLOAT_TOLERANCE:
        row["problems"].append(f"float logits are {row['float_error']:.2g} of the largest away from PyTorch's")
    if not row["sqnr_db"] >= LEAST_SQNR_DB:
        row["problems"].append(f"SQNR {row['sqnr_db']:.1f} dB, expected {LEAST_SQNR_DB:.0f}")
    return row


def table(rows):
    out = ["| model | input | config | operations | cycles | SQNR dB | holds |", "|---|---|---|---|---|---|---|"]
    for r in rows:
        if "cycles" in r:
            figures = f"{r['operations']} | {r['cycles']:,} | {r['sqnr_db']:.1f}"
        else:
            figures = " | | "
        out.append(f"| {r['model']} | {r['size']} | {r['config']} | {figures} | {'; '.join(r['problems']) or 'yes'} |")
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dlavp")
    parser.add_argument("--models", help="comma-separated (default: all)")
    parser.add_argument("--configs", default="nv_small,nv_large")
    parser.add_argument("--work", default="build/torchvision", help="folder for exported models")
    parser.add_argument("--keep", action="store_true", help="keep the exported models")
    parser.add_argument("--table", help="also write the rows as a table")
    args = parser.parse_args()
    torch.set_num_threads(1)
    os.makedirs(args.work, exist_ok=True)
    rows = []
    for name in args.models.split(",") if args.models else names():
        logits = prepare(name, args.work)
        for config in args.configs.split(","):
            rows.append(check(args.dlavp, name, config, args.work, logits))
            print(table(rows[-1:]).split("\n")[2], flush=True)
        if not args.keep:
            os.remove(os.path.join(args.work, name + ".onnx"))
            os.remove(os.path.join(args.work, name + ".logits.npy"))
    if args.table:
        with open(args.table, "w", encoding="utf-8") as f:
            f.write(table(rows))
    bad = [r for r in rows if r["problems"]]
    print(f"{len(rows)} networks and configurations, {len(rows) - len(bad)} hold")
    return 1 if bad or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
