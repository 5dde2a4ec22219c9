// Transactional producers of before KIP-890 in a simulation: one epoch for many transactions, so that nothing but order, sequences and coordinator epochs
// keeps what comes late out of the next one. They take part where no request comes twice: against a delayed EndTxn their protocol has no means (KIP-890).
import { nameOf } from '@odradek/consumer/partition-names.rules'
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { pick, type TransactorPlan } from './client-plans.rules.ts'
import type { Send, TransactionRun } from './history.ts'
import { type OldClient, Refused } from './old-client.ts'
import type { Trouble } from './scenarios.rules.ts'
import { Transactor } from './transactor.ts'

/** Whether a client of that plan speaks the old protocol in a life with these troubles. */
export function speaksOld({ isOld }: TransactorPlan, troubles: readonly Trouble[]): boolean {
  return isOld && !troubles.includes('closes') && !troubles.includes('echoes')
}

export class SimulatedOldTransactor extends Transactor {
  #client: OldClient | null = null
  /** False: what became of the last transaction is not known, or it has failed. */
  #isSound = false

  async close(): Promise<void> {
    this.#client?.die()
  }

  protected async transact(): Promise<TransactionRun['outcome']> {
    let run: TransactionRun | null = null
    try {
      const client = await this.#ready()
      run = this.beganTransaction()
      this.#isSound = false
      await this.#fill(client, run)
      await this.#end(client, run)
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown
    }
    return run?.outcome ?? 'aborted'
  }

  /** Only a new epoch makes certain which sequences were taken, and that nothing of what failed comes later. */
  async #ready(): Promise<OldClient> {
    const { transactionalId, timeoutMs } = this.plan
    this.#client ??= this.around.life.oldClient({ clientId: this.name, transactionalId, timeoutMs })
    if (!this.#isSound) await this.#client.init()
    this.#isSound = true
    return this.#client
  }

  async #fill(client: OldClient, run: TransactionRun): Promise<void> {
    const { random } = this.around
    const added = new Set<string>()
    const count = 1 + random.int(this.plan.recordsMax)
    for (let n = 0; n < count; n++) {
      const topic = pick(random, this.topics)
      const place = { topic: topic.name, partition: random.int(topic.partitions) }
      const line = nameOf(place)
      if (!added.has(line)) await client.addPartition(place)
      added.add(line)
      await this.#send(client, this.sending(run, place.topic), place)
      if (!this.isCalm && random.int(4) === 0) await this.rest()
    }
    if (random.int(3) > 0) return
    run.offset = this.nextOffset()
    await client.commitOffset(this.groupId, this.place, run.offset)
  }

  async #send(client: OldClient, send: Send & { readonly key: string }, place: TopicPartition): Promise<void> {
    const { history } = this.around
    try {
      const offset = await client.produce(place, send.key, send.value)
      history.acknowledged(send, { partition: place.partition, offset })
    } catch (thrown) {
      history.failed(send, 'unknown')
      throw thrown
    }
  }

  async #end(client: OldClient, run: TransactionRun): Promise<void> {
    const { random, life, history } = this.around
    const dice = this.isCalm ? 9 : random.int(10)
    if (dice === 0) return this.#die()
    // Its timeout races its end.
    if (dice === 1) await life.pass(this.plan.timeoutMs + random.int(1_500))
    if (dice === 2 || dice === 3) {
      await client.end(false)
      this.#isSound = true
      return
    }
    history.askedForCommit(run)
    // Its process may die while the commit is on its way.
    if (!this.isCalm && random.int(10) === 0) {
      void client.end(true).catch(() => undefined)
      await life.pass(random.int(4))
      return this.#die()
    }
    await client.end(true)
    history.ended(run, 'committed')
    this.#isSound = true
  }

  #die(): void {
    this.#client?.die()
    this.#client = null
  }
}
