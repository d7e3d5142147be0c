// Networks of radial basis functions.
#pragma once

#include <memory>
#include <string>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/generators/generator.h"
#include "pullback/generators/network/network.h"

namespace pullback {

// K Gaussian bumps φ_k(z) = exp(−Σ_i λ_ik (z_i − c_ik)²).
struct PULLBACK_EXPORT RadialBasis {
  Matrix centres;  // c, n×K
  Matrix rates;    // λ, n×K, all positive; a length ℓ is the rate 1/(2ℓ²)
};

// The features φ(z), K×P, of the P columns of Z. Errors: std::invalid_argument for another number of rows.
PULLBACK_EXPORT Matrix radial_features(const RadialBasis& basis, const ConstMatrixRef& Z);

// What a radial network makes of y = Wφ(z) + ζ.
enum class RadialOutput {
  kIdentity,    // y
  kInverseRoot  // y^(−1/2): y is a precision β, the output the standard deviation σ = β^(−1/2)
};

// z ↦ g(Wφ(z) + ζ), component by component, with exact derivatives:
//
//   J = g'(y) W dφ,   d²[v,v] = g'(y) W d²φ[v,v] + g''(y) (W dφ v)².
//
// With g the identity it is a regression on bumps. With the inverse root it is the standard deviation of a decoder's
// output: small where there are centres, ζ^(−1/2) far away from them, where both y's derivatives and the Jacobian
// vanish; stacked below the mean (stack.h) it gives the expected metric JμᵀJμ + JσᵀJσ.
//
//   W: N×K.  ζ: N.
// Errors: std::invalid_argument for shapes that do not fit one another, numbers that are not finite, rates that are
// not positive; and with the inverse root for a negative weight or a ζ that is not positive, as y could be negative.
// Cost for each point: K exponentials, and the products of W: NK for a value, (n+1)NK with the Jacobian, 3NK for
// second_directional, 2NK for vjp, (n+2)NK for the weighted Hessian. A batch gives bit by bit what its points give one
// by one. Memory: six times the weights. Thread safety: const, as Generator says.
// Reference: Arvanitidis, Hansen and Hauberg, Latent space oddity, ICLR 2018, arXiv 1710.11379, section 4.
class PULLBACK_EXPORT RadialNetwork final : public Generator {
 public:
  RadialNetwork(RadialBasis basis, Matrix weight, Vector bias, RadialOutput output, const std::string& name = "radial");

  const RadialBasis& basis() const { return basis_; }
  const Matrix& weight() const { return weight_; }
  const Vector& bias() const { return bias_; }
  RadialOutput output() const { return output_; }

 private:
  void do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const override;
  void do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const override;
  void do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                             Workspace& ws) const override;
  void do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const override;
  void do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H, Workspace& ws) const override;
  void do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                       Workspace& ws) const override;
  bool asks_to_stop() const override { return true; }  // at every chunk of a batch

  RadialBasis basis_;
  Matrix weight_;
  Vector bias_;
  RadialOutput output_;
  Network forward_;  // y − ζ from φ: the products with W run on the networks' kernels
  Network back_;     // with Wᵀ
};

}  // namespace pullback
