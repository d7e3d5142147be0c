#include "pullback/manifold/distance_field.h"

#include <gtest/gtest.h>
#include <chrono>
#include <cmath>
#include <iostream>
#include <memory>

#include "pullback/generators/surfaces.h"
#include "pullback/manifold/metric_manifold.h"
#include "pullback/manifold/pullback_manifold.h"

namespace pullback {
namespace {
std::shared_ptr<const Manifold> surface(const std::string& name) {
  GeneratorRegistry registry;
  register_surfaces(registry);
  return std::make_shared<PullbackManifold>(registry.open(name).generator);
}
BoxGrid box_grid(const Vector& lower, const Vector& upper, int nodes) {
  const auto n = lower.size();
  BoxGrid box{Matrix::Identity(n, n), Matrix::Identity(n, n), lower, (upper(0) - lower(0)) / (nodes - 1), {}};
  box.counts = ((upper - lower) / box.spacing).array().round().cast<int>() + 1;
  return box;
}
TEST(DistanceField, Prototype) {
  for (int d : {2, 3}) {
    const auto m = surface("sphere-stereographic:d=" + std::to_string(d));
    for (int nodes : {13, 25, 49, 97, 193}) {
      if (d == 3 && nodes > 60) continue;
      Workspace ws;
      const auto t0 = std::chrono::steady_clock::now();
      auto grid = std::make_shared<MetricGrid>(*m, box_grid(Vector::Constant(d, -1), Vector::Constant(d, 1), nodes),
                                               MetricGridOptions{}, ws);
      const auto t1 = std::chrono::steady_clock::now();
      const Vector s = Vector::LinSpaced(d, 0.13, 0.31);
      const DistanceField field(*m, grid, s, ws);
      const auto t2 = std::chrono::steady_clock::now();
      double worst = 0, mean = 0;
      for (int k = 0; k < grid->box().size(); ++k) {
        const Vector z = grid->box().points(grid->box().indices(k).cast<double>());
        const double exact = 2 * std::asin((z - s).norm() / std::sqrt((1 + z.squaredNorm()) * (1 + s.squaredNorm())));
        worst = std::max(worst, std::abs(exact - field.values()(k)));
        mean += std::abs(exact - field.values()(k)) / grid->box().size();
      }
      std::cout << d << " " << nodes << " worst " << worst << " mean " << mean << " "
                << std::chrono::duration<double>(t1 - t0).count() << " "
                << std::chrono::duration<double>(t2 - t1).count() << "\n";
    }
  }
  for (double a : {1., 3., 10., 50.})
    for (int nodes : {25, 49, 97, 193}) {
      const Matrix M = [&] {
        Matrix r(2, 2);
        r << std::cos(0.4), -std::sin(0.4), std::sin(0.4), std::cos(0.4);
        return Matrix(r * Vector{{1, a * a}}.asDiagonal() * r.transpose());
      }();
      const MetricManifold m(
          2, "flat", [&](const ConstMatrixRef& Z, MatrixRef out, Workspace&) { out = M.replicate(1, Z.cols()); });
      Workspace ws;
      auto grid = std::make_shared<MetricGrid>(m, box_grid(Vector::Constant(2, -1), Vector::Constant(2, 1), nodes),
                                               MetricGridOptions{}, ws);
      const Vector s = Vector{{0.13, -0.2}};
      const DistanceField field(m, grid, s, ws);
      double worst = 0, mean = 0;
      for (int k = 0; k < grid->box().size(); ++k) {
        const Vector z = grid->box().points(grid->box().indices(k).cast<double>());
        const double exact = std::sqrt((z - s).dot(M * (z - s)));
        worst = std::max(worst, std::abs(exact - field.values()(k)));
        mean += std::abs(exact - field.values()(k)) / grid->box().size();
      }
      std::cout << "flat " << a << " " << nodes << " worst " << worst << " mean " << mean << "\n";
    }
  {
    for (int nodes : {25, 49, 97, 193}) {
      const auto m = half_plane();
      Workspace ws;
      auto grid = std::make_shared<MetricGrid>(*m, box_grid(Vector{{-2., 0.5}}, Vector{{2., 3.}}, nodes),
                                               MetricGridOptions{}, ws);
      const Vector s = Vector{{0.13, 1.2}};
      const DistanceField field(*m, grid, s, ws);
      double worst = 0, mean = 0;
      for (int k = 0; k < grid->box().size(); ++k) {
        const Vector z = grid->box().points(grid->box().indices(k).cast<double>());
        const double exact = std::acosh(1 + (z - s).squaredNorm() / (2 * z(1) * s(1)));
        worst = std::max(worst, std::abs(exact - field.values()(k)));
        mean += std::abs(exact - field.values()(k)) / grid->box().size();
      }
      const Matrix p = field.path(Vector{{1.8, 0.6}});
      Vector d(p.cols() - 1);
      m->chords(p, d, ws);
      std::cout << "plane " << nodes << " worst " << worst << " mean " << mean << " path " << p.cols() << " "
                << d.sum() / std::acosh(1 + (Vector{{1.8, 0.6}} - s).squaredNorm() / (2 * 0.6 * s(1))) << " u "
                << field.distance(Vector{{1.8, 0.6}})(0) /
                       std::acosh(1 + (Vector{{1.8, 0.6}} - s).squaredNorm() / (2 * 0.6 * s(1)))
                << "\n";
    }
  }
}
}  // namespace
}  // namespace pullback
