// What a solver returns: a curve, what happened, and the certificate.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/workspace.h"
#include "pullback/generators/generator.h"
#include "pullback/manifold/curves/curve.h"

namespace pullback {

// How a solve ended. Only the library says kConverged, after its own measurement.
enum class Termination {
  kConverged,   // a geodesic and a local minimum of length
  kStationary,  // a geodesic that is not a local minimum, or not certainly one
  kMaxIterations,
  kTimeLimit,
  kStalled,     // no further progress, and not a geodesic
  kDegenerate,  // the metric vanishes along a part of the curve, or does not see what the generator does
  kNumericalFailure,
  kStopped,  // the caller asked
};

// "converged", "stationary", "max_iterations", …
PULLBACK_EXPORT const char* to_string(Termination termination);

// One step of a solver's progress, for convergence curves.
struct PULLBACK_EXPORT TraceEntry {
  int iteration = 0;
  double seconds = 0;  // since the solve began
  double length = 0;   // √(2E) of the solver's own discrete curve
};

struct PULLBACK_EXPORT Effort {
  EvaluationCounts evaluations;              // by the solver
  EvaluationCounts certificate_evaluations;  // by the library's own measurement of the curve returned
  int iterations = 0;
  double seconds = 0;              // solver and certificate
  double solver_seconds = 0;       // of which the plugin
  double certificate_seconds = 0;  // of which the measurement
};

// Conditioning of the Jacobian along the curve.
struct PULLBACK_EXPORT Condition {
  double kappa_max = 0;            // max κ(J); infinite where J loses rank
  double sigma_min = 0;            // smallest singular value met
  bool degenerate = false;         // numerically singular somewhere on the curve
  double degenerate_fraction = 0;  // share of the sampled points where it is
  // Relative change of the length by a regularisation that the solver applied; nothing when it applied none.
  std::optional<double> regularisation;
};

// What the library measured on the curve returned, whatever the solver claimed.
struct PULLBACK_EXPORT Certificate {
  double length = 0;           // refined, see measure.h
  double length_error = 0;     // sampling the curve at 1,001 points gives the length within this
  double numerical_error = 0;  // the part of it that comes from refinement and rounding
  double energy = 0;
  double metric_length = 0;  // ∫ √(ċᵀMċ) dt by quadrature
  double disagreement = 0;  // difference of metric_length and the ambient length beyond rounding, summed over the parts
  double refinement = 0;    // change of the ambient polylines when last refined, summed over the parts
  double endpoint_error = 0;  // largest latent distance of an end from where it should be; 0 for solvers that keep them
  double speed_variation = 0;   // max |speed − mean| / mean
  double residual = 0;          // root mean square of ‖c̈ − a(c,ċ)‖_M / L²
  double derivative_error = 0;  // what differenced derivatives may have changed the residual by, in its units
  double relative_excess = 0;  // estimate of (L − L*)/L, L* the length of the geodesic nearby: ½ gᵀH⁻¹g / L², plus what
                               // differenced derivatives may hide
  double shortening = 0;  // where the manifold has kinks: fraction of L gained by moving the curve aside, by values
  double second_variation = 0;  // smallest eigenvalue of the second variation on [0,1] (π² − K L² for curvature K)
  double second_variation_error = 0;  // of its discretisation, from two grids
  double max_turning_angle =
      0;                  // largest angle (radians) between the chords of the second variation: how well it is resolved
  bool smooth = true;     // whether the manifold is
  bool complete = false;  // whether all of it was measured; what was not is NaN
  bool has_generator = true;                          // whether the metric is a pullback
  Derivative first_derivative = Derivative::kExact;   // how J is obtained
  Derivative second_derivative = Derivative::kExact;  // how the derivatives beyond J are obtained
  std::optional<double> conjugate_point;              // t of the first one, when the second variation is not positive
  Condition condition;
  std::optional<double> shorter_known;  // length of a shorter curve with the same ends, when one was met
};

struct PULLBACK_EXPORT GeodesicResult {
  Curve curve;  // empty when the solver has none
  Termination termination = Termination::kNumericalFailure;
  std::string message = "the solver did not run";
  std::string solver;
  Certificate certificate;
  Effort effort;
  std::vector<TraceEntry> trace;
};

}  // namespace pullback
