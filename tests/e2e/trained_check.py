#!/usr/bin/python3
"""Trains networks in PyTorch and compares their logits and classes with those of the int8 networks on the platform.

    tests/e2e/trained_check.py DLAVP [--configs nv_small,nv_large] [--images 200] [--networks small,mobilenet_v3]

The pictures are drawn by the script: shapes in colours on textured ground, ten classes, fixed seed. `small` has
what real mobile networks have: depthwise convolutions, residual branches, squeeze and excite, hard swish, a
concat; `mobilenet_v3` is torchvision's MobileNet v3 small. Holds if the int8 logits are 20 dB SQNR or better
against PyTorch's, if int8 gives PyTorch's class for 95 % of the pictures it was not trained on, and if its
accuracy is within 2 points of PyTorch's.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torchvision
from torch import nn

SIDE, CLASSES = 24, 10
LEAST_AGREEMENT, MOST_LOSS, LEAST_SQNR_DB = 0.95, 0.02, 20


def picture(random, label):
    """A shape (ring, disc, square, cross, stripes) in one of two kinds of colour."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    cy, cx = random.uniform(8, 16, 2)
    r = random.uniform(4, 8)
    distance = np.hypot(y - cy, x - cx)
    inside = [abs(distance - r) < 1.5, distance < r, np.maximum(abs(y - cy), abs(x - cx)) < r * 0.85,
              (np.minimum(abs(y - cy), abs(x - cx)) < 1.5) & (distance < r * 1.3),
              (distance < r * 1.2) & ((y + x).astype(int) % 6 < 3)][label % 5]
    warm = label >= 5
    colour = np.array([random.uniform(150, 255), random.uniform(60, 160), random.uniform(0, 90)])
    ground = random.uniform(30, 130, 3)[:, None, None] + random.normal(0, 18, (3, SIDE, SIDE))
    colour = colour if warm else colour[::-1]
    return np.clip(np.where(inside, colour[:, None, None] + random.normal(0, 12, (3, SIDE, SIDE)), ground), 0, 255)


def pictures(count, seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, count)
    return np.round(np.stack([picture(random, k) for k in labels])).astype(np.float32), labels


class Block(nn.Module):
    def __init__(self, channels, expanded):
        super().__init__()
        self.expand = nn.Sequential(nn.Conv2d(channels, expanded, 1, bias=False), nn.BatchNorm2d(expanded),
                                    nn.Hardswish())
        self.depthwise = nn.Sequential(nn.Conv2d(expanded, expanded, 3, padding=1, groups=expanded, bias=False),
                                       nn.BatchNorm2d(expanded), nn.Hardswish())
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(expanded, 8, 1), nn.ReLU(),
                                  nn.Conv2d(8, expanded, 1), nn.Hardsigmoid())
        self.project = nn.Sequential(nn.Conv2d(expanded, channels, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        y = self.depthwise(self.expand(x))
        return x + self.project(y * self.gate(y))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.begin = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 20, 3, padding=1), nn.ReLU6(), nn.MaxPool2d(2))
        self.blocks = nn.Sequential(Block(20, 36), Block(20, 36))
        self.wide, self.narrow = nn.Conv2d(20, 21, 3, 2, 1), nn.Conv2d(20, 11, 1, 2)
        self.end = nn.Sequential(nn.Dropout(0.1), nn.Linear(32, CLASSES))

    def forward(self, x):
        x = self.blocks(self.begin(x))
        x = torch.relu(torch.cat([self.wide(x), self.narrow(x)], 1))
        return self.end(x.mean((2, 3)))


def mobilenet_v3():
    return torchvision.models.mobilenet_v3_small(weights=None, num_classes=CLASSES)


def enlarged(images):
    """Twice as wide and high, around zero."""
    x = nn.functional.interpolate(torch.from_numpy(images), scale_factor=2, mode="bilinear")
    return ((x - 115) / 60).numpy()


# What makes the network, what prepares its pictures, epochs, the rate of learning, whether that rises and falls.
NETWORKS = {"small": (Network, lambda images: images, 4, 3e-3, False),
            "mobilenet_v3": (mobilenet_v3, enlarged, 12, 4e-3, True)}


def train(name, images, labels):
    make, prepare, epochs, rate, cycle = NETWORKS[name]
    torch.manual_seed(3)
    network = make().train()
    optimiser = torch.optim.Adam(network.parameters(), rate)
    x, y = torch.from_numpy(prepare(images)), torch.from_numpy(labels)
    parts = (len(x) + 63) // 64
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=epochs * parts) if cycle else None
    for _ in range(epochs):
        for part in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(x[part]), y[part]).backward()
            optimiser.step()
            if schedule:
                schedule.step()
    return network.eval()


def run(dlavp, config, folder):
    """The int8 network's logits for the test pictures."""
    subprocess.run([dlavp, "compile", "model.onnx", "--config", config, "--calibrate", "calibrate.npy",
                    "-o", "model.nvdla", "--check"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run([dlavp, "run", "model.nvdla", "--config", config, "--json", "--input", "test.npy"],
                          cwd=folder, check=True, capture_output=True, text=True)
    outputs = [r["outputs"][0] for r in json.loads(done.stdout)["runs"]]
    return np.array([(np.array(out["values"]) - out["zero_point"]) * out["scale"] for out in outputs])


def check(dlavp, name, configs, count):
    """How many configurations do not hold."""
    prepare, bad = NETWORKS[name][1], 0
    network = train(name, *pictures(3000, 1))
    images, labels = pictures(count, 2)
    images = prepare(images)
    with torch.no_grad():
        exact = network(torch.from_numpy(images)).numpy()
    with tempfile.TemporaryDirectory() as folder:
        torch.onnx.export(network, torch.from_numpy(images[:1]), os.path.join(folder, "model.onnx"), opset_version=13)
        np.save(os.path.join(folder, "calibrate.npy"), prepare(pictures(64, 3)[0]))
        np.save(os.path.join(folder, "test.npy"), images)
        for config in configs:
            ints = run(dlavp, config, folder)
            sqnr = 10 * np.log10((exact**2).sum() / ((ints - exact) ** 2).sum())
            classes, exact_classes = ints.argmax(1), exact.argmax(1)
            agreement, right, exact_right = (
                np.mean(v) for v in (classes == exact_classes, classes == labels, exact_classes == labels))
            print(f"{name} {config}: {sqnr:.1f} dB, int8 gives PyTorch's class for {100 * agreement:.1f} % of "
                  f"{len(images)} pictures; right: int8 {100 * right:.1f} %, PyTorch {100 * exact_right:.1f} %", flush=True)
            bad += (sqnr < LEAST_SQNR_DB or agreement < LEAST_AGREEMENT or right < exact_right - MOST_LOSS
                    or exact_right < 0.8)
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dlavp")
    parser.add_argument("--configs", default="nv_small,nv_large")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--networks", default=",".join(NETWORKS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    dlavp, configs = os.path.abspath(args.dlavp), args.configs.split(",")
    bad = sum(check(dlavp, name, configs, args.images) for name in args.networks.split(","))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
