#include "pullback/spaces/opener.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <stdexcept>

#include "pullback/base/error.h"
#include "pullback/generators/surfaces/curved_maps.h"
#include "pullback/manifold/metrics/gaussian_process_manifold.h"
#include "pullback/manifold/metrics/named_metrics.h"
#include "pullback/plugins/builtin.h"
#include "pullback/solvers/plugin_loader.h"
#include "pullback/spaces/installation.h"
#include "pullback/spaces/model_data.h"
#include "pullback/spaces/named_transforms.h"

namespace pullback {

namespace {

constexpr char kTorchEnding[] = ".pt";
constexpr char kTorchModule[] = "libpullback_torch.so";

bool ends_like(std::string_view text, std::string_view ending) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return text.size() >= ending.size() &&
         std::equal(ending.begin(), ending.end(), text.end() - static_cast<std::ptrdiff_t>(ending.size()),
                    [&](char e, char t) { return same(t, e); });
}

}  // namespace

Opener::Opener(const std::vector<std::string>& plugins) {
  PluginRegistrar registrar{solvers_, generators_};
  register_builtin_plugins(registrar);
  register_curved_maps(generators_);
  generators_.set_model_directory(models_folder());
  for (const std::string& plugin : plugins) load_plugin(plugin, registrar);
}

bool Opener::reads(const std::string& ending) const {
  return std::ranges::any_of(generators_.list(), [&](const GeneratorEntry& entry) {
    return entry.source == GeneratorSource::kFile && entry.name == ending;
  });
}

void Opener::load_torch(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    throw Error(fmt::format("{}: cannot be read: no such file", path));
  }
  const auto module = find_module(kTorchModule);
  if (!module) {
    throw Error(
        fmt::format("{}: TorchScript needs LibTorch, and this build has none: {} is missing", path, kTorchModule));
  }
  PluginRegistrar registrar{solvers_, generators_};
  load_plugin(*module, registrar);
}

OpenedSpace Opener::open(const std::string& specification, const KnownDimension& known) {
  OpenedSpace space = open_any(specification, known);
  if (known.stated > 0 && known.stated != space.dimension()) {
    throw std::invalid_argument(fmt::format("dimension {} was asked for, but the latent space of {} has dimension {}",
                                            known.stated, specification, space.dimension()));
  }
  return space;
}

std::string Opener::choices_besides() const {
  std::string names;
  for (const NamedMetric& metric : named_metrics()) names += (names.empty() ? "" : ", ") + metric.name;
  return fmt::format("metrics: {}; a .pt file; ", names);
}

OpenedSpace Opener::open_any(const std::string& specification, const KnownDimension& known) {
  const TransformedName stepped = split_transforms(specification);
  if (!stepped.transforms.empty()) return apply_transforms(open_any(stepped.base, known), stepped.transforms);
  if (auto metric = open_named_metric(specification)) return {specification, std::move(metric), {}, {}, {}};
  if (ends_like(specification, kTorchEnding) && !reads(kTorchEnding)) load_torch(specification);
  OpenedGenerator opened = generators_.open(specification, {.dimension = known.likely > 0 ? known.likely : known.stated,
                                                            .choices_besides = choices_besides()});
  Matrix blur = posterior_blur(specification, opened.codes, opened.metadata);
  return {specification,
          expected_manifold(std::move(opened.generator)),
          std::move(opened.codes),
          std::move(opened.labels),
          std::move(opened.metadata),
          {},
          std::move(blur)};
}

std::vector<GeneratorEntry> Opener::list() const {
  std::vector<GeneratorEntry> entries = generators_.list();
  for (const NamedMetric& metric : named_metrics()) {
    GeneratorEntry entry{GeneratorSource::kNamed, metric.name, metric.description, {}};
    if (metric.any_dimension) entry.parameters = {{"n", static_cast<double>(metric.dimension), "dimension"}};
    entries.push_back(std::move(entry));
  }
  if (!reads(kTorchEnding)) {
    const bool available = find_module(kTorchModule).has_value();
    entries.push_back({GeneratorSource::kFile,
                       kTorchEnding,
                       available ? "TorchScript; LibTorch is loaded when such a file is opened"
                                 : "TorchScript; unavailable: built without LibTorch",
                       {}});
  }
  std::ranges::stable_sort(entries, {}, [](const GeneratorEntry& entry) {
    // Models and files in the order they come in, names by the alphabet.
    return std::pair(entry.source, entry.source == GeneratorSource::kNamed ? entry.name : std::string());
  });
  return entries;
}

}  // namespace pullback
