#!/usr/bin/env python3
"""The dlavp program from outside: every kind of bad input ends with 2, a message that names the
place and both values, and no file left behind; every command has help and JSON.

    DLAVP=path/to/dlavp cli_test.py [CLASS]
"""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import onnx_writer as onnx

DLAVP = os.environ.get("DLAVP", "dlavp")
ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DIGITS = os.path.join(ROOT, "examples", "digits")
MODEL = os.path.join(DIGITS, "digits.onnx")
CALIBRATION = os.path.join(DIGITS, "calibration.npy")
PICTURE = os.path.join(DIGITS, "images", "3a.png")


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="dlavp_cli_")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def dlavp(self, *words, **environment):
        return subprocess.run(
            [DLAVP, *words],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**os.environ, **environment},
            timeout=50,
        )

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content.encode() if isinstance(content, str) else content)
        return path

    def files(self):
        return sorted(os.path.join(d, f) for d, _, names in os.walk(self.folder) for f in names)

    def refused(self, words, *texts, **environment):
        """Exit 2, each of `texts` on stderr, one prefixed line an error, no file made or lost."""
        before = self.files()
        done = self.dlavp(*words, **environment)
        what = f"dlavp {' '.join(words)}\n{done.stdout}{done.stderr}"
        self.assertEqual(done.returncode, 2, what)
        for text in texts:
            self.assertIn(text, done.stderr, what)
        for line in done.stderr.splitlines():
            self.assertRegex(line, r"^dlavp: error: .+ \[[a-z_]+\.[a-z_]+\]$", what)
        self.assertEqual(self.files(), before, what)
        return done

    def compiled(self, name="digits.nvdla", config="nv_small"):
        path = os.path.join(self.folder, name)
        done = self.dlavp("compile", MODEL, "--config", config, "-o", path, "--calibrate", CALIBRATION)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path


class Everywhere(Case):
    def commands(self):
        overview = self.dlavp("--help")
        self.assertEqual(overview.returncode, 0)
        names = re.findall(r"^  ([a-z]+) {2,}\S", overview.stdout, re.M)
        for name in ("compile", "run", "trace", "inspect", "configs"):
            self.assertIn(name, names)
        return names

    def test_help_has_examples_that_name_their_command(self):
        for command in self.commands():
            done = self.dlavp(command, "--help")
            self.assertEqual(done.returncode, 0, command)
            examples = done.stdout.split("\nExamples:\n")[1].split("\n\n")[0].splitlines()
            for example in examples:
                self.assertRegex(example, rf"^  dlavp {command}( |$)")
            self.assertIn("--json", done.stdout)
            self.assertIn("Exit code: 0", done.stdout)

    def test_options_of_examples_exist(self):
        for command in self.commands():
            text = self.dlavp(command, "--help").stdout
            options, examples = text.split("\nExamples:\n")
            for option in re.findall(r"(?<=\s)--[a-z-]+", examples):
                self.assertRegex(options, rf"{option}\b", command)

    def test_unknown_commands_and_options_are_named(self):
        self.refused(["conpile"], "no command 'conpile'", "dlavp --help", "cli.command")
        for command in self.commands():
            self.refused([command, "--colour"], "'--colour'", f"dlavp {command} --help", "cli.option")

    def test_no_command_shows_the_usage(self):
        done = self.dlavp()
        self.assertEqual(done.returncode, 2)
        self.assertIn("usage: dlavp COMMAND", done.stderr)
        self.assertRegex(self.dlavp("--version").stdout, r"^dlavp \d+\.\d+\.\d+\n$")


class Compile(Case):
    def compile(self, model, *texts, config="nv_small", output="out.nvdla", more=()):
        self.refused(["compile", model, "--config", config, "-o", output, *more], *texts)

    def onnx(self, op, *texts, **more):
        self.compile(self.file("net.onnx", onnx.one_node(op, **more)), *texts)

    def test_json_parses_and_the_file_is_whole(self):
        path = os.path.join(self.folder, "d.nvdla")
        done = self.dlavp(
            "compile", MODEL, "--config", "nv_small", "-o", path, "--calibrate", CALIBRATION, "--json"
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        summary = json.loads(done.stdout)
        self.assertEqual(summary["bytes"], os.path.getsize(path))
        self.assertTrue(summary["calibrated"])
        self.assertEqual(self.files(), [path])

    def test_without_samples_it_warns(self):
        done = self.dlavp("compile", MODEL, "--config", "nv_small", "-o", "d.nvdla", "--json")
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning: no --calibrate", done.stderr)
        self.assertFalse(json.loads(done.stdout)["calibrated"])

    def test_missing_arguments_are_all_named(self):
        self.refused(["compile"], "MODEL", "--config", "--output", "compile.option")

    def test_files_that_are_no_model(self):
        self.compile("gone.onnx", "gone.onnx: cannot be opened: No such file", "onnx.open")
        self.compile(DIGITS, "is a folder, expected a file", "onnx.open")
        self.compile(self.file("text.onnx", "# notes\n"), "text.onnx: not an ONNX model")
        self.compile(self.file("empty.onnx", ""), "empty.onnx: ", "onnx.empty")

    def test_a_truncated_model(self):
        with open(MODEL, "rb") as f:
            whole = f.read()
        for size in (1, 100, len(whole) // 2, len(whole) - 60):
            path = self.file("cut.onnx", whole[:size])
            self.compile(path, "cut.onnx: not an ONNX model, or truncated", f"({size} bytes read)")

    def test_an_unsupported_operator_is_named_with_its_node(self):
        self.onnx("STFT", "node 'wave'", "'STFT'", "onnx.operator", name="wave")

    def test_every_unsupported_operator_is_named(self):
        nodes = [onnx.node("STFT", ["x"], ["a"], "n1"), onnx.node("LSTM", ["a"], ["y"], "n2")]
        infos = [onnx.value_info("x", (1, 3, 8, 8))], [onnx.value_info("y", [])]
        path = self.file("two.onnx", onnx.model(nodes, *infos))
        self.compile(path, "node 'n1'", "'STFT'", "node 'n2'", "'LSTM'")

    def test_shapes_that_do_not_fit(self):
        weights = onnx.tensor("w", (4, 5, 3, 3), [0.5] * 180)
        self.onnx(
            "Conv", "node 'c'", "weights 4x5x3x3, expected 4x3x3x3", inputs=("x", "w"), initializers=[weights], name="c"
        )
        self.onnx("Relu", "dimension 2 ('height') is dynamic", "onnx.dynamic_shape", dims=(1, 3, "height", 8))
        self.onnx("Relu", "batch 2 is not supported", "onnx.batch", dims=(2, 3, 8, 8))
        self.onnx("MaxPool", "9x9", "8x8", "larger than the padded input", kernel_shape=[9, 9])

    def test_configurations_that_are_none(self):
        self.compile(MODEL, "no configuration 'nv_tiny'; there are nv_small", "hw_config.name", config="nv_tiny")
        broken = self.file("broken.yaml", "name: x\nhw: [1,\n")
        self.compile(MODEL, "broken.yaml:", "hw_config.syntax", config=broken)

    def test_a_network_too_large_for_the_buffer_names_the_layer(self):
        weights = onnx.tensor("w", (8, 3, 5, 5), [0.5] * (8 * 3 * 25))
        net = onnx.one_node("Conv", (1, 3, 8, 8000), ("x", "w"), [weights], "wide")
        path = self.file("wide.onnx", net)
        self.compile(path, "layer 'wide'", "131072 bytes in 32 banks", "schedule.cbuf")

    def test_samples_that_do_not_fit(self):
        more = lambda path: ("--calibrate", path)
        self.compile(MODEL, "nowhere: does not exist", "calibrate.path", more=more("nowhere"))
        self.compile(MODEL, "shape 400, the network takes 1x1x8x8", more=more(f"{DIGITS}/test_labels.npy"))
        with open(CALIBRATION, "rb") as f:
            cut = self.file("cut.npy", f.read()[:1000])
        self.compile(MODEL, "cut.npy: ", "bytes of data, ", "npy.format", more=more(cut))
        picture = self.file("small.pgm", b"P5 3 3 255\n123456789")
        self.compile(MODEL, "image 3x3", "the network takes 8x8", "calibrate.shape", more=more(picture))
        empty = os.path.join(self.folder, "none")
        os.mkdir(empty)
        self.compile(MODEL, "the folder has no", more=more(empty))

    def test_options_out_of_range(self):
        for words, texts in (
            (["--percentile", "0"], ["--percentile", "'0', expected a number above 0"]),
            (["--percentile", "fifty"], ["'fifty'"]),
            (["--input-mode", "video"], ["'video', expected auto, image or feature"]),
            (["--reference-input", "x.npy"], ["--reference-output"]),
        ):
            self.compile(MODEL, *texts, "compile.option", more=words)
        self.compile(MODEL, "names.txt: cannot be opened", "compile.labels", more=["--labels", "names.txt"])

    def test_an_output_that_cannot_be_written(self):
        self.compile(MODEL, "there is no folder 'gone'", "compile.write", output="gone/out.nvdla")
        self.compile(MODEL, "is a folder, expected a file", "compile.write", output=self.folder)

    def test_a_failed_compilation_keeps_the_old_file(self):
        path = self.file("out.nvdla", "old")
        self.compile("gone.onnx", "gone.onnx", output=path)
        with open(path) as f:
            self.assertEqual(f.read(), "old")


class Run(Case):
    def run_refused(self, loadable, *texts, config="nv_small", given=(PICTURE,), more=(), **environment):
        words = ["run", loadable, "--config", config, *more]
        self.refused(words + (["--input", *given] if given else []), *texts, **environment)

    def test_json_parses(self):
        done = self.dlavp("run", self.compiled(), "--config", "nv_small", "--input", PICTURE, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        json.loads(done.stdout)

    def test_loadables_that_are_none(self):
        self.run_refused("gone.nvdla", "gone.nvdla: ", "run.file")
        self.run_refused(self.file("text.nvdla", "# notes, no loadable\n"), "text.nvdla: ", "loadable.")

    def test_bytes_that_are_no_text_are_shown_as_numbers(self):
        self.run_refused("a\x01b.nvdla", r"a\x01b.nvdla: ", "run.file")
        name = os.fsdecode(b"a\xffb\xc3\xbc.nvdla")
        self.run_refused(name, r"a\xffbü.nvdla: ", "run.file")

    def test_a_truncated_loadable(self):
        with open(self.compiled(), "rb") as f:
            whole = f.read()
        for size in (0, 7, 1000, len(whole) // 2):
            self.run_refused(self.file("cut.nvdla", whole[:size]), "cut.nvdla: ", "loadable.")

    def test_damaged_loadables_never_crash(self):
        with open(self.compiled(), "rb") as f:
            whole = f.read()
        for at in range(4, len(whole), len(whole) // 12):
            damaged = bytearray(whole)
            damaged[at] ^= 0xFF
            path = self.file("damaged.nvdla", bytes(damaged))
            done = self.dlavp("run", path, "--config", "nv_small", "--input", PICTURE)
            self.assertIn(done.returncode, (0, 1, 2), f"byte {at}: {done.stderr}")
            if done.returncode != 0:
                self.assertRegex(done.stderr, r"\[[a-z_]+\.[a-z_]+\]")

    def test_another_configuration_than_the_loadables(self):
        texts = ("compiled for nv_small", "nv_large", "run.config")
        self.run_refused(self.compiled(), *texts, config="nv_large")

    def test_inputs_that_do_not_fit(self):
        loadable = self.compiled()
        small = self.file("small.pgm", b"P5 3 4 255\n123456789012")
        self.run_refused(loadable, "small.pgm: 3 x 4", "8 x 8", "run.input", given=[small])
        self.run_refused(loadable, "gone.png", given=["gone.png"])
        self.run_refused(loadable, "0 input files", "takes 1", "run.inputs", given=())
        self.run_refused(loadable, "README.md: ", given=[f"{DIGITS}/README.md"])

    def test_options_out_of_range(self):
        loadable = self.compiled()
        more = ["--mem-latency", "0"]
        self.run_refused(loadable, "--mem-latency: is 0, expected 1 to 100000", "cli.range", more=more)
        self.run_refused(loadable, "no platform 'gone'", more=["--platform", "gone"])

    def test_an_output_that_cannot_be_written_is_noticed_before_the_run(self):
        loadable = self.compiled()
        gone = ["--output", "gone/out.npy"]
        self.run_refused(loadable, "gone/out.npy: there is no folder 'gone'", "run.output", more=gone)
        os.mkdir(os.path.join(self.folder, "out.npy"))
        self.run_refused(loadable, "out.npy: is a folder", "run.output", more=["--output", "out.npy"])

    def test_costs_that_contradict_each_other(self):
        configs = os.path.join(self.folder, "configs")
        shutil.copytree(os.path.join(ROOT, "configs"), configs)
        path = os.path.join(configs, "iss", "rv64gc.yaml")
        with open(path) as f:
            text = f.read()
        text, count = re.subn(r"(branch_not_taken: *\{value: *)\d+", r"\g<1>99", text)
        self.assertEqual(count, 1)
        self.file("configs/iss/rv64gc.yaml", text)
        self.run_refused(self.compiled(), "branch_not_taken 99", "iss.cost_branch", DLAVP_CONFIG_DIR=configs)


PDP = """reg_write(NVDLA_PDP.D_OPERATION_MODE_CFG_0, 0x11);
reg_write(NVDLA_PDP.D_DST_RAM_CFG_0, 0x1);
reg_write(NVDLA_PDP_RDMA.D_SRC_RAM_CFG_0, 0x1);
reg_write(NVDLA_PDP_RDMA.D_FLYING_MODE_0, 0x1);
reg_write(NVDLA_PDP.D_DATA_CUBE_IN_WIDTH_0, 0x7);
reg_write(NVDLA_PDP_RDMA.D_DATA_CUBE_IN_WIDTH_0, 0x7);
reg_write(NVDLA_PDP.D_DATA_CUBE_OUT_WIDTH_0, 0x{out_width:x});
reg_write(NVDLA_PDP.D_DST_LINE_STRIDE_0, 0x40);
reg_write(NVDLA_PDP_RDMA.D_SRC_LINE_STRIDE_0, 0x40);
reg_write(NVDLA_PDP.D_DST_SURFACE_STRIDE_0, 0x40);
reg_write(NVDLA_PDP_RDMA.D_SRC_SURFACE_STRIDE_0, 0x40);
reg_write(NVDLA_PDP.D_DST_BASE_ADDR_LOW_0, 0x80100000);
reg_write(NVDLA_PDP_RDMA.D_SRC_BASE_ADDR_LOW_0, 0x80000000);
reg_write(NVDLA_PDP_RDMA.D_OP_ENABLE_0, 0x1);
reg_write(NVDLA_PDP.D_OP_ENABLE_0, 0x1);
intr_notify(PDP_0, done);
check_crc(done, pri_mem, 0x80100000, 0x40, 0x{crc:x});
"""
# The same in the other group, to another place.
PDP_START = PDP[: PDP.index("intr_notify")]
PDP_SECOND = """reg_write(NVDLA_PDP.S_POINTER_0, 0x1);
reg_write(NVDLA_PDP_RDMA.S_POINTER_0, 0x1);
""" + PDP_START.replace("0x80100000", "0x80200000").replace("0x80000000", "0x{source:x}")
MEMORY = 'mem_load(pri_mem, 0x80000000, "in.dat");\n'
DATA = "{offset:0, size:4, payload:0x01 0x02 0x03 0x04}\n"
NO_SUM = 0x758D6336  # CRC-32 of 64 zero bytes


class Trace(Case):
    def trace(self, text, data=None):
        self.file("nv_small/t/t.cfg", text)
        if data is not None:
            self.file("nv_small/t/in.dat", data)
        return ["trace", "nv_small/t"]

    def trace_refused(self, text, *texts, data=None):
        words = self.trace(text, data)
        before = self.files()
        done = self.dlavp(*words)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        for part in texts:
            self.assertIn(part, done.stderr)
        self.assertEqual(self.files(), before)

    def test_json_parses_and_a_legal_program_passes(self):
        done = self.dlavp(*self.trace(PDP.format(out_width=7, crc=NO_SUM)), "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        results = json.loads(done.stdout)
        self.assertEqual(results["summary"]["passed"], 1)
        self.assertGreater(results["results"][0]["cycles"], 64)

    def queued(self, source, *options):
        """Two poolings queued, the second one's input at `source`."""
        text = PDP_START.format(out_width=7) + PDP_SECOND.format(out_width=7, source=source)
        text += "intr_notify(PDP_0, one);\nintr_notify(PDP_1, two);\n"
        return self.dlavp(*self.trace(text), *options)

    def test_hazards_end_with_1_where_they_are_asked_for(self):
        output_of_the_first = 0x80100000
        done = self.queued(output_of_the_first, "--check-hazards")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("hazard.read_after_write", done.stdout)
        self.assertIn("PDP group 1", done.stdout)
        self.assertEqual(self.queued(output_of_the_first).returncode, 0)

    def test_timing_modes_and_traces_together(self):
        words = self.trace(PDP.format(out_width=7, crc=NO_SUM))
        cycles = {}
        for mode in ("cycle", "fast", "none"):
            done = self.dlavp(*words, "--timing", mode, "--json")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            cycles[mode] = json.loads(done.stdout)["results"][0]["cycles"]
        self.assertIsNone(cycles["none"])
        self.assertLess(abs(cycles["fast"] - cycles["cycle"]), cycles["cycle"] / 2)
        done = self.dlavp(*words, words[1], "--together", "--memory", "bandwidth:32:2", "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        both = json.loads(done.stdout)
        self.assertEqual(both["memory"], "latency 32, 2 bytes a cycle")
        self.assertEqual(len(both["results"]), 2)
        self.assertGreater(max(r["cycles"] for r in both["results"]), both["results"][0]["cycles_alone"])
        self.assertIn("served first", self.dlavp(*words, words[1], "--together").stdout)
        self.refused([*words, "--timing", "slow"], "expected cycle, fast or none", "trace.timing")
        self.refused([*words, "--together", "--mem-latency", "1", "--mem-latency", "2"], "trace.together")

    def test_operations_apart_are_no_hazard(self):
        done = self.queued(0x80000000, "--check-hazards")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_bad_configuration_is_named_once(self):
        words = self.trace(PDP.format(out_width=7, crc=NO_SUM))
        shutil.copytree(f"{self.folder}/nv_small/t", f"{self.folder}/nv_small/u")
        done = self.dlavp(words[0], "nv_small", "--config", "nv_tiny")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(done.stderr.count("hw_config.name"), 1, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_a_unit_that_the_configuration_lacks_is_named(self):
        text = "reg_write(NVDLA_BDMA.CFG_LINE_0, 0x1);\n"
        self.trace_refused(text, "BDMA is not in nv_small", "nvdla.absent_unit")

    def test_a_wrong_sum_ends_with_1_and_names_both(self):
        done = self.dlavp(*self.trace(PDP.format(out_width=7, crc=0x1234)))
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stdout, f"(?i){NO_SUM:x}")
        self.assertIn("1234", done.stdout)

    def test_an_illegal_register_program_names_the_registers_and_both_values(self):
        text = PDP.format(out_width=6, crc=NO_SUM)
        self.trace_refused(text, "PDP group 0: CUBE_OUT_WIDTH 7, expected 8", "in 8", "pdp.out_width")

    def test_broken_commands_are_named_with_file_and_line(self):
        bad = (
            ("reg_write(NVDLA_PDP.D_COLOUR_0, 0x0);", "'NVDLA_PDP.D_COLOUR_0' is not a register", "trace.register"),
            ("reg_write(NVDLA_PDP.D_CYA_0);", "1 arguments, expected 2", "trace.arguments"),
            ("reg_write(NVDLA_PDP.D_CYA_0, red);", "'red', expected a number", "trace.number"),
            ("paint(1);", "'paint' is not a known command", "trace.command"),
            ("reg_write NVDLA", "is not a call", "trace.syntax"),
            ('mem_load(sec_mem, 0, "in.dat");', "nv_small has no secondary memory", "trace.memory"),
            ('mem_load(pri_mem, 0, "gone.dat");', "there is no data file 'gone.dat'", "trace.file"),
            ("intr_notify(NPU_0, done);", "'NPU_0' is not an interrupt", "trace.interrupt"),
            ("check_nothing(done);", "'done' is awaited", "trace.sync"),
        )
        for command, *texts in bad:
            self.trace_refused(f"reg_write(NVDLA_PDP.D_CYA_0, 0x0);\n{command}\n", "t.cfg:2", *texts)

    def test_files_without_commands_or_with_broken_data(self):
        self.trace_refused("// nothing\n", "t.cfg: there is no command in it", "trace.empty")
        body = PDP.format(out_width=7, crc=NO_SUM)
        for data, *texts in (
            ("{offset:0, size:4, payload:0x01}\n", "payload has 1 bytes, size says 4"),
            ("{offset:0, size:four, payload:0x01}\n", "is not {offset:N, size:N, payload:"),
        ):
            self.trace_refused(MEMORY + body, "in.dat:1: ", *texts, "trace.packet", data=data)
        check = 'check_file(done, pri_mem, 0x80100000, 0x8, "in.dat");\n'
        text = "intr_notify(PDP_0, done);\n" + check
        self.trace_refused(text, "in.dat:1: ", "trace.packet", data="{offset:0}\n")

    def test_a_truncated_trace_is_refused(self):
        whole = MEMORY + PDP.format(out_width=7, crc=NO_SUM)
        self.trace_refused(whole[: whole.rindex("pri_mem")], "t.cfg:18", "trace.", data=DATA)

    def test_folders_and_tables_that_are_none(self):
        self.refused(["trace"], "no folder is given", "cli.missing")
        self.refused(["trace", "gone"], "gone: is not a folder", "trace.dir")
        self.refused(["trace", self.folder], "there is no trace in it", "trace.dir")
        words = self.trace(PDP.format(out_width=7, crc=NO_SUM))
        self.refused([*words, "--rtl-cycles", "gone.csv"], "gone.csv", "rtl_cycles.file")
        self.refused([*words, "--mem-latency", "0"], "is 0, expected 1 to 100000", "cli.range")
        self.refused([*words, "--jobs", "0"], "--jobs: is 0, expected 1 to 1024", "cli.range")
        done = self.dlavp(*words, "--config", "nv_tiny")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no configuration 'nv_tiny'; there are nv_small", done.stderr)

    def test_memory_dumps_that_are_short_or_no_bytes(self):
        self.file("nv_small/t/input.txn", "load_mem 0x80000000 0x4 in.dat\n")
        for dump, *texts in (
            ("0x01 0x02\n", "in.dat: has 2 bytes, expected 4", "trace.dump"),
            ("0x01 red\n", "in.dat:1: ", "trace.dump"),
            (None, "in.dat: cannot be read", "trace.file"),
        ):
            if dump is None:
                os.remove(os.path.join(self.folder, "nv_small/t/in.dat"))
            else:
                self.file("nv_small/t/in.dat", dump)
            done = self.dlavp("trace", "nv_small/t")
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            for part in texts:
                self.assertIn(part, done.stderr)


class Inspect(Case):
    def test_json_parses(self):
        done = self.dlavp("inspect", os.path.join(ROOT, "tests", "data", "small.nvdla"), "--json")
        self.assertEqual(json.loads(done.stdout)["version"], "0.7.0")

    def test_files_that_are_no_loadable(self):
        self.refused(["inspect", "gone.nvdla"], "gone.nvdla: ", "inspect.file")
        self.refused(["inspect", self.file("text.nvdla", "# notes\n")], "text.nvdla: ", "loadable.")


class Configs(Case):
    def test_json_parses_and_lists_the_published(self):
        names = [c["name"] for c in json.loads(self.dlavp("configs", "--json").stdout)["configs"]]
        self.assertEqual(len(names), 7)
        self.assertIn("nv_small", names)

    def test_every_error_of_a_file_has_its_place_and_both_values(self):
        with open(os.path.join(ROOT, "configs", "hardware", "nv_small.yaml")) as f:
            text = f.read()
        text = text.replace("mac_atomic_c_size: 8", "mac_atomic_c_size: 12")
        path = self.file("own.yaml", text.replace("pdp: true", "pdp: perhaps"))
        texts = ("own.yaml:12:20: mac_atomic_c_size is 12, expected a power of two", "pdp is 'perhaps'")
        self.refused(["configs", path], *texts, "hw_config.power_of_two")

    def test_broken_yaml_and_missing_files(self):
        self.refused(["configs", self.file("b.yaml", "a: [1,\n")], "b.yaml:", "hw_config.syntax")
        self.refused(["configs", "gone.yaml"], "gone.yaml", "hw_config.file")
        self.refused(["configs", "nv_tiny"], "no configuration 'nv_tiny'", "hw_config.name")

    def test_a_folder_without_configurations(self):
        words = {"DLAVP_CONFIG_DIR": self.folder}
        self.refused(["configs"], "there are no configurations here", "configs.none", **words)


if __name__ == "__main__":
    unittest.main()
