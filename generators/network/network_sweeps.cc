#include "pullback/generators/network/network_sweeps.h"

#include <algorithm>
#include <utility>

namespace pullback {

using Eigen::Index;
using kernels::Columns;

namespace {

// A chunk of points has about as many columns, so that the input of a layer stays in the second-level cache.
constexpr Index kChunkColumns = 256;
constexpr Index kMostPoints = 128;
// The kernels take points by eights.
constexpr Index kPointGroup = 8;

}  // namespace

NetworkSweeps::NetworkSweeps(const std::vector<Layer>& layers, const kernels::Kernel& kernel) : kernel_(kernel) {
  for (const Layer& layer : layers) {
    PackedLayer packed;
    packed.outputs = layer.weight.rows();
    packed.inputs = layer.weight.cols();
    packed.stride = round_up(packed.outputs);
    packed.first_output = total_outputs_;
    packed.weight = pack(layer.weight);
    packed.transposed = pack(layer.weight.transpose());
    packed.bias.assign(static_cast<std::size_t>(packed.stride), 0.0);
    std::copy_n(layer.bias.data(), packed.outputs, packed.bias.data());
    packed.function = static_cast<kernels::Function>(layer.activation.kind);
    packed.parameter = layer.activation.parameter;
    total_outputs_ += packed.stride;
    input_stride_ = std::max(input_stride_, round_up(packed.inputs));
    output_stride_ = std::max(output_stride_, packed.stride);
    layers_.push_back(std::move(packed));
  }
}

Index NetworkSweeps::round_up(Index rows) const {
  return (rows + kernel_.panel_rows - 1) / kernel_.panel_rows * kernel_.panel_rows;
}

NetworkSweeps::AlignedArray NetworkSweeps::pack(const Matrix& weight) const {
  const Index panel = kernel_.panel_rows;
  AlignedArray panels(static_cast<std::size_t>(round_up(weight.rows()) * weight.cols()), 0.0);
  double* out = panels.data();
  for (Index row = 0; row < weight.rows(); row += panel) {
    const Index rows = std::min(panel, weight.rows() - row);
    for (Index col = 0; col < weight.cols(); ++col, out += panel) std::copy_n(&weight(row, col), rows, out);
  }
  return panels;
}

Index NetworkSweeps::chunk(Index columns_per_point) const {
  return std::clamp(kChunkColumns / columns_per_point / kPointGroup * kPointGroup, kPointGroup, kMostPoints);
}

// For each point its columns [z | seed | 0].
void NetworkSweeps::fill_input(const ConstMatrixRef& Z, const ForwardSweep& sweep, double* input) const {
  const Index n = Z.rows();
  for (Index k = 0; k < Z.cols(); ++k) {
    std::copy_n(Z.data() + k * Z.outerStride(), n, input);
    input += input_stride_;
    for (Index i = 0; i < sweep.tangents; ++i, input += input_stride_) {
      std::copy_n(sweep.seed + k * sweep.seed_point + i * sweep.seed_column, n, input);
    }
    if (sweep.direction == nullptr) continue;
    std::fill_n(input, n, 0.0);
    input += input_stride_;
  }
}

void NetworkSweeps::record(const PackedLayer& layer, const ForwardSweep& sweep, kernels::ForwardTask& task) {
  const auto place = [&](const Record& record, Index columns) {
    if (record.data == nullptr) return Columns{};
    return Columns{record.data + layer.first_output * columns, record.stride, layer.stride};
  };
  task.first = place(sweep.first, 1);
  task.second_factor = place(sweep.second_factor, 1);
  task.raw_tangent = place(sweep.raw_tangent, sweep.tangents);
}

void NetworkSweeps::forward(const ConstMatrixRef& Z, const ForwardSweep& sweep, Workspace& ws) const {
  const Index columns = sweep.columns();
  Workspace::Frame frame(ws);
  auto input = frame.matrix(input_stride_, columns * Z.cols());
  auto output = frame.matrix(input_stride_, columns * Z.cols());
  auto scratch = frame.matrix(kernel_.scratch_size(columns), 1);
  fill_input(Z, sweep, input.data());
  double* in = input.data();
  double* out = output.data();
  for (const PackedLayer& layer : layers_) {
    const bool last = &layer == &layers_.back();
    kernels::ForwardTask task;
    task.weight = {layer.weight.data(), layer.outputs, layer.inputs};
    task.bias = layer.bias.data();
    task.function = layer.function;
    task.parameter = layer.parameter;
    task.input = in;
    task.input_stride = input_stride_;
    task.points = Z.cols();
    task.tangents = sweep.tangents;
    task.second = sweep.direction != nullptr;
    task.direction = sweep.direction;
    const Index stride = columns * input_stride_;
    task.value = last ? sweep.value : Columns{out, stride, 0};
    task.tangent = last ? sweep.tangent : Columns{out + input_stride_, stride, input_stride_};
    task.curvature = last ? sweep.curvature : Columns{out + (1 + sweep.tangents) * input_stride_, stride, 0};
    record(layer, sweep, task);
    task.padded = !last;
    task.scratch = scratch.data();
    kernel_.forward(task);
    std::swap(in, out);
  }
}

void NetworkSweeps::backward(const ConstMatrixRef& W, const ForwardSweep& records, const BackwardSweep& sweep,
                             Workspace& ws) const {
  const Index points = W.cols();
  Workspace::Frame frame(ws);
  auto adjoint = frame.matrix(input_stride_, points);
  auto scaled = frame.matrix(output_stride_, points);
  auto weights = frame.matrix(output_stride_, 1);
  auto scratch = frame.matrix(kernel_.scratch_size(1), 1);
  const double* g = W.data();
  Index g_stride = W.outerStride();
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    const bool first = layer + 1 == layers_.rend();
    const auto records_of = [&](const Record& record, Index columns) {
      return kernels::RecordColumns{record.data + layer->first_output * columns, record.stride, layer->stride};
    };
    kernels::AdjointTask task;
    task.rows = layer->outputs;
    task.points = points;
    task.tangents = records.tangents;
    task.adjoint = g;
    task.adjoint_stride = g_stride;
    task.stride = layer->stride;
    task.first = records_of(records.first, 1);
    task.scaled = scaled.data();
    task.weights = weights.data();
    if (sweep.hessian != nullptr) {
      task.second_factor = records_of(records.second_factor, 1);
      task.raw_tangent = records_of(records.raw_tangent, records.tangents);
      task.hessian = sweep.hessian;
      task.hessian_stride = sweep.hessian_stride;
    }
    kernel_.adjoint(task);
    if (first && sweep.gradient == nullptr) return;
    g = first ? sweep.gradient : adjoint.data();
    g_stride = first ? sweep.gradient_stride : input_stride_;
    kernel_.product({{layer->transposed.data(), layer->inputs, layer->outputs},
                     scaled.data(),
                     layer->stride,
                     points,
                     first ? sweep.gradient : adjoint.data(),
                     g_stride,
                     scratch.data()});
  }
}

// Adjoints in the left half of each matrix, their derivatives in the right one:
//   g ← Wᵀ(σ'(a) g),  ġ ← Wᵀ(σ'(a) ġ + σ''(a) u g),  u the tangent before the activation.
void NetworkSweeps::backward_product(const ConstMatrixRef& W, const ConstMatrixRef& U, const ForwardSweep& records,
                                     MatrixRef P, Workspace& ws) const {
  using Records = Eigen::Map<const Eigen::ArrayXXd, 0, Eigen::OuterStride<>>;
  const Index points = W.cols();
  Workspace::Frame frame(ws);
  auto adjoint = frame.matrix(std::max(input_stride_, output_stride_), 2 * points);
  auto scaled = frame.matrix(output_stride_, 2 * points);
  auto scratch = frame.matrix(kernel_.scratch_size(1), 1);
  adjoint.topLeftCorner(W.rows(), points) = W;
  adjoint.topRightCorner(W.rows(), points) = U;
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    const auto record = [&](const Record& of) {
      return Records(of.data + layer->first_output, layer->outputs, points, Eigen::OuterStride<>(of.stride));
    };
    const auto g = adjoint.topLeftCorner(layer->outputs, points).array();
    const auto g_dot = adjoint.topRightCorner(layer->outputs, points).array();
    scaled.topLeftCorner(layer->outputs, points) = (record(records.first) * g).matrix();
    scaled.topRightCorner(layer->outputs, points) =
        (record(records.first) * g_dot + record(records.second_factor) * record(records.raw_tangent) * g).matrix();
    const bool first = layer + 1 == layers_.rend();
    kernel_.product({{layer->transposed.data(), layer->inputs, layer->outputs},
                     first ? scaled.col(points).data() : scaled.data(),
                     output_stride_,
                     first ? points : 2 * points,
                     first ? P.data() : adjoint.data(),
                     first ? P.outerStride() : adjoint.rows(),
                     scratch.data()});
  }
}

}  // namespace pullback
