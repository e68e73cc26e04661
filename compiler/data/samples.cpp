// Files to samples.
#include "compiler/data/samples.hpp"

#include <stb/stb_image.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>

#include "compiler/data/npy.hpp"

namespace dlavp::compiler {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kSeed = 1;

Result<Samples> from_npy(const Shape& shape, const std::string& path) {
  auto array = read_npy(path);
  if (!array.ok()) return array.errors();
  const auto elements = static_cast<size_t>(shape.elements());
  std::vector<size_t> per_sample;
  for (int64_t d : {shape.c, shape.h, shape.w}) per_sample.push_back(static_cast<size_t>(d));
  std::vector<size_t> given = array->shape;
  const bool vector = shape.h == 1 && shape.w == 1;
  if (given.size() == 4 || (vector && given.size() == 2)) given.erase(given.begin());
  if (given != per_sample && !(vector && given == std::vector<size_t>{elements})) {
    const bool turned = given == std::vector<size_t>{per_sample[1], per_sample[2], per_sample[0]};
    return Error{
        "calibrate.shape", path,
        fmt::format(
            "shape {}, the network takes {} (a batch of them in the first dimension){}",
            array->shape_text(), shape.text(),
            turned ? "; channels are last, expected first: save array.transpose(0, 3, 1, 2)" : "")};
  }
  Samples out;
  for (size_t at = 0; at + elements <= array->values.size(); at += elements) {
    const auto begin = array->values.begin() + static_cast<std::ptrdiff_t>(at);
    out.push_back({std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(elements))});
  }
  return out;
}

Result<Samples> from_image(const Shape& shape, const std::string& path) {
  int w = 0;
  int h = 0;
  int channels = 0;
  const int wanted = static_cast<int>(shape.c);
  if (wanted > 4)
    return Error{"calibrate.shape", path, fmt::format("an image cannot fill {} channels", wanted)};
  const std::unique_ptr<unsigned char, void (*)(void*)> pixels(
      stbi_load(path.c_str(), &w, &h, &channels, wanted), stbi_image_free);
  if (!pixels)
    return Error{"image.read", path, fmt::format("no readable image: {}", stbi_failure_reason())};
  if (w != shape.w || h != shape.h) {
    return Error{"calibrate.shape", path,
                 fmt::format("image {}x{} (height x width), the network takes {}x{}", h, w, shape.h,
                             shape.w)};
  }
  std::vector<float> values(static_cast<size_t>(shape.elements()));
  const auto plane = static_cast<size_t>(shape.h * shape.w);
  for (size_t i = 0; i < plane; ++i) {
    for (size_t c = 0; c < static_cast<size_t>(wanted); ++c) {
      values[c * plane + i] = pixels.get()[i * static_cast<size_t>(wanted) + c];
    }
  }
  return Samples{{std::move(values)}};
}

Result<Samples> from_file(const Shape& shape, const fs::path& path) {
  return path.extension() == ".npy" ? from_npy(shape, path.string())
                                    : from_image(shape, path.string());
}

/// A folder may hold thousands of files that are wrong for one reason.
Diagnostics first_few(const Diagnostics& all, const std::string& folder) {
  constexpr size_t kShown = 5;
  const auto& errors = all.errors();
  if (errors.size() <= kShown) return all;
  Diagnostics out;
  for (size_t i = 0; i < kShown; ++i) out.add(errors[i].id, errors[i].place, errors[i].message);
  out.add("calibrate.shape", folder, fmt::format("{} more errors", errors.size() - kShown));
  return out;
}

Result<Samples> from_folder(const Shape& shape, const std::string& path) {
  static const std::vector<std::string> kKinds = {".npy", ".png", ".jpg", ".jpeg", ".bmp", ".pgm"};
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path, ignored)) {
    if (std::count(kKinds.begin(), kKinds.end(), entry.path().extension().string()) != 0)
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  if (files.empty())
    return Error{"calibrate.path", path,
                 fmt::format("the folder has no {} files", fmt::join(kKinds, ", "))};
  Samples out;
  Diagnostics wrong;
  for (const fs::path& file : files) {
    auto some = from_file(shape, file);
    if (some.ok()) {
      out.insert(out.end(), some->begin(), some->end());
    } else {
      wrong.append(some.errors());
    }
  }
  if (!wrong.empty()) return first_few(wrong, path);
  return out;
}

}  // namespace

Result<Samples> load_samples(const Graph& graph, const std::string& path) {
  if (graph.inputs.size() != 1) {
    return Error{"calibrate.inputs", path,
                 fmt::format("the network has {} inputs; samples from files are for one. Give the "
                             "scales as a table (--scales)",
                             graph.inputs.size())};
  }
  const Shape& shape = graph.tensor(graph.inputs[0]).shape;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return Error{"calibrate.path", path, "does not exist"};
  return fs::is_directory(path, ignored) ? from_folder(shape, path) : from_file(shape, path);
}

Samples random_samples(const Graph& graph, size_t count) {
  std::mt19937 random(kSeed);
  Samples out(count);
  for (auto& sample : out) {
    for (TensorId id : graph.inputs) {
      std::vector<float> values(static_cast<size_t>(graph.tensor(id).shape.elements()));
      // From the generator's bits, not a distribution: those differ between standard libraries.
      for (float& v : values)
        v = static_cast<float>(random() >> 8) / static_cast<float>(1U << 23) - 1.0F;
      sample.push_back(std::move(values));
    }
  }
  return out;
}

}  // namespace dlavp::compiler
