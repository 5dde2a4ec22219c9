// The worker entry of the `odradek` package: like the plain one, with the house's actors at hand. main.ts of this folder packs it and all that it
// imports into a few files, because a thread pays about a millisecond for each module that it loads.
import { loadLmdb, requireLmdbBy } from '@odradek/broker/log/lmdb-library'
import { type PackedActors, runThread } from '@odradek/shared/actor/thread-main'

const actors: PackedActors = {
  'broker.actor.js': () => import('@odradek/broker/broker.actor'),
  'listener.actor.js': () => import('@odradek/broker/wire/listener.actor'),
  'partition-leader.actor.js': () => import('@odradek/broker/partition/partition-leader.actor'),
  'cluster.actor.js': () => import('@odradek/coordinator/cluster/cluster.actor'),
  'group-coordinator.actor.js': () => import('@odradek/coordinator/group/group-coordinator.actor'),
  'transaction-coordinator.actor.js': () => import('@odradek/coordinator/transaction/transaction-coordinator.actor'),
  'sender.actor.js': () => import('@odradek/producer/sender.actor'),
  'consumer.actor.js': () => import('@odradek/consumer/consumer.actor'),
}

// The pack's own `require` (code-cache): it knows what was packed of the library.
requireLmdbBy(() => require('lmdb'))
runThread(actors, { lmdb: async () => loadLmdb() })
