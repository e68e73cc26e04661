#include "models/regs/reg_block.hpp"

#include "models/common/check.hpp"
#include "models/common/fixed_point.hpp"

namespace dlavp::regs {

namespace {

// S_STATUS codes of a group.
constexpr uint32_t kIdle = 0, kRunning = 1, kPending = 2;

}  // namespace

uint32_t RegView::get(const Field& field) const {
  return (block_->peek(field.offset, group_) & field.mask()) >> field.lsb;
}

int32_t RegView::get_signed(const Field& field) const {
  return static_cast<int32_t>(sign_extend(get(field), field.width));
}

RegBlock::RegBlock(const UnitTable& table) : table_(&table) {
  for (const RegInfo& info : table.registers) {
    const size_t index = info.offset / 4;
    if (index >= slots_.size()) slots_.resize(index + 1);
    slots_[index].info = &info;
    if (info.name == "D_OP_ENABLE") op_enable_offset_ = info.offset;
    if (info.name == "S_POINTER") pointer_offset_ = info.offset;
    if (info.name == "S_STATUS") status_offset_ = info.offset;
  }
  reset();
}

void RegBlock::reset() {
  for (Slot& slot : slots_)
    if (slot.info) slot.value = {slot.info->reset, slot.info->reset};
  producer_ = consumer_ = 0;
  enabled_ = {};
}

const RegBlock::Slot* RegBlock::find(uint32_t offset) const {
  const size_t index = offset / 4;
  return offset % 4 == 0 && index < slots_.size() && slots_[index].info ? &slots_[index] : nullptr;
}

uint32_t RegBlock::status() const {
  const auto code = [&](unsigned group) {
    return !enabled_[group] ? kIdle : consumer_ == group ? kRunning : kPending;
  };
  return code(0) | (code(1) << 16);
}

uint32_t RegBlock::read(uint32_t offset) const {
  const Slot* slot = find(offset);
  if (!slot) return 0;
  if (const auto hook = on_read_.find(offset); hook != on_read_.end()) return hook->second() & slot->info->read_mask;
  if (offset == pointer_offset_) return producer_ | (consumer_ << 16);
  if (offset == status_offset_) return status();
  if (offset == op_enable_offset_) return enabled_[producer_] ? 1 : 0;
  return slot->value[slot->info->ping_pong ? producer_ : 0] & slot->info->read_mask;
}

bool RegBlock::write(uint32_t offset, uint32_t value) {
  Slot* slot = const_cast<Slot*>(find(offset));
  if (!slot) return true;
  const RegInfo& info = *slot->info;
  value &= info.write_mask;
  if (offset == pointer_offset_) {
    producer_ = value & 1;
    return true;
  }
  const unsigned group = info.ping_pong ? producer_ : 0;
  if (info.ping_pong && enabled_[group]) return false;
  if (offset == op_enable_offset_) {
    if ((value & 1) == 0) return true;
    enabled_[group] = true;
    if (on_enable_) on_enable_(group);
    return true;
  }
  uint32_t& stored = slot->value[group];
  switch (info.access) {
    case Access::kPlain: stored = (stored & ~info.write_mask) | value; break;
    case Access::kWriteOneToClear: stored &= ~value; break;
    case Access::kWriteOneToSet: break;  // a command: its effect is the callback's
  }
  if (const auto hook = on_write_.find(offset); hook != on_write_.end())
    hook->second(info.access == Access::kPlain ? stored : value);
  return true;
}

void RegBlock::operation_done() {
  DLAVP_CHECK(enabled_[consumer_], "{}: done with group {} not enabled", table_->name, consumer_);
  enabled_[consumer_] = false;
  consumer_ ^= 1;
}

uint32_t RegBlock::peek(uint32_t offset, unsigned group) const {
  const Slot* slot = find(offset);
  DLAVP_CHECK(slot != nullptr, "{}: no register at {:#x}", table_->name, offset);
  return slot->value[slot->info->ping_pong ? group : 0];
}

void RegBlock::poke(uint32_t offset, unsigned group, uint32_t value) {
  Slot* slot = const_cast<Slot*>(find(offset));
  DLAVP_CHECK(slot != nullptr, "{}: no register at {:#x}", table_->name, offset);
  slot->value[slot->info->ping_pong ? group : 0] = value;
}

}  // namespace dlavp::regs
