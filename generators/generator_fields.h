// The fields of what a generator states of itself (base/fields.h).
#pragma once

#include "pullback/base/fields.h"
#include "pullback/generators/generator.h"

namespace pullback {

inline const char* to_string(Derivative how) { return how == Derivative::kExact ? "exact" : "finite differences"; }
constexpr Derivative last_of(Derivative) { return Derivative::kFiniteDifference; }

template <MaybeConst<GeneratorTraits> T, class V>
void visit_fields(T& traits, V&& visit) {
  visit("first", traits.first);
  visit("second", traits.second);
  visit("noise", traits.noise);
}

}  // namespace pullback
