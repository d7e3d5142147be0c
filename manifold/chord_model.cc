#include "pullback/manifold/chord_model.h"

#include <Eigen/Eigenvalues>

namespace pullback {

void compress_chord(const ConstVectorRef& gradient, Matrix hessian, double s, VectorRef residual, MatrixRef jacobian) {
  const Eigen::Index rows = gradient.size();
  residual.setZero();
  jacobian.setZero();
  if (s > 0) {
    residual(rows) = s;
    jacobian.row(rows) = gradient.transpose() / s;
    hessian -= jacobian.row(rows).transpose() * jacobian.row(rows);
  }
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(hessian);
  jacobian.topRows(rows) = eigen.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() * eigen.eigenvectors().transpose();
}

}  // namespace pullback
