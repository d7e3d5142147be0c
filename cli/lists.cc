// The commands `solvers` and `generators`.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "pullback/analysis/text.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/files.h"
#include "pullback/cli/result_json.h"
#include "pullback/spaces/installation.h"
#include "pullback/spaces/opener.h"

namespace pullback::cli {

namespace {

constexpr int kWidth = 110;  // of a line of text

Json bound(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json describe(const OptionInfo& option) {
  return {{"name", option.name},
          {"type", option.type},
          {"default", option.default_value},
          {"description", option.description},
          {"minimum", bound(option.minimum)},
          {"maximum", bound(option.maximum)},
          {"choices", option.choices}};
}

Json describe(const SolverTraits& traits) {
  const bool any = traits.most_dimension == std::numeric_limits<int>::max();
  return {{"needs_second_derivatives", traits.needs_second_derivatives},
          {"handles_kinks", traits.handles_kinks},
          {"least_dimension", traits.least_dimension},
          {"most_dimension", any ? Json(nullptr) : Json(traits.most_dimension)},
          {"uses_points", traits.uses_points},
          {"claims_geodesics", traits.claims_geodesics()},
          {"accuracy", traits.claims_geodesics() ? Json(traits.accuracy) : Json(nullptr)}};
}

std::string text_of(const SolverTraits& traits) {
  std::string text = traits.claims_geodesics() ? fmt::format("length to {:g} on smooth problems", traits.accuracy)
                                               : std::string("finds starts, claims no geodesic");
  text += traits.handles_kinks ? "; minimises over kinks" : "; does not see kinks";
  if (traits.needs_second_derivatives) text += "; second derivatives";
  if (traits.uses_points) text += "; uses points";
  if (traits.most_dimension < std::numeric_limits<int>::max()) {
    text += fmt::format("; {} to {} dimensions", traits.least_dimension, traits.most_dimension);
  }
  return text;
}

Json describe(const SolverEntry& entry) {
  Json options = Json::array();
  for (const OptionInfo& option : entry.options) options.push_back(describe(option));
  return {{"name", entry.name},
          {"description", entry.description},
          {"reference", entry.reference},
          {"origin", entry.origin},
          {"available", static_cast<bool>(entry.make)},
          {"unavailable_reason", entry.make ? Json(nullptr) : Json(entry.unavailable)},
          {"runs", entry.inner.empty() ? Json(nullptr) : Json(entry.inner)},
          {"traits", describe(entry.traits)},
          {"options", options}};
}

std::string range_of(const OptionInfo& option) {
  if (!option.choices.empty()) return fmt::format(" ({})", fmt::join(option.choices, ", "));
  if (std::isfinite(option.minimum) && std::isfinite(option.maximum)) {
    return fmt::format(" ({:g} to {:g})", option.minimum, option.maximum);
  }
  if (std::isfinite(option.minimum)) return fmt::format(" (at least {:g})", option.minimum);
  if (std::isfinite(option.maximum)) return fmt::format(" (at most {:g})", option.maximum);
  return "";
}

std::string text_of(const SolverEntry& entry) {
  std::string text = fmt::format("{:<12} {}\n", entry.name, wrap(entry.description, kWidth, 13));
  if (!entry.make) text += fmt::format("{:13}unavailable: {}\n", "", wrap(entry.unavailable, kWidth, 13));
  if (entry.origin != "built in") text += fmt::format("{:13}from {}\n", "", entry.origin);
  if (!entry.reference.empty()) text += fmt::format("{:13}{}\n", "", wrap(entry.reference, kWidth, 13));
  if (entry.make) text += fmt::format("{:13}{}\n", "", wrap(text_of(entry.traits), kWidth, 13));
  if (!entry.inner.empty()) {
    text += fmt::format("{:13}runs another chain: {}(CHAIN); by default {}\n", "", entry.name, entry.inner);
  }
  std::size_t width = 0;
  for (const OptionInfo& option : entry.options)
    width = std::max(width, option.name.size() + option.default_value.size());
  for (const OptionInfo& option : entry.options) {
    const std::string setting = option.name + "=" + option.default_value;
    const int indent = static_cast<int>(width) + 18;
    text += fmt::format("{:15}{:<{}}  {}\n", "", setting, width + 1,
                        wrap(option.description + range_of(option), kWidth, indent));
  }
  return text;
}

const char* kind_of(GeneratorSource source) {
  switch (source) {
    case GeneratorSource::kNamed:
      return "surface";
    case GeneratorSource::kModel:
      return "model";
    case GeneratorSource::kFile:
      return "file";
  }
  return "";
}

Json describe(const GeneratorEntry& entry) {
  Json parameters = Json::array();
  for (const Parameter& parameter : entry.parameters) {
    parameters.push_back(
        {{"name", parameter.name}, {"default", parameter.default_value}, {"description", parameter.description}});
  }
  return {{"name", entry.name},
          {"kind", kind_of(entry.source)},
          {"description", entry.description},
          {"parameters", parameters}};
}

std::string text_of(const GeneratorEntry& entry) {
  std::string text = fmt::format("  {:<18} {}\n", entry.name, wrap(entry.description, kWidth, 21));
  for (const Parameter& parameter : entry.parameters) {
    text += fmt::format("  {:<18}   {}={:g}  {}\n", "", parameter.name, parameter.default_value, parameter.description);
  }
  return text;
}

}  // namespace

int run_solvers(const ListArguments& arguments) {
  const Opener opener(arguments.plugins);
  if (arguments.json) {
    Json list = Json::array();
    for (const auto& [name, entry] : opener.solvers().entries()) list.push_back(describe(entry));
    write_standard_output(as_text({{"solvers", list}}));
    return kDone;
  }
  std::string text;
  for (const auto& [name, entry] : opener.solvers().entries()) text += text_of(entry) + "\n";
  text +=
      "A chain such as graph+newton starts each solver from the curve of the one before.\n"
      "Options follow the name: energy:nodes=64\n";
  write_standard_output(text);
  return kDone;
}

int run_generators(const ListArguments& arguments) {
  const Opener opener(arguments.plugins);
  if (arguments.json) {
    Json list = Json::array();
    for (const GeneratorEntry& entry : opener.list()) list.push_back(describe(entry));
    write_standard_output(as_text({{"generators", list}}));
    return kDone;
  }
  std::string text;
  const char* kind = "";
  for (const GeneratorEntry& entry : opener.list()) {
    if (std::string_view(kind) != kind_of(entry.source)) {
      kind = kind_of(entry.source);
      text += fmt::format("{}{}s{}:\n", text.empty() ? "" : "\n", kind,
                          entry.source == GeneratorSource::kModel ? " in " + models_folder().string() : "");
    }
    text += text_of(entry);
  }
  write_standard_output(text + "\nParameters follow the name: torus:R=3,r=1\n");
  return kDone;
}

}  // namespace pullback::cli
