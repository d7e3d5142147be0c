// A curve made of geodesics, and sweeps over its joints.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pullback/manifold/manifold.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// Finds the geodesic of a piece, from problem.initial.
using PieceSolver = std::function<RawSolution(const GeodesicProblem&)>;

// Joints x_0 … x_m with x_0 and x_m fixed, and a curve from each to the next.
class BrokenGeodesic {
 public:
  // Cuts the problem's initial curve into m ≥ 2 pieces of equal length. The manifold and the solver must outlive it.
  BrokenGeodesic(const GeodesicProblem& problem, int pieces, PieceSolver solver, Workspace& ws);

  // The joints inside, n×(m−1).
  Matrix joints() const;
  // Moves the joints; the curves are bent to follow.
  void move_joints(const Matrix& joints);
  // Replaces every joint inside in turn by the midpoint of the geodesic between its neighbours (which for the second
  // and later ones include those just replaced). Where the solver does not claim a geodesic its curve's midpoint is
  // taken all the same, if it is finite.
  void sweep();
  // Solves every piece, so that the curves are geodesics.
  void solve_pieces();

  // Pieces, of the last sweep or solve, for which the solver claimed no geodesic; and the last such message.
  int failures() const { return failures_; }
  const std::string& failure() const { return failure_; }

  // Lengths of the pieces, by polylines.
  Vector lengths() const;
  // The pieces one after the other, each taking the time that is its share of the length.
  Curve curve() const;
  Curve curve(const Vector& lengths) const;  // given those

 private:
  RawSolution solve(const Curve& initial);

  GeodesicProblem piece_;
  PieceSolver solver_;
  Workspace& ws_;
  std::vector<Curve> curves_;
  int failures_ = 0;
  std::string failure_;
};

}  // namespace pullback
