#include "study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "pullback/analysis/parallel.h"
#include "pullback/base/error.h"
#include "pullback/base/idx.h"
#include "pullback/base/safetensors.h"
#include "pullback/base/statistics.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/plugins/builtin.h"
#include "terminal.h"

namespace interpolation_data {
namespace {

using Eigen::Index;
using pullback::Matrix;
using pullback::Vector;

constexpr int kClasses = 10;
constexpr int kPathPoints = 33;  // between which a geodesic is taken to be straight
constexpr Index kBatch = 64;

Digits encode(const pullback::ImageSet& set, const pullback::Network& encoder) {
  const auto pixels = static_cast<Index>(set.pixels_per_image());
  Digits out{Images(pixels, set.count), Matrix(encoder.ambient_dimension(), set.count), {}};
  for (Index k = 0; k < out.images.size(); ++k) {
    out.images.data()[k] = static_cast<float>(set.pixels[static_cast<std::size_t>(k)]) / 255.0F;
  }
  pullback::Workspace workspace;
  for (Index k = 0; k < out.images.cols(); k += kBatch) {
    const Index count = std::min(kBatch, out.images.cols() - k);
    encoder.value(out.images.middleCols(k, count).cast<double>(), out.codes.middleCols(k, count), workspace);
  }
  for (const std::uint8_t label : set.labels) out.labels.push_back(label);
  return out;
}

// What of one geodesic is kept.
struct Solved {
  bool converged = false;
  double seconds = 0, gain = 1, bend = 0;
};

Solved describe(const pullback::Manifold& manifold, const pullback::GeodesicResult& result, const Pair& pair,
                const Vector& from, const Vector& to) {
  pullback::Workspace workspace;
  const double straight = pullback::measure(manifold, pullback::Curve::straight(from, to), workspace).length;
  const Vector along = (to - from).normalized();
  const Matrix offsets = pair.path.colwise() - from;
  const Matrix across = offsets - along * (along.transpose() * offsets);
  return {result.termination == pullback::Termination::kConverged, result.effort.seconds,
          result.certificate.length / straight, across.colwise().norm().maxCoeff() / (to - from).norm()};
}

std::vector<Pair> choose_pairs(const Digits& digits, int count, std::uint64_t seed) {
  std::mt19937_64 random(seed + 1000);
  std::vector<Pair> pairs;
  while (static_cast<int>(pairs.size()) < count) {
    const int a = static_cast<int>(random() % digits.labels.size());
    const int b = static_cast<int>(random() % digits.labels.size());
    if (a != b) pairs.push_back({a, b, {}});
  }
  return pairs;
}

// The paths as one tensor [pairs, points, n] and what was measured as [pairs, 4], under a key of all that they
// depend on.
std::optional<std::vector<Solved>> read_cache(const std::filesystem::path& path, const std::string& key, Index n,
                                              std::vector<Pair>& pairs) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  const pullback::Safetensors file = pullback::read_safetensors(path);
  if (!file.metadata.contains("key") || file.metadata.at("key") != key) return std::nullopt;
  const std::vector<double> paths = file.tensors.at("paths").to_double();
  const std::vector<double> measured = file.tensors.at("measured").to_double();
  std::vector<Solved> solved;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i].path =
        Eigen::Map<const Matrix>(paths.data() + i * static_cast<std::size_t>(n * kPathPoints), n, kPathPoints);
    solved.push_back({measured[4 * i] > 0, measured[4 * i + 1], measured[4 * i + 2], measured[4 * i + 3]});
  }
  return solved;
}

void write_cache(const std::filesystem::path& path, const std::string& key, Index n, const std::vector<Pair>& pairs,
                 const std::vector<Solved>& solved) {
  std::vector<float> paths;
  std::vector<float> measured;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    for (Index k = 0; k < pairs[i].path.size(); ++k) paths.push_back(static_cast<float>(pairs[i].path.data()[k]));
    const Solved& s = solved[i];
    for (const double x : {s.converged ? 1.0 : 0.0, s.seconds, s.gain, s.bend})
      measured.push_back(static_cast<float>(x));
  }
  const auto count = static_cast<std::int64_t>(pairs.size());
  pullback::Safetensors file;
  file.metadata["key"] = key;
  file.tensors["paths"] = pullback::Tensor::from_float({count, kPathPoints, n}, paths);
  file.tensors["measured"] = pullback::Tensor::from_float({count, 4}, measured);
  pullback::write_safetensors(path, file);
}

double median_of(const std::vector<Solved>& solved, double Solved::*field) {
  std::vector<double> values;
  for (const Solved& s : solved) values.push_back(s.*field);
  return pullback::quantile(values, 0.5);
}

}  // namespace

Material read_material(const std::filesystem::path& data, const std::filesystem::path& model, int labels) {
  Material out;
  out.model = pullback::read_model(model);
  if (!out.model.encoder) throw pullback::Error(fmt::format("{}: the model has no encoder", model.string()));
  const pullback::Dataset set = pullback::load_dataset(data, std::nullopt);
  if (set.train.pixels_per_image() != out.model.encoder->latent_dimension()) {
    throw pullback::Error(fmt::format("{}: images of {} pixels, but the model takes {}", data.string(),
                                      set.train.pixels_per_image(), out.model.encoder->latent_dimension()));
  }
  if (set.train.count < labels) {
    throw pullback::Error(
        fmt::format("{}: {} digits to draw from, expected at least {}", data.string(), set.train.count, labels));
  }
  for (const auto& part : {set.train, set.heldout}) {
    if (std::ranges::any_of(part.labels, [](int label) { return label >= kClasses; })) {
      throw pullback::Error(fmt::format("{}: a label above {}", data.string(), kClasses - 1));
    }
  }
  out.description = set.description;
  out.pool = encode(set.train, *out.model.encoder);
  out.heldout = encode(set.heldout, *out.model.encoder);
  return out;
}

Digits choose_digits(const Material& material, const Settings& settings, std::uint64_t seed) {
  std::vector<Index> order(material.pool.labels.size());
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(seed);
  Digits out{
      Images(material.pool.images.rows(), settings.labels), Matrix(material.pool.codes.rows(), settings.labels), {}};
  for (int k = 0; k < settings.labels; ++k) {  // the beginning of a shuffle
    const auto at = static_cast<std::size_t>(k);
    std::swap(order[at], order[at + random() % (order.size() - at)]);
    out.images.col(k) = material.pool.images.col(order[at]);
    out.codes.col(k) = material.pool.codes.col(order[at]);
    out.labels.push_back(material.pool.labels[static_cast<std::size_t>(order[at])]);
  }
  return out;
}

Geodesics solve_pairs(const Material& material, const Digits& digits, const Settings& settings, std::uint64_t seed,
                      int threads, const std::filesystem::path& cache) {
  Geodesics out;
  out.pairs = choose_pairs(digits, settings.pairs, seed);
  const Index n = digits.codes.rows();
  const std::string key = fmt::format("{}; {}; {}; labels {}; pairs {}; seed {}", settings.model, material.description,
                                      settings.solver, settings.labels, settings.pairs, seed);
  auto solved = read_cache(cache, key, n, out.pairs);
  if (!solved) {
    pullback::SolverRegistry solvers;
    pullback::GeneratorRegistry generators;
    pullback::PluginRegistrar registrar{solvers, generators};
    pullback::register_builtin_plugins(registrar);
    const auto solver = solvers.make(settings.solver);
    const auto manifold = std::make_shared<pullback::PullbackManifold>(material.model.decoder);
    solved.emplace(out.pairs.size());
    Progress progress(settings.pairs);
    pullback::run_jobs(settings.pairs, progress.control(threads), [&](int i) {
      if (interrupted()) return;
      Pair& pair = out.pairs[static_cast<std::size_t>(i)];
      pullback::GeodesicProblem problem{manifold, digits.codes.col(pair.a), digits.codes.col(pair.b), {}, digits.codes};
      const pullback::GeodesicResult result = solver->solve(problem);
      const pullback::Curve curve =
          result.curve.empty() ? pullback::Curve::straight(problem.from, problem.to) : result.curve;
      // As the cache keeps them, so that a study that went on ends with the same numbers.
      pair.path = curve.position(pullback::uniform_times(kPathPoints)).cast<float>().cast<double>();
      (*solved)[static_cast<std::size_t>(i)] = describe(*manifold, result, pair, problem.from, problem.to);
      progress.advance(fmt::format("geodesics of seed {}", seed));
    });
    if (interrupted()) return {};
    write_cache(cache, key, n, out.pairs, *solved);
  }
  out.converged = static_cast<int>(std::ranges::count_if(*solved, &Solved::converged));
  out.median_seconds = median_of(*solved, &Solved::seconds);
  out.median_gain = median_of(*solved, &Solved::gain);
  out.median_bend = median_of(*solved, &Solved::bend);
  return out;
}

std::vector<Score> run_seed(const Material& material, const Digits& digits, const Geodesics& geodesics,
                            const Settings& settings, std::uint64_t seed, int threads) {
  std::vector<Score> scores(std::size(kMixings));
  Progress progress(static_cast<int>(scores.size()));
  pullback::run_jobs(static_cast<int>(scores.size()), progress.control(threads), [&](int i) {
    const Mixing mixing = kMixings[i];
    Classifier classifier(static_cast<int>(digits.images.rows()), settings.hidden, kClasses, seed);
    std::mt19937_64 random(seed + 2000);
    pullback::Workspace workspace;
    for (int step = 0; step < settings.steps && !interrupted(); ++step) {
      const MixedBatch batch = draw_batch(mixing, digits, geodesics.pairs, *material.model.decoder, settings.batch,
                                          settings.alpha, kClasses, random, workspace);
      classifier.step(batch.images, batch.targets, static_cast<float>(settings.learning_rate));
    }
    scores[static_cast<std::size_t>(i)] =
        score(classifier.probabilities(material.heldout.images), material.heldout.labels);
    progress.advance(fmt::format("classifiers of seed {}", seed));
  });
  return scores;
}

}  // namespace interpolation_data
