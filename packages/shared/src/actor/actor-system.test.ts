import { createActorSystem } from './actor-system.ts'
import { echoModule } from './echo.suite.actor.ts'
import { echo } from './echo.suite.contract.ts'
import { hostSuite, type SuiteOptions } from './host.suite.ts'

const threads =
  (count: number): SuiteOptions['make'] =>
  limits => {
    const system = createActorSystem({ threads: count, limits, seed: 1 })
    return {
      spawn: (input, options) => system.spawn(echoModule, input, options),
      link: address => system.link(echo, address),
      actors: () => system.actors(),
      killLane: lane => system.killLane(lane),
      run: work => work(),
      close: () => system.close(),
    }
  }

hostSuite('the thread host, three threads', { lanes: 3, movesBuffers: true, make: threads(3) })
hostSuite('the thread host, everything in the embedding thread', { lanes: 1, movesBuffers: false, make: threads(0) })
