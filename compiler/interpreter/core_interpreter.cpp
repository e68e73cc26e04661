// The core's kernels in plain loops.
#include "compiler/interpreter/core_interpreter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <span>

#include "compiler/interpreter/core_math.hpp"
#include "compiler/loadable/core_block.h"

namespace dlavp::compiler {
namespace {

using Index = std::array<int64_t, 3>;  ///< channel, line, column

Index sizes(const Shape& s) { return {s.c, s.h, s.w}; }

/// To the nearest, ties away from zero, in the firmware's operations.
double nearest(double x) { return std::isnan(x) ? 0 : std::trunc(x + (x < 0 ? -0.5 : 0.5)); }

int8_t to_int8(double x) { return static_cast<int8_t>(std::clamp(nearest(x), -128.0, 127.0)); }

class Kernel {
 public:
  Kernel(const LayerProgram& program, const Layer& layer, Int8Values& values)
      : program_(program), layer_(*layer.as<CoreLayer>()), output_(layer.output), values_(values) {}

  void run() {
    switch (layer_.kernel) {
      case CORE_TABLE:
        return table();
      case CORE_BINARY:
        return binary();
      case CORE_MAP:
        return map();
      case CORE_RESIZE:
        return resize();
      case CORE_REORDER:
        return reorder();
      case CORE_REDUCE:
        return reduce();
      case CORE_NORMALISE:
        return normalise();
      case CORE_SOFTMAX:
        return softmax();
      case CORE_ARGUMENT:
        return argument();
      case CORE_LRN:
        return lrn();
      case CORE_POOL:
        return pool();
      case CORE_CUSTOM:
        return custom();
      default:
        DLAVP_CHECK(false, "core kernel {}", layer_.kernel);
    }
  }

 private:
  [[nodiscard]] Index in_size(size_t i = 0) const {
    return sizes(program_.tensors[layer_.inputs[i]].shape);
  }
  [[nodiscard]] Index out_size() const { return sizes(program_.tensors[output_].shape); }
  [[nodiscard]] double in_scale() const {
    return program_.tensors[layer_.inputs[0]].quantisation.scale;
  }
  [[nodiscard]] double out_scale() const { return program_.tensors[output_].quantisation.scale; }
  [[nodiscard]] static size_t flat(const Index& size, const Index& at) {
    return static_cast<size_t>((at[0] * size[1] + at[1]) * size[2] + at[2]);
  }
  [[nodiscard]] const std::vector<int8_t>& in(size_t i = 0) const {
    return values_[layer_.inputs[i]];
  }
  [[nodiscard]] int8_t at(const Index& where) const { return in()[flat(in_size(), where)]; }
  [[nodiscard]] std::vector<int8_t>& out() const { return values_[output_]; }
  [[nodiscard]] int32_t param(size_t i) const { return layer_.params[i]; }

  template <typename F>
  static void each(const Index& size, F f) {
    Index i{};
    for (i[0] = 0; i[0] < size[0]; ++i[0])
      for (i[1] = 0; i[1] < size[1]; ++i[1])
        for (i[2] = 0; i[2] < size[2]; ++i[2]) f(i);
  }
  /// Positions of the output's axes outside of `mask`, each with all positions inside of it.
  template <typename F>
  void each_part(uint32_t mask, F f) const {
    const Index size = in_size();
    Index outer = size, inner = size;
    for (size_t a = 0; a < 3; ++a) ((mask >> a & 1) != 0 ? outer : inner)[a] = 1;
    std::vector<size_t> part;
    each(outer, [&](const Index& base) {
      part.clear();
      each(inner, [&](const Index& i) {
        part.push_back(flat(size, {base[0] + i[0], base[1] + i[1], base[2] + i[2]}));
      });
      f(flat(outer, base), part);
    });
  }

  void table() {
    for (size_t i = 0; i < out().size(); ++i)
      out()[i] = static_cast<int8_t>(layer_.table[static_cast<uint8_t>(in()[i])]);
  }
  void binary() {
    size_t to = 0;
    each(out_size(), [&](const Index& i) {
      size_t index[2];
      for (size_t k = 0; k < 2; ++k) {
        Index from = i;
        for (size_t a = 0; a < 3; ++a) from[a] = in_size(k)[a] == 1 ? 0 : i[a];
        index[k] = static_cast<uint8_t>(in(k)[flat(in_size(k), from)]);
      }
      out()[to++] = static_cast<int8_t>(layer_.table[index[0] * 256 + index[1]]);
    });
  }
  void map() {
    const auto axis = static_cast<size_t>(param(0));
    const Index size = out_size();
    size_t to = 0;
    each(size, [&](const Index& i) {
      const int32_t* p = layer_.params.data() + 2;
      Index from{p[i[0]], p[size[0] + i[1]], p[size[0] + size[1] + i[2]]};
      if (std::any_of(from.begin(), from.end(), [](int64_t v) { return v < 0; })) {
        out()[to++] = static_cast<int8_t>(param(1));
        return;
      }
      size_t which = 0;
      for (; from[axis] >= in_size(which)[axis]; ++which) from[axis] -= in_size(which)[axis];
      const int8_t v = in(which)[flat(in_size(which), from)];
      out()[to++] = layer_.table.empty()
                        ? v
                        : static_cast<int8_t>(layer_.table[which * 256 + static_cast<uint8_t>(v)]);
    });
  }
  void resize() {
    const Index size = out_size();
    size_t to = 0;
    each(size, [&](const Index& i) {
      const int32_t* y = layer_.params.data() + 3 * i[1];
      const int32_t* x = layer_.params.data() + 3 * (size[1] + i[2]);
      double sum = 0;  // whole numbers of 1 / 2^22 below 2^30: exact
      for (size_t a = 0; a < 2; ++a)
        for (size_t b = 0; b < 2; ++b)
          sum += double{static_cast<double>(at({i[0], y[a], x[b]}))} *
                 (a == 0 ? 2048 - y[2] : y[2]) * (b == 0 ? 2048 - x[2] : x[2]);
      out()[to++] = to_int8(sum / (2048.0 * 2048.0));
    });
  }
  void reorder() {
    const auto rank = static_cast<size_t>(param(0));
    for (size_t o = 0; o < out().size(); ++o) {
      size_t rest = o, source = 0;
      std::array<int64_t, CORE_MAX_RANK> digit{};
      for (size_t i = rank; i-- > 0;) {
        const auto from = static_cast<size_t>(param(1 + rank + i));
        const auto size = static_cast<size_t>(param(1 + from));
        digit[from] = static_cast<int64_t>(rest % size);
        rest /= size;
      }
      for (size_t i = 0; i < rank; ++i)
        source = source * static_cast<size_t>(param(1 + i)) + static_cast<size_t>(digit[i]);
      out()[o] = in()[source];
    }
  }
  void reduce() {
    each_part(static_cast<uint32_t>(param(1)), [&](size_t to, const std::vector<size_t>& part) {
      int64_t sum = 0, squares = 0, largest = -128, smallest = 127;
      double product = 1;
      for (size_t i : part) {
        const int64_t v = in()[i];
        sum += v;
        squares += v * v;
        largest = std::max(largest, v);
        smallest = std::min(smallest, v);
        product *= static_cast<double>(v) * in_scale();
      }
      const double results[] = {static_cast<double>(sum), static_cast<double>(largest),
                                static_cast<double>(smallest),
                                std::sqrt(static_cast<double>(squares)), product};
      out()[to] = to_int8(results[param(0)] * layer_.reals[0]);
    });
  }
  void normalise() {
    const size_t channels = static_cast<size_t>(in_size()[0]);
    const size_t plane = in().size() / channels;
    const auto groups = static_cast<size_t>(param(1));
    each_part(static_cast<uint32_t>(param(0)), [&](size_t, const std::vector<size_t>& whole) {
      for (size_t g = 0; g < groups; ++g) {
        const std::span part(whole.data() + whole.size() / groups * g, whole.size() / groups);
        const auto n = static_cast<double>(part.size());
        double sum = 0, squares = 0;  // whole numbers: exact
        for (size_t i : part) {
          sum += in()[i];
          squares += in()[i] * in()[i];
        }
        const double mean = sum / n;
        const double variance = squares / n - mean * mean;
        const double step =
            in_scale() / std::sqrt(variance * in_scale() * in_scale() + layer_.reals[0]);
        for (size_t i : part) {
          const size_t c = i / plane;
          const double normal = (in()[i] - mean) * step;
          const double y = normal * layer_.reals[1 + c] + layer_.reals[1 + channels + c];
          out()[i] = to_int8(y / out_scale());
        }
      }
    });
  }
  void softmax() {
    // The published operation holds its scales in single precision.
    const double s_in = static_cast<float>(in_scale()), s_out = static_cast<float>(out_scale());
    std::array<double, 256> power{1};
    const double step = core_exp(-s_in);
    for (size_t d = 1; d < power.size(); ++d) power[d] = power[d - 1] * step;
    each_part(1U << param(0), [&](size_t, const std::vector<size_t>& part) {
      int reference = 127;
      if (s_in > 2) {
        reference = -128;
        for (size_t i : part) reference = std::max<int>(reference, in()[i]);
      }
      double sum = 0;
      for (size_t i : part) sum += power[static_cast<size_t>(reference - in()[i])];
      const double log_sum = core_log(sum), factor = 1 / (sum * s_out);
      for (size_t i : part) {
        const double steps = param(1) != 0
                                 ? ((in()[i] - reference) * s_in - log_sum) / s_out
                                 : power[static_cast<size_t>(reference - in()[i])] * factor;
        out()[i] = to_int8(nearest(steps) + param(2));
      }
    });
  }
  void argument() {
    each_part(1U << param(0), [&](size_t to, const std::vector<size_t>& part) {
      int32_t best = 0;
      for (size_t k = 1; k < part.size(); ++k) {
        const int sign = param(2) != 0 ? -1 : 1;
        const int v = sign * in()[part[k]], largest = sign * in()[part[static_cast<size_t>(best)]];
        if (v > largest || (v == largest && param(1) != 0)) best = static_cast<int32_t>(k);
      }
      std::memcpy(out().data() + 4 * to, &best, sizeof best);
    });
  }
  void lrn() {
    const Index size = in_size();
    const int64_t before = (param(0) - 1) / 2, after = param(0) / 2;
    const double alpha = layer_.reals[0] * in_scale() * in_scale();
    each(size, [&](const Index& i) {
      Index first = i, last = i;
      for (size_t a = 0; a < 3; ++a) {
        if ((a == 0) == (param(1) != 0)) continue;
        first[a] = std::max<int64_t>(0, i[a] - before);
        last[a] = std::min(i[a] + after, size[a] - 1);
      }
      int64_t squares = 0;
      each({last[0] - first[0] + 1, last[1] - first[1] + 1, last[2] - first[2] + 1},
           [&](const Index& d) {
             const int64_t v = at({first[0] + d[0], first[1] + d[1], first[2] + d[2]});
             squares += v * v;
           });
      const double x = at(i) * in_scale();
      const double y =
          x * core_pow(layer_.reals[2] + alpha * static_cast<double>(squares), -layer_.reals[1]);
      out()[flat(size, i)] = to_int8(y / out_scale());
    });
  }
  void custom() {
    std::vector<CustomStored> inputs;
    for (const TensorId id : layer_.inputs)
      inputs.push_back(
          {program_.tensors[id].shape, program_.tensors[id].quantisation.scale, values_[id]});
    const CustomStored output{program_.tensors[output_].shape, out_scale(), {}};
    layer_.definition->compute(layer_.attributes, inputs, output, out());
  }
  void pool() {
    const Index size = in_size();
    const auto p = [&](size_t i) { return int64_t{param(i)}; };
    size_t to = 0;
    each(out_size(), [&](const Index& i) {
      int64_t sum = 0, inside = 0, counted = 0, largest = -128;
      for (int64_t r = 0; r < p(1); ++r) {
        for (int64_t s = 0; s < p(2); ++s) {
          const int64_t y = i[1] * p(3) + r * p(5) - p(7);
          const int64_t x = i[2] * p(4) + s * p(6) - p(8);
          if (y < size[1] + p(9) && x < size[2] + p(10)) ++counted;
          if (y < 0 || y >= size[1] || x < 0 || x >= size[2]) continue;
          ++inside;
          sum += at({i[0], y, x});
          largest = std::max<int64_t>(largest, at({i[0], y, x}));
        }
      }
      const int64_t count = p(11) != 0 ? counted : inside;
      sum += (count - inside) * p(12);
      const double average =
          inside == 0 ? p(12) : static_cast<double>(sum) / static_cast<double>(count);
      out()[to++] = inside != 0 && p(0) == 0 ? static_cast<int8_t>(largest) : to_int8(average);
    });
  }

  const LayerProgram& program_;
  const CoreLayer& layer_;
  TensorId output_;
  Int8Values& values_;
};

}  // namespace

void interpret_core(const LayerProgram& program, const Layer& layer, Int8Values& values) {
  Kernel(program, layer, values).run();
}

}  // namespace dlavp::compiler
