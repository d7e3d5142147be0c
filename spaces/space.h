// A space and what can be computed in it: the facade of the library.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/manifold/curves/exponential.h"
#include "pullback/manifold/curves/transport.h"
#include "pullback/manifold/metrics/curvature.h"
#include "pullback/solvers/registry.h"
#include "pullback/solvers/solver.h"
#include "pullback/spaces/opened_space.h"

namespace pullback {

class Opener;

// How a geodesic is to be computed. Every field has a default; see SolveControl for what bounds a solve.
struct PULLBACK_EXPORT GeodesicOptions {
  std::string solver = "auto";  // a chain, "graph+energy:nodes=64"
  // Instead of the chain, from typed options: space.solvers().make(NewtonOptions{.nodes = 64}).
  std::shared_ptr<const GeodesicSolver> made = {};
  double accuracy = 1e-6;  // relative, of the length of a curve that is called converged
  double time_limit = 0;   // seconds for the whole call, certificate included; 0: none
  std::function<bool()> should_stop = {};
  std::function<void(const TraceEntry&)> on_iteration = {};  // called after each iteration of the solver
  Workspace* workspace = nullptr;  // scratch memory that the caller keeps, for one thread; null: one of its own
  Curve initial = {};              // where to start; empty: the straight line
};

// A distance, and how far to trust it.
struct PULLBACK_EXPORT Distance {
  double value;             // length of the curve found: an upper bound
  double error;             // of that length
  Termination termination;  // kConverged: a local minimum of length; nothing shorter was met unless `shorter_known`
};

// log_a(b): the velocity at a of the geodesic to b, whose length in the metric at a is the distance.
struct PULLBACK_EXPORT Logarithm {
  Vector velocity;          // empty without a curve
  GeodesicResult geodesic;  // with its certificate
};

// ċ(0) of a geodesic, scaled so that its length in the metric is that of the curve; empty without a curve.
PULLBACK_EXPORT Vector starting_velocity(const Manifold& manifold, const GeodesicResult& geodesic);

// A Riemannian manifold in one chart with the solvers that are known, as opened by name or file, or made from a
// generator or a manifold.
//
//   auto space = pullback::open("mnist-vae");
//   const GeodesicResult geodesic = space.geodesic(a, b);
//
// Shapes: points and vectors n, in latent units and per unit of t ∈ [0,1].
// Errors: std::invalid_argument for wrong sizes, NaN or infinity, an unknown solver or option. A numerical outcome
// never throws but in exp(): it is a termination. Thread safety: const methods from several threads. A value type;
// copies share what they hold.
class PULLBACK_EXPORT Space {
 public:
  // Errors: std::invalid_argument without a manifold.
  Space(OpenedSpace opened, std::shared_ptr<const SolverRegistry> solvers);
  // With the solvers of an opener. It is kept alive, as solvers may come from modules that it loaded.
  Space(OpenedSpace opened, const std::shared_ptr<const Opener>& opener);

  const std::string& name() const { return opened_.name; }
  int dimension() const { return opened_.dimension(); }
  const Manifold& manifold() const { return *opened_.manifold; }
  const SolverRegistry& solvers() const { return *solvers_; }
  // What else was opened with it: codes, labels, metadata, the transforms that acted on it.
  const OpenedSpace& opened() const { return opened_; }

  // The geodesic from a to b with its certificate. Codes, where there are, are given to solvers that use them.
  GeodesicResult geodesic(const ConstVectorRef& a, const ConstVectorRef& b, const GeodesicOptions& options = {}) const;
  // Its length.
  Distance distance(const ConstVectorRef& a, const ConstVectorRef& b, const GeodesicOptions& options = {}) const;
  // exp_z(v) and the geodesic to it (exponential.h); how it ended is in its status.
  GeodesicFlow exp(const ConstVectorRef& z, const ConstVectorRef& v, const ExponentialOptions& options = {}) const;
  Logarithm log(const ConstVectorRef& a, const ConstVectorRef& b, const GeodesicOptions& options = {}) const;
  // v at c(0) transported to c(1) (transport.h).
  Transported transport(const Curve& curve, const ConstVectorRef& v) const;
  // M(z), n×n.
  Matrix metric(const ConstVectorRef& z) const { return manifold().metric(z); }
  double norm(const ConstVectorRef& z, const ConstVectorRef& v) const { return manifold().norm(z, v); }
  // Of the plane of u and v; of the whole tangent space where n = 2 (curvature.h).
  Curvature curvature(const ConstVectorRef& z, const ConstVectorRef& u, const ConstVectorRef& v) const;
  Curvature curvature(const ConstVectorRef& z) const;

 private:
  class KeptSolvers;

  OpenedSpace opened_;
  std::shared_ptr<const SolverRegistry> solvers_;
  std::shared_ptr<KeptSolvers> kept_;  // of the chains asked for, which keep what serves the next pair
};

// How a space is opened.
struct PULLBACK_EXPORT SpaceOptions {
  std::vector<std::string> plugins = {};  // files of solvers and generators to load
  int dimension = 0;                      // for a file that takes any number of coordinates; 0: not known
};

// Opens a shipped model ("mnist-vae"), a file, a surface with parameters ("torus:R=3,r=1"), a metric ("half-plane"),
// each with transforms ("mnist-vae@isometric"). Errors: std::invalid_argument for an unknown name, parameter or
// transform; pullback::Error for a file or a plugin.
PULLBACK_EXPORT Space open(std::string_view specification, const SpaceOptions& options = {});
// The pullback of the Euclidean metric by the generator; the expected metric where it is stochastic.
PULLBACK_EXPORT Space open(std::shared_ptr<const Generator> generator, const SpaceOptions& options = {});
PULLBACK_EXPORT Space open(std::shared_ptr<const Manifold> manifold, const SpaceOptions& options = {});

}  // namespace pullback
