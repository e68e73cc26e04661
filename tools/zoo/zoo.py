#!/usr/bin/python3
"""Writes the networks of the zoo as ONNX files (opset 13) with seeded weights.

    tools/zoo/zoo.py --list
    tools/zoo/zoo.py resnet50 -o resnet50.onnx
    tools/zoo/zoo.py --all -o zoo/
    tools/zoo/zoo.py yolov3_tiny --size 96 --width 0.25 --seed 7 -o small.onnx --input input.npy

The weights are random: accuracy means nothing, but shapes, work and the range of the activations are
those of the trained networks. The same arguments give the same bytes.
"""
import argparse
import os
import sys

import numpy as np

from builder import Builder
from networks import NETWORKS


def build(name, size=None, width=1.0, seed=1):
    """The builder of a network, complete."""
    function, published, smallest = NETWORKS[name]
    size = size or published
    if size < smallest:
        raise ValueError(f"--size {size}, {name} takes {smallest} or more")
    builder = Builder(name, seed, width)
    for output in function(builder, size):
        builder.output(output)
    return builder


def samples(size, count=4, seed=1):
    """Inputs with the spread that the weights are scaled for, some of it smooth as pictures are."""
    random = np.random.default_rng(seed)
    coarse = random.standard_normal((count, 3, size // 8 + 1, size // 8 + 1), np.float32)
    smooth = coarse.repeat(8, 2).repeat(8, 3)[:, :, :size, :size]
    noise = random.standard_normal((count, 3, size, size), np.float32)
    return np.clip(0.8 * smooth + 0.6 * noise, -2.5, 2.5)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", help="a network of --list")
    parser.add_argument("--all", action="store_true", help="all of them, into the folder given by --output")
    parser.add_argument("--list", action="store_true", help="names and published input sizes")
    parser.add_argument("--size", type=int, help="height and width of the input (default: the published one)")
    parser.add_argument("--width", type=float, default=1.0, help="factor on all channel counts (default 1)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--input", help="also write a batch of fitting inputs to this .npy")
    parser.add_argument("--count", type=int, default=4, help="of inputs (default 4)")
    parser.add_argument("-o", "--output", help="ONNX file, or folder with --all")
    args = parser.parse_args()
    if args.list:
        return args
    if bool(args.name) == args.all or not args.output:
        parser.error("give a network or --all, and --output")
    if args.name and args.name not in NETWORKS:
        parser.error(f"network {args.name!r}, expected one of {', '.join(NETWORKS)}")
    if args.count < 1:
        parser.error(f"--count {args.count}, expected 1 or more")
    if not args.width > 0:
        parser.error(f"--width {args.width}, expected more than 0")
    return args


def main():
    args = arguments()
    if args.list:
        for name, (_, size, _) in NETWORKS.items():
            print(f"{name:<14} {size} x {size}")
        return 0
    if args.all:
        os.makedirs(args.output, exist_ok=True)
    for name in NETWORKS if args.all else [args.name]:
        path = os.path.join(args.output, name + ".onnx") if args.all else args.output
        try:
            build(name, args.size, args.width, args.seed).save(path)
        except (ValueError, OSError) as error:
            print(f"zoo.py: {error}", file=sys.stderr)
            return 2
    if args.input:
        np.save(args.input, samples(args.size or NETWORKS[args.name or "resnet18"][1], args.count, args.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
