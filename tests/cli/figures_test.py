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


class Memory(Case):
    def cycles(self, loadable, *words):
        done = self.dlavp("run", loadable, "--input", PICTURE, "--json", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        out = json.loads(done.stdout)
        return out["runs"][0]["cycles"]["accelerator"], out["runs"][0]["outputs"], out["memory"]

    def test_slower_memory_takes_longer_and_gives_the_same(self):
        loadable = self.compiled()
        fixed, outputs, _ = self.cycles(loadable, "--memory", "fixed:32")
        slower, same, text = self.cycles(loadable, "--memory", "bandwidth:32:1")
        self.assertGreater(slower, fixed)
        self.assertEqual(same, outputs)
        self.assertIn("1 bytes a cycle", text)
        _, same, text = self.cycles(loadable, "--memory", "ddr3_1600")
        self.assertEqual(same, outputs)
        self.assertIn("12.8 GB/s", text)
        wide, _, _ = self.cycles(loadable, "--memory", "bandwidth:32:64")
        self.assertEqual(wide, fixed)

    def test_the_core_competes_where_the_platform_says_so(self):
        loadable = self.compiled()
        free, outputs, _ = self.cycles(loadable, "--memory", "ddr4_2400")
        shared, same, _ = self.cycles(loadable, "--platform", "contention")
        self.assertGreater(shared, free)
        self.assertEqual(same, outputs)

    def test_memories_that_are_none(self):
        words = ["run", self.compiled(), "--input", PICTURE, "--memory"]
        self.refused([*words, "fixed:0"], "'fixed:0'", "platform.memory")
        self.refused([*words, "sdram"], "no part 'sdram'", "memory.name")


class Validation(Case):
    TRACE = """reg_write(NVDLA_PDP.D_OPERATION_MODE_CFG_0, 0x11);
reg_write(NVDLA_PDP.D_DST_RAM_CFG_0, 0x1);
reg_write(NVDLA_PDP_RDMA.D_SRC_RAM_CFG_0, 0x1);
reg_write(NVDLA_PDP_RDMA.D_FLYING_MODE_0, 0x1);
reg_write(NVDLA_PDP.D_DST_BASE_ADDR_LOW_0, 0x80100000);
reg_write(NVDLA_PDP_RDMA.D_SRC_BASE_ADDR_LOW_0, 0x80000000);
reg_write(NVDLA_PDP_RDMA.D_OP_ENABLE_0, 0x1);
reg_write(NVDLA_PDP.D_OP_ENABLE_0, 0x1);
intr_notify(PDP_0, done);
check_nothing(done);
"""

    def page(self, *words):
        self.file("nv_small/t/t.cfg", self.TRACE)
        self.file("rtl.csv", "config,trace,mem_latency,run_cycles,read_beats,write_beats\nnv_small,t,32,200,1,1\n")
        return ("trace", "nv_small/t", "--rtl-cycles", "rtl.csv", *words)

    def test_the_page_and_the_table_have_the_same_rows(self):
        notes = self.file("notes.yaml", "nv_small/: the number was made up\n")
        done = self.dlavp(*self.page("--report", "page.md", "--notes", notes))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"PDP +nv_small +32 +1 ")
        with open(os.path.join(self.folder, "page.md")) as f:
            page = f.read()
        for text in ("| PDP | nv_small | 32 | 1 |", "the number was made up", "acknowledge", "## Speed"):
            self.assertIn(text, page)
        group = json.loads(self.dlavp(*self.page("--json")).stdout)["summary"]["groups"][0]
        self.assertEqual((group["unit"], group["rows"]), ("PDP", 1))

    def test_pages_that_cannot_be(self):
        self.page()
        self.refused(("trace", "nv_small/t", "--report", "p.md"), "--rtl-cycles", "trace.report")
        self.refused(self.page("--report", "none/p.md"), "none/p.md", "trace.report")
        head = "network,loadable,config,mem_latency,operations,macs,sum_run_cycles,total_cycles,read_beats,write_beats\n"
        self.file("nets.csv", head + "lenet,gone.nvdla,nv_small,32,6,1,1,1,1,1\n")
        networks = self.page("--report", "p.md", "--rtl-networks", "nets.csv")
        self.refused(networks, "gone.nvdla: cannot be read", "rtl_networks.loadable")
        self.file("nets.csv", "network,loadable\n")
        self.refused(networks, "nets.csv:1: there is no column config", "rtl_networks.column")
        notes = self.file("notes.yaml", "nv_small: [1]\n")
        self.refused(self.page("--report", "p.md", "--notes", notes), "notes.yaml:1", "validation.type")


    def test_networks_stand_in_the_page(self):
        model = self.compiled()
        head = "network,loadable,config,mem_latency,operations,macs,sum_run_cycles,total_cycles,read_beats,write_beats\n"
        self.file("nets.csv", head + f"digits,{model},nv_small,32,6,1,100000,1,1,1\n")
        done = self.dlavp(*self.page("--report", "page.md", "--rtl-networks", "nets.csv"))
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(self.folder, "page.md")) as f:
            page = f.read()
        self.assertIn("## Whole networks", page)
        self.assertRegex(page, r"\| digits \| nv_small \| 32 \| 6 \| \d+ \| 100000 \| ")
        self.assertIn("--rtl-networks NETWORKS --report PAGE", page)


class Report(Case):
    def test_the_page_holds_every_operation_and_loads_nothing(self):
        done = self.dlavp("run", self.compiled(), "--input", PICTURE, PICTURE, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        run = self.file("run.json", done.stdout)
        made = self.dlavp("report", run, "-o", "page.html", "--json")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(json.loads(made.stdout)["runs"], 2)
        with open(os.path.join(self.folder, "page.html")) as f:
            page = f.read()
        for op in json.loads(done.stdout)["runs"][0]["operations"]:
            if sum(op["cycles_by_cause"].values()):
                self.assertIn(op["name"], page)
        for text in ("Roofline", "Units over time", "Cycles against multipliers", "</html>"):
            self.assertIn(text, page)
        for loaded in ("src=", "href=", "url(", "@import"):
            self.assertNotIn(loaded, page)

    def test_what_is_no_run_is_refused(self):
        self.refused(("report", "gone.json", "-o", "p.html"), "gone.json", "report.file")
        for content in ("no json", "{}", '{"config": "nv_small", "runs": []}'):
            words = ("report", self.file("r.json", content), "-o", "p.html")
            self.refused(words, "r.json", "report.json")
        self.refused(("report",), "no run", "no page", "cli.missing")
        run = '{"config": "nv_small", "model": "m", "clock_hz": 1e9, "precision": "int8", "batch": 1,'
        run += '"platform": "p", "memory": "m", "runs": [{"input": "", "cycles": {"accelerator": 1},'
        run += '"bytes": 1, "macs": 1, "operations": []}]}'
        words = ("report", self.file("r.json", run), "-o", "none/p.html")
        self.refused(words, "none/p.html", "report.write")


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

    def test_a_prototxt_needs_no_weights(self):
        net = self.file(
            "net.prototxt",
            'name: "net"\nlayer { name: "data" type: "Input" top: "data"\n'
            "  input_param { shape { dim: 1 dim: 8 dim: 8 dim: 8 } } }\n"
            'layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"\n'
            "  convolution_param { num_output: 16 kernel_size: 3 pad: 1 } }\n",
        )
        out = json.loads(self.estimate(net, "--config", "nv_small", "--timed", "--json"))
        self.assertEqual(out["macs"], 8 * 8 * 16 * 8 * 9)
        self.assertGreater(out["timed"]["cycles"], 0)

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
