// Decoded images along curves.
#pragma once

#include <optional>
#include <string>

#include "pullback/manifold/curves/curve.h"
#include "pullback/spaces/opener.h"

namespace pullback::cli {

// Makes rows of images of a generator whose metadata say "image": "HEIGHT,WIDTH".
class StripMaker {
 public:
  // Nothing when the generator does not make images of that size.
  static std::optional<StripMaker> for_space(const OpenedSpace& space);

  int height() const { return height_; }
  int width() const { return width_; }

  // `count` images at equal arc lengths, as grey bytes row by row, one image after the other, in base64; empty where
  // the curve has no finite length.
  std::string strip(const Curve& curve, int count) const;

 private:
  StripMaker(const OpenedSpace& space, int height, int width);

  const Manifold* manifold_;
  int height_;
  int width_;
  double black_ = 0;  // the ambient value of black
  double white_ = 1;
};

std::string base64(const std::string& bytes);

}  // namespace pullback::cli
