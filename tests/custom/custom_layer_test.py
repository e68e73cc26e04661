#!/usr/bin/env python3
"""Custom layers from outside: the example on several configurations, a layer of ONNX with every kind
of attribute, and what is said when something is wrong.

    DLAVP=path/to/dlavp custom_layer_test.py [CLASS]
"""
import json
import os
import sys
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "cli"))
import cli_test  # noqa: E402
import onnx_writer as onnx  # noqa: E402

EXAMPLE = os.path.join(ROOT, "examples", "custom_layer")
NETWORK = os.path.join(EXAMPLE, "network.prototxt")

# y = x * x * gain + sum of the taps, or its negative: one attribute of each type.
LAYER = """name: Polynomial
source: polynomial.c
onnx: {domain: mine}
inputs: {least: 1, most: 2}
shape: {channels: c0, height: "h0 - min(trim, 1)", width: "max(w0, 1)"}
attributes:
  - {name: trim, default: 0}
  - {name: gain, type: real, default: 0.5}
  - {name: taps, type: integers, default: [1, 2]}
  - {name: weights, type: reals, default: [0.25]}
  - {name: sign, type: choice, choices: [plus, minus], default: plus}
"""
SOURCE = """#include "core_layer.h"
#include "own.h"
static bool check(const CoreCall* call) {
  if (call->params[0] <= 1) return true;
  return core_fail(call, "trim %d, expected 0 or 1", (int)call->params[0]);
}
static void run(const CoreCall* call) {
  const CoreTensor *x = &call->inputs[0], *y = &call->outputs[0];
  double sum = OWN;
  const int32_t* p = call->params + 1;
  for (int32_t i = 0; i < p[0]; ++i) sum += p[1 + i];
  p += 1 + p[0];
  for (int32_t i = 0; i < p[0]; ++i) sum += call->reals[1 + i];
  const double sign = p[1] == 1 ? -1 : 1;
  for (uint32_t c = 0; c < y->size[0]; ++c)
    for (uint32_t h = 0; h < y->size[1]; ++h)
      for (uint32_t w = 0; w < y->size[2]; ++w) {
        const double v = core_real(x, c, h, w);
        core_store(y, c, h, w, sign * (v * v * call->reals[0] + sum));
      }
}
DLAVP_CORE_LAYER(polynomial, "Polynomial", check, run);
"""


class Case(cli_test.Case):
    def dlavp(self, *words, **environment):
        environment.setdefault("DLAVP_CACHE_DIR", os.path.join(self.folder, "cache"))
        return super().dlavp(*words, **environment)

    def polynomial(self, layer=LAYER, source=SOURCE):
        self.file("layers/own.h", "#define OWN 0.125\n")
        self.file("layers/polynomial.c", source)
        return self.file("layers/polynomial.yaml", layer)

    def model(self, *attributes):
        """x -> Polynomial -> y, with attribute messages."""
        node = onnx.node("Polynomial", ["x"], ["y"], "poly") + onnx.field(7, "mine")
        node += b"".join(onnx.field(5, a) for a in attributes)
        return self.file(
            "model.onnx",
            onnx.model([node], [onnx.value_info("x", [1, 5, 4, 3])], [onnx.value_info("y", [])]),
        )

    def compile(self, model, *words, config="nv_small", **environment):
        return self.dlavp(
            "compile", model, "--config", config, "-o", "out.nvdla", *words, **environment
        )

    def refused(self, done, *texts):
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "out.nvdla")))


class Example(Case):
    def test_the_example_gives_the_interpreters_bytes_and_is_accurate(self):
        for config in ("nv_small", "nv_medium_1024_full", "nv_large"):
            done = self.compile(
                NETWORK, "--weights-seed", "1", "--custom", EXAMPLE, "--check", "--json", config=config
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            summary = json.loads(done.stdout)
            self.assertTrue(summary["check"]["equal"])
            self.assertEqual(summary["check"]["values"], 10)
            self.assertGreater(summary["check"]["outputs"][0]["sqnr_db"], 20)
            core = {(c["layer"], c["kernel"]) for c in summary["core_layers"]}
            self.assertLessEqual({("norm", "L2Normalize"), ("reorg", "Reorg")}, core)

    def test_run_takes_the_layers_and_says_what_is_missing_without_them(self):
        done = self.compile(NETWORK, "--weights-seed", "1", "--custom", EXAMPLE)
        self.assertEqual(done.returncode, 0, done.stderr)
        picture = self.file("x.raw", bytes(range(256)) * 4)
        one = os.path.join(EXAMPLE, "reorg.yaml")
        for words, known in (([], "none"), (["--custom", one], "Reorg")):
            done = self.dlavp("run", "out.nvdla", "--input", picture, *words)
            self.assertEqual(done.returncode, 2)
            self.assertIn("'L2Normalize' is not in this firmware, which has: " + known, done.stderr)
            self.assertIn("[loadable.unsupported]", done.stderr)
        done = self.dlavp("run", "out.nvdla", "--input", picture, "--custom", EXAMPLE)
        self.assertEqual(done.returncode, 0, done.stderr)


class Attributes(Case):
    def compiled(self, *attributes):
        done = self.compile(self.model(*attributes), "--custom", "layers", "--check", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        check = json.loads(done.stdout)["check"]
        self.assertTrue(check["equal"])
        self.assertGreater(check["outputs"][0]["sqnr_db"], 20)
        return check

    def number(self, name, value):
        return onnx.field(1, name) + onnx.field(3, value) + onnx.field(20, 2)

    def test_defaults_and_given_attributes_reach_the_function_in_order(self):
        self.polynomial()
        low = min(self.compiled()["outputs"][0]["float"])
        self.assertAlmostEqual(low, 0.125 + 1 + 2 + 0.25, delta=0.05)  # x near 0
        minus = onnx.field(1, "sign") + onnx.field(4, "minus") + onnx.field(20, 3)
        taps = onnx.field(1, "taps") + onnx.field(8, 3) + onnx.field(20, 7)
        check = self.compiled(minus, taps, self.number("trim", 1))
        self.assertEqual(check["values"], 5 * 3 * 3)
        self.assertAlmostEqual(max(check["outputs"][0]["float"]), -(0.125 + 3 + 0.25), delta=0.05)

    def test_a_changed_header_is_built_anew(self):
        self.polynomial()
        before = min(self.compiled()["outputs"][0]["float"])
        self.file("layers/own.h", "#define OWN 5.125\n")
        self.assertAlmostEqual(min(self.compiled()["outputs"][0]["float"]), before + 5, delta=1e-3)

    def test_wrong_attributes_name_node_and_attribute(self):
        self.polynomial()
        for attribute, text in (
            (self.number("gian", 1), "gian is not declared"),
            (self.number("sign", 1), "sign '', expected one of plus, minus"),
            (self.number("trim", 2), "trim 2, expected 0 or 1 [custom.check]"),
        ):
            done = self.compile(self.model(attribute), "--custom", "layers")
            self.refused(done, "node 'poly'", text)

    def test_an_operator_of_another_domain_is_not_taken(self):
        self.polynomial(LAYER.replace("mine", "other"))
        self.refused(self.compile(self.model(), "--custom", "layers"), "mine.Polynomial", "--custom")


class Wrong(Case):
    def test_source_that_does_not_compile_shows_the_compilers_message(self):
        self.polynomial(source=SOURCE.replace("double sum", "double total"))
        done = self.compile(self.model(), "--custom", "layers")
        self.refused(done, "[custom.source]", "polynomial.c:", "undeclared")

    def test_absent_compilers_are_named(self):
        self.polynomial()
        done = self.compile(self.model(), "--custom", "layers", DLAVP_CC="no-such-cc")
        self.refused(done, "no-such-cc", "[custom.compiler]", "DLAVP_CC")
        done = self.compile(self.model(), "--custom", "layers")
        self.assertEqual(done.returncode, 0, done.stderr)
        x = self.file("x.raw", bytes(60))
        done = self.dlavp(
            "run", "out.nvdla", "--input", x, "--custom", "layers", DLAVP_RISCV_GCC="no-such-gcc"
        )
        self.assertEqual(done.returncode, 2)
        self.assertIn("no-such-gcc", done.stderr)
        self.assertIn("DLAVP_RISCV_GCC", done.stderr)

    def test_another_registered_name_is_shown(self):
        self.polynomial(source=SOURCE.replace('"Polynomial"', '"Other"'))
        done = self.compile(self.model(), "--custom", "layers")
        self.refused(done, "registers Other", "[custom.name]")

    def test_errors_of_the_yaml_file_have_their_place(self):
        for change, texts in (
            (("source: polynomial.c", "source: gone.c"), ["gone.c", "[custom.file]"]),
            (("name: Polynomial", "name: " + "P" * 32), ["31 characters", "[custom.name]"]),
            (("name: Polynomial", 'name: ""'), ["is empty", "[custom.name]"]),
            (("name: trim", "name: gain"), ["'gain' is declared twice", "[custom.name]"]),
            (("shape: ", "form: "), ["shape", "[custom.missing]", "[custom.unknown_key]"]),
            (("h0 - min", "h9 - min"), ["unknown name 'h9'", "[custom.expression]"]),
            (("max(w0, 1)", "max(w0, "), ["ends early", "[custom.expression]"]),
            (("type: real,", "type: complex,"), ["complex", "[custom.type]"]),
            (("default: plus", "default: both"), ["plus, minus", "[custom.range]"]),
            (("least: 1", "least: 3"), ["3 to 2", "[custom.range]"]),
        ):
            self.polynomial(LAYER.replace(*change))
            done = self.compile(self.model(), "--custom", "layers")
            self.refused(done, "polynomial.yaml:", *texts)

    def test_folders_without_layers_and_names_given_twice_are_refused(self):
        self.polynomial()
        os.makedirs(os.path.join(self.folder, "empty"))
        self.refused(self.compile(self.model(), "--custom", "empty"), "empty", "[custom.file]")
        done = self.compile(self.model(), "--custom", "layers", "--custom", "layers")
        self.refused(done, "'Polynomial'", "[custom.name]")

    def test_a_shape_that_is_no_size_names_the_rule(self):
        self.polynomial(LAYER.replace("h0 - min(trim, 1)", "h0 - 4"))
        self.refused(
            self.compile(self.model(), "--custom", "layers"), "'h0 - 4' is 0", "[custom.value]"
        )

    def test_another_number_of_inputs_is_refused(self):
        self.polynomial(LAYER.replace("least: 1", "least: 2"))
        done = self.compile(self.model(), "--custom", "layers")
        self.refused(done, "has 1 inputs, expected 2 to 2", "[custom.inputs]")

    def test_a_cache_that_cannot_be_written_is_named(self):
        self.polynomial()
        self.file("cache", "a file")
        self.refused(self.compile(self.model(), "--custom", "layers"), "[custom.cache]")


if __name__ == "__main__":
    unittest.main()
