// The arithmetic of fully connected layers, compiled once per instruction set and chosen at run time.
//
// Only plain pointers cross this interface and the variants have internal linkage but for one function each: a template
// instantiated in two of them would be merged by the linker, and code for one processor would run on another.
#pragma once

#include <cstddef>

namespace pullback::kernels {

using Index = std::ptrdiff_t;

// Same order as ActivationKind.
enum class Function { kIdentity, kTanh, kSigmoid, kRelu, kLeakyRelu, kElu, kSoftplus, kSilu, kGelu, kGeluTanh };

// A matrix with `rows` rows as panels of `panel_rows` rows: panel by panel, in it column by column; rows beyond the
// last are zero. 64-byte aligned.
struct Panels {
  const double* data = nullptr;
  Index rows = 0;
  Index cols = 0;
};

// Columns of output for point k and i: data + k·point_stride + i·column_stride. Null data: not wanted.
struct Columns {
  double* data = nullptr;
  Index point_stride = 0;
  Index column_stride = 0;
};

// One layer on a batch of points. The input has 1 + tangents + (second ? 1 : 0) columns for each point, in the order
// value, tangents, second-order term.
struct ForwardTask {
  Panels weight;
  const double* bias = nullptr;  // padded to whole panels
  Function function = Function::kIdentity;
  double parameter = 0;

  const double* input = nullptr;
  Index input_stride = 0;  // from column to column
  Index points = 0;
  Index tangents = 0;
  bool second = false;
  const double* direction = nullptr;  // tangents×points: coefficients of the tangents in the second-order direction

  Columns value;              // σ(a)
  Columns tangent;            // σ'(a) u_i
  Columns curvature;          // σ'(a) s + σ''(a) (Σ v_i u_i)²
  bool padded = false;        // those three have room for whole packets of rows, as the others always have
  Columns first;              // σ'(a)
  Columns second_factor;      // σ''(a)
  Columns raw_tangent;        // u_i
  double* scratch = nullptr;  // scratch_size(columns per point)
};

// C = weight · input for `cols` columns.
struct ProductTask {
  Panels weight;
  const double* input = nullptr;
  Index input_stride = 0;
  Index cols = 0;
  double* output = nullptr;
  Index output_stride = 0;
  double* scratch = nullptr;  // scratch_size(1)
};

// What a forward task has recorded; the columns have whole packets of rows.
struct RecordColumns {
  const double* data = nullptr;
  Index point_stride = 0;
  Index column_stride = 0;
};

// One layer of the adjoint sweep: scaled = σ'(a) ∘ g, and, where `hessian` is not null, for each point the n×n block
// H += Uᵀ diag(σ''(a) ∘ g) U.
struct AdjointTask {
  Index rows = 0;
  Index points = 0;
  Index tangents = 0;
  const double* adjoint = nullptr;  // g, rows×points
  Index adjoint_stride = 0;
  RecordColumns first;          // σ'(a)
  RecordColumns second_factor;  // σ''(a)
  RecordColumns raw_tangent;    // U
  double* scaled = nullptr;     // stride×points
  Index stride = 0;             // rows, rounded up to whole panels
  double* weights = nullptr;    // stride doubles of scratch
  double* hessian = nullptr;    // tangents×(tangents·points)
  Index hessian_stride = 0;
};

struct Kernel {
  const char* name;
  Index panel_rows;
  Index (*scratch_size)(Index columns_per_point);
  void (*forward)(const ForwardTask&);
  void (*product)(const ProductTask&);
  void (*adjoint)(const AdjointTask&);
};

// Compiled on every platform; on x86-64 only.
const Kernel& baseline_kernel();
const Kernel& avx2_kernel();
const Kernel& avx512_kernel();

// The kernel that active_instruction_set() names; same errors.
const Kernel& active_kernel();

}  // namespace pullback::kernels
