#include "pullback/cli/characterisation_json.h"

#include "pullback/cli/study_json.h"

namespace pullback::cli {

namespace {

Json place_json(const PlaceFigures& figures) {
  return {{"points", figures.survey.points},
          {"undefined", figures.survey.undefined},
          {"singular", figures.survey.singular},
          {"kappa", short_numbers(figures.survey.kappa)},
          {"kept_kappa", short_numbers(figures.kept_kappa)},
          {"scaled_kappa", short_numbers(figures.scaled_kappa)},
          {"log10_magnification", short_numbers(figures.log10_magnification)},
          {"variation", short_numbers(figures.variation)},
          {"variation_rms", short_number(figures.variation_rms)}};
}

}  // namespace

Json as_json(const Characterisation& c) {
  return {{"radius", short_number(c.region.radius())},
          {"deviations", short_numbers({c.deviations.begin(), c.deviations.end()})},
          {"reach", short_numbers({c.reach.begin(), c.reach.end()})},
          {"collapsed", c.collapsed},
          {"inside", place_json(c.inside)},
          {"outside", place_json(c.outside)}};
}

}  // namespace pullback::cli
