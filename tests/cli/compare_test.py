#!/usr/bin/env python3
"""dlavp compare from outside: a network and a folder of them, the exit codes, and its refusals.

    DLAVP=path/to/dlavp compare_test.py [CLASS]
"""
import json
import os
import shutil
import unittest

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
        peer = os.path.join(self.folder, "peers", "gone_nv_small.nvdla")
        self.refused(
            ("compare", MODEL, "--with", peer, "--config", "nv_small"), "gone_nv_small.nvdla", "compare.refused"
        )

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
