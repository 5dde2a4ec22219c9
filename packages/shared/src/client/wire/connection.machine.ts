// When a connection to one broker may carry requests. Hands: connection.ts. States as Kafka's ConnectionState where it has one.
//
//   Disconnected --wanted--> Connecting --opened--> CheckingApiVersions --negotiated--> [Authenticating --authenticated-->] Ready <--> Throttled
//        ^    ^                 |                      |                                    |                                |
//        |    |            socket.lost               |                                    |                                |
//        |    +--backoff.over-- BackingOff <-----------+------------------------------------+--------------------------------+
//        |                                             |  refused (bad credentials, bad certificate, no common version)
//        +-----backoff.over-- AuthenticationFailed <---+
//
// Disconnected: no socket; a request makes it wanted. Connecting: the socket (and TLS) is being opened, within the setup timeout.
// CheckingApiVersions: only ApiVersions may be sent. Authenticating: only SASL; also when a session runs out (KIP-368), with requests in flight.
// Ready: requests flow. Throttled: the broker asked for silence (KIP-219); replies come, requests wait.
// BackingOff: no socket, and none is opened before `backoff.over`; what waited for the failed attempt has failed, what is asked meanwhile waits for the next.
// AuthenticationFailed: the broker was reached and refused us, or we it; every request fails with the reason until `backoff.over`. Closed: nobody wants it any more.

import { setup } from 'xstate'
import { effect } from '../../actor/machine-runner.ts'

export type ConnectionEvent =
  | { readonly type: 'wanted' }
  | { readonly type: 'socket.opened' }
  | { readonly type: 'versions.negotiated'; readonly authenticate: boolean }
  | { readonly type: 'authenticated' }
  | { readonly type: 'session.ending' }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'socket.lost'; readonly reason: string }
  | { readonly type: 'throttled' }
  | { readonly type: 'throttle.over' }
  | { readonly type: 'idle' }
  | { readonly type: 'backoff.over' }
  | { readonly type: 'close' }

const vocabulary = setup({
  types: { events: {} as ConnectionEvent },
  actions: {
    openSocket: effect(),
    /** Starts the clock of `socket.connection.setup.timeout.ms`; its end is `socket.lost`. */
    armSetup: effect(),
    cancelSetup: effect(),
    askVersions: effect(),
    authenticate: effect(),
    /** Sends what waited. */
    release: effect(),
    /** Fails what is in flight: it may or may not have been carried out. */
    failInFlight: effect<{ reason: string }>(),
    /** Fails what waited for this attempt: it was never sent. */
    failWaiting: effect<{ reason: string }>(),
    /** Fails both with what we were refused with. */
    failRefused: effect<{ reason: string }>(),
    /** Fails both, for the link was closed. */
    failClosed: effect(),
    armThrottle: effect(),
    cancelThrottle: effect(),
    armBackoff: effect(),
    cancelBackoff: effect(),
    closeSocket: effect(),
    refuse: effect(),
  },
  guards: { mustAuthenticate: ({ event }) => event.type === 'versions.negotiated' && event.authenticate },
})

const reason = ({ event }: { event: ConnectionEvent }) => ({
  reason: 'reason' in event ? event.reason : 'no reason was given',
})
const failInFlight = { type: 'failInFlight', params: reason } as const
const failWaiting = { type: 'failWaiting', params: reason } as const
const lost = { target: 'BackingOff', actions: [failInFlight, failWaiting] } as const
const refused = { target: 'AuthenticationFailed', actions: { type: 'failRefused', params: reason } } as const
const close = 'Closed'

export const connectionMachine = vocabulary.createMachine({
  id: 'wire-connection',
  initial: 'Disconnected',
  on: { '*': { actions: 'refuse' } },
  states: {
    Disconnected: { on: { wanted: 'Connecting', 'socket.lost': {}, close } },
    Connecting: {
      entry: ['openSocket', 'armSetup'],
      exit: 'cancelSetup',
      on: {
        wanted: {},
        'socket.opened': 'CheckingApiVersions',
        'socket.lost': lost,
        refused,
        close,
      },
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
      on: { wanted: {}, authenticated: 'Ready', throttled: {}, 'socket.lost': lost, refused, close },
    },
    Ready: {
      entry: 'release',
      on: {
        wanted: {},
        throttled: 'Throttled',
        'session.ending': 'Authenticating',
        idle: { target: 'Disconnected', actions: 'closeSocket' },
        'socket.lost': lost,
        close,
      },
    },
    Throttled: {
      entry: 'armThrottle',
      exit: 'cancelThrottle',
      on: {
        wanted: {},
        // A later reply may ask for a longer silence.
        throttled: { target: 'Throttled', reenter: true },
        'throttle.over': 'Ready',
        'session.ending': 'Authenticating',
        idle: {},
        'socket.lost': lost,
        close,
      },
    },
    BackingOff: {
      entry: ['closeSocket', 'armBackoff'],
      exit: 'cancelBackoff',
      on: { wanted: {}, 'backoff.over': 'Disconnected', 'socket.lost': {}, close },
    },
    AuthenticationFailed: {
      entry: ['closeSocket', 'armBackoff'],
      exit: 'cancelBackoff',
      on: { wanted: {}, 'backoff.over': 'Disconnected', 'socket.lost': {}, close },
    },
    Closed: { entry: ['closeSocket', 'failClosed'], on: { '*': {} } },
  },
})
