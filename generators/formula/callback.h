// Generators from functions that are known at run time only.
#pragma once

#include <functional>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/generators/generator.h"

namespace pullback {

namespace internal {
enum class DifferenceOrder;
}

// The functions of a CallbackGenerator, for a batch Z of K points; `value` is required.
struct PULLBACK_EXPORT Callbacks {
  std::function<Matrix(const ConstMatrixRef& Z)> value;                                        // X, N×K
  std::function<Matrix(const ConstMatrixRef& Z)> jacobian;                                     // J, N×(nK)
  std::function<Matrix(const ConstMatrixRef& Z, const ConstMatrixRef& V)> second_directional;  // D, N×K
};

// A generator that calls the functions it was given and fills in the derivatives that are missing by central
// differences of fourth order, extrapolated from steps h and rh, r = 1.7: with s(a) = (g(a) − g(−a)) / 2a,
//
//   J e_i    = s(h) + (s(h) − s(rh))/(r² − 1),  g(a) = f(z + a e_i),
//   d²f[v,v] = the same,                        g(a) = J(z + av)v              with a Jacobian,
//   d²f[v,v] = the same,                        s(a) = (g(a) + g(−a) − 2g(0))/a², g(a) = f(z + av)   without one.
//
// h suits a function that varies over lengths of 1 + |z|; where the two steps contradict each other it is shortened
// 30-fold, up to six times, and where rounding spoils the result it is lengthened, up to twice.
//
// `traits` names the generator and says whether it is smooth and stochastic, and how far rounding puts its values off;
// how its derivatives are obtained is filled in. Accuracy: relative 1e-12 for the Jacobian, 1e-9 for second derivatives
// from values and 1e-12 from Jacobians, for a function computed to full double precision.
//
// Undefined: differences across a kink or a jump.
// Errors: std::invalid_argument if `value` is empty, a dimension is below 1, or (at evaluation) a function returns
// another shape than stated above. What a function throws passes unchanged.
// Cost: a missing Jacobian 4nK values in one call; a missing second derivative 5K values or 4K Jacobians; as many again
// for each change of the step, at the points that need it. A thread that may be
// stopped (stop.h) calls a slow function with parts of a batch.
// Thread safety: the functions must be callable from several threads if the generator is.
class PULLBACK_EXPORT CallbackGenerator final : public Generator {
 public:
  CallbackGenerator(int latent_dimension, int ambient_dimension, Callbacks callbacks,
                    GeneratorTraits traits = {.name = "callback"});

 private:
  void do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const override;
  void do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const override;
  void do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                             Workspace& ws) const override;
  bool asks_to_stop() const override { return true; }  // in the calls of the functions, which take all the time

  // The functions, called for parts of a batch where they take long.
  void values(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const;
  void jacobians(const ConstMatrixRef& Z, MatrixRef J, Workspace& ws) const;

  void difference_jacobian(const ConstMatrixRef& Z, MatrixRef J, Workspace& ws) const;
  void difference_second(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D, Workspace& ws) const;
  void difference_values(const ConstMatrixRef& Z, const ConstMatrixRef& V, internal::DifferenceOrder order,
                         double negligible, MatrixRef D, Workspace& ws) const;

  Callbacks callbacks_;
};

}  // namespace pullback
