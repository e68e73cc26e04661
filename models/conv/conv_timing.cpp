// Reads the convolution pipeline's delays by name.
#include "models/conv/conv_timing.hpp"

namespace dlavp::conv {

namespace {
sim::Cycle cycles(const TimingParams& p, const char* name) {
  return static_cast<sim::Cycle>(p.get(name));
}
}  // namespace

CdmaTiming::CdmaTiming(const TimingParams& p)
    : op_start(cycles(p, "cdma.op_start")),
      next_start(cycles(p, "cdma.next_start")),
      reset_after_cdma(cycles(p, "cdma.reset_after_cdma")),
      reset_after_csc(cycles(p, "cdma.reset_after_csc")),
      data_request(cycles(p, "cdma.data_request")),
      weight_request(cycles(p, "cdma.weight_request")),
      surface_gap(cycles(p, "cdma.surface_gap")),
      grain_gap(cycles(p, "cdma.grain_gap")),
      data_update(cycles(p, "cdma.data_update")),
      data_done(cycles(p, "cdma.data_done")),
      weight_update(cycles(p, "cdma.weight_update")),
      weight_update_gap(cycles(p, "cdma.weight_update_gap")),
      weight_done(cycles(p, "cdma.weight_done")),
      image_request(cycles(p, "cdma.image_request")),
      image_line_gap(cycles(p, "cdma.image_line_gap")),
      image_queue(cycles(p, "cdma.image_queue")),
      image_merge(cycles(p, "cdma.image_merge")),
      image_update(cycles(p, "cdma.image_update")),
      image_done(cycles(p, "cdma.image_done")),
      release(cycles(p, "cdma.release")),
      switch_groups(cycles(p, "cdma.switch_groups")),
      interrupt(cycles(p, "cdma.interrupt")) {}

CscTiming::CscTiming(const TimingParams& p)
    : op_start(cycles(p, "csc.op_start")),
      next_start(cycles(p, "csc.next_start")),
      package(cycles(p, "csc.package")),
      shortest_load(cycles(p, "csc.shortest_load")),
      data_release(cycles(p, "csc.data_release")),
      weight_release(cycles(p, "csc.weight_release")),
      done(cycles(p, "csc.done")) {}

CaccTiming::CaccTiming(const TimingParams& p)
    : first_atom(cycles(p, "cacc.first_atom")),
      mac_done(cycles(p, "cacc.mac_done")),
      done(cycles(p, "cacc.done")),
      stream(cycles(p, "cacc.stream")),
      credit(cycles(p, "cacc.credit")),
      interrupt(cycles(p, "cacc.interrupt")) {}

}  // namespace dlavp::conv
