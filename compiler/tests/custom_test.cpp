// Custom layers: expressions of shape rules, attributes in their order. What needs the compilers is
// in tests/custom.
#include <catch2/catch.hpp>

#include "compiler/custom/custom_call.hpp"

using namespace dlavp;
using namespace dlavp::compiler;

namespace {

const std::map<std::string, int64_t> kNames{{"c0", 6}, {"h0", 7}, {"stride_h", 2}};

void fails(const std::string& text, const std::string& id, const std::string& message) {
  const auto value = evaluate_expression(text, kNames);
  INFO(text);
  REQUIRE(!value.ok());
  CHECK(value.errors().has(id));
  CHECK(value.errors().text().find(message) != std::string::npos);
}

}  // namespace

TEST_CASE("custom: expressions follow precedence, round down and know names, min and max") {
  const std::pair<const char*, int64_t> cases[] = {{"1 + 2 * 3", 7},
                                                   {"(1 + 2) * 3", 9},
                                                   {"2 - 3 - 4", -5},
                                                   {"h0 / stride_h", 3},
                                                   {"-h0 / stride_h", -4},
                                                   {"-h0 % stride_h", 1},
                                                   {"h0 % stride_h", 1},
                                                   {"(h0 - 3) / 2 + 1", 3},
                                                   {"min(c0, h0, 5)", 5},
                                                   {"max(1, c0 * c0) - 1", 35},
                                                   {"--4", 4},
                                                   {" 12 ", 12}};
  for (const auto& [text, expected] : cases) {
    const auto value = evaluate_expression(text, kNames);
    INFO(text);
    REQUIRE(value.ok());
    CHECK(*value == expected);
  }
}

TEST_CASE("custom: expressions that are wrong say where or which name") {
  fails("", "custom.expression", "ends early");
  fails("1 +", "custom.expression", "ends early");
  fails("(c0", "custom.expression", "')'");
  fails("c0 h0", "custom.expression", "'h' at character 4, expected an operator");
  fails("c0 + w9", "custom.expression", "unknown name 'w9'; there are c0, h0, stride_h");
  fails("3x", "custom.expression", "'3x' is no whole number");
  fails("c0 / (h0 - 7)", "custom.value", "division by 0");
  fails("9223372036854775807 + 1", "custom.value", "too large");
  fails(std::string(100, '('), "custom.expression", "nested too deeply");
}

TEST_CASE("custom: attributes become parameters and reals in the order of declaration") {
  CustomLayer layer;
  layer.place = "x.yaml";
  layer.attributes = {{"kind", AttributeType::kChoice, {"a", "b"}, true, {0}},
                      {"sizes", AttributeType::kIntegers, {}, false, {}},
                      {"alpha", AttributeType::kReal, {}, true, {0.5}},
                      {"taps", AttributeType::kReals, {}, true, {1, 2}},
                      {"n", AttributeType::kInteger, {}, true, {9}}};
  CustomAttributes given;
  given.texts["kind"] = "b";
  given.lists["sizes"] = {3, 4};
  const auto out = custom_arguments(layer, given);
  REQUIRE(out.ok());
  CHECK(out->params == std::vector<int32_t>{1, 2, 3, 4, 2, 9});
  CHECK(out->reals == std::vector<double>{0.5, 1, 2});

  const auto wrong = [&](const CustomAttributes& attributes, const std::string& message) {
    const auto refused = custom_arguments(layer, attributes);
    REQUIRE(!refused.ok());
    CHECK(refused.errors().has("custom.attribute"));
    INFO(refused.errors().text());
    CHECK(refused.errors().text().find(message) != std::string::npos);
  };
  wrong({}, "sizes is missing and has no default");
  wrong({{{"n", 1.5}}, {{"sizes", {1}}}, {}}, "n is 1.5, expected a whole number");
  wrong({{}, {{"sizes", {1}}, {"n", {1, 2}}}, {}}, "n has 2 values, expected 1");
  wrong({{}, {{"sizes", {1}}}, {{"alpha", "much"}}}, "alpha 'much', expected a number");
  wrong({{{"beta", 1}}, {{"sizes", {1}}}, {}}, "beta is not declared in x.yaml");
}
