// Metrics from a function that is written once for every scalar, differentiated exactly.
#pragma once

#include <Eigen/Core>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "pullback/generators/formula/autodiff.h"
#include "pullback/manifold/metrics/metric_field.h"
#include "pullback/manifold/metrics/metric_manifold.h"

namespace pullback {
namespace internal {

// The functor's matrix as the outputs of a map.
template <class Functor>
struct MatrixFunctor {
  int rows;
  int columns;
  Functor functor;

  template <class T>
  void operator()(const T* z, T* out) const {
    const Eigen::Map<const Eigen::VectorX<T>> point(z, columns);
    Eigen::Map<Eigen::MatrixX<T>> matrix(out, rows, columns);
    matrix.setConstant(T(0.0));
    functor(point, matrix);
  }
};

template <class Functor>
std::shared_ptr<const MetricField> functor_field(int rows, int dimension, Functor functor, MetricForm form) {
  if (dimension < 1 || rows < 1) return metric_of_map(nullptr, form);
  return metric_of_map(make_generator(dimension, rows * dimension,
                                      MatrixFunctor<Functor>{rows, dimension, std::move(functor)}, {.name = "metric"}),
                       form);
}

}  // namespace internal

// The field M(z) of a functor that is written for any scalar T, with exact first and second derivatives.
//
// `functor` is called as f(z, M) with z a vector of n numbers of T and M an n×n matrix of T that is 0 at first; it
// fills in M, all of it. A generic lambda will do:
//
//   const auto sphere = make_metric(2, "sphere", [](const auto& z, auto& M) {
//     M(0, 0) = 1.0;
//     M(1, 1) = sin(z(0)) * sin(z(0));
//   });
//
// T is a Jet (generators/formula/jet.h), never double: write sin, sqrt, abs, max … without std::. Where there is no
// metric, fill in a NaN. Undefined: as for Jet. Errors: std::invalid_argument for a dimension below 1. Cost in calls of
// the functor: ⌈n/4⌉ for dM, and one for each second derivative along a direction. Thread safety: as the functor's
// const call operator, which must be callable from several threads.
template <class Functor>
std::shared_ptr<const MetricField> metric_field(int dimension, Functor functor) {
  return internal::functor_field(dimension, dimension, std::move(functor), MetricForm::kMetric);
}

// The same for M = WᵀW with a frame W of `rows` × n numbers, which `functor` fills in. Better where it can be had: κ is
// not squared, and numbers twice as many orders of magnitude apart are within reach.
template <class Functor>
std::shared_ptr<const MetricField> frame_field(int rows, int dimension, Functor functor) {
  return internal::functor_field(rows, dimension, std::move(functor), MetricForm::kFrame);
}

// Manifolds of them.
template <class Functor>
std::shared_ptr<const Manifold> make_metric(int dimension, std::string name, Functor functor) {
  return std::make_shared<MetricManifold>(std::move(name), metric_field(dimension, std::move(functor)));
}
template <class Functor>
std::shared_ptr<const Manifold> make_frame_metric(int rows, int dimension, std::string name, Functor functor) {
  return std::make_shared<MetricManifold>(std::move(name), frame_field(rows, dimension, std::move(functor)));
}

}  // namespace pullback
