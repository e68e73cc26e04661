// What a fuzzer runs on files that users give: each function takes a file's bytes, reads them as
// the program would, and checks what it promised. A broken promise is an InternalError; a crash, a
// hang or an outside read is the sanitizers' to see. Register programs are csb_target.hpp's.
#pragma once

#include <cstdint>
#include <span>

namespace dlavp::fuzz {

/// True if the bytes were accepted.
/// A loadable: container, tasks, their description. An accepted one is written and read again and
/// is still the same.
bool run_loadable(std::span<const uint8_t> input);

/// The firmware's core on a fake accelerator, and the host's reading of the same file. No register
/// of a working group is written; the result block agrees with the result.
bool run_firmware(std::span<const uint8_t> input);

/// A trace. The first byte picks the form (.cfg, input.txn) and the configuration; a byte 0xff
/// ends the commands, and the rest is the data file "a.dat".
bool run_trace(std::span<const uint8_t> input);

/// An ONNX model: decoding and import. An accepted graph keeps the graph's own rules.
bool run_onnx(std::span<const uint8_t> input);

/// A hardware configuration. An accepted one has timing and an accelerator that answers on CSB.
bool run_hw_config(std::span<const uint8_t> input);

}  // namespace dlavp::fuzz
