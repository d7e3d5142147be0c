// Results as JSON.
//
// Numbers have the digits that bring back the same double. JSON knows neither NaN nor infinity: what is undefined is
// null, and an infinite condition number is null with "kappa_infinite": true.
#pragma once

#include <nlohmann/json.hpp>

#include "pullback/manifold/curves/curve.h"
#include "pullback/solvers/result.h"

namespace pullback::cli {

using Json = nlohmann::ordered_json;

Json as_json(const ConstVectorRef& vector);
Json as_json(const Certificate& certificate, Termination termination);
Json as_json(const Effort& effort);

// {"t": […], "z": [[…], …]} at `samples` times uniform in t; two empty lists for an empty curve.
Json as_json(const Curve& curve, int samples);

// The nodes that make the curve exactly, {"t": […], "z": [[…], …], "velocity": [[…], …], "acceleration": [[…], …]};
// "acceleration" is null for cubic pieces, all lists are empty for an empty curve.
Json nodes_json(const Curve& curve);

// Termination, message, length, length_error, energy, seconds, certificate, effort, curve, nodes. Lengths of an empty
// curve are null.
Json as_json(const GeodesicResult& result, int samples);

// As text, a line break at the end.
std::string as_text(const Json& json);

}  // namespace pullback::cli
