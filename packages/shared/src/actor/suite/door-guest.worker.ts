// A thread of an application that joined a system by a door, for actor-system.test: spawns an actor, asks it, then leaves when told.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { joinSystem } from '../join-system.ts'
import { echoModule } from './echo.actor.ts'
import { echo } from './echo.contract.ts'

const { door, address }: { door: MessagePort; address: any } = workerData
const system = joinSystem(door)
const spawned = await system.spawn(echoModule, {}, { name: 'of-the-guest' })
spawned.onChange(changed => parentPort!.postMessage({ changed }))
const [own, other] = [system.link(echo, spawned.address), system.link(echo, address)]
parentPort!.postMessage({ own: await own.ask('echo', { n: 1 }), other: await other.ask('echo', { n: 2 }) })
parentPort!.once('message', () => {
  system.close()
  parentPort!.close()
})
