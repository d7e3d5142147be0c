// Results in JSON.
//
// Numbers have the digits that bring back the same double. JSON knows neither NaN nor infinity: what is undefined is
// null, and an infinite condition number is null with "kappa_infinite": true.
#pragma once

#include <string>

#include "pullback/cli/fields_json.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/solvers/result_fields.h"

namespace pullback::cli {

Json as_json(const ConstVectorRef& vector);
// Points (n×K) as a list of them.
Json columns_json(const ConstMatrixRef& points);

// {"t": […], "z": [[…], …]} at `samples` times uniform in t; two empty lists for an empty curve.
Json as_json(const Curve& curve, int samples);

// The nodes that make the curve exactly, {"t": […], "z": [[…], …], "velocity": [[…], …], "acceleration": [[…], …]};
// "acceleration" is null for cubic pieces, all lists are empty for an empty curve.
Json nodes_json(const Curve& curve);
// The curve of such nodes. Errors: pullback::Error for what makes no curve.
Curve read_nodes(const JsonView& nodes, int dimension);

// The fields of the result (solvers/result_fields.h), "curve" and "nodes".
Json as_json(const GeodesicResult& result, int samples);

// As text, a line break at the end.
std::string as_text(const Json& json);

}  // namespace pullback::cli
