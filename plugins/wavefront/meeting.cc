#include "pullback/plugins/wavefront/meeting.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "pullback/base/stop.h"

namespace pullback {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kNodesBetweenAsking = 1024;  // whether to stop

// use(indices of a node around the given one), for those inside the box that differ along at most `axes` axes.
template <class Use>
void for_each_around(const BoxGrid& box, const Eigen::VectorXi& indices, int axes, Use&& use) {
  const int n = box.dimension();
  const int codes = n == 2 ? 9 : 27;
  for (int code = 0; code < codes; ++code) {
    Eigen::VectorXi there = indices;
    int moved = 0;
    for (int k = 0, rest = code; k < n; ++k, rest /= 3) {
      there(k) += rest % 3 - 1;
      moved += rest % 3 != 1 ? 1 : 0;
    }
    if (moved > 0 && moved <= axes && box.contains(there)) use(box.node(there));
  }
}

std::vector<std::int64_t> front_nodes(const BoxGrid& box, const Vector& from, const Vector& to) {
  std::vector<std::int64_t> out;
  for (std::int64_t node = 0; node < box.size(); ++node) {
    if (node % kNodesBetweenAsking == 0) throw_if_stopped();
    if (!(from(node) <= to(node) && to(node) < kInfinity)) continue;
    bool last = false;
    for_each_around(box, box.indices(node), 1,
                    [&](std::int64_t other) { last = last || (from(other) > to(other) && from(other) < kInfinity); });
    if (last) out.push_back(node);
  }
  return out;
}

std::size_t root_of(std::vector<std::size_t>& parents, std::size_t i) {
  while (parents[i] != i) i = parents[i] = parents[parents[i]];
  return i;
}

}  // namespace

// Sublevel sets grow from the lowest node up; where two of them touch, the shallower one's depth is known.
std::vector<Meeting> find_meetings(const BoxGrid& box, const Vector& from, const Vector& to, double least_depth) {
  std::vector<std::int64_t> nodes = front_nodes(box, from, to);
  const auto length = [&](std::int64_t node) { return from(node) + to(node); };
  std::stable_sort(nodes.begin(), nodes.end(), [&](auto a, auto b) { return length(a) < length(b); });
  std::vector<std::size_t> parents;
  std::vector<double> depths;
  std::unordered_map<std::int64_t, std::size_t> seen;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (i % kNodesBetweenAsking == 0) throw_if_stopped();
    parents.push_back(i);
    depths.push_back(kInfinity);
    seen.emplace(nodes[i], i);
    for_each_around(box, box.indices(nodes[i]), box.dimension(), [&](std::int64_t other) {
      const auto found = seen.find(other);
      if (found == seen.end()) return;
      const std::size_t a = root_of(parents, i);
      const std::size_t b = root_of(parents, found->second);
      if (a == b) return;
      // Roots are the lowest nodes of their sets: the one that comes later ends here.
      const std::size_t ends = std::max(a, b);
      parents[ends] = std::min(a, b);
      depths[ends] = length(nodes[i]) - length(nodes[ends]);
    });
  }
  std::vector<Meeting> out;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (i == 0 || depths[i] > least_depth * length(nodes[0])) out.push_back({nodes[i], length(nodes[i]), depths[i]});
  }
  return out;
}

}  // namespace pullback
