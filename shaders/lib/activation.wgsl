// GELU and its derivative, in both of BERT's forms (Hendrycks and Gimpel 2016); what adapters have instead of it. Codes as in
// src/ops/activation.ts.

const ACTIVATION_GELU = 0u;      // exact: x Φ(x), with erf
const ACTIVATION_GELU_TANH = 1u; // 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))
const ACTIVATION_RELU = 2u;
const ACTIVATION_SWISH = 3u;     // x / (1 + e⁻ˣ)

// erf to 1.5e-7 absolute: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26. WGSL has no erf.
fn erf(x: f32) -> f32 {
  let z = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return sign(x) * (1.0 - series * exp(-z * z));
}

// Some drivers compute tanh through exp(2x) and overflow: beyond ±10 it is ±1 in f32 anyway.
fn safe_tanh(x: f32) -> f32 {
  return tanh(clamp(x, -10.0, 10.0));
}

fn gelu_tanh_inner(x: f32) -> f32 {
  return 0.7978845608 * (x + 0.044715 * x * x * x);
}

// e⁻ˣ of x far below 0 is infinite, which some drivers do not divide by: there it is 0.
fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + exp(-clamp(x, -80.0, 80.0)));
}

fn activate(kind: u32, x: f32) -> f32 {
  if kind == ACTIVATION_GELU {
    return 0.5 * x * (1.0 + erf(x * 0.7071067812));
  }
  if kind == ACTIVATION_RELU {
    return max(x, 0.0);
  }
  if kind == ACTIVATION_SWISH {
    return x * sigmoid(x);
  }
  return 0.5 * x * (1.0 + safe_tanh(gelu_tanh_inner(x)));
}

// d activate / dx. Exact form: Φ(x) + x φ(x).
fn activate_derivative(kind: u32, x: f32) -> f32 {
  if kind == ACTIVATION_GELU {
    return 0.5 * (1.0 + erf(x * 0.7071067812)) + x * 0.3989422804 * exp(-0.5 * x * x);
  }
  if kind == ACTIVATION_RELU {
    return select(0.0, 1.0, x > 0.0);
  }
  if kind == ACTIVATION_SWISH {
    let gate = sigmoid(x);
    return gate + x * gate * (1.0 - gate);
  }
  let t = safe_tanh(gelu_tanh_inner(x));
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * 0.7978845608 * (1.0 + 3.0 * 0.044715 * x * x);
}
