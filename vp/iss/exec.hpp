// The table from instruction to handler, filled by one function a group of instructions.
#pragma once

#include <array>

#include "vp/iss/hart.hpp"

namespace dlavp::iss {

class HandlerTable {
 public:
  HandlerTable();
  [[nodiscard]] Handler operator[](InsnId id) const { return handlers_[static_cast<size_t>(id)]; }
  void set(InsnId id, Handler handler) { handlers_[static_cast<size_t>(id)] = handler; }

 private:
  std::array<Handler, kInsnCount> handlers_{};
};

void add_integer_handlers(HandlerTable& table);
void add_jump_handlers(HandlerTable& table);
void add_memory_handlers(HandlerTable& table);
void add_atomic_handlers(HandlerTable& table);
void add_system_handlers(HandlerTable& table);
void add_float_handlers(HandlerTable& table);

/// Ends a block that stops without a jump (length, page end): goes on at `imm`.
void run_block_end(Hart& h, const Op* op);

}  // namespace dlavp::iss
