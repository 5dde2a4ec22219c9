// Words of the actor that the host suite talks to.
import { ask, defineContract, tell } from '../contract.ts'

export interface Parcel {
  readonly label: string
  readonly bytes: Uint8Array
}

export const echo = defineContract({
  kind: 'echo',
  asks: {
    /** Answers what it got. */
    echo: ask<{ readonly n: number }, { readonly n: number; readonly lane: number; readonly incarnation: number }>(),
    /** Answers after the given milliseconds of the actor's clock. */
    late: ask<{ readonly ms: number }, { readonly n: number }>(),
    /** Answers when it is told to `release`. */
    park: ask<Record<string, never>, Record<string, never>>(),
    /** Answers the same bytes, and how large the buffer below them was when they arrived. */
    bytes: ask<Parcel, { readonly bytes: Uint8Array; readonly bufferBytes: number }>({
      requestBuffers: parcel => [parcel.bytes],
      responseBuffers: response => [response.bytes],
    }),
    /** Answers the error that it is told to. */
    refuse: ask<{ readonly code: string; readonly detail: unknown }, Record<string, never>>(),
    /** Throws what is not a PortError. */
    fail: ask<{ readonly message: string }, Record<string, never>>(),
    /** Answers what was told so far, in order. */
    told: ask<Record<string, never>, { readonly notes: readonly number[]; readonly turns: readonly number[] }>(),
    /** Spawns another echo and answers its address. */
    spawn: ask<{ readonly name: string; readonly lane: 'own' | 'self' | number }, { readonly address: any }>(),
    /** Passes the question on to the actor with that address. */
    through: ask<{ readonly address: any; readonly n: number }, { readonly n: number }>(),
    /** How often such a write ran or was refused. */
    haunted: ask<Record<string, never>, { readonly runs: number; readonly refused: number }>(),
    /** How many peers hold a link. */
    peers: ask<Record<string, never>, { readonly open: number; readonly gone: number }>(),
  },
  tells: {
    note: tell<number>(),
    parcel: tell<Parcel>({ buffers: parcel => [parcel.bytes] }),
    /** Tells the peer so many news. */
    report: tell<number>(),
    /** The same with news that nobody may miss. */
    proclaim: tell<number>(),
    /** Answers all that is parked. */
    release: tell<Record<string, never>>(),
    /** Throws. */
    die: tell<string>(),
    /** Throws outside of any handler, which ends a thread. */
    crash: tell<string>(),
    /** Writes 1 into the shared word, then blocks its thread while it holds 1. */
    block: tell<Int32Array>(),
    /** Logs a line. */
    log: tell<string>(),
    /** From now on `echo` replies what cannot cross a port. */
    spoil: tell<Record<string, never>>(),
    /** Tries to write (in the gate) after its own death. */
    haunt: tell<Record<string, never>>(),
  },
  news: {
    progress: tell<number>(),
    law: tell<number>({ isVital: true }),
  },
})
export type EchoContract = typeof echo

export interface EchoInput {
  /** The first so many starts fail. */
  readonly failingStarts?: number
  /** So many starts after the first fail. */
  readonly failingRestarts?: number
}
