// The fields of what transforms of a space changed (base/fields.h).
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "pullback/base/fields.h"
#include "pullback/spaces/named_transforms.h"
#include "pullback/spaces/opened_space.h"

namespace pullback {

// Charts have the rows of A as "matrix"; smooth has "deviation", floor "raised_to".
template <MaybeConst<AppliedTransform> T, class V>
void visit_fields(T& transform, V&& visit) {
  visit("transform", transform.text);
  visit("where", transform.where);
  visit("points", transform.points);
  visit("touched", transform.touched);
  visit("length_factor", std::array{transform.least_factor, transform.largest_factor});
  visit("kappa_before", transform.kappa_before);
  visit("kappa_after", transform.kappa_after);
  if (transform.chart.size() > 0) {
    std::vector<Vector> rows;
    for (Eigen::Index i = 0; i < transform.chart.rows(); ++i) rows.emplace_back(transform.chart.row(i));
    visit("matrix", std::move(rows));
  }
  if (transform.deviation.size() > 0) visit("deviation", transform.deviation);
  if (transform.raised_to > 0) visit("raised_to", transform.raised_to);
}

// Without its points, which are compared as points are.
template <MaybeConst<PlainView> P, class V>
void visit_fields(P& plain, V&& visit) {
  visit("length_plain", plain.length);
  visit("length_plain_error", plain.length_error);
}

}  // namespace pullback
