#include <cstdio>

#include "pullback/pullback.h"

int main() {
  const auto space = pullback::open("mnist-vae");
  const auto d = space.distance(pullback::Vector{{0.5, -1.0}}, pullback::Vector{{-0.3, 1.2}});
  std::printf("%.4f %s\n", d.value, to_string(d.termination));
}
