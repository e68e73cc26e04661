// The convolution pipeline's delays, looked up once. What each is and where it comes from stands in
// configs/timing/{cdma,csc,cacc}.yaml.
#pragma once

#include "models/common/timing_params.hpp"
#include "models/sim/event_queue.hpp"

namespace dlavp::conv {

struct CdmaTiming {
  sim::Cycle op_start, next_start, reset_after_cdma, reset_after_csc, data_request, weight_request;
  sim::Cycle surface_gap, grain_gap, data_update, data_done, weight_update, weight_update_gap,
      weight_done;
  sim::Cycle image_request, image_line_gap, image_queue, image_merge, image_update, image_done;
  sim::Cycle release, switch_groups, interrupt;
  explicit CdmaTiming(const TimingParams& p);
};

struct CscTiming {
  sim::Cycle op_start, next_start, package, shortest_load, data_release, weight_release, done;
  explicit CscTiming(const TimingParams& p);
};

struct CaccTiming {
  sim::Cycle first_atom, mac_done, done, stream, credit, interrupt;
  explicit CaccTiming(const TimingParams& p);
};

}  // namespace dlavp::conv
