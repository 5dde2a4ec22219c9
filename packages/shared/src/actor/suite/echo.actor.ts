// The actor that the host suite talks to: shows from inside what links, turns and deaths look like.
import { PortError } from '../../base/errors.ts'
import { type ActorContext, actorModule, defineActor, type Handlers } from '../actor.ts'
import { type EchoContract, type EchoInput, echo } from './echo.contract.ts'

export const echoModule = actorModule<EchoContract, EchoInput>(echo, new URL('./echo.actor.ts', import.meta.url))

export const actor = defineActor<EchoContract, EchoInput>({
  kind: 'echo',
  contract: echo,
  start(context, input) {
    failSomeStarts(context, input)
    return handlersOf(context)
  },
})

function failSomeStarts({ self }: ActorContext, { failingStarts = 0, failingRestarts = 0 }: EchoInput): void {
  const isRestart = self.incarnation > 1
  const fails = isRestart ? self.incarnation - 1 <= failingRestarts : self.incarnation <= failingStarts
  if (fails) throw new Error('not yet')
}

function handlersOf(context: ActorContext): Handlers<EchoContract> {
  const notes: number[] = []
  const parked: (() => void)[] = []
  /** How many notes had arrived when each deferred work ran. */
  const turns: number[] = []
  const peers = { open: 0, gone: 0 }
  let deferred = false
  let spoiled = false
  const ghost = context.resources.get('ghost', () => ({ runs: 0, refused: 0 }))
  return {
    ask: {
      echo: ({ n }) => {
        if (spoiled) return { n: (() => {}) as never, lane: 0, incarnation: 0 }
        return { n, lane: context.self.lane, incarnation: context.self.incarnation }
      },
      late: ({ ms }) => new Promise(resolve => void context.clock.after(ms, () => resolve({ n: ms }))),
      park: () => new Promise(resolve => void parked.push(() => resolve({}))),
      bytes: ({ bytes }) => ({ bytes, bufferBytes: bytes.buffer.byteLength }),
      refuse: ({ code, detail }) => {
        throw new PortError({ code, message: 'refused as asked', detail })
      },
      fail: ({ message }) => {
        throw new Error(message)
      },
      told: () => ({ notes: [...notes], turns: [...turns] }),
      spawn: async ({ name, lane }) => ({ address: (await context.spawn(echoModule, {}, { name, lane })).address }),
      through: async ({ address, n }) => ({ n: (await context.link(echo, address).ask('echo', { n })).n }),
      haunted: () => ({ ...ghost }),
      peers: () => ({ ...peers }),
    },
    tell: {
      note: n => {
        notes.push(n)
        if (deferred) return
        deferred = true
        context.defer(() => {
          deferred = false
          turns.push(notes.length)
        })
      },
      parcel: () => {},
      release: () => {
        for (const answer of parked.splice(0)) answer()
      },
      crash,
      block,
      log: message => context.log.info({ size: message.length }, message),
      spoil: () => {
        spoiled = true
      },
      haunt: () => haunt(context, ghost),
      report: (count, peer) => {
        for (let n = 0; n < count; n++) peer.news('progress', n)
      },
      proclaim: (count, peer) => {
        for (let n = 0; n < count; n++) peer.news('law', n)
      },
      die: message => {
        throw new Error(message)
      },
    },
    opened: () => void peers.open++,
    closed: () => {
      peers.open--
      peers.gone++
    },
    close() {},
    describe: () => ({ state: 'Echoing', detail: { notes: notes.length } }),
  }
}

function crash(message: string): void {
  queueMicrotask(() => {
    throw new Error(message)
  })
}

function block(word: Int32Array): void {
  Atomics.store(word, 0, 1)
  Atomics.notify(word, 0)
  Atomics.wait(word, 0, 1)
}

/** What an async function that is still waiting when its actor dies may do afterwards: try to write. */
function haunt({ gate, signal }: ActorContext, ghost: { runs: number; refused: number }): void {
  const write = () => {
    try {
      gate.run(() => ghost.runs++)
    } catch {
      ghost.refused++
    }
  }
  signal.addEventListener('abort', () => void Promise.resolve().then(write))
}
