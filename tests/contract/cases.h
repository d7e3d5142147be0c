// Boundary value problems with known answers.
#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "pullback/generators/uncertain/gaussian_process.h"
#include "pullback/manifold/manifold.h"

namespace pullback::testing {

// What is true of a problem, and so what a solver may say of it.
enum class CaseKind {
  kSmooth,      // one minimiser, which a local solver finds from the straight line
  kHard,        // right, or honestly not converged: near a pole, at the cut locus, through a cusp
  kSaddle,      // the straight start is a geodesic and not the shortest: stationary, or the shortest length
  kDegenerate,  // the metric vanishes along the way: right length, never plainly converged
  kKink,        // not smooth: right within the kink's accuracy, or not converged
  kJump,        // the Jacobian does not see what the map does: never converged
  kNoGeodesic   // none joins the ends in this chart, however short the curves get: never converged
};

struct Case {
  std::string name;
  std::string
      manifold;  // as GeneratorRegistry::open or open_named_metric takes it, or one made here: "radial-network", …
  Vector from;
  Vector to;
  double shortest;  // length; for kJump that of the polyline of the straight line
  CaseKind kind;
};

// How a test names the case.
inline void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

// Every case of the project's list of known answers.
std::vector<Case> known_cases();

// The Gaussian process whose expected metric is known: 4 inputs, 2 outputs, unit lengths and signal, noise 0.01.
std::shared_ptr<const GaussianProcess> known_process();

// The manifold that a case names. The generators are opened once.
std::shared_ptr<const Manifold> case_manifold(const Case& c);

}  // namespace pullback::testing
