// The exponential map on a torus, and the length of what it gives.
#include <cmath>
#include <cstdio>

#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/curves/exponential.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

int main() {
  pullback::GeneratorRegistry generators;
  pullback::register_surfaces(generators);

  const pullback::PullbackManifold torus(generators.open("torus:R=3,r=1").generator);
  const Eigen::Vector2d z(0.0, 0.0);
  const Eigen::Vector2d v(0.6, 0.2);
  pullback::Workspace workspace;
  const pullback::GeodesicFlow flow = pullback::exponential_flow(torus, z, v, workspace);
  const pullback::Measurement measured = pullback::measure(torus, flow.path, workspace);
  const double speed = torus.norm(z, v);  // constant along the geodesic, so that it is its length

  std::printf("exp_z(v) = (%.6f, %.6f), length %.9f, speed %.9f\n", flow.end_position(0), flow.end_position(1),
              measured.length, speed);
  return std::abs(measured.length - speed) < 1e-8 ? 0 : 1;
}
