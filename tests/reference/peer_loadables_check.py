#!/usr/bin/env python3
"""The reference interpreter against float networks: runs the int8 loadables that NVIDIA's compiler
made and compares each output with the float reference of its network (cosine).

    peer_loadables_check.py dlavp-ref-loadable dlavp DATA

Some of those loadables are known not to compute their network; they must differ.
"""
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError as error:
    print(f"skipped: no data ({error})")
    sys.exit(0)

CORRECT = 0.97
# Faults of that compiler: grouped convolutions whose weights were never quantised; inputs of more
# than four channels cut to four; batch normalisation folded into an image convolution whose weights
# were already laid out anew; post-extension with the wrong number of rows.
KNOWN_WRONG = {
    "u_dwconv_nv_small_int8",
    "u_dwbn_nv_small_int8",
    "u_groupconv_nv_small_int8",
    "u_conv3x3_nv_small_int8",
    "u_conv_nobias_nv_small_int8",
    "u_bnscale_nv_small_int8",
    "u_img7bn_nv_small_int8",
    "lenet_nv_large_int8_perfilter",
}
UNSUPPORTED = {"u_deconv2x2s2_nv_small_int8"}  # needs Rubik, which nv_small has not


def describe(inspector, path):
    out = subprocess.run([inspector, "inspect", path, "--json"], capture_output=True, check=True)
    return json.loads(out.stdout)


def feature_bytes(q, atom):
    """C, H, W to surfaces of `atom` channels."""
    c, h, w = q.shape
    surfaces = -(-c // atom)
    full = np.zeros((surfaces * atom, h, w), np.int8)
    full[:c] = q
    return full.reshape(surfaces, atom, h, w).transpose(0, 2, 3, 1).tobytes()


def image_bytes(q, channels, line_stride, size):
    """C, H, W to pixels of `channels` bytes in lines."""
    c, h, w = q.shape
    lines = np.zeros((h, line_stride), np.int8)
    pixels = np.zeros((h, w, channels), np.int8)
    pixels[:, :, : min(c, channels)] = q[:channels].transpose(1, 2, 0)
    lines[:, : w * channels] = pixels.reshape(h, w * channels)
    return lines.tobytes().ljust(size, b"\0")[:size]


def input_bytes(tensor, x, scale, atom):
    q = np.clip(np.round(x / scale), -128, 127).astype(np.int8)
    if tensor["data_category"] == 2 or tensor["data_format"] == 3:
        return feature_bytes(q, atom)
    return image_bytes(q, tensor["c"], tensor["stride"][1], tensor["size"])


def output_values(tensor, data, atom):
    c, h, w = tensor["c"], tensor["h"], tensor["w"]
    raw = np.frombuffer(data, np.int8)
    line, surface = tensor["stride"][1], tensor["stride"][2]
    out = np.zeros((c, h, w))
    for channel in range(c):
        for y in range(h):
            at = channel // atom * surface + y * line + channel % atom
            out[channel, y] = raw[at : at + w * atom : atom][:w]
    return out


def cosine(a, b):
    a, b = a.ravel().astype(float), b.ravel().astype(float)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-30))


def best_layer(values, reference):
    """The compiler names an output by the first of the layers it fused, so every layer is tried."""
    layers = [k for k in reference.files if k[:2] == "L_" and reference[k].size == values.size]
    return max((cosine(values, reference[k]), k[2:]) for k in layers)


def check_one(tools, data, name, results):
    net = name.split("_nv_")[0]
    config = "nv_" + name.split("_nv_")[1].split("_")[0]
    reference = np.load(os.path.join(data, "caffe", net + ".ref.npz"))
    with open(os.path.join(data, "caffe", net + ".calib.json"), encoding="utf-8") as f:
        scales = json.load(f)
    path = os.path.join(data, "peer_loadables", name + ".nvdla")
    tensors = describe(tools[1], path)
    inputs = {m["id"] for m in tensors["memories"] if m["flags"] & 4}
    source = next(t for t in tensors["tensors"] if t["mem_id"] in inputs)
    atom = 8 if config == "nv_small" else 32
    x = reference["input"].reshape(reference["input"].shape[-3:])
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "input.bin")
        with open(image, "wb") as f:
            f.write(input_bytes(source, x, scales[source["name"]]["scale"], atom))
        run = subprocess.run([tools[0], path, image, folder, config], capture_output=True, text=True)
        if run.returncode != 0:
            results.append((name, None, run.stderr.strip()))
            return
        outputs = [t for t in tensors["tensors"] if t["mem_id"] not in inputs]
        for number, tensor in enumerate(outputs):
            with open(os.path.join(folder, f"output{number}.bin"), "rb") as f:
                values = output_values(tensor, f.read(), atom)
            results.append((name, *best_layer(values, reference)))


def verdict(name, value):
    wrong = name in KNOWN_WRONG
    if name in UNSUPPORTED:
        return value is None
    if value is None:
        return False
    return value < CORRECT if wrong else value >= CORRECT


def main():
    tools, data = sys.argv[1:3], os.environ.get("DLAVP_NVDLA_DATA", sys.argv[3])
    folder = os.path.join(data, "peer_loadables")
    if not os.path.isdir(folder):
        print("skipped: no data")
        return 0
    results = []
    for file in sorted(os.listdir(folder)):
        net = file.split("_nv_")[0]
        if os.path.exists(os.path.join(data, "caffe", net + ".ref.npz")):
            check_one(tools, data, file.removesuffix(".nvdla"), results)
    failed = 0
    for name, value, note in results:
        good = verdict(name, value)
        failed += not good
        shown = "refused" if value is None else f"{value:.5f}"
        print(f"{'ok  ' if good else 'FAIL'} {name:48} {shown}  {note}")
    print(f"{len(results) - failed} of {len(results)} as expected")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
