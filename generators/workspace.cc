#include "pullback/generators/workspace.h"

#include <algorithm>
#include <chrono>
#include <new>

namespace pullback {
namespace {

constexpr std::align_val_t kAlignment{64};

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
  if (workspace_.depth_++ > 0) return;
  workspace_.counts_.*field += points;
  start_ = now();
}

Workspace::Count::~Count() {
  if (--workspace_.depth_ > 0) return;
  workspace_.counts_.seconds += 1e-9 * static_cast<double>(now() - start_);
}

}  // namespace pullback
