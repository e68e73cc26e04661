#!/usr/bin/python3
"""Exports torchvision's convolutional classifiers with random weights, compiles them, and compares.

    tests/e2e/torchvision_check.py DLAVP [--models a,b | --quick] [--configs nv_small,nv_large] [-o docs/torchvision.md]

For every model and configuration: it compiles; every output value of the platform equals the int8 interpreter's;
the float interpreter's logits agree with PyTorch's; the int8 logits are 20 dB SQNR or better on an input that
calibration did not see. Some random networks (squeeze and excite, SiLU) amplify every rounding: where PyTorch itself,
rounding weights and activations to int8, is not safely above 20 dB, the figure is reported and not judged. Weights are
random, their scales such that activations stay sane. What has a result in
--work is not run again. Left out: transformers, and what needs trained weights.
"""
import argparse
import json
import os
import shutil
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
IN_FILES = ("regnet_y_128gf",)  # 2.6 GB of weights, one ONNX file holds 2: they lie beside the model
NO_MEMORY = "[loadable.memory]"  # it compiled, the platform's memory does not hold it
QUICK = ("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "mnasnet0_5", "mobilenet_v2",
         "mobilenet_v3_small", "regnet_x_400mf", "regnet_y_400mf", "resnet18", "resnet50", "resnext50_32x4d",
         "shufflenet_v2_x0_5", "squeezenet1_1")  # every family but the largest
LEAST_SQNR_DB = 20.0
MARGIN_DB = 3.0  # above that, in PyTorch's own int8, the SQNR is judged
WITHOUT_TABLE = ("nv_small",)  # functions but ReLU read an int8 tensor
FLOAT_TOLERANCE = 1e-3  # of the largest logit
FLOAT_SLACK = 10  # times the distance of PyTorch's own float32 from its float64


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


def quantise_weights(model):
    """To int8, one scale a kernel."""
    for module in model.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            step = module.weight.abs().flatten(1).max(1)[0] / 127
            step = step.view(-1, *[1] * (module.weight.dim() - 1))
            module.weight.copy_((module.weight / step).round() * step)


def int8_in_pytorch(name, size, config):
    """The SQNR of PyTorch's logits when it rounds the network's activations and weights to int8, with the scales
    that the calibration images give."""
    blocks = (torchvision.ops.misc.ConvNormActivation, torchvision.ops.SqueezeExcitation, torch.nn.Linear)
    functions = (torch.nn.SiLU, torch.nn.Hardswish, torch.nn.Hardsigmoid, torch.nn.Sigmoid)
    model, largest, rounding = build(name, size), {}, False

    def value(key, tensor):
        if not rounding:
            largest[key] = max(largest.get(key, 0), float(tensor.abs().max()))
            return tensor
        step = largest[key] / 127
        return (tensor / step).round().clamp(-127, 127) * step

    for module in model.modules():
        kept = isinstance(module, blocks + functions) or hasattr(module, "stochastic_depth")
        if kept or hasattr(module, "use_res_connect") or isinstance(module, torch.nn.AdaptiveAvgPool2d):
            module.register_forward_hook(lambda m, inputs, out: value(m, out))
        if config in WITHOUT_TABLE and isinstance(module, functions):
            module.inplace = False
            module.register_forward_pre_hook(lambda m, inputs: value((m, "input"), inputs[0]))
    with torch.no_grad():
        exact = build(name, size)(images(1, size, 99))
        model(images(4, size, 21))
        rounding = True
        quantise_weights(model)
        return float(10 * torch.log10(exact.square().sum() / (model(images(1, size, 99)) - exact).square().sum()))


def float32_error(name, size):
    """How far PyTorch's float32 logits are from its float64 ones, of the largest."""
    model, image = build(name, size), images(1, size, 99)
    with torch.no_grad():
        single, double = model(image), model.double()(image.double())
    return float((single - double).abs().max() / double.abs().max())


def base_of(name, work):
    """Where a model's files begin; one in several files has a folder of its own."""
    folder = os.path.join(work, name) if name in IN_FILES else work
    os.makedirs(folder, exist_ok=True)
    return os.path.join(folder, name)


def prepare(name, work):
    """Writes the model and its inputs; gives PyTorch's logits for the test input."""
    size, base = size_of(name), base_of(name, work)
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
    base, start = base_of(name, work), time.monotonic()
    command = [dlavp, "compile", base + ".onnx", "--config", config, "--calibrate", base + ".calibrate.npy",
               "-o", os.path.join(work, "out.nvdla"), "--no-measure", "--check", "--input", base + ".test.npy", "--json",
               "--platform", "large_memory" if name in IN_FILES else "default"]
    done = subprocess.run(command, capture_output=True, text=True)
    row = {"model": name, "size": size_of(name), "config": config, "problems": []}
    if '"check"' not in done.stdout:
        error = done.stderr.strip()[:300]
        if NO_MEMORY in error:
            row["only_loadable"] = error
        else:
            row["problems"].append(f"exit {done.returncode}: {error}")
        return row
    result = json.loads(done.stdout)
    out = result["check"]["outputs"][0]
    exact, ints = np.array(out["float"]), (np.array(out["values"]) - out["zero_point"]) * out["scale"]
    row["float_error"] = float(abs(exact - logits).max() / abs(logits).max())
    row["sqnr_db"] = float(10 * np.log10((logits**2).sum() / ((ints - logits) ** 2).sum()))
    row["cycles"] = result["check"]["cycles"]["accelerator"]
    row["core_operations"] = result["core_operations"]
    row["operations"] = result["operations"] - row["core_operations"]
    row["seconds"] = time.monotonic() - start
    row["top1"] = bool(ints.argmax() == logits.argmax())
    if not result["check"]["equal"]:
        row["problems"].append(f"{result['check']['different']} output values differ from the interpreter's")
    tolerance = FLOAT_TOLERANCE
    if not row["float_error"] <= tolerance:
        tolerance = FLOAT_SLACK * float32_error(name, size_of(name))
    if not row["float_error"] <= tolerance:
        row["problems"].append(f"float logits are {row['float_error']:.2g} of the largest away from PyTorch's")
    if not row["sqnr_db"] >= LEAST_SQNR_DB:
        row["pytorch_db"] = int8_in_pytorch(name, size_of(name), config)
        if row["pytorch_db"] >= LEAST_SQNR_DB + MARGIN_DB:
            row["problems"].append(f"SQNR {row['sqnr_db']:.1f} dB, PyTorch's int8 {row['pytorch_db']:.1f}")
    return row


HEAD = """# torchvision's classifiers

Made by `tests/e2e/torchvision_check.py`; do not edit. The models of torchvision {version} with random weights, exported by
PyTorch {torch} at opset 13, calibrated on four inputs, compiled, and run to the end on the platform on a fifth.
*Holds*: the loadable runs to the end, every output value equals the int8 interpreter's, the float interpreter's logits
are within {tolerance:g} of the largest of PyTorch's (or {times} times as far as PyTorch's float32 is from its float64), and
the int8 logits are {least:.0f} dB SQNR or better against PyTorch's; *bytes*: all but the SQNR; *a loadable*: it compiles, but
the platform's memory does not hold it.
Random networks of squeeze and excite and SiLU amplify every rounding; in brackets what PyTorch's own logits keep when it
rounds activations and weights to int8. From {judged:.0f} dB there the figure is judged; [compiler.md](compiler.md) says what limits them.
Inputs are small, the smallest that a model pools without remainder, as the weights decide what the compiler must do.
Left out: transformers.

"""


def cells(row):
    if "only_loadable" in row:
        return f" | | | a loadable: {row['only_loadable']}"
    if "cycles" not in row:
        return " | | | " + "; ".join(row["problems"])
    own = f" ({row['pytorch_db']:.1f})" if "pytorch_db" in row else ""
    return (f"{row['operations']} + {row['core_operations']} | {row['cycles']:,} | {row['sqnr_db']:.1f}{own} | "
            f"{'; '.join(row['problems']) or ('bytes' if own else 'yes')}")


def table(rows):
    out = ["| model | input | config | operations + on the core | cycles | SQNR dB | holds |", "|" + "---|" * 7]
    out += [f"| {r['model']} | {r['size']} | {r['config']} | {cells(r)} |" for r in rows]
    return "\n".join(out) + "\n"


def head():
    return HEAD.format(version=torchvision.__version__, torch=torch.__version__, tolerance=FLOAT_TOLERANCE,
                       times=FLOAT_SLACK, least=LEAST_SQNR_DB, judged=LEAST_SQNR_DB + MARGIN_DB)


def rest(rows):
    """Which models the page has no row of."""
    missing = [m for m in names() if m not in {r["model"] for r in rows}]
    return f"\nNot in this run: {', '.join(missing)}.\n" if missing else ""


def rows_of(name, args):
    """One row a configuration, run or kept."""
    rows = []
    for config in args.configs.split(","):
        kept = os.path.join(args.work, f"{name}.{config}.json")
        if args.again or not os.path.exists(kept):
            row = check(args.dlavp, name, config, args.work, prepare(name, args.work))
            with open(kept, "w", encoding="utf-8") as f:
                json.dump(row, f)
        with open(kept, encoding="utf-8") as f:
            rows.append(json.load(f))
        print(table(rows[-1:]).split("\n")[2], flush=True)
    base = base_of(name, args.work)
    if not args.keep and name in IN_FILES:
        shutil.rmtree(os.path.dirname(base))
    for suffix in () if args.keep else (".onnx", ".logits.npy"):
        if os.path.exists(base + suffix):
            os.remove(base + suffix)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dlavp")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--models", help="comma-separated (default: all)")
    chosen.add_argument("--quick", action="store_true", help="one or two of each family")
    parser.add_argument("--configs", default="nv_small,nv_large")
    parser.add_argument("--work", default="build/torchvision", help="folder for exported models and results")
    parser.add_argument("--again", action="store_true", help="run also what has a result already")
    parser.add_argument("--keep", action="store_true", help="keep the exported models")
    parser.add_argument("-o", "--output", help="write the page")
    args = parser.parse_args()
    torch.set_num_threads(1)
    os.makedirs(args.work, exist_ok=True)
    rows = []
    for name in args.models.split(",") if args.models else QUICK if args.quick else names():
        rows += rows_of(name, args)
    if args.output:
        with open(args.output, "w", encoding="utf-8") as f:
            f.write(head() + table(rows) + rest(rows))
    bad = [r for r in rows if r["problems"]]
    print(f"{len(rows)} networks and configurations, {len(rows) - len(bad)} hold")
    return 1 if bad or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
