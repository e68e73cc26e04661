#!/usr/bin/env python3
"""Generates register code and documentation from the units' *.regs.yaml.

Outputs, all headed with their origin, into --out:
  registers.hpp    C++ constants: dlavp::regs::<unit>::<REGISTER>, ..._<FIELD>, enum values
  registers.cpp    the table of all units (for RegBlock and the table-driven test)
  nvdla_regs.h     the firmware's C header (one base per hardware generation)
With --page, the documentation page instead, in order of addresses:
  tools/gen_regs.py --page docs/units/registers.md models/*/*.regs.yaml
"""
import argparse
import pathlib
import sys

import yaml


class RegsError(Exception):
    pass


def load(path):
    unit = yaml.safe_load(path.read_text())
    unit["path"] = path.name
    seen = {}
    for name, reg in unit["registers"].items():
        place = f"{path}: {name}"
        if reg["offset"] % 4 or reg["offset"] in seen:
            raise RegsError(f"{place}: offset {reg['offset']:#x} unaligned or used by {seen.get(reg['offset'])}")
        seen[reg["offset"]] = name
        if reg["group"] not in ("single", "ping_pong"):
            raise RegsError(f"{place}: group {reg['group']}, expected single or ping_pong")
        used = reset = 0
        for field, spec in reg["fields"].items():
            msb, lsb = spec[0], spec[1]
            mask = ((1 << (msb - lsb + 1)) - 1) << lsb
            if not 31 >= msb >= lsb >= 0 or used & mask:
                raise RegsError(f"{place}.{field}: bits [{msb}:{lsb}] illegal or overlapping")
            used |= mask
            reset |= spec[2] << lsb
        if reset != reg["reset"]:
            raise RegsError(f"{place}: fields reset to {reset:#x}, register to {reg['reset']:#x}")
    return unit


def enums(spec):
    return spec[3] if len(spec) > 3 else {}


def write_hpp(units, head):
    out = [f"// {head}", "#pragma once", "", '#include "models/regs/reg_table.hpp"', "", "namespace dlavp::regs {", ""]
    for unit in units:
        ns = unit["unit"].lower()
        out.append(f"namespace {ns} {{")
        for name, reg in unit["registers"].items():
            banked = "true" if reg["group"] == "ping_pong" else "false"
            out.append(f"inline constexpr uint32_t {name} = {reg['offset']:#x};")
            for field, spec in reg["fields"].items():
                out.append(f"inline constexpr Field {name}_{field}{{{reg['offset']:#x}, {spec[1]}, {spec[0] - spec[1] + 1}, {banked}}};")
                for enum, value in enums(spec).items():
                    out.append(f"inline constexpr uint32_t {name}_{field}_{enum} = {value};")
        out += [f"}}  // namespace {ns}", f"extern const UnitTable k{camel(unit['unit'])};", ""]
    out += ["/// Every unit, in file order.", "const std::vector<const UnitTable*>& all_units();", "", "}  // namespace dlavp::regs", ""]
    return "\n".join(out)


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


ACCESS = {"w1c": "Access::kWriteOneToClear", "w1s": "Access::kWriteOneToSet"}


def write_cpp(units, head):
    out = [f"// {head}", '#include "registers.hpp"', "", "namespace dlavp::regs {", ""]
    for unit in units:
        bases = unit["base"]
        out.append(f"const UnitTable k{camel(unit['unit'])}{{\"{unit['unit']}\", {bases.get('hw1', -1)}, {bases.get('hw2', -1)}, {{")
        for name, reg in unit["registers"].items():
            banked = "true" if reg["group"] == "ping_pong" else "false"
            access = ACCESS.get(reg.get("access"), "Access::kPlain")
            fields = ", ".join(f'{{"{f}", {s[1]}, {s[0] - s[1] + 1}}}' for f, s in reg["fields"].items())
            out.append(f"    {{\"{name}\", {reg['offset']:#x}, {reg['reset']:#x}u, {reg['read_mask']:#x}u, {reg['write_mask']:#x}u, {banked}, {access}, {{{fields}}}}},")
        out += ["}};", ""]
    refs = ", ".join(f"&k{camel(u['unit'])}" for u in units)
    out += ["const std::vector<const UnitTable*>& all_units() {", f"  static const std::vector<const UnitTable*> units{{{refs}}};", "  return units;", "}", "", "}  // namespace dlavp::regs", ""]
    return "\n".join(out)


def write_c(units, head):
    out = [f"/* {head} */", "#ifndef NVDLA_REGS_H", "#define NVDLA_REGS_H", "",
           "/* NVDLA_HW selects the unit bases: 1 = nv_full generation, 2 = nv_small to nv_large. */",
           "#ifndef NVDLA_HW", "#define NVDLA_HW 2", "#endif", ""]
    for hw in (1, 2):
        out.append(f"#{'if' if hw == 1 else 'else'}{' NVDLA_HW == 1' if hw == 1 else ''}")
        out += [f"#define {u['unit']}_BASE {u['base'][f'hw{hw}']:#x}u" for u in units if f"hw{hw}" in u["base"]]
    out += ["#endif", ""]
    for unit in units:
        u = unit["unit"]
        for name, reg in unit["registers"].items():
            out.append(f"#define {u}_{name} {reg['offset']:#x}u")
            for field, spec in reg["fields"].items():
                out.append(f"#define {u}_{name}_{field}_SHIFT {spec[1]}")
                out.append(f"#define {u}_{name}_{field}_MASK {((1 << (spec[0] - spec[1] + 1)) - 1) << spec[1]:#x}u")
                out += [f"#define {u}_{name}_{field}_{e} {v}u" for e, v in enums(spec).items()]
    out += ["", "#endif", ""]
    return "\n".join(out)


def address(unit):
    return unit["base"].get("hw2", unit["base"].get("hw1"))


def page(units):
    """The documentation page."""
    out = ["<!-- Generated by tools/gen_regs.py --page from models/*/*.regs.yaml. Do not edit. -->",
           "# Registers", "",
           "Every register of every unit, as CSB sees it. `ping-pong` registers exist twice; `S_POINTER.PRODUCER` selects the",
           "group that CSB sees. A base is given for each hardware generation that has the unit: hw1 is nv_full's, hw2 that of",
           "nv_small to nv_large. Bits that are not writable keep their reset value or are the unit's to set. CFGROM's resets are",
           "those of nv_small; the model's follow the configuration.", ""]
    for unit in sorted(units, key=address):
        bases = ", ".join(f"{v:#x} ({k})" for k, v in unit["base"].items())
        out += [f"## {unit['unit']}", "", f"{unit['about'][0].upper()}{unit['about'][1:]}. Base {bases}.", "",
                "| offset | register | group | reset | writable | fields |", "|---|---|---|---|---|---|"]
        for name, reg in unit["registers"].items():
            fields = []
            for field, spec in reg["fields"].items():
                text = f"{field} [{spec[0]}:{spec[1]}]"
                if enums(spec):
                    text += " (" + ", ".join(f"{v} {e}" for e, v in enums(spec).items()) + ")"
                fields.append(text)
            group = "ping-pong" if reg["group"] == "ping_pong" else "single"
            access = {"w1c": ", write one to clear", "w1s": ", write one to set"}.get(reg.get("access"), "")
            out.append(f"| {reg['offset']:#x} | {name} | {group} | {reg['reset']:#x} | {reg['write_mask']:#x}{access} | {', '.join(fields)} |")
        out.append("")
    return "\n".join(out)


def write_if_new(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=pathlib.Path)
    what.add_argument("--page", type=pathlib.Path)
    parser.add_argument("yaml", type=pathlib.Path, nargs="+")
    args = parser.parse_args()
    try:
        units = [load(path) for path in args.yaml]
    except (RegsError, yaml.YAMLError, KeyError) as error:
        print(f"gen_regs: {error}", file=sys.stderr)
        return 2
    if args.page:
        write_if_new(args.page, page(units))
        return 0
    args.out.mkdir(parents=True, exist_ok=True)
    head = "Generated from " + ", ".join(u["path"] for u in units) + " by tools/gen_regs.py. Do not edit."
    for name, writer in (("registers.hpp", write_hpp), ("registers.cpp", write_cpp), ("nvdla_regs.h", write_c)):
        write_if_new(args.out / name, writer(units, head))
    return 0


if __name__ == "__main__":
    sys.exit(main())
