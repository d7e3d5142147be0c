#include "pullback/manifold/numerics/nodal_differences.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>

namespace pullback {
namespace {

using Eigen::Index;

constexpr Index kLeastChords = 5;
constexpr Index kChordsOfSixthOrder = 8;

// Weights at the nodes 0, 1, … from an end, the last for all that are farther in, in units of 1/denominator.
template <std::size_t kRows>
struct Table {
  double denominator;
  Index beside_ends;  // points of a stencil that is not central
  Index central;
  std::array<std::array<double, 8>, kRows> weights;
};

constexpr Table<3> kFirstOfFourth{12, 5, 5, {{{-25, 48, -36, 16, -3}, {-3, -10, 18, -6, 1}, {1, -8, 0, 8, -1}}}};
constexpr Table<4> kFirstOfSixth{60,
                                 7,
                                 7,
                                 {{{-147, 360, -450, 400, -225, 72, -10},
                                   {-10, -77, 150, -100, 50, -15, 2},
                                   {2, -24, -35, 80, -30, 8, -1},
                                   {-1, 9, -45, 0, 45, -9, 1}}}};
constexpr Table<3> kSecondOfFourth{12, 6, 5, {{{}, {10, -15, -4, 14, -6, 1}, {-1, 16, -30, 16, -1}}}};
constexpr Table<4> kSecondOfSixth{180,
                                  8,
                                  7,
                                  {{{},
                                    {126, -70, -486, 855, -670, 324, -90, 11},
                                    {-11, 214, -378, 130, 85, -54, 16, -2},
                                    {2, -27, 270, -490, 270, -27, 2}}}};

// mirrored: the sign of the weights of a stencil that is read from the other end.
template <std::size_t kRows>
NodalDifference stencil(const Table<kRows>& table, Index i, Index K, double mirrored) {
  const bool from_end = 2 * i > K;
  const Index place = from_end ? K - i : i;
  const auto row = std::min(place, static_cast<Index>(kRows) - 1);
  const bool central = row == static_cast<Index>(kRows) - 1;
  const Index count = central ? table.central : table.beside_ends;
  const Index first = place - row;
  NodalDifference out{from_end ? K - first - (count - 1) : first, count, {}};
  for (Index s = 0; s < count; ++s) {
    const Index read = from_end ? count - 1 - s : s;
    const double weight = table.weights[static_cast<std::size_t>(row)][static_cast<std::size_t>(read)];
    out.weights[static_cast<std::size_t>(s)] = (from_end ? mirrored : 1) * weight / table.denominator;
  }
  return out;
}

Vector difference(const NodalDifference& at, const ConstMatrixRef& nodes, double scale) {
  Vector out = Vector::Zero(nodes.rows());
  for (Index s = 0; s < at.count; ++s) {
    out += scale * at.weights[static_cast<std::size_t>(s)] * nodes.col(at.first + s);
  }
  return out;
}

bool fourth(Index K, DifferenceOrder order) { return order == DifferenceOrder::kFourth || K < kChordsOfSixthOrder; }

Index chords_of(const ConstMatrixRef& nodes) {
  if (nodes.cols() > kLeastChords) return nodes.cols() - 1;
  throw std::invalid_argument(
      fmt::format("nodal differences: at least {} nodes are needed, got {}", kLeastChords + 1, nodes.cols()));
}

}  // namespace

NodalDifference first_difference(Index i, Index K, DifferenceOrder order) {
  return fourth(K, order) ? stencil(kFirstOfFourth, i, K, -1) : stencil(kFirstOfSixth, i, K, -1);
}

NodalDifference second_difference(Index i, Index K, DifferenceOrder order) {
  return fourth(K, order) ? stencil(kSecondOfFourth, i, K, 1) : stencil(kSecondOfSixth, i, K, 1);
}

Matrix nodal_velocities(const ConstMatrixRef& nodes, DifferenceOrder order) {
  const Index K = chords_of(nodes);
  Matrix out(nodes.rows(), K + 1);
  for (Index i = 0; i <= K; ++i) out.col(i) = difference(first_difference(i, K, order), nodes, static_cast<double>(K));
  return out;
}

Matrix nodal_accelerations(const ConstMatrixRef& nodes, DifferenceOrder order) {
  const Index K = chords_of(nodes);
  Matrix out(nodes.rows(), K - 1);
  for (Index i = 1; i < K; ++i) {
    out.col(i - 1) = difference(second_difference(i, K, order), nodes, static_cast<double>(K * K));
  }
  return out;
}

}  // namespace pullback
