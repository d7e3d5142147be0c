// What a solver is.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"
#include "pullback/solvers/result.h"

namespace pullback {

// A boundary value problem: the geodesic between two points.
struct PULLBACK_EXPORT GeodesicProblem {
  std::shared_ptr<const Manifold> manifold;
  Vector from;
  Vector to;
  Curve initial;  // where to start; empty: the straight line
  Matrix points;  // n×K latent points that lie in the data's region (codes), for solvers that use them; may be empty
};

// Limits on one solve, for every solver.
//
// Both are asked before every evaluation and within long linear algebra (stop.h), so that a solve ends soon after,
// whatever it is doing, with the best curve that the solver had.
struct PULLBACK_EXPORT SolveControl {
  // Seconds for the whole call, all stages and the certificate included; 0: no limit. The call takes at most 1.2 times
  // this and 0.3 s, unless a single evaluation of one point takes longer than 0.1 s. The solver is ended early enough
  // to leave time for the certificate, but not before half of the limit. What there was no time to measure is NaN in
  // the certificate and makes the termination kTimeLimit.
  double time_limit = 0;
  // Asked from the solving thread; empty: never. Once true the solver ends, and the certificate within 0.3 s.
  std::function<bool()> should_stop = {};
  // Relative accuracy of the length that the certificate asks of a curve that is called converged, from 1e-12 to 1e-2
  // (limits_for() in certificate.h). Solvers' tolerances follow from it unless options say otherwise (tolerance.h).
  double accuracy = 1e-6;
  // Called from the solving thread after each iteration, with what becomes an entry of the result's trace. What it
  // throws ends the solver with kNumericalFailure.
  std::function<void(const TraceEntry&)> on_iteration = {};
  // Scratch memory that the caller keeps, so that solves of one kind allocate less after the first; null: one of its
  // own. Not shared by threads. Its counts go on counting; those of the result are of this solve.
  Workspace* workspace = nullptr;
};

// What a solver is given while it runs.
class PULLBACK_EXPORT SolveContext {
 public:
  SolveContext(const SolveControl& control, Workspace& workspace);

  // True once the caller has stopped the solve or its time is up: the solver then returns what it has. Cheap. From then
  // on evaluations throw StopRequested. A solver does not catch it; the curve that it kept last is returned.
  bool should_stop();
  // Seconds that are left to the solver; infinite where there is no limit. For steps that take long and cannot be
  // interrupted.
  double seconds_left() const;
  // Termination to report after should_stop() said so.
  Termination stop_reason() const { return stop_reason_; }
  double seconds() const;
  // What the caller asks of the length, relative; see SolveControl.
  double accuracy() const { return control_.accuracy; }

  Workspace& workspace() { return workspace_; }

  // While it lives, should_stop() is also true once that many points were evaluated (a hundred metrics count as one),
  // and stop_reason() is then kMaxIterations. It bounds the work of a solver that tries many things, in the same way on
  // every machine. Budgets do not nest.
  class Budget {
   public:
    Budget(SolveContext& context, std::int64_t points);
    ~Budget();
    Budget(const Budget&) = delete;
    Budget& operator=(const Budget&) = delete;

    bool spent() const { return spent_; }  // and should_stop() has said so

   private:
    friend class SolveContext;
    SolveContext& context_;
    std::int64_t last_;  // the work done when it is spent
    bool spent_ = false;
  };

  // Points evaluated so far, as budgets count them.
  std::int64_t work() const;

  // Keeps the best curve so far, which is returned if the solver is stopped within an evaluation. A solver calls it
  // after each step that improved the curve; a curve that is not finite is not kept.
  void keep(Curve curve);
  const Curve& kept() const { return kept_; }
  // While it lives, `change` is applied to every curve that is kept: for a wrapper that runs a solver in another chart.
  class KeepChanged {
   public:
    KeepChanged(SolveContext& context, std::function<Curve(const Curve&)> change);
    ~KeepChanged();
    KeepChanged(const KeepChanged&) = delete;
    KeepChanged& operator=(const KeepChanged&) = delete;

   private:
    friend class SolveContext;
    SolveContext& context_;
    std::function<Curve(const Curve&)> change_;
    const KeepChanged* outer_;
  };

  // Records progress, of which the caller is told: √(2E) of the discrete curve at this iteration.
  void record(int iteration, double length);
  // Reports a curve with the right ends that the solver met and does not return (a graph's path, another branch). If it
  // is shorter than the one returned, the certificate says so (`shorter_known`).
  void met_curve(Curve curve) { met_curves_.push_back(std::move(curve)); }
  // Applies `change` to all curves met but the first `first`, for a wrapper that runs a solver in another chart.
  void change_met_curves(std::size_t first, const std::function<Curve(const Curve&)>& change);

  const std::vector<TraceEntry>& trace() const { return trace_; }
  const std::vector<Curve>& met_curves() const { return met_curves_; }

  // The certificate of a curve that should join the ends of a problem, by the default limits; for a solver that chooses
  // among curves by what the library says of them. It is complete but for `shorter_known` and `regularisation`, which
  // are of a whole solve. Where the solve then returns this very curve (the same numbers, on the same manifold between
  // the same ends), it is the certificate of the result and not measured again; its evaluations and time are then
  // counted as the certificate's in the Effort and not as the solver's. Kept until the solve ends.
  // Errors: StopRequested, and what the manifold throws. Cost: that of the certificate, see GeodesicSolver.
  // Asked again for the same curve it returns what it measured before.
  Certificate certify(const GeodesicProblem& problem, const Curve& curve);
  // Whether a problem is that of the whole solve, on the same manifold between the same ends, and not one that a
  // wrapper made of it: a certificate of its curves may become that of the result.
  bool is_whole(const GeodesicProblem& problem) const;

 private:
  friend class GeodesicSolver;  // asks for what certify() measured

  // What was measured of one curve. Written by certify() alone, so that a solver cannot hand in a certificate of its
  // own making.
  struct Certified {
    const Manifold* manifold;
    Vector from;
    Vector to;
    Curve curve;
    Certificate certificate;
    EvaluationCounts evaluations;
    double seconds;
  };
  // Null where this curve was not certified for this problem.
  const Certified* certified(const GeodesicProblem& problem, const Curve& curve) const;
  double certificate_seconds() const;

  const SolveControl& control_;
  const GeodesicProblem* whole_ = nullptr;  // while solve() runs
  Workspace& workspace_;
  std::chrono::steady_clock::time_point start_;
  Termination stop_reason_ = Termination::kStopped;
  std::vector<TraceEntry> trace_;
  std::vector<Curve> met_curves_;
  std::vector<Certified> certified_;
  Curve kept_;
  const KeepChanged* change_ = nullptr;
  Budget* budget_ = nullptr;
};

// What a plugin's algorithm hands back. It cannot report a length, and kConverged is only its claim.
struct PULLBACK_EXPORT RawSolution {
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
// curve of the wrong dimension, a time limit that is negative, NaN or above 1e9 s, an accuracy outside its range. All
// else is a termination: what a
// generator throws, in the solver or in the certificate, is kNumericalFailure with its message. Cost of the
// certificate: about 1,200 values, 700 Jacobians and 300 second derivatives; see certificate.h. Thread safety: solvers
// are immutable; one object may solve on several threads.
class PULLBACK_EXPORT GeodesicSolver {
 public:
  virtual ~GeodesicSolver() = default;
  GeodesicSolver(const GeodesicSolver&) = delete;
  GeodesicSolver& operator=(const GeodesicSolver&) = delete;

  const std::string& name() const { return name_; }
  GeodesicResult solve(const GeodesicProblem& problem, const SolveControl& control = {}) const;

 protected:
  explicit GeodesicSolver(std::string name) : name_(std::move(name)) {}
  // For solvers that are made of solvers: runs another one's algorithm, without a certificate.
  static RawSolution run_other(const GeodesicSolver& other, const GeodesicProblem& problem, SolveContext& context) {
    return other.run(problem, context);
  }

 private:
  // The problem is valid and its initial curve is not empty (the straight line by default) and joins the ends. May
  // throw; std::exception becomes kNumericalFailure with its message, StopRequested returns the curve kept last.
  virtual RawSolution run(const GeodesicProblem& problem, SolveContext& context) const = 0;

  // run(), with what it throws turned into a solution.
  RawSolution run_guarded(const GeodesicProblem& problem, SolveContext& context) const;

  std::string name_;
};

}  // namespace pullback
