// When a connection to one broker may carry requests. Hands: connection.ts. States as Kafka's ConnectionState where it has one.
//
//   Disconnected --wanted--> Connecting --opened--> CheckingApiVersions --negotiated--> [Authenticating --authenticated-->] Ready
//        ^                      |                      |                                    |                        |
//        +------ lost, after the backoff: BackingOff <-+------------------------------------+------------------------+
//                                                      refused (bad credentials, no common version): AuthenticationFailed, for good
//
// Disconnected: no socket; a request makes it wanted. BackingOff: no socket, and none is opened before `backoff.over`; requests wait.
// Connecting: the socket (and TLS) is being opened. CheckingApiVersions: only ApiVersions may be sent. Authenticating: only SASL.
// Ready: requests flow. AuthenticationFailed: every request fails with the reason; Closed: nobody wants it any more.

import { setup } from 'xstate'
import { effect } from '../../actor/machine-runner.ts'

export type ConnectionEvent =
  | { readonly type: 'wanted' }
  | { readonly type: 'socket.opened' }
  | { readonly type: 'versions.negotiated'; readonly authenticate: boolean }
  | { readonly type: 'authenticated' }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'socket.lost'; readonly reason: string }
  | { readonly type: 'backoff.over' }
  | { readonly type: 'close' }

const vocabulary = setup({
  types: { events: {} as ConnectionEvent },
  actions: {
    openSocket: effect(),
    askVersions: effect(),
    authenticate: effect(),
    /** Sends what waited. */
    release: effect(),
    /** Fails what is in flight; what waits goes on waiting. */
    failInFlight: effect<{ reason: string }>(),
    /** Fails everything, now and from now on. */
    failAll: effect<{ reason: string }>(),
    armBackoff: effect(),
    closeSocket: effect(),
    refuse: effect(),
  },
  guards: { mustAuthenticate: ({ event }) => event.type === 'versions.negotiated' && event.authenticate },
})

const reason = ({ event }: { event: ConnectionEvent }) => ({
  reason: 'reason' in event ? event.reason : 'the connection was closed',
})
const lost = { target: 'BackingOff', actions: { type: 'failInFlight', params: reason } } as const
const refused = { target: 'AuthenticationFailed', actions: { type: 'failAll', params: reason } } as const
const close = { target: 'Closed' } as const

export const connectionMachine = vocabulary.createMachine({
  id: 'wire-connection',
  initial: 'Disconnected',
  on: { '*': { actions: 'refuse' } },
  states: {
    Disconnected: { on: { wanted: 'Connecting', 'socket.lost': {}, close } },
    Connecting: {
      entry: 'openSocket',
      on: { wanted: {}, 'socket.opened': 'CheckingApiVersions', 'socket.lost': lost, close },
    },
    CheckingApiVersions: {
      entry: 'askVersions',
      on: {
        wanted: {},
        'versions.negotiated': [{ guard: 'mustAuthenticate', target: 'Authenticating' }, { target: 'Ready' }],
        'socket.lost': lost,
        refused,
        close,
      },
    },
    Authenticating: {
      entry: 'authenticate',
      on: { wanted: {}, authenticated: 'Ready', 'socket.lost': lost, refused, close },
    },
    Ready: { entry: 'release', on: { wanted: {}, 'socket.lost': lost, close } },
    BackingOff: {
      entry: ['closeSocket', 'armBackoff'],
      on: { wanted: {}, 'backoff.over': 'Disconnected', 'socket.lost': {}, close },
    },
    AuthenticationFailed: { entry: 'closeSocket', on: { wanted: {}, 'socket.lost': {}, close } },
    Closed: { entry: ['closeSocket', { type: 'failAll', params: { reason: 'the link was closed' } }], on: { '*': {} } },
  },
})
