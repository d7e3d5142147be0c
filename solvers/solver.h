// What a solver is.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pullback/manifold/curve.h"
#include "pullback/manifold/manifold.h"
#include "pullback/solvers/result.h"

namespace pullback {

// A boundary value problem: the geodesic between two points.
struct GeodesicProblem {
  std::shared_ptr<const Manifold> manifold;
  Vector from;
  Vector to;
  Curve initial;  // where to start; empty: the straight line
  Matrix points;  // n×K latent points that lie in the data's region (codes), for solvers that use them; may be empty
};

// Bounds on one solve that hold for every solver.
struct SolveControl {
  double time_limit = 0;              // seconds; 0: none. Checked between steps.
  std::function<bool()> should_stop;  // asked between steps, from the solving thread; empty: never
};

// What a solver is given while it runs.
class SolveContext {
 public:
  SolveContext(const SolveControl& control, Workspace& workspace);

  // True once the caller stopped the solve or its time is up: return what there is. Cheap.
  bool should_stop();
  // Termination to report after should_stop() said so.
  Termination stop_reason() const { return stop_reason_; }
  double seconds() const;

  Workspace& workspace() { return workspace_; }

  // Records progress: √(2E) of the discrete curve at this iteration.
  void record(int iteration, double length);
  // Tells of a curve with the right ends that the solver met and did not return (a graph's path, another branch).
  void met_curve(Curve curve) { met_curves_.push_back(std::move(curve)); }
  // Replaces the curves met since there were `first`, for a solver that runs another one in another chart.
  void change_met_curves(std::size_t first, const std::function<Curve(const Curve&)>& change);

  const std::vector<TraceEntry>& trace() const { return trace_; }
  const std::vector<Curve>& met_curves() const { return met_curves_; }

 private:
  const SolveControl& control_;
  Workspace& workspace_;
  std::chrono::steady_clock::time_point start_;
  Termination stop_reason_ = Termination::kStopped;
  std::vector<TraceEntry> trace_;
  std::vector<Curve> met_curves_;
};

// What a plugin's algorithm hands back. It cannot report a length, and kConverged is only its claim.
struct Outcome {
  Curve curve;
  Termination claim = Termination::kNumericalFailure;
  std::string message;  // what the curve is, for people
  int iterations = 0;
  // Relative change of the length by a regularisation the solver applied.
  std::optional<double> regularisation;
};

// A method for geodesics between two points.
//
// solve() validates the problem, times, counts, calls the plugin's run(), catches what it throws, measures the
// certificate, and reports kConverged only for a curve that the certificate does not refute.
//
// Errors: std::invalid_argument for a null manifold, ends or points of the wrong size, NaN or infinity, an initial
// curve of the wrong dimension. All else is a termination. Cost of the certificate: about 2,000 values, 500 Jacobians
// and 400 weighted Hessians; see certificate.h. Thread safety: solvers are immutable; one object may solve on several
// threads.
class GeodesicSolver {
 public:
  virtual ~GeodesicSolver() = default;
  GeodesicSolver(const GeodesicSolver&) = delete;
  GeodesicSolver& operator=(const GeodesicSolver&) = delete;

  const std::string& name() const { return name_; }
  GeodesicResult solve(const GeodesicProblem& problem, const SolveControl& control = {}) const;

 protected:
  explicit GeodesicSolver(std::string name) : name_(std::move(name)) {}
  // For solvers that are made of solvers: runs another one's algorithm, without a certificate.
  static Outcome run_other(const GeodesicSolver& other, const GeodesicProblem& problem, SolveContext& context) {
    return other.run(problem, context);
  }

 private:
  // The problem is valid and its initial curve is not empty (the straight line by default) and joins the ends. May
  // throw; std::exception becomes kNumericalFailure with its message.
  virtual Outcome run(const GeodesicProblem& problem, SolveContext& context) const = 0;

  std::string name_;
};

}  // namespace pullback
