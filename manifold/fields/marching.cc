#include "pullback/manifold/fields/marching.h"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "pullback/base/stop.h"

namespace pullback {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Asked whether to stop once in this many nodes.
constexpr int kPatience = 4096;
// A correction by the cone is taken when it is at most this fraction of the largest difference the equation allows.
constexpr double kLargestCorrection = 0.25;
// Second differences are taken where both slopes agree within this factor and the value moves by at most this
// fraction of what first differences add.
constexpr double kSmoothness = 2;
constexpr double kLargestChange = 0.5;
// An offset that some node which it passes finds longer by this factor leads across a wall.
constexpr double kWall = 3;

}  // namespace

Marching::Marching(const MetricGrid& grid, const Vector& source, const Matrix& root, double seeded)
    : grid_(grid),
      source_(source),
      root_(root),
      seeded_(seeded),
      n_(grid.box().dimension()),
      counts_(grid.box().counts),
      strides_(n_) {
  const std::int64_t count = grid.box().size();
  int stride = 1;
  for (int k = 0; k < n_; ++k) {
    strides_(k) = stride;
    stride *= counts_(k);
  }
  values = Vector::Constant(count, kInfinity);
  velocities = Matrix::Zero(n_, count);
  accepted_.assign(static_cast<std::size_t>(count), false);
  clipped_ = accepted_;
  closed_.assign(static_cast<std::size_t>(count), 0);
  const int around = n_ == 2 ? 9 : 27;
  for (int code = 0; code < around; ++code) {
    if (code == around / 2) continue;  // the node itself
    for (int k = 0, rest = code; k < n_; ++k, rest /= 3) edges_.push_back(static_cast<std::int16_t>(rest % 3 - 1));
  }
  indices_.resize(static_cast<std::size_t>(count * n_));
  cone_.resize(count);
  cone_gradients_.resize(n_, count);
  for (std::int64_t node = 0; node < count; ++node) {
    if (node % kPatience == 0) throw_if_stopped();
    const Eigen::VectorXi x = grid.box().indices(node);
    for (int k = 0; k < n_; ++k) indices_[static_cast<std::size_t>(node * n_ + k)] = static_cast<std::int16_t>(x(k));
    const Vector whitened = root_ * (x.cast<double>() - source_);
    cone_(node) = whitened.norm();
    cone_gradients_.col(node) = root_.transpose() * whitened / cone_(node);
  }
}

bool Marching::run(const std::function<bool()>& should_stop) {
  find_clipped();
  list_dependents();
  seed();
  for (int step = 1; !queue_.empty(); ++step) {
    if (step % kPatience == 0 && should_stop && should_stop()) return false;
    const Trial next = queue_.top();
    queue_.pop();
    if (accepted_[static_cast<std::size_t>(next.node)] || next.u > values(next.node)) continue;
    accept(next.node);
  }
  return true;
}

std::int64_t Marching::neighbour(std::int64_t node, const std::int16_t* offset, int steps) const {
  std::int64_t out = node;
  for (int k = 0; k < n_; ++k) {
    const int move = steps * offset[k];
    const int there = indices_[static_cast<std::size_t>(node * n_ + k)] + move;
    if (there < 0 || there >= counts_(k)) return -1;
    out += static_cast<std::int64_t>(move) * strides_(k);
  }
  return out;
}

double Marching::length(std::int64_t node, const Vector& edge) const {
  return std::sqrt(edge.dot(metrics_.middleCols(n_ * node, n_) * edge));
}

// A long offset is as long at every node that it passes as at its start, if the metric is what it is there.
bool Marching::leads_across_a_wall(std::int64_t node, const std::int16_t* offset, int sign) const {
  int reach = 0;
  Vector edge(n_);
  for (int k = 0; k < n_; ++k) {
    reach = std::max(reach, std::abs(static_cast<int>(offset[k])));
    edge(k) = offset[k];
  }
  const double largest = kWall * length(node, edge);
  std::int16_t between[3];
  for (int i = 1; i < reach; ++i) {
    for (int k = 0; k < n_; ++k) {
      between[k] = static_cast<std::int16_t>(std::lround(static_cast<double>(sign * i * offset[k]) / reach));
    }
    const std::int64_t there = neighbour(node, between, 1);
    if (there < 0 || grid_.blocked(there) || length(there, edge) > largest) return true;
  }
  return false;
}

void Marching::find_clipped() {
  metrics_ = Matrix::Zero(n_, n_ * values.size());
  for (std::int64_t node = 0; node < values.size(); ++node) {
    if (node % kPatience == 0) throw_if_stopped();
    if (!grid_.blocked(node)) metrics_.middleCols(n_ * node, n_) = inverse_metric(node).inverse();
  }
  for (std::int64_t node = 0; node < values.size(); ++node) {
    if (node % kPatience == 0) throw_if_stopped();
    for (int t = 0; t < grid_.terms(); ++t) {
      if (grid_.weight(node, t) <= 0) continue;
      for (const int sign : {1, -1}) {
        const std::int16_t* offset = grid_.offset(node, t);
        const std::int64_t there = neighbour(node, offset, sign);
        if (there >= 0 && !grid_.blocked(there) && !leads_across_a_wall(node, offset, sign)) continue;
        clipped_[static_cast<std::size_t>(node)] = true;
        closed_[static_cast<std::size_t>(node)] |= static_cast<std::uint16_t>(1U << (2 * t + (sign > 0 ? 0 : 1)));
      }
    }
  }
}

std::int64_t Marching::upwind_neighbour(std::int64_t node, int term, int sign) const {
  const unsigned bit = 1U << (2 * term + (sign > 0 ? 0 : 1));
  if ((closed_[static_cast<std::size_t>(node)] & bit) != 0) return -1;
  return neighbour(node, grid_.offset(node, term), sign);
}

// use(node, other): the value of `other` depends on that of `node`.
template <class Use>
void Marching::for_each_dependence(Use&& use) const {
  for (std::int64_t other = 0; other < values.size(); ++other) {
    if (other % kPatience == 0) throw_if_stopped();
    if (grid_.blocked(other)) continue;
    for (int t = 0; t < grid_.terms(); ++t) {
      if (grid_.weight(other, t) <= 0) continue;
      for (const int sign : {1, -1}) {
        const std::int64_t node = upwind_neighbour(other, t, sign);
        if (node >= 0) use(static_cast<std::size_t>(node), other);
      }
    }
    if (!clipped_[static_cast<std::size_t>(other)]) continue;
    for (std::size_t e = 0; e < edges_.size(); e += static_cast<std::size_t>(n_)) {
      const std::int64_t node = neighbour(other, edges_.data() + e, 1);
      if (node >= 0) use(static_cast<std::size_t>(node), other);
    }
  }
}

// By counting sort.
void Marching::list_dependents() {
  first_dependent_.assign(static_cast<std::size_t>(values.size()) + 1, 0);
  for_each_dependence([&](std::size_t node, std::int64_t) { ++first_dependent_[node + 1]; });
  for (std::size_t i = 1; i < first_dependent_.size(); ++i) first_dependent_[i] += first_dependent_[i - 1];
  dependents_.resize(static_cast<std::size_t>(first_dependent_.back()));
  std::vector<std::int64_t> next(first_dependent_.begin(), first_dependent_.end() - 1);
  for_each_dependence([&](std::size_t node, std::int64_t other) {
    dependents_[static_cast<std::size_t>(next[node]++)] = static_cast<std::int32_t>(other);
  });
}

// D in indices: the sum of its terms.
Matrix Marching::inverse_metric(std::int64_t node) const {
  Matrix D = Matrix::Zero(n_, n_);
  for (int t = 0; t < grid_.terms(); ++t) {
    const Eigen::Map<const Eigen::Matrix<std::int16_t, Eigen::Dynamic, 1>> offset(grid_.offset(node, t), n_);
    const Vector e = offset.cast<double>();
    D += grid_.weight(node, t) * e * e.transpose();
  }
  return D;
}

void Marching::seed() {
  const Matrix metric = root_.transpose() * root_;
  for (std::int64_t node = 0; node < values.size(); ++node) {
    if (node % kPatience == 0) throw_if_stopped();
    Vector delta(n_);
    for (int k = 0; k < n_; ++k) delta(k) = indices_[static_cast<std::size_t>(node * n_ + k)] - source_(k);
    if (delta.norm() > seeded_ || grid_.blocked(node)) continue;
    const Matrix mean = 0.5 * (metric + metrics_.middleCols(n_ * node, n_));
    values(node) = std::sqrt(delta.dot(mean * delta));
    if (values(node) > 0) velocities.col(node) = -delta / values(node);
    queue_.push({values(node), node});
  }
}

void Marching::accept(std::int64_t node) {
  accepted_[static_cast<std::size_t>(node)] = true;
  if (velocities.col(node).isZero(0) && values(node) > 0) {  // not a seed
    Update best = update(node, false);
    const double lowest = best.used > 0 ? best.terms[0].value : 0;
    const Update second = update(node, true);
    if (second.used > 0 && best.edge_to < 0 && std::abs(second.u - best.u) <= kLargestChange * (best.u - lowest))
      best = second;
    values(node) = best.u;
    if (best.edge_to >= 0) {
      const auto place = static_cast<std::size_t>(best.edge_to * n_);
      for (int k = 0; k < n_; ++k) {
        velocities(k, node) =
            (indices_[place + static_cast<std::size_t>(k)] - indices_[static_cast<std::size_t>(node * n_ + k)]) /
            (best.u - values(best.edge_to));
      }
      best.used = 0;
    }
    for (int i = 0; i < best.used; ++i) {
      const Term& term = best.terms[i];
      const double rate = term.sign * term.weight * (best.u - term.value);
      for (int k = 0; k < n_; ++k) velocities(k, node) += rate * term.offset[k];
    }
  }
  const auto place = static_cast<std::size_t>(node);
  for (std::int64_t i = first_dependent_[place]; i < first_dependent_[place + 1]; ++i) {
    const std::int64_t other = dependents_[static_cast<std::size_t>(i)];
    if (accepted_[static_cast<std::size_t>(other)]) continue;
    const Update trial = update(other, false);
    if (!(trial.u < values(other))) continue;
    values(other) = trial.u;
    queue_.push({trial.u, other});
  }
}

// Derivative of the cone at the node along ±e.
double Marching::cone_slope(std::int64_t node, const std::int16_t* offset, int sign) const {
  double slope = 0;
  for (int k = 0; k < n_; ++k) slope += cone_gradients_(k, node) * offset[k];
  return sign * slope;
}

// The lower of both neighbours along ±e, as u − value is the (corrected) difference; false: neither is known.
bool Marching::upwind(std::int64_t node, int t, bool second_order, double bound, Term& out) const {
  const double weight = grid_.weight(node, t);
  if (weight <= 0) return false;
  const std::int16_t* offset = grid_.offset(node, t);
  std::int64_t best = -1;
  for (const int sign : {1, -1}) {
    const std::int64_t there = upwind_neighbour(node, t, sign);
    if (!usable(there) || (best >= 0 && values(there) >= values(best))) continue;
    best = there;
    out = {weight, values(there), offset, sign};
  }
  if (best < 0) return false;
  const double slope = cone_slope(node, offset, out.sign);
  const double largest = kLargestCorrection / std::sqrt(weight);
  const double first = cone(node) - cone(best) + slope;
  const double uncorrected = out.value;
  if (std::abs(first) <= largest) out.value += first;
  if (!second_order) return true;
  const std::int64_t next = neighbour(node, offset, 2 * out.sign);
  if (!usable(next)) return true;
  const double near = bound - uncorrected;
  const double far = uncorrected - values(next);
  if (!(far >= 0 && near >= 0 && far <= kSmoothness * near && near <= kSmoothness * far)) return true;
  // (3u − 4u₁ + u₂)/2 = 3/2 (u − (4u₁ − u₂)/3)
  const double second = (1.5 * cone(node) - 2 * cone(best) + 0.5 * cone(next) + slope) / 1.5;
  out.value = (4 * uncorrected - values(next)) / 3 + (std::abs(second) <= largest ? second : 0);
  out.weight = 2.25 * weight;
  return true;
}

// Solves Σ ρ max(0, u − v)² = 1 by taking in the values in increasing order.
Marching::Update Marching::update(std::int64_t node, bool second_order) const {
  Update out;
  int known = 0;
  for (int t = 0; t < grid_.terms(); ++t) {
    Term term;
    if (!upwind(node, t, second_order, values(node), term)) continue;
    int place = known++;
    for (; place > 0 && term.value < out.terms[place - 1].value; --place) out.terms[place] = out.terms[place - 1];
    out.terms[place] = term;
  }
  double a = 0, b = 0;  // of a w² − 2 b w + c = 0 with w = u − lowest
  double c = -1;
  out.u = kInfinity;
  for (int i = 0; i < known; ++i) {
    const double value = out.terms[i].value - out.terms[0].value;
    if (out.terms[0].value + value >= out.u) break;
    a += out.terms[i].weight;
    b += out.terms[i].weight * value;
    c += out.terms[i].weight * value * value;
    const double discriminant = b * b - a * c;
    if (!(discriminant >= 0)) break;
    out.u = out.terms[0].value + (b + std::sqrt(discriminant)) / a;
    out.used = i + 1;
  }
  if (clipped_[static_cast<std::size_t>(node)] && !second_order) shorten_by_edges(node, out);
  return out;
}

// Where the stencil is not whole, an edge to a node around it may be shorter than what the scheme finds.
void Marching::shorten_by_edges(std::int64_t node, Update& update) const {
  for (std::size_t e = 0; e < edges_.size(); e += static_cast<std::size_t>(n_)) {
    const std::int64_t there = neighbour(node, edges_.data() + e, 1);
    if (!usable(there)) continue;
    Vector edge(n_);
    for (int k = 0; k < n_; ++k) edge(k) = edges_[e + static_cast<std::size_t>(k)];
    const double u = values(there) + 0.5 * (length(node, edge) + length(there, edge));
    if (!(u < update.u)) continue;
    update.u = u;
    update.edge_to = there;
  }
}

}  // namespace pullback
