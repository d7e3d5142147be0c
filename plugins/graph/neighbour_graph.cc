#include "pullback/plugins/graph/neighbour_graph.h"

#include <algorithm>
#include <boost/graph/astar_search.hpp>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/property_map/function_property_map.hpp>
#include <boost/property_map/property_map.hpp>
#include <boost/range/iterator_range.hpp>
#include <cmath>
#include <functional>
#include <nanoflann.hpp>

#include "pullback/base/stop.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

constexpr double kInfinity = kNoEdge;  // what Boost's searches take for it
constexpr Eigen::Index kBatch = 64;

struct EdgeIndex {
  std::int32_t index;
};
using Graph = boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, EdgeIndex>;
using Vertex = boost::graph_traits<Graph>::vertex_descriptor;

// Thrown through Boost's search, which has no other way to end early.
struct SearchEnded {
  bool at_goal;
};

// Ends the search at the goal, or when all that is left is out of reach; counts what was reached.
class GoalVisitor : public boost::default_astar_visitor {
 public:
  GoalVisitor(Vertex goal, const std::vector<double>& distance, std::int64_t& reached)
      : goal_(goal), distance_(&distance), reached_(&reached) {}
  void examine_vertex(Vertex v, const Graph& /*graph*/) {
    throw_if_stopped();
    if (!((*distance_)[v] < kInfinity)) throw SearchEnded{false};
    ++*reached_;
    if (v == goal_) throw SearchEnded{true};
  }

 private:
  Vertex goal_;
  const std::vector<double>* distance_;
  std::int64_t* reached_;
};

double finite(double length) { return std::isfinite(length) ? length : kInfinity; }

// Chords of the edges themselves; none where an end has no metric (its distance to itself is not a number).
std::vector<double> bound_by_chords(const Manifold& manifold, const Matrix& Z, const Edges& edges, Workspace& ws) {
  std::vector<double> lengths(edges.size());
  Matrix points(Z.rows(), 2 * static_cast<Eigen::Index>(edges.size()));
  Matrix twice(Z.rows(), 2 * Z.cols());
  for (Eigen::Index k = 0; k < Z.cols(); ++k) twice.middleCols(2 * k, 2).colwise() = Z.col(k);
  Vector still(twice.cols() - 1);
  manifold.chords(twice, still, ws);
  for (std::size_t e = 0; e < edges.size(); ++e) {
    points.col(2 * static_cast<Eigen::Index>(e)) = Z.col(edges[e].first);
    points.col(2 * static_cast<Eigen::Index>(e) + 1) = Z.col(edges[e].second);
  }
  Vector d(std::max<Eigen::Index>(points.cols() - 1, 0));
  if (points.cols() > 1) manifold.chords(points, d, ws);
  for (std::size_t e = 0; e < edges.size(); ++e) {
    const double ends = still(2 * edges[e].first) + still(2 * edges[e].second);
    lengths[e] = finite(d(2 * static_cast<Eigen::Index>(e)) + ends);
  }
  return lengths;
}

// Edge weights that begin as lower bounds and are measured on demand.
class EdgeLengths {
 public:
  EdgeLengths(const Manifold& manifold, const Matrix& Z, const Edges& edges, EdgeBounds bounds, bool measured,
              Workspace& ws)
      : manifold_(manifold),
        Z_(Z),
        edges_(edges),
        ws_(ws),
        places_(std::move(bounds.places)),
        length_(std::move(bounds.lengths)),
        factor_(edges.size(), 1),
        measured_(edges.size(), measured),
        memory_(std::move(bounds.memory)),
        remembered_(bounds.remembered) {}

  // What a search goes by.
  double weight(std::int32_t edge) const {
    const double length = (*this)(edge);
    return length < kInfinity ? factor_[static_cast<std::size_t>(edge)] * length : kInfinity;
  }

  void weigh_more(std::int32_t edge, double factor) { factor_[static_cast<std::size_t>(edge)] *= factor; }

  double operator()(std::int32_t edge) const { return length_[static_cast<std::size_t>(edge)]; }

  // A lower bound of the distance between two nodes.
  double least(std::int32_t a, std::int32_t b) const {
    if (places_.size() == 0) return 0;
    const double distance = (places_.col(a) - places_.col(b)).norm();
    return std::isfinite(distance) ? distance : 0;
  }

  bool measured(std::int32_t edge) const { return measured_[static_cast<std::size_t>(edge)]; }

  // Measures the edges given by the chords of their subdivided lines, one batch for all that are not remembered.
  void measure(std::vector<std::int32_t> edges, int subdivisions) {
    std::erase_if(edges, [this](std::int32_t edge) { return recall(static_cast<std::size_t>(edge)); });
    if (edges.empty()) return;
    const auto count = static_cast<Eigen::Index>(edges.size());
    const Eigen::Index per_edge = subdivisions + 1;
    Matrix points(Z_.rows(), per_edge * count);
    for (Eigen::Index e = 0; e < count; ++e) {
      const auto [a, b] = edges_[static_cast<std::size_t>(edges[static_cast<std::size_t>(e)])];
      for (Eigen::Index s = 0; s < per_edge; ++s) {
        const double t = static_cast<double>(s) / subdivisions;
        points.col(per_edge * e + s) = (1 - t) * Z_.col(a) + t * Z_.col(b);
      }
    }
    Vector d(points.cols() - 1);
    manifold_.chords(points, d, ws_);
    for (Eigen::Index e = 0; e < count; ++e) {
      const auto edge = static_cast<std::size_t>(edges[static_cast<std::size_t>(e)]);
      length_[edge] = finite(d.segment(per_edge * e, subdivisions).sum());
      measured_[edge] = true;
      if (memory_ && edge >= remembered_) memory_->keep(edge - remembered_, length_[edge]);
    }
  }

 private:
  bool recall(std::size_t edge) {
    if (!memory_ || edge < remembered_) return false;
    const double length = memory_->length(edge - remembered_);
    if (std::isnan(length)) return false;
    length_[edge] = length;
    measured_[edge] = true;
    return true;
  }

  const Manifold& manifold_;
  const Matrix& Z_;
  const Edges& edges_;
  Workspace& ws_;
  Matrix places_;
  std::vector<double> length_;
  std::vector<double> factor_;
  std::vector<bool> measured_;
  std::shared_ptr<EdgeMemory> memory_;
  std::size_t remembered_;
};

Graph make_graph(const Edges& edges, Eigen::Index nodes) {
  std::vector<std::pair<std::int32_t, std::int32_t>> both;
  std::vector<EdgeIndex> properties;
  both.reserve(2 * edges.size());
  properties.reserve(2 * edges.size());
  for (std::size_t e = 0; e < edges.size(); ++e) {
    both.push_back(edges[e]);
    both.emplace_back(edges[e].second, edges[e].first);
    properties.insert(properties.end(), 2, {static_cast<std::int32_t>(e)});
  }
  return {boost::edges_are_unsorted_multi_pass, both.begin(), both.end(), properties.begin(),
          static_cast<std::size_t>(nodes)};
}

class PathSearch {
 public:
  PathSearch(const Graph& graph, const EdgeLengths& lengths)
      : graph_(graph),
        lengths_(lengths),
        predecessor_(boost::num_vertices(graph)),
        distance_(boost::num_vertices(graph)),
        least_(boost::num_vertices(graph)) {}

  // A* from start; true when the goal was reached, and then its predecessors are known.
  bool run(std::int32_t start, std::int32_t goal) {
    const auto source = static_cast<Vertex>(start);
    const auto target = static_cast<Vertex>(goal);
    reached_ = 0;
    if (aimed_at_ != goal) {
      for (std::size_t v = 0; v < least_.size(); ++v) least_[v] = lengths_.least(static_cast<std::int32_t>(v), goal);
      aimed_at_ = goal;
    }
    const auto index = boost::get(boost::vertex_index, graph_);
    const auto weight = boost::make_function_property_map<boost::graph_traits<Graph>::edge_descriptor>(
        [this](const auto& edge) { return lengths_.weight(graph_[edge].index); });
    try {
      boost::astar_search(
          graph_, source, [this](Vertex v) { return least_[v]; },
          boost::visitor(GoalVisitor(target, distance_, reached_))
              .predecessor_map(boost::make_iterator_property_map(predecessor_.begin(), index))
              .distance_map(boost::make_iterator_property_map(distance_.begin(), index))
              .weight_map(weight)
              .distance_inf(kInfinity));
    } catch (const SearchEnded& end) {
      return end.at_goal;
    }
    return false;
  }

  std::int64_t reached() const { return reached_; }

  std::vector<std::int32_t> path(std::int32_t start, std::int32_t goal) const {
    std::vector<std::int32_t> nodes{goal};
    while (nodes.back() != start) {
      nodes.push_back(static_cast<std::int32_t>(predecessor_[static_cast<std::size_t>(nodes.back())]));
    }
    std::reverse(nodes.begin(), nodes.end());
    return nodes;
  }

 private:
  const Graph& graph_;
  const EdgeLengths& lengths_;
  std::vector<Vertex> predecessor_;
  std::vector<double> distance_;
  std::vector<double> least_;
  std::int32_t aimed_at_ = -1;
  std::int64_t reached_ = 0;
};

std::int32_t edge_between(const Edges& edges, std::int32_t a, std::int32_t b) {
  const auto found = std::lower_bound(edges.begin(), edges.end(), Edges::value_type(std::min(a, b), std::max(a, b)));
  return static_cast<std::int32_t>(found - edges.begin());
}

void add_nearest(const Matrix& Y, int neighbours, Edges& edges) {
  using Tree = nanoflann::KDTreeEigenMatrixAdaptor<Matrix, -1, nanoflann::metric_L2, false>;
  const Tree tree(static_cast<std::int32_t>(Y.rows()), std::cref(Y));
  // A point finds itself, or one that lies on it.
  const auto count = static_cast<std::size_t>(std::min<Eigen::Index>(neighbours + 1, Y.cols()));
  std::vector<Matrix::Index> found(count);
  std::vector<double> distances(count);
  for (Eigen::Index k = 0; k < Y.cols(); ++k) {
    throw_if_stopped();
    tree.query(Y.col(k).data(), count, found.data(), distances.data());
    for (const Matrix::Index other : found) {
      if (other == k) continue;
      edges.push_back(std::minmax(static_cast<std::int32_t>(k), static_cast<std::int32_t>(other)));
    }
  }
}

}  // namespace

EdgeMemory::EdgeMemory(std::size_t edges) : lengths_(edges) {
  for (std::size_t e = 0; e < edges; ++e) keep(e, std::numeric_limits<double>::quiet_NaN());
}

Edges nearest_neighbour_edges(const std::vector<Matrix>& charts, int neighbours) {
  Edges edges;
  for (const Matrix& Y : charts) add_nearest(Y, neighbours, edges);
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

namespace {

// Only there is the distance of two points known from their images, and a lower bound of every path.
bool has_images(const Manifold& manifold) { return dynamic_cast<const PullbackManifold*>(&manifold) != nullptr; }

}  // namespace

// f at every column, in batches.
Matrix ambient_points(const Generator& f, const Matrix& Z, Workspace& ws) {
  Matrix X(f.ambient_dimension(), Z.cols());
  for (Eigen::Index k = 0; k < Z.cols(); k += kBatch) {
    const Eigen::Index count = std::min(kBatch, Z.cols() - k);
    f.value(Z.middleCols(k, count), X.middleCols(k, count), ws);
  }
  return X;
}

EdgeBounds edge_bounds(const Manifold& manifold, const Matrix& Z, const Edges& edges, Workspace& ws) {
  if (!has_images(manifold)) return {bound_by_chords(manifold, Z, edges, ws), {}};
  EdgeBounds out{std::vector<double>(edges.size()), ambient_points(*manifold.generator(), Z, ws)};
  for (std::size_t e = 0; e < edges.size(); ++e) {
    out.lengths[e] = finite((out.places.col(edges[e].first) - out.places.col(edges[e].second)).norm());
  }
  return out;
}

class PathFinder::Implementation {
 public:
  Implementation(const Manifold& manifold, const Matrix& Z, const Edges& edges, EdgeBounds bounds, int subdivisions,
                 SolveContext& context)
      : edges_(edges),
        subdivisions_(subdivisions),
        context_(context),
        graph_(make_graph(edges, Z.cols())),
        lengths_(manifold, Z, edges, std::move(bounds), subdivisions == 1 && has_images(manifold), context.workspace()),
        search_(graph_, lengths_) {}

  GraphPath find(std::int32_t start, std::int32_t goal) {
    GraphPath out;
    for (int searches = 1; !context_.should_stop(); ++searches) {
      if (!search_.run(start, goal)) return disconnected(start, goal);
      out.nodes = search_.path(start, goal);
      out.length = 0;
      std::vector<std::int32_t> unmeasured;
      for (std::size_t i = 1; i < out.nodes.size(); ++i) {
        const std::int32_t edge = edge_between(edges_, out.nodes[i - 1], out.nodes[i]);
        out.length += lengths_(edge);
        if (!lengths_.measured(edge)) unmeasured.push_back(edge);
      }
      if (unmeasured.empty()) {
        out.status = GraphPath::Status::kFound;
        return out;
      }
      if (searches % kPatience == 0) unmeasured = unmeasured_around(out.nodes);
      lengths_.measure(unmeasured, subdivisions_);
      out.measured_edges += static_cast<int>(unmeasured.size());
    }
    return out;
  }

  void avoid(const GraphPath& path, double factor) {
    const auto count = path.nodes.size();
    const std::size_t spared = std::max<std::size_t>(1, count / kSparedShare);
    std::vector<bool> near(boost::num_vertices(graph_), false);
    for (std::size_t i = spared; i + spared < count; ++i) {
      const auto v = static_cast<Vertex>(path.nodes[i]);
      near[v] = true;
      for (const auto edge : boost::make_iterator_range(boost::out_edges(v, graph_))) {
        near[boost::target(edge, graph_)] = true;
      }
    }
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      const auto [a, b] = edges_[e];
      if (near[static_cast<Vertex>(a)] || near[static_cast<Vertex>(b)]) {
        lengths_.weigh_more(static_cast<std::int32_t>(e), factor);
      }
    }
  }

 private:
  // Each end of a path keeps one in this many of its nodes out of what is avoided.
  static constexpr std::size_t kSparedShare = 6;
  // One search in this many has all edges at its path measured: where bounds are bad (a wall), it does not go round
  // every single one of them.
  static constexpr int kPatience = 16;

  std::vector<std::int32_t> unmeasured_around(const std::vector<std::int32_t>& nodes) const {
    std::vector<std::int32_t> out;
    for (const std::int32_t node : nodes) {
      for (const auto edge : boost::make_iterator_range(boost::out_edges(static_cast<Vertex>(node), graph_))) {
        if (!lengths_.measured(graph_[edge].index)) out.push_back(graph_[edge].index);
      }
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

  GraphPath disconnected(std::int32_t start, std::int32_t goal) {
    GraphPath out;
    out.status = GraphPath::Status::kDisconnected;
    out.reached_from_start = search_.reached();
    search_.run(goal, start);
    out.reached_from_goal = search_.reached();
    return out;
  }

  const Edges& edges_;
  int subdivisions_;
  SolveContext& context_;
  Graph graph_;
  EdgeLengths lengths_;
  PathSearch search_;
};

PathFinder::PathFinder(const Manifold& manifold, const Matrix& Z, const Edges& edges, int subdivisions,
                       SolveContext& context)
    : PathFinder(manifold, Z, edges, edge_bounds(manifold, Z, edges, context.workspace()), subdivisions, context) {}
PathFinder::PathFinder(const Manifold& manifold, const Matrix& Z, const Edges& edges, EdgeBounds bounds,
                       int subdivisions, SolveContext& context)
    : implementation_(std::make_unique<Implementation>(manifold, Z, edges, std::move(bounds), subdivisions, context)) {}
PathFinder::~PathFinder() = default;
GraphPath PathFinder::find(std::int32_t start, std::int32_t goal) { return implementation_->find(start, goal); }
void PathFinder::avoid(const GraphPath& path, double factor) { implementation_->avoid(path, factor); }

}  // namespace pullback
