// Hardware configurations from a file, and the accelerator that an accepted one describes.
#include "fuzz/input_targets.hpp"
#include "fuzz/temp_folder.hpp"
#include "models/mcif/memory_timing.hpp"
#include "models/nvdla/accelerator.hpp"
#include "registers.hpp"

namespace dlavp::fuzz {

bool run_hw_config(std::span<const uint8_t> input) {
  static const TempFolder folder;
  const auto hw = load_hw_config(folder.write("hw.yaml", input).string());
  if (!hw) {
    DLAVP_CHECK(!hw.errors().errors().front().id.empty(), "an error without an id");
    return false;
  }
  DLAVP_CHECK(validate(*hw).empty(), "an accepted configuration breaks a rule");
  const auto timing = TimingParams::load(*hw);
  if (!timing) return false;
  SparseMemory memory;
  mcif::FixedLatencyMemory primary(16), secondary(16);
  nvdla::Accelerator chip(*hw, *timing, {&memory, &memory, &primary, &secondary});
  const auto glb = static_cast<uint32_t>(regs::kGlb.base(hw->hw));
  chip.csb_write(glb + regs::glb::S_INTR_MASK, 1);
  DLAVP_CHECK(chip.csb_read(glb + regs::glb::S_INTR_MASK) == 1, "GLB does not answer");
  return true;
}

}  // namespace dlavp::fuzz
