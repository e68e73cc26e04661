#include "apps/dlavp/schedule_options.hpp"

namespace dlavp::app {

namespace po = boost::program_options;
using compiler::ScheduleOptions;

namespace {

struct Optimisation {
  const char* name;
  const char* help;
  bool ScheduleOptions::*on;
};

constexpr Optimisation kOptimisations[] = {
    {"no-overlap", "every layer for itself: the fewest tiles, its own split of the buffer",
     &ScheduleOptions::overlap},
    {"no-reuse-weights", "every tile fetches its weights anew", &ScheduleOptions::reuse_weights},
    {"no-flatten", "1x1 convolutions are cut in rows only", &ScheduleOptions::flatten},
    {"no-pack-rows", "kernel rows are rows also where one atom of channels leaves multipliers idle",
     &ScheduleOptions::pack_rows},
    {"no-extend-rows", "images: one kernel row a step", &ScheduleOptions::extend_rows},
    {"no-fuse-pool", "no pooling on the fly", &ScheduleOptions::fuse_pool},
    {"no-move-strides", "pixels that no reader looks at are computed too",
     &ScheduleOptions::move_strides},
    {"no-join-sums", "two convolutions that are added stay two", &ScheduleOptions::join_sums},
    {"no-bands", "poolings and normalisations wait for all of their input",
     &ScheduleOptions::bands},
    {"no-fuse",
     "scale, add and activation are operations of their own; roundings between them change the "
     "bytes",
     &ScheduleOptions::fuse},
    {"no-pipeline", "one operation (with what is joined to it on the fly) at a time",
     &ScheduleOptions::pipeline},
    {"no-sram", "activations stay in DRAM", &ScheduleOptions::use_sram}};

}  // namespace

void add_schedule_options(Cli& cli) {
  cli.add()("optimize", po::value<int64_t>(),
            "0 nothing, 1 operations, 2 the network, 3 the second memory too (default 3); the "
            "output's bytes are the same, but for roundings");
  for (const Optimisation& o : kOptimisations) cli.add()(o.name, o.help);
}

ScheduleOptions schedule_options(const Cli& cli, Diagnostics& wrong) {
  constexpr unsigned kHighest = 3;
  ScheduleOptions out = compiler::optimisation_level(
      static_cast<unsigned>(cli.integer("optimize", kHighest, 0, kHighest, wrong)));
  for (const Optimisation& o : kOptimisations) {
    if (cli.has(o.name)) out.*o.on = false;
  }
  return out;
}

}  // namespace dlavp::app
