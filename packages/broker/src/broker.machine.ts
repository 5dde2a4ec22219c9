// When a broker is what. Hands: broker.actor. The states are Kafka's BrokerState as far as one embedded node has them.
//
//   Starting --metadata.opened--> Recovering --image.loaded--> Running --close.asked--> PendingControlledShutdown --closed--> NotRunning
//
// Starting: the directory is ours (locked), nothing is open yet; requests wait.
// Recovering: the log of `__cluster_metadata` is open and being replayed; requests wait.
// Running: the image is known; leaders and coordinators start when they are first needed.
// PendingControlledShutdown: nothing new starts; coordinators close before the leaders that they write to.
// NotRunning: nothing of it is left. A broker whose metadata cannot be opened never starts: its supervisor says why.
import { effect } from '@odradek/shared/actor/machine-runner'
import { setup } from 'xstate'

export type BrokerEvent =
  | { readonly type: 'metadata.opened' }
  | { readonly type: 'image.loaded' }
  | { readonly type: 'close.asked' }
  | { readonly type: 'closed' }

export const brokerMachine = setup({
  types: { events: {} as BrokerEvent },
  actions: { closeEverything: effect(), refuse: effect() },
}).createMachine({
  id: 'broker',
  initial: 'Starting',
  on: { '*': { actions: 'refuse' } },
  states: {
    Starting: { on: { 'metadata.opened': 'Recovering', 'close.asked': 'PendingControlledShutdown' } },
    Recovering: { on: { 'image.loaded': 'Running', 'close.asked': 'PendingControlledShutdown' } },
    Running: { on: { 'close.asked': 'PendingControlledShutdown' } },
    PendingControlledShutdown: { entry: 'closeEverything', on: { closed: 'NotRunning' } },
    NotRunning: { type: 'final' },
  },
})
