// What the tour's pipeline does, in its own thread: every record adds to the total of its key, and the new total is the output. A thread begins with the totals
// that are committed; what a transaction added is taken back when its records come again.
import { BroadcastChannel, getEnvironmentData, threadId } from 'node:worker_threads'
import type { ConsumerRecord } from '@odradek/consumer/consumer-record'
import { json, string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { measureOf, RunningTotals, totalKey } from './running-totals.rules.ts'
import {
  type FromTransform,
  TOTALS_ENVIRONMENT,
  type ToTransform,
  type TotalsEnvironment,
  type TotalValue,
} from './totals-messages.ts'

/** More records until it stands still again. */
const HOLD_AGAIN = 500

const given = getEnvironmentData(TOTALS_ENVIRONMENT) as unknown as TotalsEnvironment
export const from = topic(given.from, { key: string(), value: string() })
export const to = topic(given.to, { key: string(), value: json<TotalValue>() })

const channel = new BroadcastChannel(given.channel)
channel.unref()
const amountOf = measureOf(given.measure)
let totals: RunningTotals | null = null
let records = 0
let holdAfter = given.holdAfter

type Input = ConsumerRecord<string, string>

export function transform(record: Input) {
  const isReady = totals !== null && records !== holdAfter
  return isReady ? output(record) : prepared(record)
}

function output({ key, value, partition, offset }: Input) {
  records++
  const named = totalKey(key, partition)
  const added = { partition, offset: Number(offset), key: named, amount: amountOf(value ?? '') }
  return { key: named, value: { ...totals!.add(added), of: given.measure } }
}

async function prepared(record: Input) {
  if (totals === null) {
    const answer = await asked({ kind: 'begins', thread: threadId })
    if (answer.kind !== 'totals') throw new Error(answer.kind === 'failed' ? answer.why : 'no totals to begin with')
    totals = new RunningTotals(answer.totals, given.commitRecords)
  }
  if (records === holdAfter) {
    await asked({ kind: 'holds', thread: threadId, records })
    holdAfter += HOLD_AGAIN
  }
  return output(record)
}

/** Tells, and waits for what is said next. */
function asked(message: FromTransform): Promise<ToTransform> {
  const answer = new Promise<ToTransform>(resolve => {
    channel.onmessage = event => resolve((event as { readonly data: ToTransform }).data)
  })
  channel.ref()
  channel.postMessage(message)
  return answer.finally(() => channel.unref())
}
