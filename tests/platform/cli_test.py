#!/usr/bin/env python3
"""dlavp run from the outside: results, JSON, and the exit code and message of each kind of bad input."""
import json
import pathlib
import subprocess
import sys
import tempfile


def run(app, *args):
    result = subprocess.run([app, "run", *map(str, args)], capture_output=True, text=True, timeout=100)
    return result.returncode, result.stdout, result.stderr


def expect(condition, what):
    if not condition:
        sys.exit(f"failed: {what}")


def refuse(app, message, *args):
    code, out, err = run(app, *args)
    expect(code == 2, f"{args}: exit {code}, expected 2; {err}")
    expect(message in err and not out, f"{args}: {err!r} does not say {message!r}, or there is output")


def main():
    app, data = sys.argv[1], pathlib.Path(sys.argv[2])
    if not data.exists():
        print("skipped: no data")
        return
    digits = data / "kmd_loadables/images/digits"
    model = data / "peer_loadables/lenet_nv_small_int8.nvdla"
    seven, two = digits / "seven.pgm", digits / "two.pgm"
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        output = scratch / "out.npy"
        code, out, err = run(app, model, "--input", seven, two, seven, "--json", "--output", output)
        expect(code == 0, f"exit {code}: {err}")
        runs = json.loads(out)["runs"]
        expect(len(runs) == 3, f"{len(runs)} runs")
        values = [r["outputs"][0]["values"] for r in runs]
        expect(values[0] == values[2] and values[0] != values[1], "runs depend on what ran before")
        expect(len(runs[0]["operations"]) == 11 and runs[0]["cycles"]["accelerator"] > 100000, "operations or cycles")
        expect(all(o["cycles"] > 0 for o in runs[0]["operations"]), "an operation without cycles")
        expect((scratch / "out_0.npy").stat().st_size > 10, "no output file")
        code, out, _ = run(app, model, "--input", seven)
        expect(code == 0 and "assumptions: nv_small" in out and "CONV" in out, "text output")

        check_modes(app, model, seven, values[0], runs[0]["cycles"])
        refuse(app, "cannot open this file [run.file]", scratch / "none.nvdla", "--input", seven)
        refuse(app, "cannot open this file [run.input]", model, "--input", scratch / "none.png")
        refuse(app, "[run.inputs]", model)
        small = scratch / "small.pgm"
        small.write_bytes(b"P5\n2 3\n255\n" + bytes(6))
        refuse(app, "2 x 3 pixels, input data has 28 x 28", model, "--input", small)
        cut = scratch / "cut.nvdla"
        cut.write_bytes(model.read_bytes()[:100000])
        refuse(app, "[loadable.", cut, "--input", seven)
        refuse(app, "has atoms of 8 bytes, nv_large has 32", model, "--config", "nv_large", "--input", seven)
        refuse(app, "no RUBIK [loadable.unsupported]", data / "peer_loadables/u_deconv2x2s2_nv_small_int8.nvdla",
               "--input", zeros(scratch, app, data / "peer_loadables/u_deconv2x2s2_nv_small_int8.nvdla"))
        refuse(app, "nope", model, "--input", seven, "--platform", "nope")
        refuse(app, "[run.timing]", model, "--input", seven, "--timing", "sometimes")
    print("ok")


def check_modes(app, model, image, values, cycles):
    """Every timing mode gives the same values, and without function the same cycles but nothing else."""
    def first(*options):
        code, out, err = run(app, model, "--json", *options)
        expect(code == 0, f"{options}: exit {code}: {err}")
        return json.loads(out)["runs"][0]

    for mode in ("fast", "none"):
        expect(first("--input", image, "--timing", mode)["outputs"][0]["values"] == values, f"values of timing {mode}")
    expect(first("--input", image, "--timing", "none")["cycles"] is None, "cycles without timing")
    fast = first("--input", image, "--timing", "fast")["cycles"]["accelerator"]
    expect(0.9 < fast / cycles["accelerator"] < 1.1, f"fast {fast} cycles, cycle timing {cycles['accelerator']}")
    blind = first("--no-function")
    expect(blind["outputs"] == [] and blind["operations"], "outputs without function, or no operations")
    refuse(app, "[run.function]", model, "--no-function", "--input", image)
    refuse(app, "[run.function]", model, "--no-function", "--output", "out.npy")
    refuse(app, "[run.timing]", model, "--input", image, "--timing", "none", "--timeline", "t.json")
    code, out, _ = run(app, model, "--no-function", "--timing", "fast")
    expect(code == 0 and "function off" in out and "timing fast" in out, "text of fast timing without function")


def zeros(scratch, app, model):
    """A raw file of the size that the network's input has, read from the refusal of a wrong one."""
    raw = scratch / "zeros.raw"
    raw.write_bytes(b"x")
    _, _, err = run(app, model, "--input", raw)
    raw.write_bytes(bytes(int(err.split(" has ")[1].split()[0])))
    return raw


if __name__ == "__main__":
    main()
