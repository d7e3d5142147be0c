#include "pullback/generators/combine/stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace pullback {
namespace {

using Eigen::Index;
using Parts = std::vector<std::shared_ptr<const Generator>>;

// The arguments of a base class are evaluated in any order, so that each is made from what was checked.
const Parts& checked(const Parts& parts) {
  if (parts.size() < 2) {
    throw std::invalid_argument(fmt::format("Stacked: needs at least 2 generators, got {}", parts.size()));
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i]) throw std::invalid_argument(fmt::format("Stacked: generator {} of {} is null", i + 1, parts.size()));
    if (parts[i]->latent_dimension() != parts[0]->latent_dimension()) {
      throw std::invalid_argument(fmt::format(
          "Stacked: all generators must have one latent dimension, '{}' has {}, '{}' {}", parts[0]->traits().name,
          parts[0]->latent_dimension(), parts[i]->traits().name, parts[i]->latent_dimension()));
    }
  }
  return parts;
}

int ambient_dimension_of(const Parts& parts) {
  int sum = 0;
  for (const auto& part : parts) sum += part->ambient_dimension();
  return sum;
}

GeneratorTraits traits_of(const Parts& parts, bool stochastic, std::string name) {
  GeneratorTraits traits;
  traits.stochastic = stochastic;
  traits.cheap_products = true;
  for (const auto& part : parts) {
    const GeneratorTraits& other = part->traits();
    traits.smooth = traits.smooth && other.smooth;
    traits.cheap_products = traits.cheap_products && other.cheap_products;
    if (other.first == Derivative::kFiniteDifference) traits.first = other.first;
    if (other.second == Derivative::kFiniteDifference) traits.second = other.second;
    traits.name += (traits.name.empty() ? "(" : ", ") + other.name;
  }
  traits.name += ')';
  if (!name.empty()) traits.name = std::move(name);
  return traits;
}

// evaluate(part, first row, rows) for every part.
template <class Evaluate>
void for_each_part(const Parts& parts, Evaluate evaluate) {
  Index row = 0;
  for (const auto& part : parts) {
    evaluate(*part, row, Index{part->ambient_dimension()});
    row += part->ambient_dimension();
  }
}

}  // namespace

Stacked::Stacked(Parts parts, bool stochastic, std::string name)
    : Generator(checked(parts)[0]->latent_dimension(), ambient_dimension_of(checked(parts)),
                traits_of(checked(parts), stochastic, std::move(name))),
      parts_(std::move(parts)) {}

void Stacked::do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const {
  for_each_part(parts_, [&](const Generator& f, Index row, Index rows) { f.value(Z, X.middleRows(row, rows), ws); });
}

void Stacked::do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const {
  for_each_part(parts_, [&](const Generator& f, Index row, Index rows) {
    f.value_and_jacobian(Z, X.middleRows(row, rows), J.middleRows(row, rows), ws);
  });
}

void Stacked::do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                    Workspace& ws) const {
  for_each_part(parts_, [&](const Generator& f, Index row, Index rows) {
    f.second_directional(Z, V, D.middleRows(row, rows), ws);
  });
}

void Stacked::do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto term = frame.matrix(G.rows(), G.cols());
  G.setZero();
  for_each_part(parts_, [&](const Generator& f, Index row, Index rows) {
    f.vjp(Z, W.middleRows(row, rows), term, ws);
    G += term;
  });
}

void Stacked::do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H, Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto term = frame.matrix(H.rows(), H.cols());
  H.setZero();
  for_each_part(parts_, [&](const Generator& f, Index row, Index rows) {
    f.weighted_hessian(Z, W.middleRows(row, rows), term, ws);
    H += term;
  });
}

void Stacked::do_jvp(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef T, Workspace& ws) const {
  for_each_part(parts_, [&](const Generator& f, Index row, Index rows) {
    f.jvp(Z, V, X.middleRows(row, rows), T.middleRows(row, rows), ws);
  });
}

void Stacked::do_hessian_product(const ConstMatrixRef& Z, const ConstMatrixRef& W, const ConstMatrixRef& V,
                                 const ConstMatrixRef& U, MatrixRef P, Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto term = frame.matrix(P.rows(), P.cols());
  P.setZero();
  for_each_part(parts_, [&](const Generator& f, Index row, Index rows) {
    f.hessian_product(Z, W.middleRows(row, rows), V, U.middleRows(row, rows), term, ws);
    P += term;
  });
}

void Stacked::do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                              Workspace& ws) const {
  for_each_part(parts_, [&](const Generator& f, Index row, Index rows) {
    f.second_order(Z, V, X.middleRows(row, rows), J.middleRows(row, rows), D.middleRows(row, rows), ws);
  });
}

}  // namespace pullback
