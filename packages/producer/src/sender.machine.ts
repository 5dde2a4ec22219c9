// When a sender may send: as soon as it knows who it is, until it failed or was closed. Run by sender.actor.
//
//   Starting --> Identifying ---- producerId.assigned ----> Sending --- sender.close ---> Closed
//      |          |  ^  '-- producerId.refused: again          |
//      |          |  '------------- epoch.exhausted -----------|
//      |          '---- producer.failed ---> Failed <----------'
//      '--(no producer id needed, or the transaction's)--> Sending
//
// Identifying: an InitProducerId request is under way, or the wait before the next; batches are taken, and wait.
// Sending: batches go out as the rules of their lines allow.
// Failed: no request of this producer can succeed any more; every batch, old and new, is answered with the fatal error.
// Closed: the actor is ending; every batch is answered with an error.
import { effect } from '@odradek/shared/actor/machine-runner'
import type { ErrorData } from '@odradek/shared/base/errors'
import { setup } from 'xstate'
import type { ProducerIdentity } from './sequences.rules.ts'

export type SenderEvent =
  | { readonly type: 'producerId.assigned'; readonly identity: ProducerIdentity }
  /** Retriable; what is not comes as `producer.failed`. */
  | { readonly type: 'producerId.refused' }
  | { readonly type: 'retry.due' }
  /** The epoch cannot be bumped any more: a new producer id is needed. */
  | { readonly type: 'epoch.exhausted' }
  | { readonly type: 'producer.failed'; readonly error: ErrorData }
  | { readonly type: 'sender.close' }

export interface SenderMachineContext {
  readonly needsProducerId: boolean
  /** Requests for a producer id that were refused in a row. */
  readonly refusals: number
}

const vocabulary = setup({
  types: {} as {
    context: SenderMachineContext
    events: SenderEvent
    input: { readonly needsProducerId: boolean }
  },
  guards: {
    needsProducerId: ({ context }) => context.needsProducerId,
  },
  actions: {
    /** Ask for a producer id; answer `producerId.assigned`, `producerId.refused` or `producer.failed`. */
    requestProducerId: effect(),
    useIdentity: effect<{ identity: ProducerIdentity }>(),
    /** Fire `retry.due` after the backoff that follows so many refusals. */
    armRetry: effect<{ refusals: number }>(),
    drain: effect(),
    /** Answer every batch, those that wait and those that will come, with the error. */
    failAll: effect<{ error: ErrorData }>(),
    refuse: effect(),
  },
})

const countRefusal = vocabulary.assign({ refusals: ({ context }) => context.refusals + 1 })
const forgetRefusals = vocabulary.assign({ refusals: 0 })

const CLOSED: ErrorData = {
  code: 'ODK_PRODUCER_CLOSED',
  message: 'the producer was closed before the record was delivered',
}

export const senderMachine = vocabulary.createMachine({
  id: 'sender',
  initial: 'Starting',
  context: ({ input }) => ({ needsProducerId: input.needsProducerId, refusals: 0 }),
  on: {
    'sender.close': '.Closed',
    'producer.failed': '.Failed',
    '*': { actions: 'refuse' },
  },
  states: {
    Starting: {
      always: [{ guard: 'needsProducerId', target: 'Identifying' }, { target: 'Sending' }],
    },
    Identifying: {
      entry: 'requestProducerId',
      on: {
        'producerId.assigned': {
          target: 'Sending',
          actions: [forgetRefusals, { type: 'useIdentity', params: ({ event }) => ({ identity: event.identity }) }],
        },
        'producerId.refused': {
          actions: [countRefusal, { type: 'armRetry', params: ({ context }) => ({ refusals: context.refusals }) }],
        },
        'retry.due': { actions: 'requestProducerId' },
        // Several lines may find the epoch used up in one turn.
        'epoch.exhausted': {},
      },
    },
    Sending: {
      entry: 'drain',
      on: { 'epoch.exhausted': 'Identifying' },
    },
    Failed: {
      entry: {
        type: 'failAll',
        params: ({ event }) => ({ error: event.type === 'producer.failed' ? event.error : CLOSED }),
      },
      on: { 'producer.failed': {}, 'producerId.*': {}, 'retry.due': {}, 'epoch.exhausted': {} },
    },
    Closed: {
      entry: { type: 'failAll', params: { error: CLOSED } },
      on: {
        'sender.close': {},
        'producer.failed': {},
        'producerId.*': {},
        'retry.due': {},
        'epoch.exhausted': {},
      },
    },
  },
})
