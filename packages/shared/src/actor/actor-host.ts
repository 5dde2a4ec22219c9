// What every host offers to the code around the actors (a broker's facade, clients, tests): the thread host, a thread that joined
// one, and the simulated world.
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { ActorModule, Address, Link, Spawned, SpawnOptions } from './actor.ts'
import type { Contract } from './contract.ts'

export interface ActorHost {
  readonly clock: Clock
  readonly random: Random
  /** Starts an actor for the application; resolves when it is ready, rejects with a PortError when it could not start. */
  spawn<C extends Contract, Input>(
    module: ActorModule<C, Input>,
    input: Input,
    options: SpawnOptions,
  ): Promise<Spawned<C>>
  /** A link from the application. See {@link Link}. */
  link<C extends Contract>(contract: C, address: Address<C>): Link<C>
}
