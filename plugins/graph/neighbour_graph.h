// The k-nearest-neighbour graph of a set of points, and its shortest paths by ambient length.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "pullback/manifold/manifold.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// Pairs (a, b), a < b, of points of which one is among the k nearest of the other, each once, in order.
//   Y: d×K, compared by Euclidean distance.  Errors: none; fewer than k others: all of them.
using Edges = std::vector<std::pair<std::int32_t, std::int32_t>>;
Edges nearest_neighbour_edges(const Matrix& Y, int neighbours);

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

// The shortest path along the edges between the columns `start` and `goal` of Z, an edge weighing the sum of its
// `subdivisions` chords. An edge whose length is not finite is none.
//
// Cost: a value per point (of a pullback metric; two chords per edge otherwise), `subdivisions`+1 values for each of
// the edges that a best path went through, and an A* search for each time it changed.
GraphPath shortest_path(const Manifold& manifold, const Matrix& Z, const Edges& edges, std::int32_t start,
                        std::int32_t goal, int subdivisions, SolveContext& context);

}  // namespace pullback
