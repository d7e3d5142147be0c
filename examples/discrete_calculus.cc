// Discrete geodesic calculus on a sphere: logarithm, exponential and parallel transport from chords alone.
#include <cmath>
#include <cstdio>

#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/manifold/numerics/discrete_calculus.h"

int main() {
  pullback::GeneratorRegistry generators;
  pullback::register_surfaces(generators);
  const pullback::PullbackManifold sphere(generators.open("sphere").generator);
  const Eigen::Vector2d from(1.0, 0.0);
  const Eigen::Vector2d to(2.0, 1.0);

  pullback::Workspace workspace;
  const pullback::Matrix line = pullback::Curve::straight(from, to).position(pullback::uniform_times(33));
  const pullback::Matrix nodes = pullback::discrete_geodesic(sphere, line, {}, workspace).nodes;
  const pullback::Vector log = pullback::discrete_logarithm(nodes);
  const pullback::Matrix exp = pullback::discrete_exponential(sphere, nodes.col(0), nodes.col(1), 32, workspace);
  const pullback::Vector carried = pullback::discrete_transport(sphere, nodes, log, workspace);

  const double length = sphere.norm(from, log);
  const double miss = (exp.rightCols(1) - to).norm();
  std::printf("log %.6f, %.6f of length %.6f; exp misses by %.1e; carried to the end its length is %.6f\n", log(0),
              log(1), length, miss, sphere.norm(to, carried));
  return miss < 1e-6 && std::abs(sphere.norm(to, carried) - length) < 1e-2 * length ? 0 : 1;
}
