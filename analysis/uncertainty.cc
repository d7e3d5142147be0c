#include "pullback/analysis/uncertainty.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "pullback/analysis/images.h"
#include "pullback/base/error.h"
#include "pullback/base/random.h"
#include "pullback/generators/uncertain/fit_uncertainty.h"
#include "pullback/spaces/installation.h"

namespace pullback {

namespace {

using Json = nlohmann::json;
using Eigen::Index;

// Half a grey level: no residual of an image in 8 bits is known to be smaller.
constexpr double kLeastDeviation = 0.5 / 255;
constexpr double kShareOfSpread = 0.1;

double root_mean_square(const Matrix& values) {
  return std::sqrt(values.squaredNorm() / static_cast<double>(values.size()));
}

double spread(const Matrix& outputs) { return root_mean_square(outputs.colwise() - outputs.rowwise().mean()); }

bool is_sigmoid(const Network& decoder) { return decoder.layers().back().activation.kind == ActivationKind::kSigmoid; }

// The model's file with the format and the name of what it becomes.
Safetensors start_content(const std::filesystem::path& path, const char* kind) {
  Safetensors content = read_safetensors(path);
  auto& metadata = content.metadata;
  metadata["format"] = kUncertaintyFormat;
  metadata["uncertainty"] = kind;
  const std::string base = metadata.contains("name") ? metadata["name"] : path.stem().string();
  metadata["name"] = fmt::format("{}-{}", base, kind);
  return content;
}

void remove_network(Safetensors& content, const std::string& part) {
  const auto text = content.metadata.find(part);
  if (text == content.metadata.end()) return;
  for (const Json& layer : Json::parse(text->second)) {
    content.tensors.erase(layer["weight"].get<std::string>());
    content.tensors.erase(layer["bias"].get<std::string>());
  }
  content.metadata.erase(text);
}

void fit_rbf(const ModelFile& model, const std::optional<Observations>& observed, const UncertaintySettings& settings,
             FittedModel& out) {
  const Matrix& codes = observed ? observed->codes : model.codes;
  const Matrix decoded = model.decoder->value(codes);
  Matrix squares;
  if (observed) {
    squares = (observed->outputs - decoded).cwiseAbs2();
    out.notes.push_back(
        fmt::format("residuals: those of {} observed outputs from their reconstructions", codes.cols()));
  } else if (is_sigmoid(*model.decoder)) {
    squares = (decoded.array() * (1 - decoded.array())).matrix();
    out.notes.emplace_back("residuals: no data, so p(1 - p) of the decoder's own outputs p at the codes");
  } else {
    const double deviation = kShareOfSpread * spread(decoded);
    squares.setConstant(decoded.rows(), decoded.cols(), deviation * deviation);
    out.notes.push_back(
        fmt::format("residuals: no data, so {:.3g}, a tenth of the spread of the decoded codes", deviation));
  }
  const double near = std::sqrt(squares.mean());
  squares.array() += is_sigmoid(*model.decoder) ? kLeastDeviation * kLeastDeviation : 1e-6 * squares.mean();
  const double far = settings.far * near;
  const Clusters clusters = k_means(model.codes, settings.centres, settings.seed);
  const auto deviation = fit_deviation(cluster_basis(clusters, settings.width), codes, squares,
                                       Vector::Constant(decoded.rows(), 1 / (far * far)));
  out.notes.push_back(
      fmt::format("{} centres by k-means of {} codes; deviation {:.3g} at the codes (root mean square; "
                  "residuals {:.3g}), {:.3g} away from them",
                  settings.centres, model.codes.cols(), root_mean_square(deviation->value(codes)), near, far));
  auto& tensors = out.content.tensors;
  tensors["uncertainty.centres"] = columns_tensor(deviation->basis().centres);
  tensors["uncertainty.rates"] = columns_tensor(deviation->basis().rates);
  tensors["uncertainty.weight"] = rows_tensor(deviation->weight());
  tensors["uncertainty.floor"] = vector_tensor(deviation->bias());
}

Refit resample(const Matrix& points, const Matrix& targets, bool observed, Random& random) {
  Refit out{points, targets, Vector::Ones(points.cols())};
  if (observed) {
    out.counts.setZero();
    for (Index i = 0; i < points.cols(); ++i) out.counts(random.index(points.cols())) += 1;
    return out;
  }
  for (double& target : out.targets.reshaped()) target = random.uniform(0, 1) < target ? 1 : 0;
  return out;
}

// The members share all layers but the last with the decoder, and the tensors of those.
void write_members(const std::vector<std::shared_ptr<const Network>>& members, Safetensors& content) {
  Json list = Json::array();
  for (std::size_t i = 0; i < members.size(); ++i) {
    Json layers = Json::parse(content.metadata["decoder"]);
    const std::string prefix = fmt::format("member.{}.", i);
    layers.back()["weight"] = prefix + "weight";
    layers.back()["bias"] = prefix + "bias";
    content.tensors[prefix + "weight"] = rows_tensor(members[i]->layers().back().weight);
    content.tensors[prefix + "bias"] = vector_tensor(members[i]->layers().back().bias);
    list.push_back(std::move(layers));
  }
  content.metadata["members"] = list.dump();
}

// How far members are apart at the codes, as a share of the outputs' spread over the codes.
double disagreement(const std::vector<std::shared_ptr<const Network>>& members, const Matrix& codes) {
  std::vector<Matrix> outputs;
  outputs.reserve(members.size());
  for (const auto& member : members) outputs.push_back(member->value(codes));
  Matrix mean = Matrix::Zero(outputs[0].rows(), outputs[0].cols());
  for (const Matrix& output : outputs) mean += output / static_cast<double>(outputs.size());
  double squares = 0;
  for (const Matrix& output : outputs) squares += (output - mean).squaredNorm() / static_cast<double>(output.size());
  return std::sqrt(squares / static_cast<double>(outputs.size())) / spread(mean);
}

void fit_ensemble(const ModelFile& model, const std::optional<Observations>& observed,
                  const UncertaintySettings& settings, FittedModel& out) {
  if (!observed && !is_sigmoid(*model.decoder)) {
    throw std::invalid_argument(
        "an ensemble without observations needs a decoder whose outputs are probabilities "
        "(sigmoid), from which targets can be drawn");
  }
  const Matrix& codes = observed ? observed->codes : model.codes;
  const Matrix targets = observed ? observed->outputs : model.decoder->value(codes);
  Random random(settings.seed);
  const auto members = bootstrap_members(*model.decoder, settings.members,
                                         [&](int) { return resample(codes, targets, observed.has_value(), random); });
  out.notes.push_back(fmt::format("{} members: the last layer fitted anew to {} at {} codes", settings.members,
                                  observed ? "resampled observations" : "outputs drawn from the decoder's own",
                                  codes.cols()));
  out.notes.push_back(
      fmt::format("members differ at the codes by {:.2g} of the outputs' spread", disagreement(members, model.codes)));
  write_members(members, out.content);
}

// A code near the middle of every group: spread like the codes, and never two in one place.
std::vector<Index> representative_codes(const Matrix& codes, int count, std::uint64_t seed) {
  const Clusters clusters = k_means(codes, count, seed);
  std::vector<Index> chosen;
  for (Index k = 0; k < clusters.centres.cols(); ++k) {
    Index nearest = 0;
    (codes.colwise() - clusters.centres.col(k)).colwise().squaredNorm().minCoeff(&nearest);
    chosen.push_back(nearest);
  }
  std::ranges::sort(chosen);
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

void fit_gaussian_process(const ModelFile& model, const std::optional<Observations>& observed,
                          const UncertaintySettings& settings, FittedModel& out) {
  const Matrix& codes = observed ? observed->codes : model.codes;
  const std::vector<Index> chosen =
      representative_codes(codes, std::min<int>(settings.inputs, static_cast<int>(codes.cols())), settings.seed);
  const Matrix inputs = codes(Eigen::all, chosen);
  const Matrix outputs = observed ? Matrix(observed->outputs(Eigen::all, chosen)) : model.decoder->value(inputs);
  const FittedProcess fit =
      fit_process(inputs, outputs, settings.length > 0 ? std::optional<double>(settings.length) : std::nullopt);
  out.notes.push_back(fmt::format("conditioned on {} {} at codes spread by k-means", inputs.cols(),
                                  observed ? "observed outputs" : "decoded codes"));
  out.notes.push_back(
      fmt::format("lengths {:.3g} standard deviations of the codes ({}), signal deviation {:.3g}, noise {:.3g} "
                  "by marginal likelihood",
                  fit.length_factor, settings.length > 0 ? "as asked" : "the likeliest",
                  std::sqrt(fit.data.signal_variance), std::sqrt(fit.data.noise_variance)));
  remove_network(out.content, "decoder");
  remove_network(out.content, "encoder");
  auto& tensors = out.content.tensors;
  tensors["process.inputs"] = columns_tensor(fit.data.inputs);
  tensors["process.outputs"] = columns_tensor(fit.data.outputs);
  tensors["process.offset"] = vector_tensor(fit.data.offset);
  tensors["process.lengths"] = vector_tensor(fit.data.lengths);
  tensors["process.variances"] = vector_tensor(Vector{{fit.data.signal_variance, fit.data.noise_variance}});
}

void require_plain(const std::filesystem::path& path, const ModelFile& model) {
  if (model.generator != model.decoder) {
    throw Error(fmt::format("{}: has an uncertainty already; give the model that it was fitted to", path.string()));
  }
}

}  // namespace

UncertaintyMethod parse_uncertainty_method(const std::string& name) {
  for (const UncertaintyMethod method :
       {UncertaintyMethod::kRbf, UncertaintyMethod::kEnsemble, UncertaintyMethod::kGaussianProcess}) {
    if (name == to_string(method)) return method;
  }
  throw std::invalid_argument(fmt::format("unknown method: expected rbf, ensemble or gp, got \"{:.40}\"", name));
}

const char* to_string(UncertaintyMethod method) {
  switch (method) {
    case UncertaintyMethod::kRbf:
      return "rbf";
    case UncertaintyMethod::kEnsemble:
      return "ensemble";
    case UncertaintyMethod::kGaussianProcess:
      return "gp";
  }
  return "unknown";
}

Observations observe_images(const std::filesystem::path& path, const ModelFile& model,
                            const std::filesystem::path& folder) {
  if (!model.encoder) {
    throw Error(fmt::format("{}: has no encoder that gives images their codes; fit it without images", path.string()));
  }
  Observations observed;
  observed.outputs = read_heldout_images(folder, model.encoder->latent_dimension());
  observed.codes = model.encoder->value(observed.outputs);
  return observed;
}

std::filesystem::path find_model_file(const std::string& name) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(name, ignored)) return name;
  const std::filesystem::path shipped = models_folder() / (name + ".safetensors");
  if (name.find('/') == std::string::npos && std::filesystem::is_regular_file(shipped, ignored)) return shipped;
  throw Error(fmt::format("{}: no such file, and no shipped model of that name", name));
}

FittedModel fit_uncertainty(const std::filesystem::path& path, const ModelFile& model,
                            const std::optional<Observations>& observed, const UncertaintySettings& settings) {
  require_plain(path, model);
  if (model.codes.cols() < 2) {
    throw Error(fmt::format("{}: has no codes, which say where it is known", path.string()));
  }
  FittedModel out{start_content(path, to_string(settings.method)), {}};
  switch (settings.method) {
    case UncertaintyMethod::kRbf:
      fit_rbf(model, observed, settings, out);
      break;
    case UncertaintyMethod::kEnsemble:
      fit_ensemble(model, observed, settings, out);
      break;
    case UncertaintyMethod::kGaussianProcess:
      fit_gaussian_process(model, observed, settings, out);
      break;
  }
  std::string fitted;
  for (const std::string& note : out.notes) fitted += (fitted.empty() ? "" : "; ") + note;
  out.content.metadata["fitted"] = fitted;
  return out;
}

FittedModel join_members(const std::filesystem::path& path, const ModelFile& model,
                         const std::vector<std::filesystem::path>& others) {
  require_plain(path, model);
  FittedModel out{start_content(path, to_string(UncertaintyMethod::kEnsemble)), {}};
  std::vector<std::shared_ptr<const Network>> members{model.decoder};
  Json list = Json::array({Json::parse(out.content.metadata["decoder"])});
  for (const auto& other : others) {
    const ModelFile member = read_model(other);
    require_plain(other, member);
    if (member.decoder->latent_dimension() != model.decoder->latent_dimension() ||
        member.decoder->ambient_dimension() != model.decoder->ambient_dimension()) {
      throw Error(fmt::format("{}: maps {} numbers to {}, but {} maps {} to {}: members share a latent space",
                              other.string(), member.decoder->latent_dimension(), member.decoder->ambient_dimension(),
                              path.string(), model.decoder->latent_dimension(), model.decoder->ambient_dimension()));
    }
    const Safetensors content = read_safetensors(other);
    Json layers = Json::parse(content.metadata.at("decoder"));
    for (Json& layer : layers) {
      for (const char* key : {"weight", "bias"}) {
        const std::string name = layer[key];
        layer[key] = fmt::format("member.{}.{}", members.size(), name);
        out.content.tensors[layer[key]] = content.tensors.at(name);
      }
    }
    list.push_back(std::move(layers));
    members.push_back(member.decoder);
  }
  out.content.metadata["members"] = list.dump();
  out.notes.push_back(fmt::format("{} members from files", members.size()));
  if (model.codes.cols() > 1) {
    out.notes.push_back(
        fmt::format("members differ at the codes by {:.2g} of the outputs' spread: near 1 and above, they "
                    "do not share a latent space",
                    disagreement(members, model.codes)));
  }
  out.content.metadata["fitted"] = out.notes.back();
  return out;
}

}  // namespace pullback
