// What of the figures deserves a sentence for people.
#pragma once

#include <string>
#include <vector>

#include "pullback/analysis/characterisation.h"
#include "pullback/analysis/geodesic_places.h"
#include "pullback/analysis/jacobian_survey.h"
#include "pullback/generators/generator.h"

namespace pullback::cli {

// Points without a metric, singular points, and collapsed coordinates.
std::vector<std::string> findings(const JacobianSurvey& survey);

// Collapsed coordinates, and singular points around the data.
std::vector<std::string> findings(const Characterisation& characterisation);

// Geodesics that leave the data's region for farther than the codes do.
std::vector<std::string> findings(const std::vector<GeodesicPlace>& places, const DataRegion& region);

// Derivatives that are not exact, and values of low precision; nothing without a generator.
std::vector<std::string> derivative_findings(const Generator* generator);

}  // namespace pullback::cli
