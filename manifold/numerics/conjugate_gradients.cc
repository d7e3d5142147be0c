#include "pullback/manifold/numerics/conjugate_gradients.h"

#include <cmath>

#include "pullback/base/stop.h"

namespace pullback {
namespace {

double dot(const Matrix& a, const Matrix& b) { return a.cwiseProduct(b).sum(); }

}  // namespace

ConjugateGradientsResult conjugate_gradients(const std::function<Matrix(const Matrix&)>& A,
                                             const std::function<Matrix(const Matrix&)>& inverse_P, const Matrix& B,
                                             const ConjugateGradientsOptions& options) {
  ConjugateGradientsResult out;
  out.x = Matrix::Zero(B.rows(), B.cols());
  Matrix residual = B;
  Matrix direction = inverse_P(residual);
  double size = dot(residual, direction);
  const double enough = options.tolerance * options.tolerance * size;
  out.converged = size == 0;
  while (!out.converged && std::isfinite(size) && out.iterations < options.max_iterations) {
    throw_if_stopped();
    const Matrix image = A(direction);
    const double curvature = dot(direction, image);
    if (!(curvature > 0)) {
      out.negative_curvature = true;
      if (out.iterations == 0) out.x = direction;
      return out;
    }
    const double step = size / curvature;
    out.x += step * direction;
    residual -= step * image;
    const Matrix next = inverse_P(residual);
    const double size_next = dot(residual, next);
    ++out.iterations;
    out.converged = size_next <= enough;
    direction = next + (size_next / size) * direction;
    size = size_next;
  }
  return out;
}

}  // namespace pullback
