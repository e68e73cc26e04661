#include "apps/dlavp/file_kind.hpp"

#include <array>
#include <fstream>

namespace dlavp::app {

namespace {

constexpr size_t kHead = 64;

std::string head_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string head(kHead, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(in.gcount()));
  return head;
}

/// Field 1 of a ModelProto is its version, a small number; field 2, 7 or 8 follows.
bool like_onnx(const std::string& head) {
  return head.size() > 3 && head[0] == 8 && head[1] > 0 && head[1] < 32 &&
         (head[2] == 0x12 || head[2] == 0x3a || head[2] == 0x42);
}

struct Kind {
  const char* end;    ///< of the name; empty: any
  size_t at;          ///< place of `magic`
  const char* magic;  ///< empty: any
  const char* hint;
};

constexpr std::array<Kind, 10> kKinds = {{
    {"", 4, "NVDA", "it is a loadable already: dlavp run executes it, dlavp inspect shows it"},
    {"", 0, "PK\x03\x04",
     "it is a zip archive, as PyTorch saves them: export the model with torch.onnx.export"},
    {"", 0, "\x89HDF", "it is an HDF5 file, as Keras saves them: convert the model to ONNX"},
    {"", 4, "TFL3", "it is a TensorFlow Lite model: convert it to ONNX"},
    {"", 0, "\x89PNG", "it is a picture"},
    {"", 0, "\xff\xd8\xff", "it is a picture"},
    {"", 0, "\x93NUMPY", "it is a NumPy array"},
    {".prototxt", 0, "", "it is a Caffe network: dlavp compile makes a loadable of it"},
    {".caffemodel", 0, "",
     "it holds a Caffe network's weights: give its .prototxt to dlavp compile"},
    {".pt", 0, "", "it is named as a PyTorch file: export the model with torch.onnx.export"},
}};

std::string hint_for(const std::string& path, bool loadable_wanted) {
  const std::string head = head_of(path);
  for (const Kind& kind : kKinds) {
    const std::string magic = kind.magic;
    if (!path.ends_with(kind.end) ||
        head.compare(kind.at < head.size() ? kind.at : head.size(), magic.size(), magic) != 0)
      continue;
    return loadable_wanted && magic == "NVDA" ? "" : kind.hint;  // a loadable, but a broken one
  }
  if (loadable_wanted && like_onnx(head))
    return "it looks like an ONNX model: dlavp compile makes a loadable of it";
  return "";
}

}  // namespace

Diagnostics with_kind(const Diagnostics& errors, const std::string& path) {
  const bool loadable = errors.errors().front().id.starts_with("loadable.");
  const bool network = errors.has("onnx.parse") || errors.has("onnx.empty");
  if (!loadable && !network) return errors;
  const std::string hint = hint_for(path, loadable);
  if (hint.empty()) return errors;
  Diagnostics out;
  for (const Error& e : errors.errors())
    out.add(e.id, e.place,
            &e == &errors.errors().front() ? fmt::format("{}; {}", e.message, hint) : e.message);
  return out;
}

}  // namespace dlavp::app
