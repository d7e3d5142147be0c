// The whole library in a few lines: open, join, follow, carry, measure.
#include <cstdio>

#include "pullback/plugins/newton/newton.h"
#include "pullback/pullback.h"

using pullback::Vector;

int main() {
  const pullback::Space space = pullback::open("mnist-vae");
  const Vector a{{0.5, -1.0}};
  const Vector b{{-0.3, 1.2}};
  const pullback::Distance distance = space.distance(a, b);
  std::printf("distance %.6g ± %.1g (%s)\n", distance.value, distance.error, to_string(distance.termination));

  const pullback::Logarithm log = space.log(a, b, {.made = space.solvers().make(pullback::NewtonOptions{.nodes = 32})});
  const pullback::GeodesicFlow flow = space.exp(a, log.velocity);
  std::printf("exp(log) misses by %.1e\n", space.norm(b, flow.end_position - b));
  const pullback::Transported moved = space.transport(log.geodesic.curve, log.velocity);
  std::printf("a geodesic carries its velocity, to %.1e\n", space.norm(b, moved.vector - flow.end_velocity));
  std::printf("curvature at its start %.4g\n", space.curvature(a).value);
  return distance.termination == pullback::Termination::kConverged ? 0 : 1;
}
