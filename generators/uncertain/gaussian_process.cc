#include "pullback/generators/uncertain/gaussian_process.h"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <utility>

namespace pullback {
namespace {

using Eigen::Index;

void require(bool holds, const std::string& what) {
  if (!holds) throw std::invalid_argument("Gaussian process: " + what);
}

RadialBasis kernel_basis(const ConstMatrixRef& inputs, const ConstVectorRef& lengths) {
  require(lengths.size() == inputs.rows(),
          fmt::format("there must be {} lengths, one for each coordinate, got {}", inputs.rows(), lengths.size()));
  require((lengths.array() > 0).all() && lengths.allFinite(), "lengths must be positive and finite");
  return {inputs, (0.5 * lengths.array().square().inverse()).matrix().replicate(1, inputs.cols())};
}

Eigen::LLT<Matrix> kernel_factor(const RadialBasis& basis, double noise_ratio) {
  Matrix K = radial_features(basis, basis.centres);
  K.diagonal().array() += noise_ratio;
  Eigen::LLT<Matrix> factor(K);
  require(factor.info() == Eigen::Success,
          "the kernel matrix has no Cholesky factor: inputs coincide or nearly so, and there is too little noise");
  return factor;
}

GaussianProcessData checked(GaussianProcessData data) {
  const Index m = data.inputs.cols();
  require(data.inputs.size() > 0, "there must be an input");
  require(data.outputs.rows() > 0 && data.outputs.cols() == m,
          fmt::format("outputs must have {} columns, one for each input, got {}", m, data.outputs.cols()));
  if (data.offset.size() == 0) data.offset.setZero(data.outputs.rows());
  require(data.offset.size() == data.outputs.rows(),
          fmt::format("the offset must have {} elements, one for each output, got {}", data.outputs.rows(),
                      data.offset.size()));
  require(data.inputs.allFinite() && data.outputs.allFinite() && data.offset.allFinite(),
          "inputs, outputs and offset must be finite, found a NaN or an infinity");
  require(data.signal_variance > 0 && std::isfinite(data.signal_variance),
          fmt::format("the signal variance must be positive and finite, got {}", data.signal_variance));
  require(data.noise_variance >= 0 && std::isfinite(data.noise_variance),
          fmt::format("the noise variance must be finite and at least 0, got {}", data.noise_variance));
  return data;
}

GeneratorTraits stochastic(std::string name) {
  GeneratorTraits traits;
  traits.name = std::move(name);
  traits.stochastic = true;
  return traits;
}

}  // namespace

GaussianProcess::GaussianProcess(GaussianProcessData data, std::string name)
    : Generator(static_cast<int>(data.inputs.rows()), static_cast<int>(data.outputs.rows()),
                stochastic(std::move(name))),
      data_(checked(std::move(data))) {
  const Index m = data_.inputs.cols();
  const Index D = data_.outputs.rows();
  const RadialBasis basis = kernel_basis(data_.inputs, data_.lengths);
  const Eigen::LLT<Matrix> factor = kernel_factor(basis, data_.noise_variance / data_.signal_variance);
  const Matrix centred = (data_.outputs.colwise() - data_.offset).transpose();
  Matrix weight(D + m, m);
  weight.topRows(D) = factor.solve(centred).transpose();
  weight.bottomRows(m) = std::sqrt(prior_variance()) * Matrix(factor.matrixL().solve(Matrix::Identity(m, m)));
  Vector bias = Vector::Zero(D + m);
  bias.head(D) = data_.offset;
  mean_ = std::make_shared<RadialNetwork>(basis, weight.topRows(D), data_.offset, RadialOutput::kIdentity,
                                          traits().name + " mean");
  embedding_ = std::make_shared<RadialNetwork>(basis, std::move(weight), std::move(bias), RadialOutput::kIdentity,
                                               traits().name + " embedding");
}

void GaussianProcess::do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const { mean_->value(Z, X, ws); }

void GaussianProcess::do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const {
  mean_->value_and_jacobian(Z, X, J, ws);
}

void GaussianProcess::do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                            Workspace& ws) const {
  mean_->second_directional(Z, V, D, ws);
}

void GaussianProcess::do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const {
  mean_->vjp(Z, W, G, ws);
}

void GaussianProcess::do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H,
                                          Workspace& ws) const {
  mean_->weighted_hessian(Z, W, H, ws);
}

void GaussianProcess::do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J,
                                      MatrixRef D, Workspace& ws) const {
  mean_->second_order(Z, V, X, J, D, ws);
}

MarginalLikelihood marginal_likelihood(const ConstMatrixRef& inputs, const ConstMatrixRef& outputs,
                                       const ConstVectorRef& lengths, double noise_ratio) {
  require(outputs.cols() == inputs.cols() && outputs.size() > 0,
          fmt::format("outputs must have {} columns, one for each input, got {}", inputs.cols(), outputs.cols()));
  const Eigen::LLT<Matrix> factor = kernel_factor(kernel_basis(inputs, lengths), noise_ratio);
  const Matrix whitened = factor.matrixL().solve(outputs.transpose());
  const auto D = static_cast<double>(outputs.rows());
  const auto count = static_cast<double>(outputs.size());
  const double signal = whitened.squaredNorm() / count;
  const Matrix L = factor.matrixL();
  const double log_determinant = 2 * L.diagonal().array().log().sum();
  const double logarithm = -0.5 * count * (std::log(2 * std::numbers::pi * signal) + 1) - 0.5 * D * log_determinant;
  return {logarithm, signal};
}

}  // namespace pullback
