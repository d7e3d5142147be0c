#include "pullback/generators/uncertain/fit_uncertainty.h"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <utility>

#include "pullback/base/stop.h"

namespace pullback {
namespace {

using Eigen::Index;

constexpr int kMostLloydSteps = 100;
constexpr double kNarrowest = 0.5;  // of the mean distance over the groups

void require(bool holds, const std::string& what) {
  if (!holds) throw std::invalid_argument(what);
}

// The standard's distributions differ between libraries; this does not.
double uniform(std::mt19937_64& engine) {
  constexpr double kUnit = 0x1p-53;
  return static_cast<double>(engine() >> 11) * kUnit;
}

// Each next seed is drawn with a chance proportional to its squared distance from those there are.
Matrix choose_seeds(const ConstMatrixRef& points, int count, std::mt19937_64& engine) {
  Matrix seeds(points.rows(), count);
  seeds.col(0) = points.col(static_cast<Index>(engine() % static_cast<std::uint64_t>(points.cols())));
  Eigen::RowVectorXd squares = (points.colwise() - seeds.col(0)).colwise().squaredNorm();
  for (int k = 1; k < count; ++k) {
    double left = uniform(engine) * squares.sum();
    Index chosen = 0;
    while (chosen + 1 < points.cols() && left >= squares(chosen)) left -= squares(chosen++);
    seeds.col(k) = points.col(chosen);
    squares = squares.cwiseMin((points.colwise() - seeds.col(k)).colwise().squaredNorm());
  }
  return seeds;
}

// Assigns every point to its nearest centre; returns the squared distances.
Vector assign(const ConstMatrixRef& points, Clusters& clusters) {
  Vector squares(points.cols());
  for (Index i = 0; i < points.cols(); ++i) {
    Index nearest = 0;
    squares(i) = (clusters.centres.colwise() - points.col(i)).colwise().squaredNorm().minCoeff(&nearest);
    clusters.of[static_cast<std::size_t>(i)] = static_cast<int>(nearest);
  }
  return squares;
}

void move_centres(const ConstMatrixRef& points, Vector squares, Clusters& clusters) {
  Vector counts = Vector::Zero(clusters.centres.cols());
  Matrix sums = Matrix::Zero(points.rows(), clusters.centres.cols());
  for (Index i = 0; i < points.cols(); ++i) {
    const int k = clusters.of[static_cast<std::size_t>(i)];
    counts(k) += 1;
    sums.col(k) += points.col(i);
  }
  for (Index k = 0; k < counts.size(); ++k) {
    if (counts(k) > 0) {
      clusters.centres.col(k) = sums.col(k) / counts(k);
      continue;
    }
    Index farthest = 0;
    squares.maxCoeff(&farthest);
    clusters.centres.col(k) = points.col(farthest);
    squares(farthest) = 0;
  }
}

// The last layer's inputs at points, with a row of ones for the bias.
Matrix last_features(const Network& decoder, const ConstMatrixRef& points) {
  const std::vector<Layer>& layers = decoder.layers();
  Matrix features(layers.back().weight.cols() + 1, points.cols());
  features.bottomRows(1).setOnes();
  if (layers.size() == 1) {
    features.topRows(points.rows()) = points;
  } else {
    features.topRows(features.rows() - 1) =
        Network(std::vector<Layer>(layers.begin(), layers.end() - 1), "hidden layers").value(points);
  }
  return features;
}

}  // namespace

Clusters k_means(const ConstMatrixRef& points, int count, std::uint64_t seed) {
  require(
      count >= 1 && points.cols() >= count,
      fmt::format("k_means: expected from 1 to {} centres, one for each point at most, got {}", points.cols(), count));
  require(points.allFinite(), "k_means: points must be finite");
  std::mt19937_64 engine(seed);
  Clusters clusters{choose_seeds(points, count, engine), std::vector<int>(static_cast<std::size_t>(points.cols()), -1),
                    Vector::Zero(count)};
  Vector squares;
  for (int step = 0; step < kMostLloydSteps; ++step) {
    throw_if_stopped();
    const std::vector<int> before = clusters.of;
    squares = assign(points, clusters);
    if (clusters.of == before) break;
    move_centres(points, squares, clusters);
  }
  squares = assign(points, clusters);
  Vector counts = Vector::Zero(count);
  for (Index i = 0; i < points.cols(); ++i) {
    const int k = clusters.of[static_cast<std::size_t>(i)];
    counts(k) += 1;
    clusters.mean_distance(k) += std::sqrt(squares(i));
  }
  clusters.mean_distance.array() /= counts.array().max(1);
  return clusters;
}

RadialBasis cluster_basis(const Clusters& clusters, double width) {
  require(width > 0 && std::isfinite(width), fmt::format("cluster_basis: the width must be above 0, got {}", width));
  const double mean = clusters.mean_distance.mean();
  require(mean > 0, "cluster_basis: every group is a single point; use fewer centres");
  const Eigen::ArrayXd distance = clusters.mean_distance.array().max(kNarrowest * mean);
  const Vector rates = 0.5 * (width * distance).square().inverse();
  return {clusters.centres, rates.transpose().replicate(clusters.centres.rows(), 1)};
}

std::shared_ptr<const RadialNetwork> fit_deviation(const RadialBasis& basis, const ConstMatrixRef& points,
                                                   const ConstMatrixRef& squares, const ConstVectorRef& floor,
                                                   int steps) {
  require(
      squares.cols() == points.cols() && points.cols() > 0 && floor.size() == squares.rows(),
      fmt::format("fit_deviation: squares must be {}×{}, a row for each output and a column for each point, got {}×{}",
                  floor.size(), points.cols(), squares.rows(), squares.cols()));
  require(squares.allFinite() && (squares.array() > 0).all(), "fit_deviation: squares must be positive and finite");
  const Matrix phi = radial_features(basis, points);
  // A centre that no point feels has nothing to be fitted to, and no weight.
  const Eigen::ArrayXd felt = phi.rowwise().sum().array();
  const Matrix weighed = squares * phi.transpose();
  // As if every point had the precision of its output as a whole.
  Matrix W = squares.rowwise().mean().cwiseInverse() / felt.sum() * static_cast<double>(points.cols()) *
             (felt > 0).select(Eigen::ArrayXd::Ones(felt.size()), 0).matrix().transpose();
  for (int step = 0; step < steps; ++step) {
    throw_if_stopped();
    Matrix precision = W * phi;
    precision.colwise() += floor;
    const Matrix share = precision.cwiseInverse() * phi.transpose();
    W = (weighed.array() > 0).select(W.array() * share.array() / weighed.array(), 0).matrix();
  }
  return std::make_shared<RadialNetwork>(basis, std::move(W), floor, RadialOutput::kInverseRoot, "deviation");
}

std::shared_ptr<const Network> refit_last_layer(const Network& decoder, const Refit& to, double anchor, int steps) {
  const Layer& last = decoder.layers().back();
  const bool sigmoid = last.activation.kind == ActivationKind::kSigmoid;
  require(sigmoid || last.activation.kind == ActivationKind::kIdentity,
          fmt::format("only a last layer of sigmoid or identity can be fitted anew, this decoder's is {}",
                      activation_name(last.activation.kind)));
  require(to.targets.rows() == decoder.ambient_dimension() && to.targets.cols() == to.points.cols() &&
              to.counts.size() == to.points.cols(),
          fmt::format("refit_last_layer: expected {} targets of {} outputs, got {}×{}", to.points.cols(),
                      decoder.ambient_dimension(), to.targets.rows(), to.targets.cols()));
  require(anchor > 0, fmt::format("refit_last_layer: the anchor must be above 0, got {}", anchor));
  const Matrix features = last_features(decoder, to.points);
  const Matrix counted = features * to.counts.asDiagonal();
  constexpr double kSigmoidCurvature = 0.25;
  Matrix bound = (sigmoid ? kSigmoidCurvature : 1.0) * counted * features.transpose();
  bound.diagonal().array() += anchor;
  const Eigen::LLT<Matrix> factor(bound);
  Matrix start(last.weight.rows(), last.weight.cols() + 1);
  start << last.weight, last.bias;
  Matrix W = start;
  for (int step = 0; step < (sigmoid ? steps : 1); ++step) {
    throw_if_stopped();
    Matrix residual = W * features;
    if (sigmoid) residual = (1 + (-residual.array()).exp()).inverse().matrix().eval();
    residual -= to.targets;
    const Matrix gradient = residual * counted.transpose() + anchor * (W - start);
    W -= factor.solve(gradient.transpose()).transpose();
  }
  std::vector<Layer> layers = decoder.layers();
  layers.back().weight = W.leftCols(W.cols() - 1);
  layers.back().bias = W.rightCols(1);
  return std::make_shared<Network>(std::move(layers), decoder.traits().name + " member");
}

std::vector<std::shared_ptr<const Network>> bootstrap_members(const Network& decoder, int members,
                                                              const std::function<Refit(int)>& resample) {
  // One observation's worth for each weight: what the data say outweighs it wherever they say something.
  constexpr double kAnchor = 1;
  std::vector<std::shared_ptr<const Network>> out;
  for (int i = 0; i < members; ++i) out.push_back(refit_last_layer(decoder, resample(i), kAnchor));
  return out;
}

FittedProcess fit_process(const ConstMatrixRef& inputs, const ConstMatrixRef& outputs,
                          std::optional<double> length_factor) {
  std::vector<double> factors{0.1, 0.14, 0.2, 0.28, 0.4, 0.57, 0.8, 1.13};
  if (length_factor) factors = {*length_factor};
  constexpr std::array kRatios{1e-4, 1e-3, 1e-2, 1e-1, 1.0};
  require(inputs.cols() >= 2 && outputs.cols() == inputs.cols(),
          fmt::format("fit_process: expected two inputs at least and as many outputs, got {} and {}", inputs.cols(),
                      outputs.cols()));
  FittedProcess best{{.inputs = inputs, .outputs = outputs, .offset = outputs.rowwise().mean(), .lengths = {}},
                     0,
                     0,
                     -std::numeric_limits<double>::infinity()};
  const Matrix centred_inputs = inputs.colwise() - inputs.rowwise().mean();
  const Vector deviation =
      (centred_inputs.rowwise().squaredNorm() / static_cast<double>(inputs.cols() - 1)).cwiseSqrt();
  const Matrix centred = outputs.colwise() - best.data.offset;
  for (const double factor : factors) {
    for (const double ratio : kRatios) {
      throw_if_stopped();
      const MarginalLikelihood found = marginal_likelihood(inputs, centred, factor * deviation, ratio);
      if (!(found.logarithm > best.log_likelihood)) continue;
      best.data.lengths = factor * deviation;
      best.data.signal_variance = found.signal_variance;
      best.data.noise_variance = ratio * found.signal_variance;
      best.length_factor = factor;
      best.noise_ratio = ratio;
      best.log_likelihood = found.logarithm;
    }
  }
  return best;
}

}  // namespace pullback
