// What pictures of comparisons and studies show, and in which planes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "pullback/analysis/comparison.h"
#include "pullback/analysis/maps.h"
#include "pullback/base/export.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/spaces/opened_space.h"

namespace pullback {

// Points of a curve uniform in t, in the coordinates of a plane: 2×count; no columns for an empty curve.
PULLBACK_EXPORT Matrix projected(const LatentPlane& plane, const Curve& curve, int count);

// The plane of codes (n×K, n ≥ 2): latent space itself in two dimensions, else that of their largest variance. Its
// square holds the codes moved away from their middle by the factor `margin`.
PULLBACK_EXPORT LatentPlane codes_plane(const ConstMatrixRef& codes, double margin);

// The pairs that the pictures of a part show, `most` of them: two sevens first, and then those on which the solvers
// differ most, because that is where there is something to see. `best`: as best_lengths().
PULLBACK_EXPORT std::vector<std::size_t> shown_pairs(const Study& study, const StudyPart& part,
                                                     const std::vector<double>& best, std::size_t most);

// The plane of a pair's pictures: latent space itself in two dimensions, else one through both ends. Its square holds
// the ends of the pairs `shown` and, in two dimensions, the codes; without codes the curves found too, but for points
// so far off that the rest would shrink to a dot.
PULLBACK_EXPORT LatentPlane pair_plane(const Study& study, const StudyPart& part, std::size_t pair,
                                       const std::vector<std::size_t>& shown);

// The length of the straight line between the ends. Cost: as measure().
PULLBACK_EXPORT double straight_length(const OpenedSpace& space, const StudyPair& pair);

// Decoded images along curves, of a generator whose metadata say "image": "HEIGHT,WIDTH".
class PULLBACK_EXPORT StripMaker {
 public:
  // Nothing when the generator does not make images of that size.
  static std::optional<StripMaker> for_space(const OpenedSpace& space);

  int height() const { return height_; }
  int width() const { return width_; }

  // `count` images at equal arc lengths, as grey bytes row by row, one image after the other; empty where the curve has
  // no finite length. The space must outlive it.
  std::string strip(const Curve& curve, int count) const;

 private:
  StripMaker(const OpenedSpace& space, int height, int width);

  const Manifold* manifold_;
  int height_;
  int width_;
  double black_ = 0;  // the ambient value of black
  double white_ = 1;
};

}  // namespace pullback
