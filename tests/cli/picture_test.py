#!/usr/bin/env python3
"""The pictures of dlavp from outside: the graph of a loadable, as JSON and as SVG.

    DLAVP=path/to/dlavp picture_test.py [CLASS]
"""
import json
import os
import unittest
import xml.etree.ElementTree as xml

import onnx_writer as onnx
from cli_test import ROOT, Case

SVG = "{http://www.w3.org/2000/svg}"
SMALL = os.path.join(ROOT, "tests", "data", "small.nvdla")


class Picture(Case):
    def branched(self):
        """conv a -> conv b -> add with a's result -> softmax, for nv_small; the loadable's path."""
        weights = [onnx.tensor(n, (8, 8, 3, 3), [0.1] * 576) for n in ("wa", "wb")]
        conv = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
        nodes = [
            onnx.node("Conv", ["x", "wa"], ["a"], "first", **conv),
            onnx.node("Conv", ["a", "wb"], ["b"], "second", **conv),
            onnx.node("Add", ["a", "b"], ["c"], "join"),
            onnx.node("Softmax", ["c"], ["y"], "classes", axis=1),
        ]
        infos = [onnx.value_info("x", (1, 8, 6, 6))], [onnx.value_info("y", (1, 8, 6, 6))]
        model = self.file("net.onnx", onnx.model(nodes, *infos, weights))
        path = os.path.join(self.folder, "net.nvdla")
        done = self.dlavp("compile", model, "--config", "nv_small", "-o", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path

    def graph(self, loadable):
        done = self.dlavp("inspect", loadable, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["graph"]

    def svg(self, loadable):
        done = self.dlavp("inspect", loadable, "--svg", "out.svg")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(self.folder, "out.svg")) as f:
            return f.read()

    def test_edges_follow_the_data(self):
        nodes = self.graph(self.branched())
        self.assertEqual([n["kind"] for n in nodes], ["input", "layer", "layer", "layer", "output"])
        self.assertEqual([n["from"] for n in nodes], [[], [0], [1], [2], [3]])
        joined = nodes[2]  # the add is in the second convolution, and reads the first one's result
        self.assertEqual(joined["operations"]["CONV"], joined["operations"]["SDP"])
        self.assertEqual(joined["shape"], "6x6x8")
        self.assertEqual(nodes[3]["operations"], {"CPU": 1})
        (result,) = nodes[1]["writes"]
        self.assertIn(result, joined["reads"])
        self.assertEqual(result["end"] - result["begin"], 6 * 6 * 8)

    def test_the_picture_shows_every_layer_and_memory(self):
        path = self.branched()
        text = self.svg(path)
        root = xml.fromstring(text)
        shown = " ".join(t.text or "" for t in root.iter(f"{SVG}text"))
        nodes = self.graph(path)
        for node in nodes:
            self.assertIn(node["name"], shown)
            self.assertIn(node["shape"], shown)
        boxes = [r for r in root.iter(f"{SVG}rect") if r.get("class") == "layer"]
        self.assertEqual(len(boxes), sum(n["kind"] == "layer" for n in nodes))
        memories = {r["memory"] for n in nodes for r in n["reads"] + n["writes"]}
        for memory in memories:
            self.assertIn(f"memory {memory}", shown)
        for loaded in ("href=", "url(", "@import", "<script"):
            self.assertNotIn(loaded, text)

    def test_a_loadable_without_names(self):
        self.assertIn("PDP 0", self.svg(SMALL))
        (pool,) = [n for n in self.graph(SMALL) if n["kind"] == "layer"]
        self.assertEqual((pool["shape"], pool["from"]), ("2x2x8", [0]))

    def test_names_that_are_broken(self):
        with open(self.compiled(), "rb") as f:
            whole = f.read()
        for damaged in (whole.replace(b'{"config"', b'x"config"', 1), whole.replace(b'"layers":[', b'"layers":7', 1)):
            self.assertNotEqual(damaged, whole)
            path = self.file("damaged.nvdla", damaged)
            self.refused(("inspect", path), "damaged.nvdla: dlavp-info", "inspect.info")

    def test_pictures_that_cannot_be(self):
        self.refused(("inspect", SMALL, "--svg", "none/p.svg"), "none/p.svg", "inspect.write")
        self.refused(("inspect", SMALL, "--svg", self.folder), "is a folder", "inspect.write")
        self.refused(("inspect", "gone.nvdla", "--svg", "p.svg"), "gone.nvdla", "inspect.file")


if __name__ == "__main__":
    unittest.main()
