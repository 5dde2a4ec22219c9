// The way from one lane to another, as the links see it: arrays of entries go in at one end and come out, in order, at the other.
// Three kinds exist: a MessagePort (thread to thread), a loop (same lane), and the simulated host's (virtual clock, faults).
import type { Entries } from './entries.ts'

/** What a channel's end reports to. */
export interface ChannelListener {
  received(entries: Entries): void
  /** The other side is gone: nothing will arrive any more. Called at most once, not after an own `close`. */
  ended(reason: string): void
}

/** One end of a channel. */
export interface Channel {
  /** Called once, before anything can arrive. */
  attach(listener: ChannelListener): void
  /** Sends one array. `transfer` lists the buffers given away; the entries and the buffers belong to the channel from now on. */
  post(entries: Entries, transfer: ArrayBuffer[]): void
  close(): void
}
