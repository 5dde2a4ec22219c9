// Looks into a broker of another process through its window: who runs, and what the machines do.
import type { ActorListing } from '@odradek/shared/actor/system-core'
import type { TraceEvent } from '@odradek/shared/actor/trace'
import type { TraceFilter } from '@odradek/shared/actor/trace-ring'
import { actorsThrough, watchThrough } from '../../watch/look-through.ts'
import { CommandError } from '../command-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { onInterrupt } from '../terminal/interrupts.ts'
import { type OutputFormat, printRows } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface TraceFlags {
  readonly machine?: readonly string[]
  readonly kind?: readonly string[]
  readonly name?: readonly string[]
  readonly count?: number
  readonly json: boolean
}

export async function listActors(terminal: Terminal, window: string, format: OutputFormat): Promise<void> {
  printRows(terminal, format, await actorsThrough(window), [
    { title: 'KIND', of: actor => actor.address.kind },
    { title: 'NAME', of: actor => actor.address.name },
    { title: 'THREAD', of: actor => actor.thread, align: 'right' },
    { title: 'STATE', of: actor => actor.state },
    { title: 'SUPERVISOR', of: actor => actor.supervisor },
    { title: 'FULLEST QUEUE', of: fullestQueue },
    { title: 'PARENT', of: actor => actor.parent, wide: true },
  ])
}

/** The queue that has been nearest to its bound: `name size/max, high N`. */
function fullestQueue({ queues = [] }: ActorListing): string | null {
  const [fullest] = [...queues].sort((a, b) => b.high / b.max - a.high / a.max)
  return fullest === undefined || fullest.high === 0
    ? null
    : `${fullest.name} ${fullest.size}/${fullest.max}, high ${fullest.high}`
}

/** Ends with the broker or after `count`; an interrupt ends it with 130. */
export async function traceActors(terminal: Terminal, window: string, flags: TraceFlags): Promise<void> {
  using interrupts = onInterrupt()
  const enough = new AbortController()
  let left = flags.count ?? Number.POSITIVE_INFINITY
  const print = (event: TraceEvent) => {
    if (left-- <= 0) return
    terminal.print(flags.json ? JSON.stringify(event) : sentence(event))
    if (left === 0) enough.abort()
  }
  await watchThrough(
    window,
    filterOf(flags),
    {
      event: print,
      dropped: count => terminal.note(`${count} transitions were lost: they came faster than they were read`),
      watching: () => terminal.note(`watching ${window}`),
    },
    AbortSignal.any([interrupts.signal, enough.signal]),
  )
  if (interrupts.signal.aborted) throw new CommandError('', exitCodes.interrupted)
}

function filterOf({ machine, kind, name }: TraceFlags): TraceFilter {
  return {
    ...(machine === undefined ? {} : { machines: machine }),
    ...(kind === undefined ? {} : { kinds: kind }),
    ...(name === undefined ? {} : { names: name }),
  }
}

function sentence({ t, actor, machine, subject, from, to, event, effects }: TraceEvent): string {
  const done = effects.length === 0 ? '' : `  [${effects.join(', ')}]`
  return `${t.toFixed(1).padStart(10)}  ${machine} ${subject ?? actor}: ${from} --${event}--> ${to}${done}`
}
