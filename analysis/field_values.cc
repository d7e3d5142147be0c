#include "pullback/analysis/field_values.h"

#include <fmt/format.h>

#include <cmath>

namespace pullback {

namespace {

// As one short piece of printable ASCII: whoever wrote the text is not known.
std::string quoted(const std::string& text) {
  constexpr std::size_t kMost = 40;
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += std::string("\\") + c;
    } else {
      out += byte < 0x20 || byte > 0x7e ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
    }
  }
  out += "\"";
  return out.size() > kMost ? out.substr(0, kMost) + "…" : out;
}

struct Shown {
  std::string operator()(double number) const {
    return std::isfinite(number) ? fmt::format("{:.10g}", number) : "null";
  }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(const std::string& text) const { return quoted(text); }
  std::string operator()(const ListSize& list) const { return fmt::format("a list of {}", list.size); }
  std::string operator()(const OtherValue& other) const { return other.text; }
};

}  // namespace

std::string shown(const FieldValue& value) { return std::visit(Shown(), value); }

bool agree(const FieldValue& written, const FieldValue& found, double allowed) {
  const double* a = std::get_if<double>(&written);
  const double* b = std::get_if<double>(&found);
  if (a == nullptr || b == nullptr) return written == found;
  if (!std::isfinite(*a) || !std::isfinite(*b)) return std::isfinite(*a) == std::isfinite(*b);
  return std::abs(*a - *b) <= allowed;
}

void compare_field(const std::string& field, const FieldValue& written, const FieldValue& found, double tolerance,
                   std::vector<Finding>& findings) {
  const double* number = std::get_if<double>(&found);
  const double size = number != nullptr && std::isfinite(*number) ? std::abs(*number) : 0;
  if (!agree(written, found, tolerance * size)) findings.push_back({field, shown(written), shown(found)});
}

void compare_fields(const FieldMap& written, const FieldList& found, double tolerance, std::vector<Finding>& findings) {
  std::string passed_over = "\n";  // entries of a list that has another length
  for (const auto& [name, value] : found) {
    if (name.starts_with(passed_over)) continue;
    const auto field = written.find(name);
    const FieldValue stored = field != written.end() ? field->second : FieldValue(OtherValue{"nothing"});
    compare_field(name, stored, value, tolerance, findings);
    if (std::holds_alternative<ListSize>(value) && stored != value) passed_over = name + "[";
  }
}

}  // namespace pullback
