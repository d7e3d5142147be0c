// The one text of all variants of the network kernel. Each variant's source file defines PULLBACK_WIDTH, the number of
// doubles in a packet, and includes this once.
//
// A layer is computed panel by panel of the weights, which stay in the first-level cache, and inside a panel by groups
// of points: the product of a group goes to a small scratch tile, and the activation is applied from there on the way
// to the output, which is so written once. Nothing is packed per call. Every element is one chain of multiply-adds in
// the order of the columns of the weights whatever the batch, so that a batch gives exactly what its points give one by
// one.
//
// No function template of the standard library is called here: its instance would be a symbol that the linker shares
// between the variants.
#pragma once

#include "pullback/generators/kernels/network_kernel.h"
#include "pullback/generators/kernels/vector_math.h"

namespace pullback::kernels {
namespace {

// The register tile, kTileRows × kTileCols sums: 24 of the 32 registers of AVX-512, 12 of 16 of AVX2; SSE2 has no
// three-operand instructions and needs some to spare.
constexpr int kTilePackets = kWidth == 2 ? 2 : 3;
constexpr int kTileCols = kWidth == 8 ? 8 : 4;
constexpr int kPanelRows = kTilePackets * kWidth;
constexpr Index kGroupPoints = 8;    // a multiple of kTileCols: whole tiles, however many columns a point has
constexpr Index kGroupColumns = 96;  // that a group may have at most, for the scratch tile to stay in the first level

// tile = panel · columns for kCols columns, of which the panel's first kPackets packets are wanted.
template <int kPackets, int kCols>
PULLBACK_INLINE void multiply_tile(const double* panel, const double* columns, Index stride, Index depth,
                                   double* tile) {
  Packet sum[kCols][kPackets] = {};
  for (Index p = 0; p < depth; ++p) {
    Packet a[kPackets];
#pragma GCC unroll 8
    for (int i = 0; i < kPackets; ++i) a[i] = load(panel + p * kPanelRows + i * kWidth);
#pragma GCC unroll 8
    for (int j = 0; j < kCols; ++j) {
      const Packet b = splat(columns[j * stride + p]);
#pragma GCC unroll 8
      for (int i = 0; i < kPackets; ++i) sum[j][i] += a[i] * b;
    }
  }
#pragma GCC unroll 8
  for (int j = 0; j < kCols; ++j) {
#pragma GCC unroll 8
    for (int i = 0; i < kPackets; ++i) store(tile + j * kPanelRows + i * kWidth, sum[j][i]);
  }
}

// The last columns, fewer than a tile.
template <int kPackets, int kCols = kTileCols - 1>
void multiply_rest(const double* panel, const double* columns, Index stride, Index depth, Index cols, double* tile) {
  if constexpr (kCols > 0) {
    if (cols == kCols) return multiply_tile<kPackets, kCols>(panel, columns, stride, depth, tile);
    multiply_rest<kPackets, kCols - 1>(panel, columns, stride, depth, cols, tile);
  }
}

template <int kPackets>
void multiply_columns(const double* panel, const double* columns, Index stride, Index depth, Index cols, double* tile) {
  Index j = 0;
  for (; j + kTileCols <= cols; j += kTileCols) {
    multiply_tile<kPackets, kTileCols>(panel, columns + j * stride, stride, depth, tile + j * kPanelRows);
  }
  multiply_rest<kPackets>(panel, columns + j * stride, stride, depth, cols - j, tile + j * kPanelRows);
}

// The product of one panel with `cols` columns, into `tile` with kPanelRows rows.
void multiply(const double* panel, Index rows, const double* columns, Index stride, Index depth, Index cols,
              double* tile) {
  const Index packets = (rows + kWidth - 1) / kWidth;
  if constexpr (kTilePackets >= 3) {
    if (packets >= 3) return multiply_columns<3>(panel, columns, stride, depth, cols, tile);
  }
  if (packets >= 2) return multiply_columns<2>(panel, columns, stride, depth, cols, tile);
  multiply_columns<1>(panel, columns, stride, depth, cols, tile);
}

Index minimum(Index a, Index b) { return a < b ? a : b; }

Index whole_packets(Index rows) { return (rows + kWidth - 1) / kWidth * kWidth; }

Index group_points(Index columns_per_point) {
  const Index points = minimum(kGroupColumns / columns_per_point, kGroupPoints);
  return points < 1 ? 1 : points;
}

Index scratch_size(Index columns_per_point) { return kPanelRows * group_points(columns_per_point) * columns_per_point; }

// The rows row … row + kWidth − 1 of the outputs of point k, of which `count` exist.
struct Target {
  Index row;
  Index count;

  void put(const Columns& columns, Index k, Index i, Packet x) const {
    if (columns.data == nullptr) return;
    store_first(columns.data + k * columns.point_stride + i * columns.column_stride + row, x, count);
  }
};

// Applies the activation to one packet of rows of one point; `tile` holds its columns before the activation.
template <Function kFunction, int kOrder>
PULLBACK_INLINE void activate_packet(const ForwardTask& task, const double* tile, Index k, const Target& target) {
  const Jet s = jet<kFunction>(load(tile) + load(task.bias + target.row), task.parameter);
  target.put(task.value, k, 0, s.value);
  if constexpr (kOrder >= 1) {
    target.put(task.first, k, 0, s.first);
    for (Index i = 0; i < task.tangents; ++i) {
      const Packet u = load(tile + (1 + i) * kPanelRows);
      target.put(task.tangent, k, i, s.first * u);
      target.put(task.raw_tangent, k, i, u);
    }
  }
  if constexpr (kOrder >= 2) {
    target.put(task.second_factor, k, 0, s.second);
    if (!task.second) return;
    Packet along{};
    for (Index i = 0; i < task.tangents; ++i) {
      along += task.direction[k * task.tangents + i] * load(tile + (1 + i) * kPanelRows);
    }
    const Packet curvature = load(tile + (1 + task.tangents) * kPanelRows);
    target.put(task.curvature, k, 0, s.first * curvature + s.second * (along * along));
  }
}

// The rows of one panel and the points from `first_point` on.
struct Block {
  Index row;
  Index rows;  // that have room in the outputs
  Index first_point;
  Index points;
};

template <Function kFunction, int kOrder>
void activate(const ForwardTask& task, const Block& block) {
  const Index columns = 1 + task.tangents + (task.second ? 1 : 0);
  for (Index k = 0; k < block.points; ++k) {
    const double* tile = task.scratch + k * columns * kPanelRows;
    for (Index i = 0; i < block.rows; i += kWidth) {
      const Target target{block.row + i, block.rows - i};
      activate_packet<kFunction, kOrder>(task, tile + i, block.first_point + k, target);
    }
  }
}

using Activate = void (*)(const ForwardTask&, const Block&);

template <Function kFunction>
Activate activate_of_order(const ForwardTask& task) {
  if (task.second || task.second_factor.data != nullptr) return activate<kFunction, 2>;
  if (task.tangents > 0 || task.first.data != nullptr) return activate<kFunction, 1>;
  return activate<kFunction, 0>;
}

Activate choose_activate(const ForwardTask& task) {
  switch (task.function) {
    case Function::kIdentity:
      return activate_of_order<Function::kIdentity>(task);
    case Function::kTanh:
      return activate_of_order<Function::kTanh>(task);
    case Function::kSigmoid:
      return activate_of_order<Function::kSigmoid>(task);
    case Function::kRelu:
      return activate_of_order<Function::kRelu>(task);
    case Function::kLeakyRelu:
      return activate_of_order<Function::kLeakyRelu>(task);
    case Function::kElu:
      return activate_of_order<Function::kElu>(task);
    case Function::kSoftplus:
      return activate_of_order<Function::kSoftplus>(task);
    case Function::kSilu:
      return activate_of_order<Function::kSilu>(task);
    case Function::kGelu:
      return activate_of_order<Function::kGelu>(task);
    case Function::kGeluTanh:
      return activate_of_order<Function::kGeluTanh>(task);
  }
  __builtin_unreachable();
}

void forward(const ForwardTask& task) {
  const Activate activate_block = choose_activate(task);
  const Index columns = 1 + task.tangents + (task.second ? 1 : 0);
  const Index group = group_points(columns);
  for (Index row = 0; row < task.weight.rows; row += kPanelRows) {
    const double* panel = task.weight.data + row * task.weight.cols;
    const Index rows = minimum(kPanelRows, task.weight.rows - row);
    for (Index k = 0; k < task.points; k += group) {
      const Index points = minimum(group, task.points - k);
      multiply(panel, rows, task.input + k * columns * task.input_stride, task.input_stride, task.weight.cols,
               points * columns, task.scratch);
      activate_block(task, {row, task.padded ? whole_packets(rows) : rows, k, points});
    }
  }
}

void product(const ProductTask& task) {
  for (Index row = 0; row < task.weight.rows; row += kPanelRows) {
    const double* panel = task.weight.data + row * task.weight.cols;
    const Index rows = minimum(kPanelRows, task.weight.rows - row);
    for (Index k = 0; k < task.cols; k += kGroupPoints) {
      const Index cols = minimum(kGroupPoints, task.cols - k);
      multiply(panel, rows, task.input + k * task.input_stride, task.input_stride, task.weight.cols, cols,
               task.scratch);
      for (Index j = 0; j < cols; ++j) {
        double* output = task.output + (k + j) * task.output_stride + row;
        for (Index i = 0; i < rows; ++i) output[i] = task.scratch[j * kPanelRows + i];
      }
    }
  }
}

double weighted_product(const double* weights, const double* a, const double* b, Index size) {
  Packet sum{};
  for (Index i = 0; i < size; i += kWidth) sum += load(weights + i) * load(a + i) * load(b + i);
  double total = 0;
  for (int i = 0; i < kWidth; ++i) total += sum[i];
  return total;
}

// H_k += Uᵀ diag(σ'' ∘ g) U, g the adjoint of point k.
void add_hessian(const AdjointTask& task, Index k, const double* g) {
  const Index size = whole_packets(task.rows);
  const double* second = task.second_factor + k * task.stride;
  for (Index i = 0; i < task.rows; ++i) task.weights[i] = second[i] * g[i];
  for (Index i = task.rows; i < size; ++i) task.weights[i] = 0;
  const double* U = task.raw_tangent + k * task.tangents * task.stride;
  double* H = task.hessian + k * task.tangents * task.hessian_stride;
  for (Index i = 0; i < task.tangents; ++i) {
    for (Index j = 0; j <= i; ++j) {
      const double h = weighted_product(task.weights, U + i * task.stride, U + j * task.stride, size);
      H[i + j * task.hessian_stride] += h;
      if (j < i) H[j + i * task.hessian_stride] += h;
    }
  }
}

void adjoint(const AdjointTask& task) {
  for (Index k = 0; k < task.points; ++k) {
    const double* g = task.adjoint + k * task.adjoint_stride;
    if (task.hessian != nullptr) add_hessian(task, k, g);
    const double* first = task.first + k * task.stride;
    double* scaled = task.scaled + k * task.stride;
    for (Index i = 0; i < task.rows; ++i) scaled[i] = first[i] * g[i];
  }
}

}  // namespace
}  // namespace pullback::kernels
