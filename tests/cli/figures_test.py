#!/usr/bin/env python3
"""Figures of the dlavp program from outside: estimates, and where the cycles of a run went.

    DLAVP=path/to/dlavp figures_test.py [CLASS]
"""
import json
import os
import unittest

from cli_test import MODEL, PICTURE, Case


class Cycles(Case):
    def test_where_the_cycles_went_sums_up(self):
        done = self.dlavp(
            "run", self.compiled(), "--input", PICTURE, "--json", "--timeline", "t.json", "--vcd", "t.vcd"
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        run = json.loads(done.stdout)["runs"][0]
        timed = [op for op in run["operations"] if sum(op["cycles_by_cause"].values())]
        self.assertTrue(timed)
        for op in timed:
            self.assertEqual(sum(op["cycles_by_cause"].values()), op["cycles"], op["name"])
        for unit in run["units"]:
            self.assertEqual(sum(unit["cycles_by_cause"].values()), run["cycles"]["accelerator"])
        self.check_timeline(timed)
        with open(os.path.join(self.folder, "t.vcd")) as f:
            self.assertIn("$enddefinitions", f.read())
        out = os.path.join(self.folder, "none", "t.json")
        words = ["run", self.compiled(), "--input", PICTURE, "--timeline", out]
        self.refused(words, "cannot be written", "run.timeline")

    def check_timeline(self, operations):
        with open(os.path.join(self.folder, "t.json")) as f:
            events = json.load(f)["traceEvents"]
        slices = [e for e in events if e["ph"] == "X"]
        for op in operations:
            self.assertIn(op["name"], [s["name"] for s in slices])
        ends = {}
        for s in sorted(slices, key=lambda s: s["ts"]):
            track = (s["pid"], s["tid"])
            self.assertGreaterEqual(s["ts"], ends.get(track, -1) - 1e-6, s)
            ends[track] = s["ts"] + s["dur"]
        counters = {e["name"] for e in events if e["ph"] == "C"}
        self.assertIn("CONV busy", counters)
        self.assertIn("CDMA weights read", counters)


class Estimate(Case):
    def estimate(self, *words):
        done = self.dlavp("estimate", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_a_published_figure_and_its_options(self):
        out = self.estimate("resnet50", "--macs", "2048", "--cbuf", "512", "--bandwidth", "20")
        self.assertIn("268.80 frames a second", out)
        without = json.loads(
            self.estimate("resnet50", "--config", "nv_small", "--no-winograd", "--json")
        )
        self.assertEqual(without["cycles"], 75540912)
        self.assertEqual(len(without["layers"]), 54)
        self.assertIsNone(without["timed"])
        sram = json.loads(self.estimate("alexnet", "--sram", "4096", "--json"))
        self.assertEqual(sram["cycles"], 591475.5625)
        self.assertIn("loss3/classifier", self.estimate("googlenet", "--layers"))

    def test_a_timed_run_is_explained_to_the_cycle(self):
        out = json.loads(self.estimate(MODEL, "--config", "nv_small", "--timed", "--json"))
        timed = out["timed"]
        steps = sum(step["cycles"] for step in timed["steps"])
        self.assertAlmostEqual(out["cycles"] + steps, timed["cycles"], places=3)
        self.assertEqual(
            timed["conv_cycles"] + timed["other_cycles"] + timed["idle_cycles"], timed["cycles"]
        )
        text = self.estimate("resnet50", "--config", "nv_small", "--loadable", self.compiled())
        self.assertIn("no Winograd in nv_small", text)
        self.assertIn("timed on nv_small", text)

    def test_published_figures_are_checked(self):
        head = "source,network,macs,cbuf_kib,dram_gb_per_s,clock_mhz,bytes_per_elem,fc_batch,sram,"
        head += "fps,cycles,note\n"
        row = "primer,resnet50,64,128,1,1000,1,16,no,{},,\n"
        right = self.file("right.csv", head + row.format("7.3"))
        self.assertIn("1 of 1", self.estimate("--published", right))
        wrong = self.dlavp("estimate", "--published", self.file("wrong.csv", head + row.format("9")))
        self.assertEqual(wrong.returncode, 1)
        broken = self.file("broken.csv", head + row.format("fast"))
        self.refused(
            ("estimate", "--published", broken), "broken.csv:2", "'fast'", "estimate.published"
        )

    def test_what_does_not_fit_is_refused(self):
        for words, texts in (
            (("lenet9",), ("no such file", "alexnet", "estimate.network")),
            (("resnet50", "--method", "guess"), ("'guess'", "nvidia-sheet", "estimate.method")),
            (("resnet50", "--timed"), ("--config", "estimate.config")),
            (("resnet50", "--timed", "--config", "nv_small"), ("--loadable", "estimate.loadable")),
            (("googlenet", "--sram", "4096"), ("googlenet", "estimate.sram")),
            (("resnet50", "--macs", "0"), ("is 0, expected 1", "cli.range")),
            (("resnet50", "--bandwidth", "-1"), ("is -1", "cli.range")),
            ((), ("expected a network", "cli.missing")),
        ):
            self.refused(("estimate", *words), *texts)


if __name__ == "__main__":
    unittest.main()
