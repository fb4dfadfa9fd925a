// Matrix products for a software driver whose subgroups are the 8 lanes of a SIMD register: a subgroup of 8 owns GROUPS × 8
// rows × 32 columns of the result, a lane 4 columns of all rows.
//
// On Mesa's llvmpipe any load of storage goes lane by lane, some thirty cycles a number, uniform or not; a shuffle within the
// subgroup is one instruction. So the lanes share the loads: lane l reads four inner indices of row l of each group of 8 rows,
// and hands them to the others. GROUPS × 8 × 16 fmas then come from GROUPS + 4 loads of four numbers.
//
// Loops over constants are unrolled by that driver up to about 24 rows.

const LANES = 8u;
const TILE_ROWS = GROUPS * LANES;
alias Rows = array<vec4f, TILE_ROWS>; // of the tile, a lane's four columns

// Lanes outside the result read its edge and store nothing: all lanes must take part in the shuffles.
fn lane_column(place: TilePlace, lane: u32) -> u32 {
  return min(place.column / 4u + lane, place.columns / 4u - 1u);
}

// left [rows, inner] · right [columns, inner]ᵀ; inner and columns multiples of 4.
fn lanes_nt(place: TilePlace, lane: u32) -> Rows {
  let fours = place.inner / 4u;
  let columns = (lane_column(place, lane) * 4u + vec4u(0u, 1u, 2u, 3u)) * fours;
  var rows: array<u32, GROUPS>;
  for (var i = 0u; i < GROUPS; i++) {
    rows[i] = min(place.row + i * LANES + lane, place.rows - 1u) * fours;
  }
  var tile = Rows();
  for (var k = 0u; k < fours; k++) {
    let b = right_columns(columns + k);
    for (var i = 0u; i < GROUPS; i++) {
      let x = left_by_4[rows[i] + k];
      for (var j = 0u; j < LANES; j++) {
        tile[i * LANES + j] = row_step(tile[i * LANES + j], subgroupShuffle(x, j), b);
      }
    }
  }
  return tile;
}

// left [rows, inner] · right [inner, columns]; inner and columns multiples of 4.
fn lanes_nn(place: TilePlace, lane: u32) -> Rows {
  let left_fours = place.inner / 4u;
  let fours = place.columns / 4u;
  var column = lane_column(place, lane);
  var rows: array<u32, GROUPS>;
  for (var i = 0u; i < GROUPS; i++) {
    rows[i] = min(place.row + i * LANES + lane, place.rows - 1u) * left_fours;
  }
  var tile = Rows();
  for (var k = 0u; k < left_fours; k++) {
    let b = right_rows(column, fours, k * 4u);
    for (var i = 0u; i < GROUPS; i++) {
      let x = left_by_4[rows[i] + k];
      for (var j = 0u; j < LANES; j++) {
        tile[i * LANES + j] = row_step(tile[i * LANES + j], subgroupShuffle(x, j), b);
      }
    }
    column += 4u * fours;
  }
  return tile;
}

// left [inner, rows]ᵀ · right [inner, columns]; rows and columns multiples of 4. Four inner indices at a time: of 16 rows, lane
// l reads rows 4 (l % 4) … + 3 at index k + l / 4 and at k + 2 + l / 4.
const SPAN_ROWS = 16u;
alias SpanRows = array<vec4f, SPAN_ROWS>;

fn lanes_tn(place: TilePlace, lane: u32) -> SpanRows {
  let left_fours = place.rows / 4u;
  let right_fours = place.columns / 4u;
  let row = min(place.row / 4u + lane % 4u, left_fours - 1u);
  let column = lane_column(place, lane);
  let last = place.inner - 1u;
  var tile = SpanRows();
  for (var k = 0u; k < place.inner; k += 4u) {
    let own = k + lane / 4u;
    // Past the end an index counts as zero.
    let first = select(vec4f(), left_by_4[min(own, last) * left_fours + row], own <= last);
    let second = select(vec4f(), left_by_4[min(own + 2u, last) * left_fours + row], own + 2u <= last);
    let b = mat4x4f(
      right4(k * right_fours + column),
      right4(min(k + 1u, last) * right_fours + column),
      right4(min(k + 2u, last) * right_fours + column),
      right4(min(k + 3u, last) * right_fours + column),
    );
    for (var j = 0u; j < 4u; j++) {
      let a = mat4x4f(
        subgroupShuffle(first, j),
        subgroupShuffle(first, j + 4u),
        subgroupShuffle(second, j),
        subgroupShuffle(second, j + 4u),
      );
      tile[j * 4u] = row_step(tile[j * 4u], vec4f(a[0].x, a[1].x, a[2].x, a[3].x), b);
      tile[j * 4u + 1u] = row_step(tile[j * 4u + 1u], vec4f(a[0].y, a[1].y, a[2].y, a[3].y), b);
      tile[j * 4u + 2u] = row_step(tile[j * 4u + 2u], vec4f(a[0].z, a[1].z, a[2].z, a[3].z), b);
      tile[j * 4u + 3u] = row_step(tile[j * 4u + 3u], vec4f(a[0].w, a[1].w, a[2].w, a[3].w), b);
    }
  }
  return tile;
}
