#include "pullback/manifold/fields/selling.h"

#include <Eigen/Geometry>
#include <algorithm>

namespace pullback {
namespace {

// An inner product above this fraction of the trace is positive and not rounding.
constexpr double kObtuse = 1e-13;
// More than any matrix takes whose condition is within what the header says.
constexpr int kMostReflections = 100'000;

using Offset = Eigen::Vector3i;

struct Superbase {
  std::array<Offset, 4> b;
  int size;  // n + 1
};

// −b_iᵀ D b_j, D padded to 3×3.
double weight(const Eigen::Matrix3d& D, const Offset& a, const Offset& b) {
  return -a.cast<double>().dot(D * b.cast<double>());
}

// Reflects at the first acute pair; false: there is none.
bool reflect(const Eigen::Matrix3d& D, double tolerance, Superbase& base) {
  for (int i = 0; i < base.size; ++i) {
    for (int j = i + 1; j < base.size; ++j) {
      auto& b = base.b;
      const auto at = [&b](int k) -> Offset& { return b[static_cast<std::size_t>(k)]; };
      if (weight(D, at(i), at(j)) >= -tolerance) continue;
      if (base.size == 3) {
        at(3 - i - j) = at(i) - at(j);
      } else {
        for (int k = 0; k < 4; ++k) {
          if (k != i && k != j) at(k) += at(i);
        }
      }
      at(i) = -at(i);
      return true;
    }
  }
  return false;
}

}  // namespace

SellingTerms selling_terms(const Eigen::Ref<const Eigen::MatrixXd>& D) {
  const auto n = static_cast<int>(D.rows());
  Eigen::Matrix3d padded = Eigen::Matrix3d::Zero();
  padded.topLeftCorner(n, n) = D;
  Superbase base{{Offset{1, 0, 0}, Offset{0, 1, 0}, Offset{0, 0, 1}, Offset{-1, -1, -1}}, n + 1};
  if (n == 2) base.b[2] = Offset{-1, -1, 0};
  const double tolerance = kObtuse * D.trace();
  for (int step = 0; step < kMostReflections && reflect(padded, tolerance, base); ++step) {
  }

  SellingTerms out;
  const auto add = [&](const Offset& a, const Offset& b, const Offset& dual) {
    out.weights[static_cast<std::size_t>(out.count)] = std::max(0.0, weight(padded, a, b));
    out.offsets[static_cast<std::size_t>(out.count++)] = dual;
  };
  const auto& b = base.b;
  if (n == 2) {  // the vector with inner products ±1 with two of the base is the third one turned by a right angle
    for (std::size_t k = 0; k < 3; ++k) add(b[(k + 1) % 3], b[(k + 2) % 3], Offset{-b[k][1], b[k][0], 0});
    return out;
  }
  static constexpr std::size_t kPairs[6][4] = {{0, 1, 2, 3}, {0, 2, 1, 3}, {0, 3, 1, 2},
                                               {1, 2, 0, 3}, {1, 3, 0, 2}, {2, 3, 0, 1}};
  for (const auto& [i, j, k, l] : kPairs) add(b[i], b[j], b[k].cross(b[l]));
  return out;
}

}  // namespace pullback
