// Sweeps of a chunk of points through a network, forward and back, on the weights as the kernels read them.
#pragma once

#include <boost/align/aligned_allocator.hpp>
#include <vector>

#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/generators/network/kernels/network_kernel.h"
#include "pullback/generators/network/network.h"

namespace pullback {

// Where a forward sweep records something of all layers; null: not wanted.
struct Record {
  double* data = nullptr;
  Eigen::Index stride = 0;  // from point to point
};

// What a forward sweep carries along and where its results go. Layers, points and columns are those of ForwardTask.
struct ForwardSweep {
  const double* seed = nullptr;  // tangents at the input: column i of point k at seed + k·seed_point + i·seed_column
  Eigen::Index seed_point = 0;
  Eigen::Index seed_column = 0;
  Eigen::Index tangents = 0;
  const double* direction = nullptr;  // tangents×points, contiguous; null: no second order
  // The outputs of the last layer.
  kernels::Columns value, tangent, curvature;
  // Records of all layers for the way back, whose columns are points.
  Record first;          // σ'(a), NetworkSweeps::total_outputs() rows
  Record second_factor;  // σ''(a), likewise
  Record raw_tangent;    // the tangents before the activation, so many rows for each

  Eigen::Index columns() const { return 1 + tangents + (direction != nullptr ? 1 : 0); }
};

// The results of the way back; null: not wanted. The Hessian is added to.
struct BackwardSweep {
  double* gradient = nullptr;  // n×points
  Eigen::Index gradient_stride = 0;
  double* hessian = nullptr;  // n×(n·points)
  Eigen::Index hessian_stride = 0;
};

class NetworkSweeps {
 public:
  NetworkSweeps(const std::vector<Layer>& layers, const kernels::Kernel& kernel);

  const kernels::Kernel& kernel() const { return kernel_; }
  // How many points to take at a time when each has this many columns.
  Eigen::Index chunk(Eigen::Index columns_per_point) const;
  Eigen::Index total_outputs() const { return total_outputs_; }  // of all layers, each in whole panels

  // Z and W are points×columns of the chunk alone.
  void forward(const ConstMatrixRef& Z, const ForwardSweep& sweep, Workspace& ws) const;
  void backward(const ConstMatrixRef& W, const ForwardSweep& records, const BackwardSweep& sweep, Workspace& ws) const;
  // The derivative of the gradient Jᵀw along (v, u), v the one tangent of the records, n×points: forward over reverse.
  void backward_product(const ConstMatrixRef& W, const ConstMatrixRef& U, const ForwardSweep& records, MatrixRef P,
                        Workspace& ws) const;

 private:
  using AlignedArray = std::vector<double, boost::alignment::aligned_allocator<double, 64>>;

  struct PackedLayer {
    AlignedArray weight;
    AlignedArray transposed;
    AlignedArray bias;
    Eigen::Index outputs = 0;
    Eigen::Index inputs = 0;
    Eigen::Index stride = 0;        // outputs, rounded up to whole panels
    Eigen::Index first_output = 0;  // sum of the strides of the layers before
    kernels::Function function = kernels::Function::kIdentity;
    double parameter = 0;
  };

  AlignedArray pack(const Matrix& weight) const;
  Eigen::Index round_up(Eigen::Index rows) const;
  void fill_input(const ConstMatrixRef& Z, const ForwardSweep& sweep, double* input) const;
  static void record(const PackedLayer& layer, const ForwardSweep& sweep, kernels::ForwardTask& task);

  const kernels::Kernel& kernel_;
  std::vector<PackedLayer> layers_;
  Eigen::Index input_stride_ = 0;   // of the widest input of a layer, in whole panels
  Eigen::Index output_stride_ = 0;  // of the widest output
  Eigen::Index total_outputs_ = 0;  // sum of all strides
};

}  // namespace pullback
