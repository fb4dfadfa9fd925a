import { type BatchShape, countRows, type Dispatch } from '../backends/kernel';
import type { BatchField, BatchTable, Location, Schedule, ScheduleOutput } from '../backends/schedule';
import { byteLengthOf, type Plan, planSlots } from './plan';
import type { Tensor } from './tape';

/** Finds a place for every tensor and returns the schedule that a backend replays. */
export function buildSchedule(
  label: string,
  dispatches: readonly Dispatch<Tensor>[],
  outputs: Readonly<Record<string, Tensor>>,
  capacity: BatchShape,
): Schedule {
  const plan = planSlots(dispatches, new Set(Object.values(outputs)), capacity);
  return {
    label,
    capacity,
    labels: tableOf('labels', dispatches),
    hidden: tableOf('hidden', dispatches),
    slots: plan.slots,
    dispatches: dispatches.map((item) => ({
      ...item,
      buffers: item.buffers.map((tensor) => locate(tensor, plan, capacity)),
    })),
    outputs: Object.entries(outputs).map(
      ([name, tensor]): ScheduleOutput => ({
        name,
        rows: tensor.rows,
        columns: tensor.columns,
        location: locate(tensor, plan, capacity),
      }),
    ),
  };
}

/** The shape in which the dispatches read one of the batch's tables. */
function tableOf(field: BatchField, dispatches: readonly Dispatch<Tensor>[]): BatchTable {
  const table = dispatches
    .flatMap(({ buffers }) => buffers)
    .find(({ origin }) => origin.kind === 'batch' && origin.field === field);
  return { rows: table?.rows ?? 'sequences', columns: table?.columns ?? 0 };
}

function locate(tensor: Tensor, plan: Plan, capacity: BatchShape): Location {
  const { origin } = tensor;
  const byteLength = Math.max(4, byteLengthOf(tensor, capacity));
  switch (origin.kind) {
    case 'buffer': {
      const { buffer, byteOffset } = origin;
      // Of a frozen matrix the buffer alone knows how many bytes it takes.
      const length = tensor.matrix === undefined ? byteLength : buffer.byteLength;
      return { kind: 'buffer', buffer, byteOffset, byteLength: length };
    }
    case 'batch': {
      // The table of offsets has one row more than there are sequences.
      const rows = countRows(tensor.rows, capacity) + (origin.field === 'offsets' ? 1 : 0);
      return { kind: 'batch', field: origin.field, byteLength: rows * tensor.columns * 4 };
    }
    case 'activation': {
      const slot = plan.slotOf.get(tensor);
      if (slot === undefined) throw new Error(`nothing computes ${tensor.name}`);
      return { kind: 'slot', slot, byteLength };
    }
  }
}
