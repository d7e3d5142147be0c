// The interface of all generators.
#pragma once

#include <limits>
#include <string>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"

namespace pullback {

// How a derivative is obtained.
enum class Derivative { kExact, kFiniteDifference };

// What a generator says of itself.
struct PULLBACK_EXPORT GeneratorTraits {
  std::string name;         // as shown to people
  bool smooth = true;       // twice continuously differentiable
  bool stochastic = false;  // the output stacks means and standard deviations
  Derivative first = Derivative::kExact;
  Derivative second = Derivative::kExact;  // kFiniteDifference: built from Jacobians by the base class
  // Rounding error of the values, relative to their largest component: larger than that of double precision if a module
  // computes in single precision inside.
  double noise = std::numeric_limits<double>::epsilon();
  // jvp, vjp and hessian_product cost a few values each, whatever the latent dimension: methods for high dimensions use
  // them in place of Jacobians and Hessians.
  bool cheap_products = false;
};

// A map f: Rⁿ → Rᴺ from latent to ambient space, evaluated on batches.
//
//   X = f(Z),  J_k = ∂f/∂z (z_k),  D_k = d²f(z_k)[v_k, v_k] = Σ_ij v_i v_j ∂²f/∂z_i∂z_j,
//   G_k = J_kᵀ w_k,  H_k = Σ_m w_mk ∇²f_m(z_k),
//   T_k = J_k v_k,  P_k = J_kᵀ u_k + H_k v_k, the derivative of Jᵀw along (v, u).
//
// Shapes, for a batch of K points, all column-major and in the units of the two spaces:
//   Z, V, P: n×K.  X, D, T, W, U: N×K.  J: N×(nK), block k (columns nk … nk+n−1) being J(z_k).  G: n×K.  H: n×(nK),
//   symmetric blocks. A record: record_size()×K.
// Outputs must have their size already and must not overlap the inputs.
//
// Undefined: second derivatives where f is not twice differentiable (`traits().smooth` is false): the result is then
// the derivative of the piece that z lies in. A NaN in z gives NaN; nothing is checked but sizes.
// Errors: std::invalid_argument for a wrong shape, with the shape expected and the shape that came.
// A thread that may be stopped (stop.h) is asked before every call, which throws StopRequested when it is to end; a
// batch that takes long is then evaluated in parts, each of which asks. Cost: each call counts K evaluations in the
// workspace. The defaults cost: jvp and vjp one Jacobian; hessian_product a Jacobian and a weighted Hessian;
// weighted_hessian n(n+1)/2 second directional derivatives;
// second_directional four Jacobians (central differences, extrapolated), and four more for each time that the step must
// be adapted to the scale on which the Jacobian changes. Thread safety: the methods are const and safe from several
// threads, each with its own workspace.
class PULLBACK_EXPORT Generator {
 public:
  virtual ~Generator() = default;
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  int latent_dimension() const { return latent_; }
  int ambient_dimension() const { return ambient_; }
  const GeneratorTraits& traits() const { return traits_; }

  void value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const;
  void value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const;
  void second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D, Workspace& ws) const;
  void vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const;
  void weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H, Workspace& ws) const;
  // X and T.
  void jvp(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef T, Workspace& ws) const;
  // P: what conjugate gradients on the energy of a curve need.
  void hessian_product(const ConstMatrixRef& Z, const ConstMatrixRef& W, const ConstMatrixRef& V,
                       const ConstMatrixRef& U, MatrixRef P, Workspace& ws) const;
  // X, J and D in one pass, which is what a geodesic's acceleration needs; counts one Jacobian and one second
  // derivative.
  void second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                    Workspace& ws) const;
  // value_and_jacobian(), and weighted_hessian() at the same points afterwards, once or several times, with weights
  // that may depend on the values: from a record of record_size() doubles a point, which saves a second pass. A
  // generator whose record_size() is 0 keeps nothing and passes twice.
  void record(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, MatrixRef record, Workspace& ws) const;
  void recorded_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& record, const ConstMatrixRef& W, MatrixRef H,
                        Workspace& ws) const;
  virtual Eigen::Index record_size() const { return 0; }

  // Convenience for one point or a small batch; allocates.
  Matrix value(const ConstMatrixRef& Z) const;
  Matrix jacobian(const ConstMatrixRef& Z) const;

 protected:
  // Errors: std::invalid_argument unless both dimensions are positive.
  Generator(int latent_dimension, int ambient_dimension, GeneratorTraits traits);

  // Shapes are checked before these are called. Those that are not pure are defaults, on which a generator may fall
  // back.
  virtual void do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const = 0;
  virtual void do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const = 0;
  virtual void do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                     Workspace& ws) const;
  virtual void do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const;
  virtual void do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H, Workspace& ws) const;
  virtual void do_jvp(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef T, Workspace& ws) const;
  virtual void do_hessian_product(const ConstMatrixRef& Z, const ConstMatrixRef& W, const ConstMatrixRef& V,
                                  const ConstMatrixRef& U, MatrixRef P, Workspace& ws) const;
  virtual void do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                               Workspace& ws) const;
  virtual void do_record(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, MatrixRef record, Workspace& ws) const;
  virtual void do_recorded_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& record, const ConstMatrixRef& W,
                                   MatrixRef H, Workspace& ws) const;
  // Whether the hooks above call throw_if_stopped() themselves within long batches, which are then not divided.
  virtual bool asks_to_stop() const { return false; }

  Workspace::Parts parts_of(Workspace::Kind kind, const ConstMatrixRef& Z, Workspace& ws) const;

 private:
  int latent_;
  int ambient_;
  GeneratorTraits traits_;
};

}  // namespace pullback
