#include "pullback/manifold/numerics/chords.h"

namespace pullback {

double chord_length(const Manifold& manifold, const ConstMatrixRef& nodes, Workspace& ws) {
  Vector chords(nodes.cols() - 1);
  manifold.chords(nodes, chords, ws);
  return chords.sum();
}

double chord_energy(const Manifold& manifold, const ConstMatrixRef& nodes, Workspace& ws) {
  Vector chords(nodes.cols() - 1);
  manifold.chords(nodes, chords, ws);
  return 0.5 * static_cast<double>(chords.size()) * chords.squaredNorm();
}

double chord_length(const Manifold& manifold, const Curve& curve, int chords, Workspace& ws) {
  return chord_length(manifold, curve.position(uniform_times(chords + 1)), ws);
}

Matrix moved_nodes(const ConstMatrixRef& nodes, const ConstMatrixRef& factors, const ConstMatrixRef& step,
                   double scale) {
  const Eigen::Index n = nodes.rows();
  Matrix out = nodes;
  for (Eigen::Index i = 1; i + 1 < nodes.cols(); ++i) {
    out.col(i) += scale * factors.middleCols(n * i, n).triangularView<Eigen::Upper>().solve(step.col(i - 1));
  }
  return out;
}

// Those over two gaps in two walks, as a metric that has no values goes through the pairs one after the other.
std::vector<Manifold::Pair> chords_over_one_and_two(Eigen::Index K) {
  std::vector<Manifold::Pair> pairs;
  for (Eigen::Index i = 0; i < K; ++i) pairs.push_back({i, i + 1});
  for (const Eigen::Index first : {Eigen::Index{0}, Eigen::Index{1}}) {
    for (Eigen::Index i = first; i + 2 <= K; i += 2) pairs.push_back({i, i + 2});
  }
  return pairs;
}

Matrix doubled_nodes(const ConstMatrixRef& nodes) {
  return Curve::through(nodes).position(uniform_times(static_cast<int>(2 * nodes.cols()) - 1));
}

}  // namespace pullback
