// When a connection may read, and when it ends. Hands: connection.ts. Control events only: requests and replies pass while it is tagged `reading`.
//
//   Serving.Reading <--drained / full--> Serving.Paused
//      |                                     |
//      +------- ended, refused, idle, close -+----> Draining --flushed--> Closed
//                                                      |
//      socket.lost (from anywhere) --------------------+----------------> Closed
//
// Reading: bytes are taken from the socket. Paused: too much is in flight or unsent (a client that does not read, or sends faster than leaders take):
// nothing more is taken, so the client's own window fills. Draining: no new request is taken; replies that are owed leave, in order. Closed: nothing is left.
import { effect } from '@odradek/shared/actor/machine-runner'
import { setup } from 'xstate'

export type ConnectionEvent =
  /** In flight and unsent bytes or requests are over their bounds. */
  | { readonly type: 'window.full' }
  | { readonly type: 'window.open' }
  /** The peer sent its last byte. */
  | { readonly type: 'peer.ended' }
  /** The connection is ended from this side: malformed bytes, idle, the listener closes. */
  | { readonly type: 'end.asked'; readonly reason: string }
  /** Every reply that was owed has left. */
  | { readonly type: 'replies.left' }
  | { readonly type: 'socket.lost' }

const ending = {
  'peer.ended': { target: '#listener-connection.Draining' },
  'end.asked': {
    target: '#listener-connection.Draining',
    actions: { type: 'noteReason', params: ({ event }: { event: { reason: string } }) => ({ reason: event.reason }) },
  },
  'socket.lost': { target: '#listener-connection.Closed' },
} as const

export const connectionMachine = setup({
  types: { events: {} as ConnectionEvent, tags: {} as 'serving' },
  actions: {
    pause: effect(),
    resume: effect(),
    noteReason: effect<{ reason: string }>(),
    drain: effect(),
    release: effect(),
    refuse: effect(),
  },
}).createMachine({
  id: 'listener-connection',
  initial: 'Serving',
  on: { '*': { actions: 'refuse' } },
  states: {
    Serving: {
      tags: 'serving',
      initial: 'Reading',
      on: ending,
      states: {
        Reading: { on: { 'window.full': 'Paused', 'window.open': {} } },
        Paused: { entry: 'pause', exit: 'resume', on: { 'window.open': 'Reading', 'window.full': {} } },
      },
    },
    Draining: {
      entry: ['pause', 'drain'],
      on: {
        'replies.left': 'Closed',
        'socket.lost': 'Closed',
        'peer.ended': {},
        'end.asked': {},
        'window.full': {},
        'window.open': {},
      },
    },
    Closed: { entry: 'release', type: 'final' },
  },
})
