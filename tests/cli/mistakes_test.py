#!/usr/bin/env python3
"""Mistakes that users make, one of each: the message names what is wrong and what would work.

    DLAVP=path/to/dlavp mistakes_test.py [CLASS]
"""
import os
import struct
import unittest

import onnx_writer as onnx
from cli_test import CALIBRATION, DIGITS, MODEL, PICTURE, ROOT, Case

SMALL = os.path.join(ROOT, "tests", "data", "small.nvdla")
PROTOTXT = """name: "net"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 8 dim: 8 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 4 } }
"""


def npy(descr, shape, data):
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (-(11 + len(head)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data


class WrongKind(Case):
    """A file of one kind where another is wanted."""

    def test_where_a_loadable_is_wanted(self):
        prototxt = self.file("net.prototxt", PROTOTXT)
        for command in (["run", "--input", PICTURE], ["inspect"]):
            self.refused([command[0], MODEL, *command[1:]], "digits.onnx", "looks like an ONNX model", "dlavp compile")
            self.refused([command[0], prototxt, *command[1:]], "net.prototxt", "is a Caffe network", "dlavp compile")
            self.refused([command[0], PICTURE, *command[1:]], "3a.png", "it is a picture")
            empty = self.file("text.nvdla", "notes")
            done = self.refused([command[0], empty, *command[1:]], "text.nvdla")
            self.assertNotIn("; it ", done.stderr)

    def test_where_a_network_is_wanted(self):
        for name, content, texts in (
            ("m.pt", b"PK\x03\x04data", ("zip archive", "torch.onnx.export")),
            ("m.bin", b"\x89HDF\r\n\x1a\n", ("HDF5", "ONNX")),
            ("m.tflite", b"\x1c\x00\x00\x00TFL3", ("TensorFlow Lite", "ONNX")),
            ("old.pt", b"\x80\x02x", ("PyTorch", "torch.onnx.export")),
        ):
            words = ["compile", self.file(name, content), "--config", "nv_small", "-o", "out.nvdla"]
            self.refused(words, name, *texts, "onnx.")
        self.refused(["compile", SMALL, "-c", "nv_small", "-o", "out.nvdla"], "is a loadable already", "dlavp run")


class Compile(Case):
    def compile(self, model, *texts, more=()):
        self.refused(["compile", model, "--config", "nv_small", "-o", "out.nvdla", *more], *texts)

    def test_a_misspelt_option_or_command(self):
        self.refused(["compile", MODEL, "--confg", "nv_small"], "is --config meant?", "cli.option")
        self.refused(["run", SMALL, "--inputs", PICTURE], "is --input meant?", "cli.option")
        self.refused(["inspct", SMALL], "is inspect meant?", "cli.command")
        self.refused(["bake", MODEL], "no command 'bake'; see", "cli.command")

    def test_a_prototxt_without_weights(self):
        path = self.file("net.prototxt", PROTOTXT)
        self.compile(path, "layer 'ip'", "no weights", "--weights", "--weights-seed", "caffe.weights")
        self.compile("net.caffemodel", "holds weights alone", ".prototxt", "network.option")

    def test_weights_of_another_network(self):
        layer = onnx.field(1, "other") + onnx.field(7, onnx.field(7, onnx.field(1, 1)) + onnx.field(5, b"\0\0\0\0"))
        weights = self.file("other.caffemodel", onnx.field(100, layer))
        path = self.file("net.prototxt", PROTOTXT)
        self.compile(path, "layer 'ip'", "the weights have no such layer", more=["--weights", weights])

    def test_an_opset_that_is_too_new(self):
        nodes = [onnx.node("Relu", ["x"], ["y"], "r")]
        infos = [onnx.value_info("x", (1, 3, 8, 8))], [onnx.value_info("y", [])]
        path = self.file("new.onnx", onnx.model(nodes, *infos, opset=19))
        self.compile(path, "opset 19", "7 to 17", "export the model with one of them", "onnx.opset")

    def test_a_model_larger_than_protobuf_takes(self):
        model = self.file("large.onnx", "")
        os.truncate(model, 3 << 30)  # it has no blocks
        words = ["compile", model, "--config", "nv_small", "-o", "out.nvdla"]
        self.refused(words, "large.onnx", "3221225472 bytes", "at most 2147483647", "external data")

    def test_samples_with_channels_last(self):
        path = self.file("net.onnx", onnx.one_node("Relu", dims=(1, 3, 4, 6)))
        last = self.file("last.npy", npy("<f4", (2, 4, 6, 3), bytes(4 * 144)))
        self.compile(path, "2x4x6x3", "1x3x4x6", "transpose(0, 3, 1, 2)", more=["--calibrate", last])

    def test_a_folder_of_pictures_of_the_wrong_size(self):
        path = self.file("net.onnx", onnx.one_node("Relu", dims=(1, 3, 16, 16)))
        folder = os.path.join(DIGITS, "images")
        more = f"{len(os.listdir(folder)) - 5} more errors"
        self.compile(path, "image 8x8", "takes 16x16", more, "calibrate.shape", more=["--calibrate", folder])

    def test_samples_for_two_inputs(self):
        nodes = [onnx.node("Add", ["a", "b"], ["y"], "sum")]
        infos = [onnx.value_info(n, (1, 3, 8, 8)) for n in "ab"], [onnx.value_info("y", [])]
        path = self.file("two.onnx", onnx.model(nodes, *infos))
        self.compile(path, "2 inputs", "--scales", "calibrate.inputs", more=["--calibrate", CALIBRATION])

    def test_a_check_that_cannot_be_writes_no_loadable(self):
        self.compile(MODEL, "gone.npy", "calibrate.path", more=["--check", "--input", "gone.npy"])
        self.compile(MODEL, "no platform 'gone'", more=["--check", "--platform", "gone"])
        self.compile(MODEL, "no folder 'none'", "compile.write", more=["--save-scales", "none/s.json"])


class Run(Case):
    def test_no_input(self):
        self.refused(["run", self.compiled()], "the network takes 1 a run", "(8 x 8 x 1)", "--input", "run.inputs")

    def test_arrays_of_other_types_and_orders(self):
        loadable = self.compiled()
        double = self.file("d.npy", npy("<f8", (1, 8, 8), bytes(512)))
        self.refused(["run", loadable, "--input", double], "type <f8", "astype('float32')", "npy.type")
        last = self.file("last.npy", npy("<f4", (8, 8, 1), bytes(256)))
        self.refused(["run", loadable, "--input", last], "1 x 8 pixels", "transpose(2, 0, 1)", "run.input")

    def test_an_output_of_a_kind_that_is_not_written(self):
        for name in ("out.png", "out.csv"):
            words = ["run", self.compiled(), "--input", PICTURE, "--output", name]
            self.refused(words, name, "expected .npy", "run.output")


if __name__ == "__main__":
    unittest.main()
