// Transforms that act on a space before it is used, as suffixes of its name:
// NAME@isometric@damp=1e-3@floor=0.05@smooth=0.1.
//
// The map's derivatives stay as exact as they were, except under floor:
//
//   transform                         what it does to the metric M
//   isometric                         the chart z = Aw, A = (mean M over the codes)^(−1/2): the mean metric is I
//   damp=ε                            M + εI
//   floor=σ                           singular values below σ times the scale are raised to it, smoothly; the scale is
//                                     the median of the largest singular value over the codes
//   smooth=r                          M averaged over a Gaussian whose covariance is r² times that of the codes
//   kappa=K[,chart=…][,seed=S]        an ill-conditioned chart (charts.h)
//
// Points after `isometric` and `kappa` are in the new chart. Transforms are read from left to right, each acting on
// what those before it made: `damp` and `floor` mean the coordinates of the last chart before them. Where a space has
// no codes, 256 points drawn evenly from the box [0.2, 1.8] of the plain coordinates stand in for them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/spaces/opened_space.h"

namespace pullback {

// A specification before its transforms, and their texts in order.
struct PULLBACK_EXPORT TransformedName {
  std::string base;
  std::vector<std::string> transforms;
};

// What follows an '@' is a transform where it starts like one. A specification that names a file is that file, whatever
// it contains, and so is what lies in a folder with an '@' in its name. Errors: std::invalid_argument, with the valid
// transforms, where the rest ends in an '@' and something that is neither a transform nor part of a path.
PULLBACK_EXPORT TransformedName split_transforms(std::string_view specification);

// The space after the transforms, with its codes carried over to the last chart and what each transform changed.
// Errors: std::invalid_argument for a value that is missing or outside its range.
PULLBACK_EXPORT OpenedSpace apply_transforms(OpenedSpace space, const std::vector<std::string>& transforms);

// A curve of the changed space in the coordinates and the metric that it had before its transforms.
struct PULLBACK_EXPORT PlainView {
  double length;
  double length_error;
  Matrix points;  // n×samples
};
PULLBACK_EXPORT PlainView plain_view(const OpenedSpace& space, const Curve& curve, int samples);

}  // namespace pullback
