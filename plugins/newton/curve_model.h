// The energy of a discrete curve to second order, as the steps of Newton's method need it.
#pragma once

#include <memory>
#include <optional>

#include "pullback/manifold/manifold.h"

namespace pullback {

// What the nodes of a curve say of its energy. All moves are n×(K−1), of the interior nodes in latent coordinates.
// Thread safety: none.
class CurveModel {
 public:
  virtual ~CurveModel() = default;
  CurveModel(const CurveModel&) = delete;
  CurveModel& operator=(const CurveModel&) = delete;

  struct Step {
    Matrix moves;
    double promised;  // by how much it lowers the quadratic model of the energy
    bool exact;       // of the Hessian itself, damped, and not of a positive definite stand-in
  };
  // Lowers the energy of chords: (H + damping G) moves = −g, or with a positive definite stand-in for H.
  virtual Step descent(double damping) = 0;

  struct Correction {
    Matrix moves;
    double decrement;  // ½ gᵀH⁻¹g; where H is not definite at least that of G
    bool definite;     // as far as the solution of H moves = −g has shown
    bool exact;        // a step of Newton's method for that gradient, and not with H in place of its derivative
  };
  // A step that takes the gradient of the smooth energy to zero.
  virtual Correction correction() = 0;

  // Whether H is positive definite, also where the solution had no reason to show it.
  virtual bool definite() = 0;
  // Along the most negative direction of the second variation, of root mean square one; nothing where none is negative.
  virtual std::optional<Matrix> negative_mode() = 0;

  virtual bool finite() const = 0;
  virtual double energy() const = 0;

 protected:
  CurveModel() = default;
};

// With blocks, or with products where the manifold prefers these. `before`, a model of the same problem or null, may
// hand on what need not be made again.
std::unique_ptr<CurveModel> make_curve_model(const Manifold& manifold, const Matrix& nodes, const CurveModel* before,
                                             Workspace& ws);

// An eigenvalue of the second variation (the flat one's is π²) below this is negative.
inline constexpr double kNegativeEigenvalue = -1e-5;

// The two kinds.
std::unique_ptr<CurveModel> make_block_model(const Manifold& manifold, const Matrix& nodes, Workspace& ws);
std::unique_ptr<CurveModel> make_product_model(const Manifold& manifold, const Matrix& nodes, const CurveModel* before,
                                               Workspace& ws);

}  // namespace pullback
