// A space as it was opened by name or file.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// One transform that acted on a space, with what it changed over a set of points (named_transforms.h).
struct PULLBACK_EXPORT AppliedTransform {
  std::string text;                       // "floor=0.05"
  std::string where;                      // "the codes"
  int points = 0;                         // at which both metrics are finite
  double touched = 0;                     // share of them where some length changed by over 1 %
  double least_factor = 1;                // by which lengths changed; a chart changes none
  double largest_factor = 1;              // infinite where what had no length has one now
  std::vector<double> kappa_before = {};  // 5 %, median, 95 %
  std::vector<double> kappa_after = {};
  Matrix chart = {};      // A of z = Aw, for a chart
  Vector deviation = {};  // of the Gaussian in each coordinate, for smooth
  double raised_to = 0;   // singular value, for floor
};

// What a space was before its transforms, and the way back: z = chart · w.
struct PULLBACK_EXPORT Transformation {
  std::vector<AppliedTransform> transforms = {};  // none: the space is as it was opened
  std::shared_ptr<const Manifold> plain = nullptr;
  Matrix chart = {};
};

// A manifold as opened by name or file, with the codes of known data (n×K) and their labels where it has any. `blur` is
// what the data are besides their codes: posterior_blur() in model_data.h, carried along by charts.
struct PULLBACK_EXPORT OpenedSpace {
  std::string name;  // as it was typed
  std::shared_ptr<const Manifold> manifold;
  Matrix codes;
  std::vector<int> labels;
  std::map<std::string, std::string> metadata;
  Transformation transformation = {};
  Matrix blur = {};

  int dimension() const { return manifold->dimension(); }
};

}  // namespace pullback
