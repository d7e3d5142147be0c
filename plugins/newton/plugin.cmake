pullback_plugin(newton SOURCES block_model.cc hessian_models.cc moving_curve.cc newton.cc product_model.cc)
