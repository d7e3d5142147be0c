#include "pullback/generators/generator_registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <system_error>

#include "pullback/base/error.h"
#include "pullback/generators/check_derivatives.h"
#include "pullback/generators/network/model_file.h"

namespace pullback {
namespace {

namespace fs = std::filesystem;

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

template <typename Map>
std::string keys(const Map& map) {
  std::vector<std::string_view> names;
  names.reserve(map.size());
  for (const auto& entry : map) names.push_back(entry.first);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

OpenedGenerator open_model(const fs::path& path) {
  ModelFile model = read_model(path);
  return {std::move(model.generator), std::move(model.codes), std::move(model.labels), std::move(model.metadata)};
}

ParameterValues defaults(const std::vector<Parameter>& parameters) {
  ParameterValues values;
  for (const Parameter& parameter : parameters) values.emplace(parameter.name, parameter.default_value);
  return values;
}

double parse_number(std::string_view generator, std::string_view key, std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range && end == text.data() + text.size()) {
    throw std::invalid_argument(fmt::format(
        "generator '{}': parameter '{}' is {:.24}, which overflows or underflows: a double reaches from {:.2g} "
        "to {:.2g}",
        generator, key, text, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()));
  }
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    throw std::invalid_argument(
        fmt::format("generator '{}': parameter '{}' must be a finite number, got '{}'", generator, key, text));
  }
  return value;
}

// "R=3,r=1" over the defaults.
ParameterValues parse_arguments(std::string_view generator, std::string_view arguments, ParameterValues values) {
  std::vector<std::string_view> seen;
  for (bool more = !arguments.empty(); more;) {
    const std::size_t comma = arguments.find(',');
    const std::string_view item = arguments.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) arguments.remove_prefix(comma + 1);
    const std::size_t equals = item.find('=');
    const std::string_view key = item.substr(0, equals);
    const auto found = values.find(key);
    if (found == values.end()) {
      throw std::invalid_argument(
          fmt::format("generator '{}' has no parameter '{}'; choices: {}", generator, key, keys(values)));
    }
    if (equals == std::string_view::npos) {
      throw std::invalid_argument(
          fmt::format("generator '{}': parameter '{}' needs a value, as in {}={}", generator, key, key, found->second));
    }
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      throw std::invalid_argument(fmt::format("generator '{}': parameter '{}' is given twice", generator, key));
    }
    seen.push_back(key);
    found->second = parse_number(generator, key, item.substr(equals + 1));
  }
  return values;
}

}  // namespace

GeneratorRegistry::GeneratorRegistry() {
  add_reader(".safetensors", "a model trained by this program: weights, latent codes and labels", open_model,
             DerivativeCheckAt::kBefore);
}

void GeneratorRegistry::add_reader(std::string ending, std::string description, Reader reader,
                                   DerivativeCheckAt check) {
  SizedReader sized;
  if (reader) sized = [reader = std::move(reader)](const fs::path& path, const OpenOptions&) { return reader(path); };
  add_sized_reader(std::move(ending), std::move(description), std::move(sized), check);
}

void GeneratorRegistry::add_sized_reader(std::string ending, std::string description, SizedReader reader,
                                         DerivativeCheckAt check) {
  ending = lower_case(std::move(ending));
  if (ending.size() < 2 || ending.front() != '.') {
    throw std::invalid_argument(
        fmt::format("GeneratorRegistry::add_reader: a file ending must start with a dot, got '{}'", ending));
  }
  if (!reader) throw std::invalid_argument(fmt::format("GeneratorRegistry::add_reader: '{}' has no reader", ending));
  if (!readers_.try_emplace(ending, FileKind{std::move(description), std::move(reader), check}).second) {
    throw std::invalid_argument(fmt::format("GeneratorRegistry::add_reader: '{}' has a reader already", ending));
  }
}

void GeneratorRegistry::add_named(std::string name, std::string description, std::vector<Parameter> parameters,
                                  Factory factory, DerivativeCheckAt check) {
  if (!is_name(name)) {
    throw std::invalid_argument(
        fmt::format("GeneratorRegistry::add_named: a name is made of letters, digits, '-' and '_', got '{}'", name));
  }
  if (!factory) throw std::invalid_argument(fmt::format("GeneratorRegistry::add_named: '{}' has no factory", name));
  if (defaults(parameters).size() != parameters.size()) {
    throw std::invalid_argument(fmt::format("GeneratorRegistry::add_named: '{}' has a parameter twice", name));
  }
  Named named{std::move(description), std::move(parameters), std::move(factory), check};
  if (!named_.try_emplace(name, std::move(named)).second) {
    throw std::invalid_argument(fmt::format("GeneratorRegistry::add_named: '{}' is taken", name));
  }
}

const GeneratorRegistry::FileKind* GeneratorRegistry::find_reader(const fs::path& path) const {
  const std::string name = lower_case(path.filename().string());
  for (const auto& [ending, kind] : readers_) {
    if (name.ends_with(ending)) return &kind;
  }
  return nullptr;
}

std::map<std::string, fs::path> GeneratorRegistry::models() const {
  std::map<std::string, fs::path> found;
  std::error_code ignored;  // no folder, no models
  for (fs::directory_iterator it(model_directory_, ignored), end; !ignored && it != end; it.increment(ignored)) {
    const fs::path& path = it->path();
    std::error_code status;
    if (find_reader(path) == nullptr || !it->is_regular_file(status)) continue;
    // Of several files of one name the first by path, whatever order the folder is listed in.
    const auto [place, added] = found.emplace(path.stem().string(), path);
    if (!added) place->second = std::min(place->second, path);
  }
  return found;
}

OpenedGenerator GeneratorRegistry::open_file(const fs::path& path, const OpenOptions& options) const {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) throw Error(fmt::format("{}: no such file", path.string()));
  if (fs::is_directory(status)) throw Error(fmt::format("{}: is a folder, expected a generator file", path.string()));
  const FileKind* kind = find_reader(path);
  if (kind == nullptr) {
    throw Error(fmt::format("{}: no reader for this file ending; known endings: {}", path.string(), keys(readers_)));
  }
  OpenedGenerator opened = kind->reader(path, options);
  if (kind->check == DerivativeCheckAt::kOpening) {
    opened.generator = with_checked_derivatives(std::move(opened.generator), opened.codes);
  }
  return opened;
}

OpenedGenerator GeneratorRegistry::open_name(std::string_view name, std::string_view arguments,
                                             const OpenOptions& options) const {
  if (const auto found = named_.find(name); found != named_.end()) {
    const Named& named = found->second;
    OpenedGenerator opened;
    opened.generator = named.factory(parse_arguments(name, arguments, defaults(named.parameters)));
    if (named.check == DerivativeCheckAt::kOpening) {
      opened.generator = with_checked_derivatives(std::move(opened.generator), {});
    }
    opened.codes.resize(opened.generator->latent_dimension(), 0);
    return opened;
  }
  const auto available = models();
  if (const auto found = available.find(std::string(name)); found != available.end()) {
    if (!arguments.empty()) {
      throw std::invalid_argument(
          fmt::format("generator '{}' is a model and has no parameters, got '{}'", name, arguments));
    }
    return open_file(found->second, options);
  }
  throw std::invalid_argument(
      fmt::format("unknown generator '{}'; choices: {}; models: {}; {}or an existing file ending in {}", name,
                  keys(named_), keys(available), options.choices_besides, keys(readers_)));
}

OpenedGenerator GeneratorRegistry::open(std::string_view specification, const OpenOptions& options) const {
  const fs::path path(specification);
  std::error_code ignored;
  const std::size_t colon = specification.find(':');
  const std::string_view name = specification.substr(0, colon);
  const bool is_path = specification.find('/') != std::string_view::npos || find_reader(path) != nullptr ||
                       (named_.find(name) == named_.end() && fs::is_regular_file(path, ignored));
  if (is_path) return open_file(path, options);
  const std::string_view arguments =
      colon == std::string_view::npos ? std::string_view() : specification.substr(colon + 1);
  return open_name(name, arguments, options);
}

std::vector<GeneratorEntry> GeneratorRegistry::list() const {
  std::vector<GeneratorEntry> entries;
  for (const auto& [name, named] : named_) {
    entries.push_back({GeneratorSource::kNamed, name, named.description, named.parameters});
  }
  for (const auto& [name, path] : models()) {
    entries.push_back({GeneratorSource::kModel, name, find_reader(path)->description, {}});
  }
  for (const auto& [ending, kind] : readers_) {
    entries.push_back({GeneratorSource::kFile, ending, kind.description, {}});
  }
  return entries;
}

}  // namespace pullback
