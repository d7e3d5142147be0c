// What the trainer's regularisers are meant to lower, at the codes of trained models: G = JᵀJ by its exact Jacobian.
//
// Usage: example_regularisers MODEL.safetensors...
#include <Eigen/SVD>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <random>
#include <vector>

#include "pullback/generators/network/model_file.h"

namespace {

using pullback::Matrix;
using pullback::Vector;

constexpr Eigen::Index kPoints = 1000;
constexpr double kLow = 2;  // the range of --clamp-range that docs/training.md reports
constexpr double kHigh = 5;

// How far a step of length 1 in a random direction moves the image, at each code.
Vector stretching(const pullback::ModelFile& model, const Matrix& codes) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  Matrix moved = codes;
  for (Eigen::Index k = 0; k < codes.cols(); ++k) {
    moved.col(k) += Vector::NullaryExpr(codes.rows(), [&] { return normal(random); }).normalized();
  }
  return (model.decoder->value(moved) - model.decoder->value(codes)).colwise().norm();
}

void report(const char* path) {
  const pullback::ModelFile model = pullback::read_model(path);
  const Matrix codes = model.codes.leftCols(std::min(kPoints, model.codes.cols()));
  Matrix squared(codes.rows(), codes.cols());  // the eigenvalues of G, largest first
  for (Eigen::Index k = 0; k < codes.cols(); ++k) {
    squared.col(k) = Eigen::JacobiSVD<Matrix>(model.decoder->jacobian(codes.col(k))).singularValues().array().square();
  }
  const Eigen::ArrayXd traces = squared.colwise().sum().transpose();
  const Eigen::ArrayXd squared_traces = squared.array().square().colwise().sum().transpose();
  const Eigen::ArrayXd logs = squared.array().log().colwise().sum().transpose();
  const Eigen::ArrayXd moves = stretching(model, codes);
  const Eigen::ArrayXd outside = (moves - kHigh).max(0).square() + (kLow - moves).max(0).square();
  Eigen::ArrayXd condition = (squared.row(0).array() / squared.row(squared.rows() - 1).array()).sqrt().transpose();
  std::sort(condition.begin(), condition.end());
  const auto quality = model.metadata.find("quality");
  std::printf("%s\n  isometric %.4f  conformal %.4f  flat %.4g  volume %.4g  clamping %.4g\n", path,
              squared_traces.mean() / (traces.mean() * traces.mean()), (squared_traces / traces.square()).mean(),
              (squared.array() - squared.mean()).square().colwise().sum().mean(), (logs - logs.mean()).square().mean(),
              outside.mean());
  std::printf("  largest singular value %.3f  condition number %.2f (median), %.2f (95 %%)  quality %s\n",
              std::sqrt(squared.maxCoeff()), condition[condition.size() / 2], condition[condition.size() * 95 / 100],
              quality == model.metadata.end() ? "not recorded" : quality->second.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    for (int i = 1; i < argc; ++i) report(argv[i]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return argc > 1 ? 0 : 2;
}
