#include "pullback/plugins/leapfrog/broken_geodesic.h"

#include <algorithm>
#include <utility>

namespace pullback {
namespace {

// Nodes of the part of a curve that a piece starts from.
constexpr int kPartNodes = 33;
// Chords by which a piece is measured.
constexpr int kLengthChords = 64;

Curve part(const Curve& curve, double from, double to) {
  return Curve::through(curve.position((uniform_times(kPartNodes) * (to - from)).array() + from));
}

// c(t) + (1−t) δ_0 + t δ_1, so that it joins the given points exactly.
Curve bent(const Curve& curve, const Vector& from, const Vector& to) {
  const Vector start = from - curve.positions().col(0);
  const Vector end = to - curve.positions().rightCols(1);
  const Vector& t = curve.times();
  Matrix positions = curve.positions() + start * (1 - t.array()).matrix().transpose() + end * t.transpose();
  positions.col(0) = from;
  positions.rightCols(1) = to;
  Matrix velocities = curve.velocities().colwise() + (end - start);
  if (!curve.quintic()) return {t, std::move(positions), std::move(velocities)};
  return {t, std::move(positions), std::move(velocities), curve.accelerations()};
}

// Curves one after the other, piece i from times(i) to times(i+1); velocity and acceleration at a joint are the means
// of both sides.
Curve joined(const std::vector<Curve>& curves, const Vector& times) {
  const Eigen::Index n = curves.front().dimension();
  Eigen::Index nodes = 1;
  for (const Curve& c : curves) nodes += c.pieces();
  const bool quintic = std::all_of(curves.begin(), curves.end(), [](const Curve& c) { return c.quintic(); });
  Vector t = Vector::Zero(nodes);
  Matrix x = Matrix::Zero(n, nodes);
  Matrix v = x;
  Matrix a = x;
  Vector weight = Vector::Zero(nodes);
  Eigen::Index first = 0;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const Curve& c = curves[i];
    const Eigen::Index count = c.pieces() + 1;
    const auto k = static_cast<Eigen::Index>(i);
    const double h = times(k + 1) - times(k);
    t.segment(first, count) = times(k) + h * c.times().array();
    x.middleCols(first, count) = c.positions();
    v.middleCols(first, count) += c.velocities() / h;
    if (quintic) a.middleCols(first, count) += c.accelerations() / (h * h);
    weight.segment(first, count).array() += 1;
    first += count - 1;
  }
  t(nodes - 1) = 1;
  v *= weight.cwiseInverse().asDiagonal();
  a *= weight.cwiseInverse().asDiagonal();
  if (!quintic) return {std::move(t), std::move(x), std::move(v)};
  return {std::move(t), std::move(x), std::move(v), std::move(a)};
}

bool is_finite(const Curve& curve) {
  return !curve.empty() && curve.positions().allFinite() && curve.velocities().allFinite() &&
         curve.accelerations().allFinite();
}

}  // namespace

BrokenGeodesic::BrokenGeodesic(const GeodesicProblem& problem, int pieces, PieceSolver solver, Workspace& ws)
    : piece_(problem), solver_(std::move(solver)), ws_(ws) {
  const Vector t = constant_speed_times(*piece_.manifold, problem.initial, pieces, ws_);
  for (Eigen::Index i = 0; i < pieces; ++i) curves_.push_back(part(problem.initial, t(i), t(i + 1)));
  curves_.front() = bent(curves_.front(), problem.from, curves_.front().positions().rightCols(1));
  curves_.back() = bent(curves_.back(), curves_.back().positions().col(0), problem.to);
}

Matrix BrokenGeodesic::joints() const {
  Matrix out(piece_.from.size(), static_cast<Eigen::Index>(curves_.size()) - 1);
  for (Eigen::Index i = 0; i < out.cols(); ++i) {
    out.col(i) = curves_[static_cast<std::size_t>(i)].positions().rightCols(1);
  }
  return out;
}

void BrokenGeodesic::move_joints(const Matrix& joints) {
  for (std::size_t i = 0; i < curves_.size(); ++i) {
    const auto k = static_cast<Eigen::Index>(i);
    const Vector from = i == 0 ? Vector(curves_[i].positions().col(0)) : Vector(joints.col(k - 1));
    const Vector to = i + 1 == curves_.size() ? Vector(curves_[i].positions().rightCols(1)) : Vector(joints.col(k));
    curves_[i] = bent(curves_[i], from, to);
  }
}

RawSolution BrokenGeodesic::solve(const Curve& initial) {
  piece_.initial = initial;
  piece_.from = initial.positions().col(0);
  piece_.to = initial.positions().rightCols(1);
  RawSolution out = solver_(piece_);
  if (out.claim != Termination::kConverged || !is_finite(out.curve)) {
    ++failures_;
    failure_ = out.message;
  }
  if (!is_finite(out.curve)) out.curve = initial;
  out.curve = bent(out.curve, piece_.from, piece_.to);
  return out;
}

void BrokenGeodesic::sweep() {
  failures_ = 0;
  const Vector half = Vector{{0, 0.5, 1}};
  for (std::size_t i = 0; i + 1 < curves_.size(); ++i) {
    const RawSolution geodesic = solve(joined({curves_[i], curves_[i + 1]}, half));
    const double middle = geodesic.claim == Termination::kConverged
                              ? 0.5
                              : constant_speed_times(*piece_.manifold, geodesic.curve, 2, ws_)(1);
    const Vector first = curves_[i].positions().col(0);
    const Vector last = curves_[i + 1].positions().rightCols(1);
    const Vector joint = geodesic.curve.position(Vector{{middle}});
    curves_[i] = bent(part(geodesic.curve, 0, middle), first, joint);
    curves_[i + 1] = bent(part(geodesic.curve, middle, 1), joint, last);
  }
}

void BrokenGeodesic::solve_pieces() {
  failures_ = 0;
  for (Curve& curve : curves_) curve = solve(curve).curve;
}

Vector BrokenGeodesic::lengths() const {
  Vector out(static_cast<Eigen::Index>(curves_.size()));
  Vector chords(kLengthChords);
  for (std::size_t i = 0; i < curves_.size(); ++i) {
    piece_.manifold->chords(curves_[i].position(uniform_times(kLengthChords + 1)), chords, ws_);
    out(static_cast<Eigen::Index>(i)) = chords.sum();
  }
  return out;
}

Curve BrokenGeodesic::curve() const { return curve(lengths()); }

Curve BrokenGeodesic::curve(const Vector& length) const {
  const auto pieces = static_cast<int>(length.size());
  Vector times = uniform_times(pieces + 1);
  if (length.allFinite() && length.minCoeff() > 0) {
    for (Eigen::Index i = 1; i < pieces; ++i) times(i) = times(i - 1) + length(i - 1) / length.sum();
  }
  return joined(curves_, times);
}

}  // namespace pullback
