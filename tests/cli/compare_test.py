#!/usr/bin/env python3
"""dlavp compare from outside: a network and a folder of them, the exit codes, and its refusals.

    DLAVP=path/to/dlavp compare_test.py [CLASS]
"""
import json
import os
import shutil
import unittest

import onnx_writer
from cli_test import CALIBRATION, MODEL, Case


class Compare(Case):
    def loadable(self, name, *words, config="nv_small"):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        words = ("--calibrate", CALIBRATION, "--save-scales", os.path.join(self.folder, "scales.json"), *words)
        done = self.dlavp("compile", MODEL, "--config", config, "-o", path, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path

    def rows(self, code, *words):
        done = self.dlavp("compare", *words, "--json")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_the_same_compiler_needs_the_same(self):
        peer = self.loadable("own.nvdla")
        words = (MODEL, "--with", peer, "--config", "nv_small", "--scales", "scales.json")
        out = self.rows(0, *words)
        (row,) = out["rows"]
        self.assertEqual(row["ours"], row["peer"])
        self.assertGreater(row["ours"]["cycles"], 1000)
        self.assertGreater(row["ours"]["cycles_with_core"], row["ours"]["cycles"])
        self.assertGreater(row["ours"]["beats"], 100)
        self.assertEqual((out["compared"], out["worse"], out["mean_ratio"]), (1, 0, 1))
        text = self.dlavp("compare", *words).stdout
        self.assertRegex(text, rf"digits +nv_small .* {row['ours']['cycles']} +{row['peer']['cycles']} +1\.000")
        for part in ("1 compared", "slower or missing in 0", "1000 MHz", "fixed latency 32"):
            self.assertIn(part, text)

    def test_a_slower_one_ends_with_1_and_is_marked(self):
        words = [MODEL, "--with", self.loadable("own.nvdla"), "--config", "nv_small"]
        words += ["--scales", "scales.json", "--optimize", "0", "--no-pipeline"]
        out = self.rows(1, *words)
        self.assertTrue(out["rows"][0]["worse"])
        self.assertGreater(out["rows"][0]["ours"]["cycles"], out["rows"][0]["peer"]["cycles"])
        self.assertIn("  slower\n", self.dlavp("compare", *words).stdout)

    def test_the_input_takes_the_peers_form(self):
        peer = self.loadable("own.nvdla", "--input-mode", "feature")
        words = (MODEL, "--with", peer, "--config", "nv_small", "--scales", "scales.json")
        (row,) = self.rows(0, *words)["rows"]
        self.assertEqual((row["ours"]["input"], row["notes"]), ("feature data", []))
        self.assertEqual(row["ours"], row["peer"])

    def test_a_folder(self):
        self.loadable("peers/digits_nv_small_int8.nvdla")
        self.loadable("peers/digits_nv_large.nvdla", config="nv_large")
        os.mkdir(os.path.join(self.folder, "nets"))
        shutil.copy(MODEL, os.path.join(self.folder, "nets", "digits.onnx"))
        shutil.copy(MODEL, os.path.join(self.folder, "nets", "digits_nv.onnx"))
        shutil.copy(os.path.join(self.folder, "scales.json"), os.path.join(self.folder, "nets", "digits.calib.json"))
        folders = ("--peers", "peers", "--networks", "nets")
        out = self.rows(0, *folders)
        self.assertEqual([r["config"] for r in out["rows"]], ["nv_large", "nv_small"])
        self.assertEqual(out["compared"], 2)
        (row,) = self.rows(0, *folders, "--config", "nv_large")["rows"]
        self.assertEqual(row["network"], "digits_nv_large")
        self.refused(("compare", *folders, "--config", "nv_medium_512"), "no loadable for", "compare.folder")
        self.file("peers/other_nv_small.nvdla", "")
        self.refused(("compare", *folders), "other_nv_small.nvdla", "nets", "compare.network")

    def test_what_cannot_be_compared_says_why(self):
        self.loadable("peers/digits_nv_small.nvdla")
        self.file("peers/gone_nv_small.nvdla", "no loadable")
        self.file("nets/digits.onnx", "no model")
        shutil.copy(MODEL, os.path.join(self.folder, "nets", "gone.onnx"))
        done = self.dlavp("compare", "--peers", "peers", "--networks", "nets")
        self.assertEqual(done.returncode, 1, done.stderr)
        for part in ("not compared: nets/digits.onnx", "peers/gone_nv_small.nvdla", "missing in 1", "2 not compared"):
            self.assertIn(part, done.stdout)
        self.assertRegex(done.stdout, r"ours alone: [\d+]+ operations, \d+ cycles, \d+ with the core, \d+ beats")
        peer = os.path.join(self.folder, "peers", "gone_nv_small.nvdla")
        self.refused(
            ("compare", MODEL, "--with", peer, "--config", "nv_small"), "gone_nv_small.nvdla", "compare.refused"
        )

    def convolution(self, name, channels):
        """A 1x1 convolution from so many channels to 8."""
        weights = onnx_writer.tensor("w", (8, channels, 1, 1), [0.1] * 8 * channels)
        model = onnx_writer.one_node("Conv", (1, channels, 8, 8), ("x", "w"), (weights,), kernel_shape=[1, 1])
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(model)
        return path

    def test_a_peer_that_reads_a_part_of_the_input_does_not_count(self):
        network, part = self.convolution("net.onnx", 64), self.convolution("part.onnx", 4)
        peer = os.path.join(self.folder, "part.nvdla")
        done = self.dlavp("compile", part, "--config", "nv_small", "-o", peer)
        self.assertEqual(done.returncode, 0, done.stderr)
        words = (network, "--with", peer, "--config", "nv_small")
        out = self.rows(1, *words)  # nothing is alike
        (row,) = out["rows"]
        self.assertGreater(row["ours"]["cycles"], row["peer"]["cycles"])
        self.assertEqual((row["worse"], row["other_work"]), (False, True))
        self.assertEqual((out["compared"], out["other_work"], out["worse"], out["mean_ratio"]), (0, 1, 0, 1))
        self.assertIn("the peer reads 4 x 8 x 8 of the input's 64 x 8 x 8", row["notes"][0])
        text = self.dlavp("compare", *words).stdout
        for part_of_text in ("  other work\n", "0 compared", "slower or missing in 0", "1 beside a peer"):
            self.assertIn(part_of_text, text)

    def test_missing_and_surplus_options(self):
        self.refused(("compare",), "expected a network with --with, or two folders", "cli.missing")
        self.refused(("compare", MODEL), "--with", "--config", "cli.missing")
        self.refused(("compare", "--peers", "p"), "--networks", "cli.missing")
        self.refused(("compare", "--peers", "p", "--networks", "n", "--with", "x"), "--with", "compare.option")
        self.refused(("compare", "--peers", "p", "--networks", "n"), "p: ", "n: ", "compare.folder")
        words = ("compare", MODEL, "--with", "gone.nvdla", "--config", "nv_small")
        self.refused(words, "gone.nvdla", "compare.peer", "compare.refused")


if __name__ == "__main__":
    unittest.main()
