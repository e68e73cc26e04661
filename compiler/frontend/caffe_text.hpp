// Protobuf's text form as a tree: what a prototxt says, without a schema, so that fields that the
// compiler does not need may be there, and each value knows its line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::compiler {

struct TextMessage;

struct TextField {
  std::string name;
  size_t line = 0;
  std::string value;                 ///< of a scalar, without quotes
  std::vector<TextMessage> message;  ///< one element if the field is a message
};

struct TextMessage {
  size_t line = 0;
  std::vector<TextField> fields;

  [[nodiscard]] std::vector<const TextField*> all(const std::string& name) const;
  [[nodiscard]] const TextField* find(const std::string& name) const;
  /// The message of that name; an empty one if there is none.
  [[nodiscard]] const TextMessage& child(const std::string& name) const;
  [[nodiscard]] bool has(const std::string& name) const { return find(name) != nullptr; }
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise = "") const;
  [[nodiscard]] std::vector<std::string> texts(const std::string& name) const;
};

/// Errors: caffe.syntax, with file and line.
Result<TextMessage> parse_text(const std::string& text, const std::string& place);

}  // namespace dlavp::compiler
