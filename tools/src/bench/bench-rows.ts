// The rows of the bench table, in its order.
import type { BenchRow } from './bench-row.ts'
import { groupRows } from './rows/group-rows.ts'
import { latencyRows } from './rows/latency-rows.ts'
import { pipelineRows } from './rows/pipeline-rows.ts'
import { startRows } from './rows/start-rows.ts'
import { transactionRows } from './rows/transaction-rows.ts'

export const benchRows: readonly BenchRow[] = [
  ...pipelineRows,
  ...latencyRows,
  ...startRows,
  ...transactionRows,
  ...groupRows,
]
