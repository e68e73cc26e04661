#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: ONNX models with the tests' own writer, loadables compiled
from them by dlavp, traces, and register programs. Hardware configurations are seeded from
configs/hardware.

    make.py path/to/dlavp
"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "cli"))
import onnx_writer as onnx  # noqa: E402

WEIGHTS = [((7 * i) % 11 - 5) / 8 for i in range(4 * 3 * 9)]


def network():
    """Convolution, batch norm, ReLU, pooling, addition, a fully connected layer, softmax."""
    four = [1.0, 0.5, -0.25, 0.75]
    nodes = [
        onnx.node("Conv", ["x", "w", "b"], ["c"], "conv", pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        onnx.node("BatchNormalization", ["c", "s", "t", "m", "v"], ["n"], "norm"),
        onnx.node("Relu", ["n"], ["r"], "relu"),
        onnx.node("Add", ["r", "n"], ["a"], "add"),
        onnx.node("MaxPool", ["a"], ["p"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        onnx.node("Flatten", ["p"], ["f"], "flat"),
        onnx.node("Gemm", ["f", "g"], ["z"], "fc", transB=1),
        onnx.node("Softmax", ["z"], ["y"], "softmax"),
    ]
    constants = [
        onnx.tensor("w", (4, 3, 3, 3), WEIGHTS),
        onnx.tensor("b", (4,), four),
        onnx.tensor("s", (4,), four),
        onnx.tensor("t", (4,), four),
        onnx.tensor("m", (4,), four),
        onnx.tensor("v", (4,), [1.0] * 4),
        onnx.tensor("g", (2, 16), WEIGHTS[:32]),
    ]
    return onnx.model(nodes, [onnx.value_info("x", (1, 3, 4, 4))], [onnx.value_info("y", [])], constants)


def models():
    one = onnx.one_node
    weights = onnx.tensor("w", (4, 3, 3, 3), WEIGHTS)
    small = (1, 3, 4, 4)
    return {
        "network": network(),
        "conv": one("Conv", small, ("x", "w"), [weights], strides=[2, 2], dilations=[1, 1]),
        "pool": one("MaxPool", small, kernel_shape=[2, 2], strides=[2, 2]),
        "average": one("AveragePool", small, kernel_shape=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1),
        "global": one("GlobalAveragePool", small),
        "clip": one("Clip", small, ("x", "lo", "hi"), [onnx.tensor("lo", (), [0.0]), onnx.tensor("hi", (), [6.0])]),
    }


CFG = """mem_init(pri_mem, 0x1000, 0x40, ALL_ONE);
mem_load(pri_mem, 0x80000000, "a.dat");
// a comment
reg_write(NVDLA_PDP.D_DATA_CUBE_IN_WIDTH_0, 0x7);
reg_write(NVDLA_PDP.D_OP_ENABLE_0, 0x1);
poll_reg_equal(NVDLA_CDMA.S_CBUF_FLUSH_STATUS_0, 0x1);
poll_field_not_equal(NVDLA_CDMA.S_STATUS_0, STATUS_0, 1);
reg_read_check(NVDLA_GLB.S_INTR_MASK_0, 0xff, 0);
intr_notify(PDP_0, done);
sync_wait(NVDLA_CDMA, done);
sync_notify(NVDLA_CDMA, more);
check_crc(done, pri_mem, 0x80100000, 0x40, 0x758d6336);
check_file(more, pri_mem, 0x80000000, 4, "a.dat");
check_nothing(more);
"""
PACKETS = "{offset:0, size:4, payload:0x01 0x02 0x03 0x04}\n{offset:0x20, size:2, payload:0x0a 0xff}\n"
TXN = """# older form
load_mem 0x80000000 4 a.dat
write_reg 0xffff0401 0x7
read_reg 0xffff0403 0x1 0x1
wait
dump_mem 0x80000000 4 a.dat
"""
DUMP = "a remark\n0x01 0x02\n0x03 0x04 0x05\n"


PATHS = ("sdp", "pdp", "cdp", "conv", "conv_to_pdp")


def register_programs():
    """Name and bytes (fuzz/csb_target.hpp): on each configuration every path alone, and both groups
    of all units with some time between."""

    def record(*values):
        return bytes(values) + bytes(8 - len(values))

    def operation(path, seed, group):
        return record(0, path, seed, 0, group)

    for config, hw in enumerate(("small", "large", "small_256_full", "medium_512", "full")):
        head = record(config, 15)
        for path, name in enumerate(PATHS):
            yield f"{hw}_{name}", head + operation(path, config, 0)
        both = [(path, group) for group in (0, 1) for path in (1, 2, 3)]
        mixed = [operation(path, 8 + path, group) + record(10, 200) for path, group in both]
        yield f"{hw}_all", head + b"".join(mixed)


def write(folder, name, content):
    os.makedirs(os.path.join(HERE, folder), exist_ok=True)
    with open(os.path.join(HERE, folder, name), "wb") as f:
        f.write(content)
    return f.name


def main():
    for name, model in models().items():
        path = write("onnx", name + ".onnx", model)
        if name in ("network", "pool"):
            out = write("loadable", name + ".nvdla", b"")
            subprocess.run([sys.argv[1], "compile", path, "--config", "nv_small", "-o", out], check=True)
    for name, program in register_programs():
        write("csb", name, program)
    # The first byte: form and configuration; 0xff: the data file begins.
    for config, hw in enumerate(("small", "large", "full")):
        write("trace", f"cfg_{hw}", bytes([2 * config]) + CFG.encode() + b"\xff" + PACKETS.encode())
        write("trace", f"txn_{hw}", bytes([2 * config + 1]) + TXN.encode() + b"\xff" + DUMP.encode())


if __name__ == "__main__":
    main()
