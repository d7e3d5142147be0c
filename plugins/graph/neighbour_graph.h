// The k-nearest-neighbour graph of a set of points, and its shortest paths by ambient length.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "pullback/manifold/manifold.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// Pairs (a, b), a < b, of points of which one is among the k nearest of the other in one of the charts, each once, in
// order.
//   charts: d×K each, the same points, compared by Euclidean distance.  Errors: none; fewer than k others: all of them.
using Edges = std::vector<std::pair<std::int32_t, std::int32_t>>;
Edges nearest_neighbour_edges(const std::vector<Matrix>& charts, int neighbours);

// The length of an edge that is none: its length is not finite.
inline constexpr double kNoEdge = std::numeric_limits<double>::max();

// Lengths that searches have measured, for others on the same edges with as many subdivisions.
// Thread safety: any; who asks first measures, and the lengths do not depend on who that was.
class EdgeMemory {
 public:
  explicit EdgeMemory(std::size_t edges);

  double length(std::size_t edge) const { return lengths_[edge].load(std::memory_order_relaxed); }  // NaN: not known
  void keep(std::size_t edge, double length) { lengths_[edge].store(length, std::memory_order_relaxed); }

 private:
  std::vector<std::atomic<double>> lengths_;
};

// What is known of edges before one is measured.
struct EdgeBounds {
  std::vector<double> lengths;  // of every edge, a lower bound: ‖f(a) − f(b)‖ of a pullback metric, a chord otherwise
  Matrix places;  // a column for each point, whose distances bound those of the points from below: f; empty: no bound
  std::shared_ptr<EdgeMemory> memory;  // of the edges from `remembered` on; may be null
  std::size_t remembered = 0;
};

// Cost: a value per point of a pullback metric; two chords per edge otherwise.
EdgeBounds edge_bounds(const Manifold& manifold, const Matrix& Z, const Edges& edges, Workspace& ws);

// f at every column, in batches.
Matrix ambient_points(const Generator& f, const Matrix& Z, Workspace& ws);

struct GraphPath {
  enum class Status { kFound, kDisconnected, kStopped };
  Status status = Status::kStopped;
  std::vector<std::int32_t> nodes;  // from start to goal
  double length = 0;                // by the chords of its edges
  // Where disconnected: how many points each end can reach, itself included.
  std::int64_t reached_from_start = 0;
  std::int64_t reached_from_goal = 0;
  int measured_edges = 0;
};

// Shortest paths between columns of Z, an edge weighing the sum of its `subdivisions` chords. An edge whose length is
// not finite is none. What it refers to must outlive it.
//
// Cost: that of edge_bounds(), once, unless they are given; for each path, `subdivisions`+1 values for each edge that a
// best path went through and that was not measured yet, and an A* search for each time the best path changed. With one
// subdivision the bounds of a pullback metric are the lengths. Thread safety: none.
class PathFinder {
 public:
  PathFinder(const Manifold& manifold, const Matrix& Z, const Edges& edges, int subdivisions, SolveContext& context);
  PathFinder(const Manifold& manifold, const Matrix& Z, const Edges& edges, EdgeBounds bounds, int subdivisions,
             SolveContext& context);
  ~PathFinder();
  PathFinder(const PathFinder&) = delete;
  PathFinder& operator=(const PathFinder&) = delete;

  GraphPath find(std::int32_t start, std::int32_t goal);
  // From now on, edges at the path's inner nodes and at their neighbours weigh more by this factor, except near its
  // ends, where every path must pass.
  void avoid(const GraphPath& path, double factor);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace pullback
