// A reader of protobuf's text form: names, scalars, lists in brackets, nested messages, comments.
#include "compiler/frontend/caffe_text.hpp"

#include <cctype>

namespace dlavp::compiler {
namespace {

constexpr size_t kDeepest = 64;

struct Token {
  enum Kind { kEnd, kWord, kText, kSign } kind = kEnd;
  std::string text;
  size_t line = 1;
};

class Reader {
 public:
  Reader(const std::string& text, std::string place) : text_(text), place_(std::move(place)) {
    advance();
  }
  TextMessage read() {
    TextMessage out = message(0);
    if (token_.kind != Token::kEnd) fail(fmt::format("'{}' closes nothing", token_.text));
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw Error{"caffe.syntax", fmt::format("{}:{}", place_, token_.line), message};
  }
  static bool in_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-' ||
           c == '+' || c == '/';
  }
  void skip() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
        if (c == '\n') ++line_;
        ++at_;
      } else {
        return;
      }
    }
  }
  void advance() {
    skip();
    token_ = {Token::kEnd, "end of file", line_};
    if (at_ >= text_.size()) return;
    const char c = text_[at_];
    if (c == '"' || c == '\'') return quoted(c);
    token_.text.clear();
    if (in_word(c)) {
      token_.kind = Token::kWord;
      while (at_ < text_.size() && in_word(text_[at_])) token_.text += text_[at_++];
      return;
    }
    token_.kind = Token::kSign;
    token_.text = text_[at_++];
  }
  void quoted(char quote) {
    token_ = {Token::kText, "", line_};
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\n') fail("a text without an end");
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      token_.text += text_[at_];
    }
    if (at_ >= text_.size()) fail("a text without an end");
    ++at_;
  }
  bool sign(const char* s) {
    if (token_.kind != Token::kSign || token_.text != s) return false;
    advance();
    return true;
  }
  void value(TextMessage& out, const std::string& name, size_t line, size_t depth) {
    TextField field{name, line, "", {}};
    if (sign("{") || sign("<")) {
      field.message.push_back(message(depth + 1));
      if (!sign("}") && !sign(">")) fail(fmt::format("'{}' is not closed", name));
    } else if (token_.kind == Token::kWord || token_.kind == Token::kText) {
      field.value = token_.text;
      const bool text = token_.kind == Token::kText;
      advance();
      while (text && token_.kind == Token::kText) {  // adjacent texts are one
        field.value += token_.text;
        advance();
      }
    } else {
      fail(fmt::format("'{}' has no value", name));
    }
    out.fields.push_back(std::move(field));
  }
  TextMessage message(size_t depth) {
    if (depth > kDeepest) fail("messages nested too deeply");
    TextMessage out;
    out.line = token_.line;
    while (token_.kind == Token::kWord) {
      const std::string name = token_.text;
      const size_t line = token_.line;
      advance();
      const bool colon = sign(":");
      if (!colon && !(token_.kind == Token::kSign && (token_.text == "{" || token_.text == "<")))
        fail(fmt::format("':' or '{{' is expected after '{}', not '{}'", name, token_.text));
      if (sign("[")) {
        while (!sign("]")) {
          value(out, name, line, depth);
          if (!sign(",") && !(token_.kind == Token::kSign && token_.text == "]"))
            fail(fmt::format("',' or ']' is expected, not '{}'", token_.text));
        }
      } else {
        value(out, name, line, depth);
      }
      if (!sign(",")) sign(";");
    }
    if (token_.kind == Token::kText) fail(fmt::format("the text \"{}\" has no name", token_.text));
    return out;
  }

  const std::string& text_;
  std::string place_;
  size_t at_ = 0;
  size_t line_ = 1;
  Token token_;
};

}  // namespace

std::vector<const TextField*> TextMessage::all(const std::string& name) const {
  std::vector<const TextField*> out;
  for (const TextField& f : fields) {
    if (f.name == name) out.push_back(&f);
  }
  return out;
}

const TextField* TextMessage::find(const std::string& name) const {
  for (const TextField& f : fields) {
    if (f.name == name) return &f;
  }
  return nullptr;
}

const TextMessage& TextMessage::child(const std::string& name) const {
  static const TextMessage empty;
  const TextField* f = find(name);
  return f == nullptr || f->message.empty() ? empty : f->message[0];
}

std::string TextMessage::text(const std::string& name, const std::string& otherwise) const {
  const TextField* f = find(name);
  return f == nullptr ? otherwise : f->value;
}

std::vector<std::string> TextMessage::texts(const std::string& name) const {
  std::vector<std::string> out;
  for (const TextField* f : all(name)) out.push_back(f->value);
  return out;
}

Result<TextMessage> parse_text(const std::string& text, const std::string& place) {
  try {
    return Reader(text, place).read();
  } catch (const Error& error) {
    return error;
  }
}

}  // namespace dlavp::compiler
