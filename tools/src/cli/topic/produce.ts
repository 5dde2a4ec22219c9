// `odradek topic produce`: lines of standard input or files as records, at speed and within bounded memory.
import { createReadStream } from 'node:fs'
import { createProducer } from '@odradek/producer'
import type { KafkaError } from '@odradek/shared/base/errors'
import { topic } from '@odradek/shared/client/topic'
import { CommandError } from '../command-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { type ClusterFlags, clientOptions } from '../terminal/cluster-flags.ts'
import { onInterrupt } from '../terminal/interrupts.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type LineShape, LineSplitter, recordOfLine, unescaped } from './record-lines.rules.ts'

export interface ProduceFlags extends ClusterFlags {
  readonly K?: string
  readonly D: string
  readonly J: boolean
  readonly Z: boolean
  readonly key?: string
  readonly header?: readonly (readonly [string, string])[]
  readonly partition?: number
  readonly compression: string
  readonly acks: string
  readonly quiet: boolean
}

export async function produceLines(
  terminal: Terminal,
  name: string,
  files: readonly string[],
  flags: ProduceFlags,
): Promise<void> {
  using interrupts = onInterrupt()
  await using producer = createProducer({
    ...clientOptions(flags),
    clientId: 'odradek-produce',
    compressionType: flags.compression as never,
    acks: flags.acks as never,
    batchSize: 65_536,
  })
  const to = topic(name)
  const shape: LineShape = {
    keySeparator: flags.K === undefined ? null : unescaped(flags.K),
    isJson: flags.J,
    emptyIsNull: flags.Z,
    key: flags.key ?? null,
    headers: flags.header ?? [],
  }
  const tally = { line: 0, sent: 0, failed: 0, failure: null as KafkaError | null }
  const delivered = (error: KafkaError | null) => {
    if (error === null) tally.sent++
    else {
      tally.failed++
      tally.failure ??= error
    }
  }
  const send = async (line: Buffer) => {
    tally.line++
    const record = {
      ...recordOfLine(line, shape),
      ...(flags.partition === undefined ? {} : { partition: flags.partition }),
    }
    if (!producer.enqueue(to, record, delivered)) await producer.writable()
  }
  let complaint: CommandError | null = null
  try {
    await readLines(files, unescaped(flags.D), interrupts.signal, () => tally.failure !== null, send)
  } catch (error) {
    complaint = new CommandError(
      tally.line === 0 ? (error as Error).message : `record ${tally.line}: ${(error as Error).message}`,
    )
  }
  await producer.flush()
  if (!flags.quiet) terminal.note(`${tally.sent} records sent${tally.failed === 0 ? '' : `, ${tally.failed} failed`}`)
  if (tally.failure !== null) throw tally.failure
  if (complaint !== null) throw complaint
  if (interrupts.signal.aborted) throw new CommandError('interrupted', exitCodes.interrupted)
}

async function readLines(
  files: readonly string[],
  delimiter: string,
  signal: AbortSignal,
  isOver: () => boolean,
  take: (line: Buffer) => Promise<void>,
): Promise<void> {
  const sources =
    files.length === 0 ? [process.stdin] : files.map(file => createReadStream(file, { highWaterMark: 1 << 20 }))
  for (const source of sources) {
    const end = () => void source.destroy()
    signal.addEventListener('abort', end, { once: true })
    const splitter = new LineSplitter(delimiter)
    try {
      for await (const chunk of source) {
        for (const line of splitter.push(chunk as Buffer)) await take(line)
        if (isOver()) return
      }
      const rest = splitter.end()
      if (rest !== null) await take(rest)
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      signal.removeEventListener('abort', end)
    }
    if (signal.aborted) return
  }
}
