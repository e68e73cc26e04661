// Field by field, descriptors to JSON. Values are read through unary plus because packed fields
// cannot be bound to references.
#include "compiler/loadable/describe.hpp"

#include <cstring>
#include <nlohmann/json.hpp>

namespace dlavp::loadable {

using Json = nlohmann::ordered_json;

namespace {

Json fields_of(const DlaCube& d) {
  return {{"type", +d.type},
          {"address", +d.address},
          {"offset", +d.offset},
          {"size", +d.size},
          {"width", +d.width},
          {"height", +d.height},
          {"channel", +d.channel},
          {"line_stride", +d.line_stride},
          {"surf_stride", +d.surf_stride},
          {"plane_stride", +d.plane_stride}};
}

Json fields_of(const DlaConverter& d) {
  return {
      {"scale", +d.scale}, {"truncate", +d.truncate}, {"enable", +d.enable}, {"offset", +d.offset}};
}

Json fields_of(const DlaConvOp& d) {
  return {{"conv_mode", +d.conv_mode},
          {"data_reuse", +d.data_reuse},
          {"weight_reuse", +d.weight_reuse},
          {"skip_data_rls", +d.skip_data_rls},
          {"skip_weight_rls", +d.skip_weight_rls},
          {"entry_per_slice", +d.entry_per_slice},
          {"data_format", +d.data_format},
          {"pixel_mapping", +d.pixel_mapping},
          {"fetch_grain", +d.fetch_grain},
          {"batch", +d.batch},
          {"weight_format", +d.weight_format},
          {"data_bank", +d.data_bank},
          {"weight_bank", +d.weight_bank},
          {"batch_stride", +d.batch_stride},
          {"post_extension", +d.post_extension},
          {"pixel_override", +d.pixel_override},
          {"release", +d.release},
          {"input_width_csc", +d.input_width_csc},
          {"input_height_csc", +d.input_height_csc},
          {"input_channel_csc", +d.input_channel_csc},
          {"kernel_width_csc", +d.kernel_width_csc},
          {"kernel_height_csc", +d.kernel_height_csc},
          {"kernel_channel_csc", +d.kernel_channel_csc},
          {"input_width_cmac", +d.input_width_cmac},
          {"input_height_cmac", +d.input_height_cmac},
          {"bytes_per_kernel", +d.bytes_per_kernel},
          {"mean_ry", +d.mean_ry},
          {"mean_gu", +d.mean_gu},
          {"mean_bv", +d.mean_bv},
          {"mean_ax", +d.mean_ax},
          {"mean_format", +d.mean_format},
          {"conv_stride_x", +d.conv_stride_x},
          {"conv_stride_y", +d.conv_stride_y},
          {"pad_x_left", +d.pad_x_left},
          {"pad_x_right", +d.pad_x_right},
          {"pad_y_top", +d.pad_y_top},
          {"pad_y_bottom", +d.pad_y_bottom},
          {"dilation_x", +d.dilation_x},
          {"dilation_y", +d.dilation_y},
          {"pra_truncate", +d.pra_truncate},
          {"in_precision", +d.in_precision},
          {"out_precision", +d.out_precision},
          {"pad_val", +d.pad_val},
          {"in_cvt", fields_of(d.in_cvt)},
          {"out_cvt", fields_of(d.out_cvt)}};
}

Json fields_of(const DlaSdpConverters& d) {
  return {{"alu_cvt", fields_of(d.alu_cvt)}, {"mul_cvt", fields_of(d.mul_cvt)}};
}

Json fields_of(const DlaSdpStage& d) {
  return {{"enable", +d.enable},
          {"alu_type", +d.alu_type},
          {"type", +d.type},
          {"mode", +d.mode},
          {"act", +d.act},
          {"shift_value", +d.shift_value},
          {"truncate", +d.truncate},
          {"precision", +d.precision},
          {"alu_operand", +d.alu_operand},
          {"mul_operand", +d.mul_operand},
          {"cvt", fields_of(d.cvt)}};
}

Json fields_of(const DlaSdpOp& d) {
  return {{"src_precision", +d.src_precision}, {"dst_precision", +d.dst_precision},
          {"lut_index", +d.lut_index},         {"out_cvt", fields_of(d.out_cvt)},
          {"conv_mode", +d.conv_mode},         {"batch_num", +d.batch_num},
          {"batch_stride", +d.batch_stride},   {"x1_op", fields_of(d.x1_op)},
          {"x2_op", fields_of(d.x2_op)},       {"y_op", fields_of(d.y_op)}};
}

Json fields_of(const DlaPdpOp& d) {
  Json padding = Json::array();
  for (int i = 0; i < 7; ++i) padding.push_back(+d.padding_value[i]);
  return {{"partial_in_width_first", +d.partial_in_width_first},
          {"partial_in_width_mid", +d.partial_in_width_mid},
          {"partial_in_width_last", +d.partial_in_width_last},
          {"partial_width_first", +d.partial_width_first},
          {"partial_width_mid", +d.partial_width_mid},
          {"partial_width_last", +d.partial_width_last},
          {"split_num", +d.split_num},
          {"pool_mode", +d.pool_mode},
          {"pool_width", +d.pool_width},
          {"pool_height", +d.pool_height},
          {"stride_x", +d.stride_x},
          {"stride_y", +d.stride_y},
          {"pad_left", +d.pad_left},
          {"pad_right", +d.pad_right},
          {"pad_top", +d.pad_top},
          {"pad_bottom", +d.pad_bottom},
          {"precision", +d.precision},
          {"padding_value", padding}};
}

Json fields_of(const DlaCdpOp& d) {
  return {{"in_precision", +d.in_precision}, {"out_precision", +d.out_precision},
          {"lut_index", +d.lut_index},       {"in_cvt", fields_of(d.in_cvt)},
          {"out_cvt", fields_of(d.out_cvt)}, {"local_size", +d.local_size},
          {"bypass_sqsum", +d.bypass_sqsum}, {"bypass_out_mul", +d.bypass_out_mul}};
}

Json fields_of(const DlaRubikOp& d) {
  return {{"mode", +d.mode},
          {"precision", +d.precision},
          {"stride_x", +d.stride_x},
          {"stride_y", +d.stride_y}};
}

Json fields_of(const DlaBdmaOp& d) { return {{"num_transfers", +d.num_transfers}}; }

Json fields_of(const DlaBdmaTransfer& d) {
  return {{"source_address", +d.source_address},
          {"destination_address", +d.destination_address},
          {"line_size", +d.line_size},
          {"line_repeat", +d.line_repeat},
          {"source_line", +d.source_line},
          {"destination_line", +d.destination_line},
          {"surface_repeat", +d.surface_repeat},
          {"source_surface", +d.source_surface},
          {"destination_surface", +d.destination_surface}};
}

Json fields_of(const DlaSlope& d) { return {{"scale", +d.scale}, {"shifter", +d.shifter}}; }

Json fields_of(const DlaBdmaSurface& d) {
  Json transfers = Json::array();
  for (unsigned i = 0; i < d.num_transfers && i < DLA_BDMA_TRANSFERS; ++i)
    transfers.push_back(fields_of(d.transfers[i]));
  return {{"source_type", +d.source_type},
          {"destination_type", +d.destination_type},
          {"transfers", transfers}};
}

Json fields_of(const DlaEmuBuffer& d) {
  return {{"address", +d.address},
          {"offset", +d.offset},
          {"size", +d.size},
          {"format", +d.format},
          {"width", +d.width},
          {"height", +d.height},
          {"channel", +d.channel},
          {"line_stride", +d.line_stride},
          {"surf_stride", +d.surf_stride}};
}

Json network_of(const DlaNetwork& n) {
  Json heads = Json::object();
  for (unsigned e = 0; e < DLA_ENGINE_COUNT; ++e)
    if (n.op_head[e] != DLA_NO_INDEX) heads[engine_name(e)] = +n.op_head[e];
  return {{"operation_desc_index", +n.operation_desc_index},
          {"surface_desc_index", +n.surface_desc_index},
          {"dependency_graph_index", +n.dependency_graph_index},
          {"lut_data_index", +n.lut_data_index},
          {"op_head", heads},
          {"num_operations", +n.num_operations},
          {"num_luts", +n.num_luts},
          {"num_addresses", +n.num_addresses},
          {"input_layer", +n.input_layer},
          {"dynamic_roi", +n.dynamic_roi}};
}

const char* event_name(unsigned event) {
  static constexpr std::array<const char*, 6> kNames = {"none",    "completed",    "programmed",
                                                        "enabled", "weights done", "data done"};
  return event < kNames.size() ? kNames[event] : "unknown";
}

Json entry_of(const DlaEntry& e, size_t number) {
  const DlaDependency& d = e.dependency;
  Json consumers = Json::array();
  for (unsigned engine = 0; engine < DLA_ENGINE_COUNT; ++engine)
    if (d.consumers[engine].index != DLA_NO_INDEX)
      consumers.push_back({{"engine", engine_name(engine)},
                           {"index", +d.consumers[engine].index},
                           {"event", event_name(d.consumers[engine].event)}});
  Json parent = nullptr;
  if (d.fused_parent.index != DLA_NO_INDEX) parent = +d.fused_parent.index;
  Json cubes = Json::array();
  for (const NamedCube& named : cubes_of(e)) {
    Json cube = {{"name", named.name}};
    cube.update(fields_of(*named.cube));
    cubes.push_back(cube);
  }
  return {{"index", number},
          {"engine", engine_name(d.op_type)},
          {"dependency_count", +d.dependency_count},
          {"consumers", consumers},
          {"fused_parent", parent},
          {"cubes", cubes},
          {"fields", describe_operation(e)}};
}

Json fields_of(const Memory& m) {
  return {{"id", m.id},
          {"domain", m.domain == DLA_DOMAIN_SRAM ? "SRAM" : "system"},
          {"flags", m.flags},
          {"size", m.size},
          {"alignment", m.alignment},
          {"contents", m.contents},
          {"offsets", m.offsets},
          {"bind_id", m.bind_id},
          {"tensor_desc_id", m.tensor_desc_id}};
}

Json fields_of(const Address& a) {
  return {{"id", a.id}, {"mem_id", a.mem_id}, {"offset", a.offset}, {"size", a.size}};
}

Json fields_of(const Event& e) {
  return {{"id", e.id},
          {"type", e.type},
          {"target", e.target},
          {"val", e.val},
          {"op", e.op == DLA_EVENT_ACTION_SIGNAL ? "signal" : "wait"}};
}

Json fields_of(const Blob& b) {
  return {{"name", b.name},
          {"size", b.data.size()},
          {"interface", b.interface},
          {"sub_interface", b.sub_interface},
          {"version", b.version.text()}};
}

Json fields_of(const Tensor& t) {
  return {{"name", t.name},
          {"id", t.id},
          {"mem_id", t.mem_id},
          {"size", t.size},
          {"offset", t.offset},
          {"data_format", t.data_format},
          {"data_type", t.data_type},
          {"data_category", t.data_category},
          {"pixel_format", t.pixel_format},
          {"n", t.n},
          {"c", t.c},
          {"h", t.h},
          {"w", t.w},
          {"stride", t.stride}};
}

Json fields_of(const Reloc& r) {
  return {{"address_id", r.address_id},
          {"write_id", r.write_id},
          {"offset", r.offset},
          {"interface", r.interface},
          {"sub_interface", r.sub_interface},
          {"reloc_type", r.reloc_type}};
}

Json fields_of(const Submit& s) { return {{"id", s.id}, {"task_ids", s.task_ids}}; }

Json tensors_of(const std::vector<DlaCoreTensor>& tensors) {
  Json out = Json::array();
  for (const DlaCoreTensor& t : tensors)
    out.push_back({{"address", +t.address},
                   {"offset", +t.offset},
                   {"element", +t.element},
                   {"width", +t.width},
                   {"height", +t.height},
                   {"channels", +t.channels},
                   {"line_stride", +t.line_stride},
                   {"surface_stride", +t.surface_stride},
                   {"atom", +t.atom},
                   {"scale", +t.scale}});
  return out;
}

template <typename T>
Json list_of(const std::vector<T>& entries) {
  Json out = Json::array();
  for (const T& entry : entries) out.push_back(fields_of(entry));
  return out;
}

}  // namespace

Json describe_cube(const DlaCube& cube) { return fields_of(cube); }

Json describe_operation(const DlaEntry& e) {
  switch (e.dependency.op_type) {
    case DLA_ENGINE_BDMA: {
      Json out = fields_of(e.operation.bdma);
      out["surface"] = fields_of(e.surface.bdma);
      return out;
    }
    case DLA_ENGINE_CONV: {
      Json out = fields_of(e.operation.conv);
      out["offset_u"] = +e.surface.conv.offset_u;
      out["in_line_uv_stride"] = +e.surface.conv.in_line_uv_stride;
      return out;
    }
    case DLA_ENGINE_SDP:
      return fields_of(e.operation.sdp);
    case DLA_ENGINE_PDP:
      return fields_of(e.operation.pdp);
    case DLA_ENGINE_CDP:
      return fields_of(e.operation.cdp);
    default:
      return fields_of(e.operation.rubik);
  }
}

Json describe_lut(const DlaLut& d) {
  Json le = Json::array(), lo = Json::array();
  for (int i = 0; i < DLA_LE_ENTRIES; ++i) le.push_back(+d.linear_exp_table[i]);
  for (int i = 0; i < DLA_LO_ENTRIES; ++i) lo.push_back(+d.linear_only_table[i]);
  return {{"method", d.method == DLA_LUT_LINEAR ? "linear" : "exponent"},
          {"linear_exp_offset", static_cast<int8_t>(d.linear_exp_offset & 0xff)},
          {"linear_only_offset", static_cast<int8_t>(d.linear_only_offset & 0xff)},
          {"linear_exp_start", static_cast<int64_t>(d.linear_exp_start)},
          {"linear_exp_end", static_cast<int64_t>(d.linear_exp_end)},
          {"linear_only_start", static_cast<int64_t>(d.linear_only_start)},
          {"linear_only_end", static_cast<int64_t>(d.linear_only_end)},
          {"linear_exp_underflow_slope", fields_of(d.linear_exp_underflow_slope)},
          {"linear_exp_overflow_slope", fields_of(d.linear_exp_overflow_slope)},
          {"linear_only_underflow_slope", fields_of(d.linear_only_underflow_slope)},
          {"linear_only_overflow_slope", fields_of(d.linear_only_overflow_slope)},
          {"hybrid_priority", +d.hybrid_priority},
          {"underflow_priority", +d.underflow_priority},
          {"overflow_priority", +d.overflow_priority},
          {"linear_exp_table", le},
          {"linear_only_table", lo}};
}

Json describe_emu(const EmuEntry& e) {
  const DlaEmuOp& op = e.operation;
  Json fields = {{"input_scale_factor", +op.input_scale_factor},
                 {"output_scale_factor", +op.output_scale_factor}};
  const char* engine = op.op_type == DLA_EMU_SOFTMAX ? "softmax" : "power";
  if (op.op_type == DLA_EMU_SOFTMAX) {
    fields["axis"] = +op.u.axis;
  } else if (e.core) {
    DlaCoreReference block;
    std::memcpy(&block, &op.u, sizeof block);
    engine = "core";
    fields["block"] = {
        {"address", +block.address}, {"offset", +block.offset}, {"bytes", +block.bytes}};
    fields["kernel"] = e.core->kernel_name();
    fields["inputs"] = tensors_of(e.core->inputs);
    fields["outputs"] = tensors_of(e.core->outputs);
  } else {
    fields["power"] = +op.u.power.power;
    fields["scale"] = +op.u.power.scale;
    fields["shift"] = +op.u.power.shift;
  }
  return {{"engine", engine},
          {"fields", fields},
          {"src_data", fields_of(e.buffers.src_data)},
          {"dst_data", fields_of(e.buffers.dst_data)}};
}

Json describe_task(const DlaTask& task) {
  Json operations = Json::array(), luts = Json::array();
  for (size_t i = 0; i < task.operations.size(); ++i)
    operations.push_back(entry_of(task.operations[i], i));
  for (const DlaLut& lut : task.luts) luts.push_back(describe_lut(lut));
  return {{"id", task.id},
          {"interface", "DLA"},
          {"version", task.version.text()},
          {"network", network_of(task.network)},
          {"operations", operations},
          {"luts", luts}};
}

Json describe_task(const EmuTask& task) {
  Json operations = Json::array();
  for (size_t i = 0; i < task.operations.size(); ++i) {
    Json op = {{"index", i}};
    op.update(describe_emu(task.operations[i]));
    operations.push_back(op);
  }
  return {{"id", task.id}, {"interface", "EMU"}, {"operations", operations}};
}

Json describe_container(const Loadable& l) {
  return {{"version", l.version.text()},       {"memories", list_of(l.memories)},
          {"addresses", list_of(l.addresses)}, {"events", list_of(l.events)},
          {"blobs", list_of(l.blobs)},         {"tensors", list_of(l.tensors)},
          {"relocs", list_of(l.relocs)},       {"submits", list_of(l.submits)}};
}

}  // namespace dlavp::loadable
