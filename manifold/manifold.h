// The interface of all Riemannian manifolds in one chart.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/generators/generator.h"
#include "pullback/manifold/numerics/block_tridiagonal.h"
#include "pullback/manifold/numerics/smooth_coupling.h"
#include "pullback/manifold/numerics/variation_products.h"

namespace pullback {

// The energy of a discrete curve to second order: see Manifold::variation.
struct PULLBACK_EXPORT Variation {
  Matrix factor;             // n×n(K+1), block i being R_i with R_iᵀR_i = M(z_i), upper triangular
  double energy;             // E_K
  Matrix gradient;           // n×(K−1), whitened: R_i⁻ᵀ ∂E/∂z_i at the interior nodes, of the smooth energy
  Matrix chord_gradient;     // the same of E_K
  BlockTridiagonal hessian;  // (K−1) blocks, whitened: R_i⁻ᵀ ∂²E/∂z_i∂z_j R_j⁻¹
  SmoothCoupling coupling;   // what `gradient` changes by when nodes move
};

// Of a discrete curve and of every second node of it.
struct PULLBACK_EXPORT NestedVariations {
  Variation fine;
  Variation coarse;
  Vector chords;         // d(z_i, z_{i+1}), K
  Vector double_chords;  // d(z_i, z_{i+2}), K−1
};

// How Manifold::segments models the second derivatives of the energy.
enum class HessianModel {
  kGaussNewton,     // first derivatives of f alone; exceeds the Hessian by the bending of the surface in ambient space
  kProjectedNewton  // the Hessian of each chord without its negative part; needs second derivatives of f
};

// A Riemannian metric M(z) on (a chart of) latent space Rⁿ.
//
//   ⟨u, v⟩_z = uᵀM(z)v,   ċ-energy E = ½ ∫ ċᵀM(c)ċ dt,   geodesic equation c̈ = a(c, ċ),  a^k = −Γ^k_ij v^i v^j.
//
// Discrete curves: nodes z_0 … z_K at t_i = i/K, with the energy of their chords E_K = ½ K Σ d(z_i, z_{i+1})², where d
// is the ambient distance ‖f(b) − f(a)‖ for a pullback metric and √(δᵀM̄δ), δ = b − a, for one given directly, M̄ the
// mean of M on the chord by Simpson's rule. E_K → E with an error in even powers of 1/K.
//
// Shapes for a batch of K points: Z, V, A: n×K. M, R: n×(nK), block k belonging to z_k.
// Undefined: a(z, v) where M(z) is singular; the least-squares solution of least norm is returned there.
// Errors: std::invalid_argument for wrong shapes. Nothing is checked for NaN, which propagates.
// Thread safety: const methods, one workspace per thread.
class PULLBACK_EXPORT Manifold {
 public:
  virtual ~Manifold() = default;
  Manifold(const Manifold&) = delete;
  Manifold& operator=(const Manifold&) = delete;

  int dimension() const { return dimension_; }
  const std::string& name() const { return name_; }
  // Twice continuously differentiable, so that the geodesic equation means something everywhere.
  bool smooth() const { return smooth_; }
  // The generator whose ambient space carries the metric; null where the metric is given directly.
  const Generator* generator() const { return generator_.get(); }
  std::shared_ptr<const Generator> shared_generator() const { return generator_; }
  // How the derivatives behind the metric are obtained. First: J of a pullback; exact where M is given directly.
  // Second: d²f of a pullback, dM and d²M of a metric that is given directly.
  Derivative first_derivative() const { return first_; }
  Derivative second_derivative() const { return second_; }

  void metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const;
  // Upper triangular R with RᵀR = M, from a QR of J where there is one, so that κ(R) = κ(J) and not its square.
  void factor(const ConstMatrixRef& Z, MatrixRef R, Workspace& ws) const;
  // The geodesic acceleration a(z, v).
  void acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const;
  // e_k: an upper estimate of ‖ã − a(z_k, v_k)‖ in the metric at z_k, where ã is what acceleration() returns with
  // differenced derivatives; of degree 2 in v. 0 where derivatives are exact (rounding is not counted), and for a
  // pullback, whose generator does not know it; NaN where M is not finite.
  //   e: K.  Cost: at most that of an acceleration.
  void acceleration_error(const ConstMatrixRef& Z, const ConstMatrixRef& V, VectorRef e, Workspace& ws) const;
  // acceleration() and factor() at the same points, which share a Jacobian where there is one.
  void acceleration_and_factor(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, MatrixRef R,
                               Workspace& ws) const;
  // d_i = d(z_i, z_{i+1}) of consecutive columns: K points give K−1 distances.
  void chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const;
  // A pair of columns.
  using Pair = std::array<Eigen::Index, 2>;
  // d_p = d(z_a, z_b) of the pairs (a, b) of columns.  Cost: a value of each column for a pullback; for others that of
  // the chords, and of one more wherever a pair does not begin where the one before ends.
  void chords_between(const ConstMatrixRef& Z, std::span<const Pair> pairs, VectorRef d, Workspace& ws) const;

  // The energy of a discrete curve as least squares, E_K = ½ Σ_i ‖r_i‖², compressed to 2n+1 rows per chord and
  // whitened.
  //   Z: n×(K+1).  R: n×n(K+1), the factors, with a floor of 1e-14 of their size under the diagonal so that R⁻¹ exists.
  //   residual: (2n+1)×K.  jacobian: (2n+1)×(2nK), block i belonging to z_i and z_{i+1}, in whitened steps R_i δz_i.
  // jacobianᵀ residual is the exact gradient of E_K; jacobianᵀ jacobian is the model of its Hessian.
  // Cost: K+1 Jacobians; with kProjectedNewton, K−1 weighted Hessians besides.
  void segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual, MatrixRef jacobian,
                Workspace& ws) const;

  // First and second variation of the energy at a discrete curve, whitened. `gradient` is that of the smooth energy
  // to O(K⁻⁶) for a pullback, else to O(K⁻⁴) (seven- and five-point second differences); the energy, `chord_gradient`
  // and the Hessian are those of E_K.
  //   Z: n×(K+1), K ≥ 6.  Cost: K+1 Jacobians and K−1 weighted Hessians.
  Variation variation(const ConstMatrixRef& Z, Workspace& ws) const;
  // The same of all nodes and of every second one, and the chords over one and two gaps, which share what is evaluated.
  //   Z: n×(K+1), K even, K ≥ 12.  Cost: for a pullback K+1 Jacobians and 3K/2−2 weighted Hessians; for others that of
  //   both variations and of the chords.
  NestedVariations nested_variations(const ConstMatrixRef& Z, Workspace& ws) const;

  // Whether variation_products() and push_forward() are how to work with this manifold: its dimension is so high that
  // blocks of n×n, and factors of the metric, cost more than products with them.
  bool prefers_products() const { return prefers_products_; }
  // What variation() gives, as products (variation_products.h). Null unless prefers_products().
  //   Z: n×(K+1), K ≥ 6.  Cost: K+1 values and 2(K−1) products.
  std::unique_ptr<const VariationProducts> variation_products(const ConstMatrixRef& Z, Workspace& ws) const;
  // Tangent vectors as vectors of a Euclidean space: those of one point have the products that the metric there gives
  // them. J v of a pullback, whose vectors of different points may be compared as well; R v of others.
  //   Z, V: n×K.  T: frame_dimension()×K.  Cost: K products where prefers_products(), otherwise that of factor().
  int frame_dimension() const;
  void push_forward(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef T, Workspace& ws) const;

  // Convenience for one tangent vector; allocates.
  double inner(const ConstVectorRef& z, const ConstVectorRef& u, const ConstVectorRef& v) const;
  double norm(const ConstVectorRef& z, const ConstVectorRef& v) const;
  Matrix metric(const ConstMatrixRef& Z) const;

 protected:
  Manifold(int dimension, std::string name, bool smooth, std::shared_ptr<const Generator> generator = nullptr);

  // For a metric whose derivatives are not those of its generator.
  void set_derivatives(Derivative first, Derivative second);
  void set_prefers_products(bool prefers) { prefers_products_ = prefers; }

 private:
  virtual void do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const = 0;
  virtual void do_factor(const ConstMatrixRef& Z, MatrixRef R, Workspace& ws) const;  // Cholesky of do_metric
  virtual void do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const = 0;
  virtual void do_acceleration_error(const ConstMatrixRef& Z, const ConstMatrixRef& V, VectorRef e,
                                     Workspace& ws) const;  // 0
  virtual void do_acceleration_and_factor(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, MatrixRef R,
                                          Workspace& ws) const;  // one after the other
  virtual void do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const = 0;
  virtual void do_chords_between(const ConstMatrixRef& Z, std::span<const Pair> pairs, VectorRef d,
                                 Workspace& ws) const;  // do_chords on a walk through the pairs
  virtual void do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual,
                           MatrixRef jacobian, Workspace& ws) const = 0;
  virtual Variation do_variation(const ConstMatrixRef& Z, Workspace& ws) const = 0;
  virtual NestedVariations do_nested_variations(const ConstMatrixRef& Z, Workspace& ws) const;  // one after the other
  virtual std::unique_ptr<const VariationProducts> do_variation_products(const ConstMatrixRef& Z,
                                                                         Workspace& ws) const;  // null
  virtual int do_frame_dimension() const;                                                       // n
  virtual void do_push_forward(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef T,
                               Workspace& ws) const;  // R v

  int dimension_;
  std::string name_;
  bool smooth_;
  bool prefers_products_ = false;
  Derivative first_ = Derivative::kExact;
  Derivative second_ = Derivative::kExact;
  std::shared_ptr<const Generator> generator_;
};

}  // namespace pullback
