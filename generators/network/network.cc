#include "pullback/generators/network/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "pullback/base/stop.h"
#include "pullback/generators/network/kernels/network_kernel.h"
#include "pullback/generators/network/network_sweeps.h"

namespace pullback {
namespace {

using Eigen::Index;
using kernels::Columns;

void require_layer(const Layer& layer, std::size_t number, Index inputs, const std::string& name) {
  const auto where = [&] { return fmt::format("network '{}', layer {}", name, number); };
  const Matrix& weight = layer.weight;
  if (weight.size() == 0) throw std::invalid_argument(fmt::format("{}: the weight is empty", where()));
  if (weight.cols() != inputs) {
    throw std::invalid_argument(
        fmt::format("{}: the weight must have {} columns, as many as the layer before has outputs, got {}×{}", where(),
                    inputs, weight.rows(), weight.cols()));
  }
  if (layer.bias.size() != weight.rows()) {
    throw std::invalid_argument(
        fmt::format("{}: the bias must have {} elements, one for each row of the weight, got {}", where(),
                    weight.rows(), layer.bias.size()));
  }
  if (!weight.allFinite() || !layer.bias.allFinite()) {
    throw std::invalid_argument(fmt::format("{}: weight and bias must be finite, found a NaN or an infinity", where()));
  }
  const std::string_view activation = activation_name(layer.activation.kind);
  if (has_parameter(layer.activation.kind)) parse_activation(activation, layer.activation.parameter);
}

// Before the base class needs the dimensions.
const std::vector<Layer>& validated(const std::vector<Layer>& layers, const std::string& name) {
  if (layers.empty()) throw std::invalid_argument(fmt::format("network '{}' has no layer", name));
  Index inputs = layers.front().weight.cols();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    require_layer(layers[i], i, inputs, name);
    inputs = layers[i].weight.rows();
  }
  return layers;
}

GeneratorTraits make_traits(const std::vector<Layer>& layers, std::string name) {
  GeneratorTraits traits;
  traits.name = std::move(name);
  traits.cheap_products = true;
  traits.smooth = std::none_of(layers.begin(), layers.end(), [](const Layer& layer) {
    const ActivationKind kind = layer.activation.kind;
    return kind == ActivationKind::kRelu || kind == ActivationKind::kLeakyRelu || kind == ActivationKind::kElu;
  });
  return traits;
}

// Column k of the outputs for the point first_point + k.
Columns every_column(MatrixRef& matrix, Index first_point) {
  return {matrix.data() + first_point * matrix.outerStride(), matrix.outerStride(), 0};
}

// Block k of `columns` columns for the point first_point + k.
Columns every_block(MatrixRef& matrix, Index columns, Index first_point) {
  const Index stride = matrix.outerStride();
  return {matrix.data() + first_point * columns * stride, columns * stride, stride};
}

// Calls step(first_point, points) for the chunks of a batch.
template <typename Step>
void in_chunks(Index points, Index chunk, Step step) {
  for (Index k = 0; k < points; k += chunk) {
    if (k > 0) throw_if_stopped();
    step(k, std::min(chunk, points - k));
  }
}

Record record_of(Workspace::Buffer buffer) { return {buffer.data(), buffer.rows()}; }

// Of each point σ'(a), σ''(a), and the tangents before the activation, of `outputs` units each.
void place_record(double* record, Index stride, Index outputs, ForwardSweep& sweep) {
  sweep.first = {record, stride};
  sweep.second_factor = {record + outputs, stride};
  sweep.raw_tangent = {record + 2 * outputs, stride};
}

// The tangents e_1 … e_n at every point.
void seed_all(const Matrix& identity, ForwardSweep& sweep) {
  sweep.seed = identity.data();
  sweep.seed_column = identity.rows();
  sweep.tangents = identity.cols();
}

}  // namespace

Network::Network(std::vector<Layer> layers, const std::string& name)
    : Generator{static_cast<int>(validated(layers, name).front().weight.cols()),
                static_cast<int>(layers.back().weight.rows()), make_traits(layers, name)},
      layers_(std::move(layers)),
      identity_(Matrix::Identity(latent_dimension(), latent_dimension())),
      sweeps_(std::make_unique<const NetworkSweeps>(layers_, kernels::active_kernel())) {}

Network::~Network() = default;

std::string_view Network::instruction_set() const { return sweeps_->kernel().name; }

void Network::do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const {
  in_chunks(Z.cols(), sweeps_->chunk(1), [&](Index k, Index points) {
    ForwardSweep sweep;
    sweep.value = every_column(X, k);
    sweeps_->forward(Z.middleCols(k, points), sweep, ws);
  });
}

void Network::do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const {
  ForwardSweep sweep;
  seed_all(identity_, sweep);
  in_chunks(Z.cols(), sweeps_->chunk(sweep.columns()), [&](Index k, Index points) {
    sweep.value = every_column(X, k);
    sweep.tangent = every_block(J, latent_dimension(), k);
    sweeps_->forward(Z.middleCols(k, points), sweep, ws);
  });
}

void Network::do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                    Workspace& ws) const {
  Workspace::Frame frame(ws);
  ForwardSweep sweep;
  sweep.tangents = 1;
  sweep.seed_point = V.outerStride();
  const Index chunk = sweeps_->chunk(3);
  auto ones = frame.matrix(1, std::min(chunk, Z.cols()));
  ones.setOnes();
  sweep.direction = ones.data();
  in_chunks(Z.cols(), chunk, [&](Index k, Index points) {
    sweep.seed = V.data() + k * V.outerStride();
    sweep.curvature = every_column(D, k);
    sweeps_->forward(Z.middleCols(k, points), sweep, ws);
  });
}

void Network::do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                              Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto direction = frame.matrix(V.rows(), V.cols());
  direction = V;
  ForwardSweep sweep;
  seed_all(identity_, sweep);
  sweep.direction = direction.data();
  in_chunks(Z.cols(), sweeps_->chunk(sweep.columns()), [&](Index k, Index points) {
    sweep.direction = direction.data() + k * direction.rows();
    sweep.value = every_column(X, k);
    sweep.tangent = every_block(J, latent_dimension(), k);
    sweep.curvature = every_column(D, k);
    sweeps_->forward(Z.middleCols(k, points), sweep, ws);
  });
}

void Network::do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const {
  in_chunks(Z.cols(), sweeps_->chunk(1), [&](Index k, Index points) {
    Workspace::Frame frame(ws);
    ForwardSweep sweep;
    sweep.first = record_of(frame.matrix(sweeps_->total_outputs(), points));
    sweeps_->forward(Z.middleCols(k, points), sweep, ws);
    BackwardSweep back;
    back.gradient = G.data() + k * G.outerStride();
    back.gradient_stride = G.outerStride();
    sweeps_->backward(W.middleCols(k, points), sweep, back, ws);
  });
}

void Network::do_jvp(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef T, Workspace& ws) const {
  ForwardSweep sweep;
  sweep.tangents = 1;
  sweep.seed_point = V.outerStride();
  in_chunks(Z.cols(), sweeps_->chunk(sweep.columns()), [&](Index k, Index points) {
    sweep.seed = V.data() + k * V.outerStride();
    sweep.value = every_column(X, k);
    sweep.tangent = every_column(T, k);
    sweeps_->forward(Z.middleCols(k, points), sweep, ws);
  });
}

void Network::do_hessian_product(const ConstMatrixRef& Z, const ConstMatrixRef& W, const ConstMatrixRef& V,
                                 const ConstMatrixRef& U, MatrixRef P, Workspace& ws) const {
  ForwardSweep sweep;
  sweep.tangents = 1;
  sweep.seed_point = V.outerStride();
  in_chunks(Z.cols(), sweeps_->chunk(sweep.columns()), [&](Index k, Index points) {
    Workspace::Frame frame(ws);
    sweep.first = record_of(frame.matrix(sweeps_->total_outputs(), points));
    sweep.second_factor = record_of(frame.matrix(sweeps_->total_outputs(), points));
    sweep.raw_tangent = record_of(frame.matrix(sweeps_->total_outputs(), points));
    sweep.seed = V.data() + k * V.outerStride();
    sweeps_->forward(Z.middleCols(k, points), sweep, ws);
    sweeps_->backward_product(W.middleCols(k, points), U.middleCols(k, points), sweep, P.middleCols(k, points), ws);
  });
}

Index Network::record_size() const { return sweeps_->total_outputs() * (2 + latent_dimension()); }

void Network::do_record(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, MatrixRef record, Workspace& ws) const {
  ForwardSweep sweep;
  seed_all(identity_, sweep);
  in_chunks(Z.cols(), sweeps_->chunk(sweep.columns()), [&](Index k, Index points) {
    sweep.value = every_column(X, k);
    sweep.tangent = every_block(J, latent_dimension(), k);
    place_record(record.data() + k * record.outerStride(), record.outerStride(), sweeps_->total_outputs(), sweep);
    sweeps_->forward(Z.middleCols(k, points), sweep, ws);
  });
}

void Network::do_recorded_hessian(const ConstMatrixRef& /*Z*/, const ConstMatrixRef& record, const ConstMatrixRef& W,
                                  MatrixRef H, Workspace& ws) const {
  H.setZero();
  ForwardSweep sweep;
  seed_all(identity_, sweep);
  in_chunks(W.cols(), sweeps_->chunk(sweep.columns()), [&](Index k, Index points) {
    // Only read on the way back.
    place_record(const_cast<double*>(record.data()) + k * record.outerStride(), record.outerStride(),
                 sweeps_->total_outputs(), sweep);
    BackwardSweep back;
    back.hessian = H.data() + k * latent_dimension() * H.outerStride();
    back.hessian_stride = H.outerStride();
    sweeps_->backward(W.middleCols(k, points), sweep, back, ws);
  });
}

void Network::do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H, Workspace& ws) const {
  H.setZero();
  ForwardSweep sweep;
  seed_all(identity_, sweep);
  in_chunks(Z.cols(), sweeps_->chunk(sweep.columns()), [&](Index k, Index points) {
    Workspace::Frame frame(ws);
    place_record(frame.matrix(record_size(), points).data(), record_size(), sweeps_->total_outputs(), sweep);
    sweeps_->forward(Z.middleCols(k, points), sweep, ws);
    BackwardSweep back;
    back.hessian = H.data() + k * latent_dimension() * H.outerStride();
    back.hessian_stride = H.outerStride();
    sweeps_->backward(W.middleCols(k, points), sweep, back, ws);
  });
}

}  // namespace pullback
