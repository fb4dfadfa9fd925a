// (prediction − target)² of each sequence, [B, 1], and its gradient in the same go.

@group(0) @binding(2) var<storage, read> predictions: array<f32>;
@group(0) @binding(3) var<storage, read> targets: array<f32>; // the batch's labels
@group(0) @binding(4) var<storage, read_write> loss: array<f32>;
@group(0) @binding(5) var<storage, read_write> predictions_gradient: array<f32>;

@compute @workgroup_size(32)
fn squared_error(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let sequence = group.x * 32u + local;
  if sequence >= batch.sequences {
    return;
  }
  let difference = predictions[sequence] - targets[sequence];
  loss[sequence] = difference * difference;
}

@compute @workgroup_size(32)
fn squared_error_gradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let sequence = group.x * 32u + local;
  if sequence >= batch.sequences {
    return;
  }
  let difference = predictions[sequence] - targets[sequence];
  loss[sequence] = difference * difference;
  predictions_gradient[sequence] = 2.0 * difference * batch.loss_scale;
}
