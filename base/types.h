// The matrix types of the public interface.
#pragma once

#include <Eigen/Core>

namespace pullback {

using Matrix = Eigen::MatrixXd;  // column-major, double precision
using Vector = Eigen::VectorXd;

// Arguments. Points are columns: a batch of K points in Rⁿ is an n×K matrix.
using ConstMatrixRef = Eigen::Ref<const Matrix>;
using ConstVectorRef = Eigen::Ref<const Vector>;
using MatrixRef = Eigen::Ref<Matrix>;
using VectorRef = Eigen::Ref<Vector>;

}  // namespace pullback
