#include "pullback/base/workspace.h"

#include <algorithm>
#include <chrono>
#include <new>

#include "pullback/base/stop.h"

namespace pullback {
namespace {

constexpr std::align_val_t kAlignment{64};

// Seconds that a part of a batch may take, those that it may not, and those up to which it is tried whether twice as
// many points cost no more (a call that takes long by itself, whatever the batch).
constexpr double kPart = 0.05;
constexpr double kTooLong = 0.15;
constexpr double kTryMore = 0.1;
// A part costs less a point than a smaller one when it does by this share.
constexpr double kLess = 0.75;

// What an outermost evaluation of this kind counts.
void count_points(EvaluationCounts& counts, Workspace::Kind kind, std::int64_t points) {
  switch (kind) {
    case Workspace::Kind::kValue:
      counts.values += points;
      break;
    case Workspace::Kind::kJacobian:
      counts.jacobians += points;
      break;
    case Workspace::Kind::kSecondDirectional:
    case Workspace::Kind::kHessian:
      counts.second_derivatives += points;
      break;
    case Workspace::Kind::kProduct:
      counts.products += points;
      break;
    case Workspace::Kind::kSecondOrder:
      counts.jacobians += points;
      counts.second_derivatives += points;
      break;
    case Workspace::Kind::kMetric:
      counts.metrics += points;
      break;
  }
}

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

EvaluationCounts& EvaluationCounts::operator+=(const EvaluationCounts& other) {
  values += other.values;
  jacobians += other.jacobians;
  second_derivatives += other.second_derivatives;
  products += other.products;
  metrics += other.metrics;
  seconds += other.seconds;
  return *this;
}

EvaluationCounts operator-(EvaluationCounts a, const EvaluationCounts& b) {
  a.values -= b.values;
  a.jacobians -= b.jacobians;
  a.second_derivatives -= b.second_derivatives;
  a.products -= b.products;
  a.metrics -= b.metrics;
  a.seconds -= b.seconds;
  return a;
}

void Workspace::Release::operator()(double* p) const { ::operator delete[](p, kAlignment); }

Workspace::Buffer Workspace::Frame::matrix(Eigen::Index rows, Eigen::Index cols) {
  auto& slots = workspace_.slots_;
  const auto size = static_cast<std::size_t>(rows * cols);
  if (workspace_.used_ == slots.size()) slots.emplace_back();
  Slot& slot = slots[workspace_.used_++];
  if (slot.capacity < size) {
    const std::size_t capacity = std::max(size, 2 * slot.capacity);
    slot.data.reset(static_cast<double*>(::operator new[](capacity * sizeof(double), kAlignment)));
    slot.capacity = capacity;
  }
  return {slot.data.get(), rows, cols};
}

Workspace::Count::Count(Workspace& workspace, std::int64_t EvaluationCounts::*field, std::int64_t points)
    : workspace_(workspace) {
  if (workspace_.depth_ == 0) throw_if_stopped();
  if (workspace_.depth_++ > 0) return;
  workspace_.counts_.*field += points;
  start_ = now();
}

Workspace::Count::~Count() {
  if (--workspace_.depth_ > 0) return;
  workspace_.counts_.seconds += 1e-9 * static_cast<double>(now() - start_);
}

void Workspace::measured(Cost& cost, Eigen::Index points, double seconds) {
  const double per_point = seconds / static_cast<double>(points);
  cost.shared = cost.measured > 0 && points > cost.size && per_point <= kLess * cost.last;
  cost.seconds = cost.measured > 0 ? std::min(per_point, cost.last) : per_point;
  cost.last = per_point;
  cost.part = seconds;
  cost.size = points;
  ++cost.measured;
}

Workspace::Parts::Parts(Workspace& workspace, Kind kind, const void* source, Eigen::Index points, Split split)
    : workspace_(workspace),
      kind_(kind),
      source_(source),
      points_(points),
      outermost_(workspace.depth_ == 0),
      splits_(points > 1 && split != Split::kNever && (outermost_ || split == Split::kAlways) && may_be_stopped()) {}

Workspace::Parts::~Parts() {
  if (running_) --workspace_.depth_;
}

Workspace::Cost& Workspace::Parts::cost() const {
  const std::size_t inner = outermost_ ? 0 : 1;
  Cost& out = workspace_.costs_[2 * static_cast<std::size_t>(kind_) + inner];
  if (out.source != source_) out = {.source = source_};
  return out;
}

void Workspace::Parts::finish() {
  running_ = false;
  --workspace_.depth_;
  done_ += size_;
  if (!outermost_ && !splits_) return;
  const double seconds = 1e-9 * static_cast<double>(now() - start_);
  if (outermost_) workspace_.counts_.seconds += seconds;
  if (size_ > 0) measured(cost(), size_, seconds);
}

bool Workspace::Parts::cheap(Eigen::Index points) const {
  return cost().seconds * static_cast<double>(points) <= kPart;
}

Eigen::Index Workspace::Parts::next_size() {
  if (!splits_) return points_ - done_;
  const Cost& known = cost();
  const Eigen::Index rest = points_ - (probing_ ? 0 : done_);
  if (known.measured == 0 || (known.measured == 1 && !cheap(rest))) {
    probing_ = true;
    return 1;
  }
  if (cheap(rest)) {
    if (probing_) {
      // How often a point had to be tried depends on the clock, which counts should not.
      if (outermost_) count_points(workspace_.counts_, kind_, -done_);
      done_ = 0;
    }
    probing_ = false;
    return rest;
  }
  probing_ = false;
  Eigen::Index size = known.size;
  if (known.part > kTooLong) {
    size /= 2;
  } else if (known.part <= kTryMore && (known.measured == 2 || known.shared)) {
    size *= 2;
  }
  if (known.part < kPart) size = std::max(size, static_cast<Eigen::Index>(kPart / known.seconds));
  return std::clamp<Eigen::Index>(size, 1, points_ - done_);
}

bool Workspace::Parts::next() {
  if (running_) finish();
  if (called_ && done_ == points_ && !(probing_ && cheap(points_))) return false;
  if (outermost_ || splits_) throw_if_stopped();
  called_ = true;
  size_ = next_size();
  first_ = done_;
  running_ = true;
  ++workspace_.depth_;
  if (outermost_) count_points(workspace_.counts_, kind_, size_);
  if (outermost_ || splits_) start_ = now();
  return true;
}

}  // namespace pullback
