// y = x W_gᵀ + b_g + addend with the weights of each row's group g: x [rows, K], W [G, N, K], b [G, N], y [rows, N].
//
// An invocation owns 4×4 of the result and walks through the runs of equal groups among its rows, each a product of
// lib/product_*.wgsl: all groups' weights are one matrix [G N, K], of which a run reads its own N lines. Rows of a group
// lie together but for the group's ends, so that a run is nearly always all four rows. An element is summed as linear sums it.

struct GroupedLinearParams {
  rows: u32,    // row code of x and y
  columns: u32, // N
  inner: u32,   // K
  has_bias: u32,
  has_addend: u32,
}

@group(0) @binding(1) var<uniform> params: GroupedLinearParams;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> result: array<f32>;

// The end of the run of one group that begins at `row`.
fn run_end(row: u32, end: u32) -> u32 {
  let own = group_of(row, params.rows);
  var next = row + 1u;
  while next < end && group_of(next, params.rows) == own {
    next++;
  }
  return next;
}

// Four columns of rows row … end − 1, which are one group's.
fn place_of(row: u32, end: u32, column: u32) -> TilePlace {
  let first = group_of(row, params.rows) * params.columns;
  return TilePlace(row, first + column, end, first + params.columns, params.inner);
}

fn store_run(place: TilePlace, column: u32, block: mat4x4f) {
  for (var i = place.row; i < place.rows; i++) {
    for (var j = column; j < min(column + 4u, params.columns); j++) {
      let at = i * params.columns + j;
      var value = block[i - place.row][j - column];
      if params.has_bias != 0u {
        value += bias[place.column - column + j];
      }
      if params.has_addend != 0u {
        value += addend_at(at);
      }
      result[at] = value;
    }
  }
}

// K a multiple of 4.
@compute @workgroup_size(8, 8)
fn grouped_linear_forward(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x * 4u;
  let end = min(id.y * 4u + 4u, row_count(params.rows));
  if column >= params.columns {
    return;
  }
  for (var row = id.y * 4u; row < end;) {
    let place = place_of(row, run_end(row, end), column);
    store_run(place, column, blocked_nt(place));
    row = place.rows;
  }
}

// Any K.
@compute @workgroup_size(8, 8)
fn grouped_linear_strided(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x * 4u;
  let end = min(id.y * 4u + 4u, row_count(params.rows));
  if column >= params.columns {
    return;
  }
  for (var row = id.y * 4u; row < end;) {
    let place = place_of(row, run_end(row, end), column);
    store_run(place, column, product_strided(place, Strides(params.inner, 1u, params.inner, 1u)));
    row = place.rows;
  }
}
