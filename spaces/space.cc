#include "pullback/spaces/space.h"

#include <fmt/format.h>

#include <cstddef>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "pullback/manifold/metrics/gaussian_process_manifold.h"
#include "pullback/spaces/opener.h"

namespace pullback {
namespace {

void require_point(const char* what, const ConstVectorRef& z, int dimension) {
  if (z.size() != dimension) {
    throw std::invalid_argument(fmt::format(
        "{}: expected {} coordinates, which is the dimension of the latent space, got {}", what, dimension, z.size()));
  }
  if (!z.allFinite()) throw std::invalid_argument(fmt::format("{}: NaN or infinity among its coordinates", what));
}

constexpr std::size_t kMostKept = 8;

}  // namespace

// Solvers by their chains: what one keeps for the next pair, such as a graph of the codes, is lost with it.
class Space::KeptSolvers {
 public:
  std::shared_ptr<const GeodesicSolver> get(const SolverRegistry& registry, const std::string& chain) {
    const std::lock_guard lock(mutex_);
    if (const auto known = solvers_.find(chain); known != solvers_.end()) return known->second;
    std::shared_ptr<const GeodesicSolver> made = registry.make(chain);
    if (solvers_.size() == kMostKept) solvers_.clear();
    return solvers_[chain] = std::move(made);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const GeodesicSolver>> solvers_;
};

Vector starting_velocity(const Manifold& manifold, const GeodesicResult& geodesic) {
  if (geodesic.curve.empty()) return {};
  Vector velocity = geodesic.curve.velocity(Vector::Constant(1, 0.0));
  // A curve at nearly constant speed starts a little too fast or too slowly; its length is known better.
  const double speed = manifold.norm(geodesic.curve.positions().col(0), velocity);
  const double length = geodesic.certificate.length;
  if (speed > 0 && length > 0) velocity *= length / speed;
  return velocity;
}

Space::Space(OpenedSpace opened, std::shared_ptr<const SolverRegistry> solvers)
    : opened_(std::move(opened)), solvers_(std::move(solvers)), kept_(std::make_shared<KeptSolvers>()) {
  if (!opened_.manifold || !solvers_) throw std::invalid_argument("Space: expected a manifold and solvers, got none");
}

Space::Space(OpenedSpace opened, const std::shared_ptr<const Opener>& opener)
    : Space(std::move(opened), std::shared_ptr<const SolverRegistry>(opener, &opener->solvers())) {}

GeodesicResult Space::geodesic(const ConstVectorRef& a, const ConstVectorRef& b, const GeodesicOptions& options) const {
  const GeodesicProblem problem{opened_.manifold, a, b, options.initial, opened_.codes};
  const std::shared_ptr<const GeodesicSolver> solver =
      options.made ? options.made : kept_->get(*solvers_, options.solver);
  return solver->solve(problem, {.time_limit = options.time_limit,
                                 .should_stop = options.should_stop,
                                 .accuracy = options.accuracy,
                                 .on_iteration = options.on_iteration,
                                 .workspace = options.workspace});
}

Distance Space::distance(const ConstVectorRef& a, const ConstVectorRef& b, const GeodesicOptions& options) const {
  const GeodesicResult result = geodesic(a, b, options);
  return {result.certificate.length, result.certificate.length_error, result.termination};
}

GeodesicFlow Space::exp(const ConstVectorRef& z, const ConstVectorRef& v, const ExponentialOptions& options) const {
  Workspace ws;
  return exponential_flow(manifold(), z, v, ws, options);
}

Logarithm Space::log(const ConstVectorRef& a, const ConstVectorRef& b, const GeodesicOptions& options) const {
  Logarithm out{{}, geodesic(a, b, options)};
  out.velocity = starting_velocity(manifold(), out.geodesic);
  return out;
}

Transported Space::transport(const Curve& curve, const ConstVectorRef& v) const {
  Workspace ws;
  return parallel_transport(manifold(), curve, v, ws);
}

Curvature Space::curvature(const ConstVectorRef& z, const ConstVectorRef& u, const ConstVectorRef& v) const {
  require_point("curvature", z, dimension());
  Workspace ws;
  return sectional_curvature(manifold(), z, u, v, ws);
}

Curvature Space::curvature(const ConstVectorRef& z) const {
  if (dimension() != 2) {
    throw std::invalid_argument(
        fmt::format("curvature: {} dimensions have many planes; give two vectors that span one", dimension()));
  }
  return curvature(z, Vector{{1.0, 0.0}}, Vector{{0.0, 1.0}});
}

Space open(std::string_view specification, const SpaceOptions& options) {
  const auto opener = std::make_shared<Opener>(options.plugins);
  OpenedSpace opened = opener->open(std::string(specification), {0, options.dimension});
  return {std::move(opened), opener};
}

Space open(std::shared_ptr<const Generator> generator, const SpaceOptions& options) {
  if (!generator) throw std::invalid_argument("open: expected a generator, got none");
  return open(expected_manifold(std::move(generator)), options);
}

Space open(std::shared_ptr<const Manifold> manifold, const SpaceOptions& options) {
  if (!manifold) throw std::invalid_argument("open: expected a manifold, got none");
  const auto opener = std::make_shared<Opener>(options.plugins);
  OpenedSpace opened;
  opened.name = manifold->name();
  opened.codes = Matrix(manifold->dimension(), 0);
  opened.manifold = std::move(manifold);
  return {std::move(opened), opener};
}

}  // namespace pullback
