// Transactional producers in a simulation: the public Producer, one after another under one transactional id. Each transaction writes to
// several partitions and perhaps commits an offset; then it is committed, aborted, left open for longer than its timeout, or its producer dies.
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import type { Producer } from '@odradek/producer/producer'
import type { Transaction } from '@odradek/producer/transactions'
import { KafkaError } from '@odradek/shared/base/errors'
import { pick, type TransactorPlan } from './client-plans.rules.ts'
import type { CrewMember, Surroundings } from './crew-member.ts'
import type { TransactionRun } from './history.ts'
import type { MortalDoor } from './process-life.ts'
import { textTopic } from './producing.ts'
import { offsetGroupOf, Transactor } from './transactor.ts'

export class SimulatedTransactor extends Transactor {
  #door: MortalDoor | null = null
  #producer: Producer | null = null

  async close(): Promise<void> {
    await this.#producer?.close()
  }

  // --- one transaction --------------------------------------------------------------------------------------------------------------

  protected async transact(): Promise<TransactionRun['outcome']> {
    let run: TransactionRun | null = null
    try {
      const producer = this.#producer ?? this.#begin()
      const transaction = await producer.begin()
      run = this.beganTransaction()
      await this.#fill(transaction, run)
      await this.#end(transaction, run)
    } catch (thrown) {
      if (!(thrown instanceof KafkaError)) throw thrown
      await this.#replace()
    }
    return run?.outcome ?? 'aborted'
  }

  async #fill(transaction: Transaction, run: TransactionRun): Promise<void> {
    const { random } = this.around
    const count = 1 + random.int(this.plan.recordsMax)
    for (let n = 0; n < count; n++) {
      const { name } = pick(random, this.topics)
      void this.#send(transaction, run, name)
      if (!this.isCalm && random.int(4) === 0) await this.rest()
    }
    if (random.int(3) > 0) return
    run.offset = this.nextOffset()
    const offsets = [{ ...this.place, offset: run.offset }]
    await transaction.sendOffsets({ groupId: this.groupId, offsets }).catch(ignoreKafkaErrors)
  }

  async #send(transaction: Transaction, run: TransactionRun, topic: string): Promise<void> {
    const { history } = this.around
    const send = this.sending(run, topic)
    const { key, value } = send
    try {
      history.acknowledged(send, await transaction.send(textTopic(topic), { key, value }))
    } catch (thrown) {
      if (!(thrown instanceof KafkaError)) throw thrown
      history.failed(send, 'unknown')
    }
  }

  async #end(transaction: Transaction, run: TransactionRun): Promise<void> {
    const { random, life } = this.around
    const dice = this.isCalm ? 9 : random.int(10)
    if (dice === 0) return this.#die()
    // Its timeout races its end.
    if (dice === 1) await life.pass(this.plan.timeoutMs + random.int(1_500))
    if (dice === 2 || dice === 3) {
      await transaction.abort()
      return
    }
    await this.#commit(transaction, run)
  }

  async #commit(transaction: Transaction, run: TransactionRun): Promise<void> {
    const { history, random, life } = this.around
    history.askedForCommit(run)
    // Its process may die while the commit is on its way.
    if (!this.isCalm && random.int(10) === 0) {
      void transaction.commit().catch(() => undefined)
      await life.pass(random.int(4))
      return this.#die()
    }
    try {
      await transaction.commit()
      history.ended(run, 'committed')
    } catch (thrown) {
      if (!(thrown instanceof KafkaError) || thrown.code !== 'ODK_TRANSACTION_ABORTABLE') throw thrown
      await transaction.abort()
      history.ended(run, 'aborted')
    }
  }

  // --- one producer after another ---------------------------------------------------------------------------------------------------

  #begin(): Producer {
    const { life, random } = this.around
    this.#door = life.door()
    this.#producer = createProducer({
      bootstrapServers: this.#door.broker,
      clientId: this.name,
      transactionalId: this.plan.transactionalId,
      transactionTimeoutMs: this.plan.timeoutMs,
      lingerMs: pick(random, [0, 5]),
      deliveryTimeoutMs: 3_000,
      requestTimeoutMs: 1_000,
      maxBlockMs: 10_000,
    })
    return this.#producer
  }

  async #replace(): Promise<void> {
    const producer = this.#producer
    this.#producer = null
    await producer?.close({ timeoutMs: 0 })
    await this.rest()
  }

  async #die(): Promise<void> {
    const door = this.#door
    this.#producer = null
    await door?.abandon()
  }
}

function ignoreKafkaErrors(thrown: unknown): void {
  if (!(thrown instanceof KafkaError)) throw thrown
}

/** Looks now and then at the offsets that transactions carry. */
export class OffsetWatcher implements CrewMember {
  readonly name: string
  readonly #around: Surroundings
  #working: Promise<unknown> = Promise.resolve()

  constructor(name: string, around: Surroundings) {
    this.name = name
    this.#around = around
  }

  async work(until: number): Promise<void> {
    const { life, random } = this.#around
    const watch = async () => {
      while (life.now < until) {
        await life.pass(20 + random.int(200))
        await this.#look(pick(random, this.#around.plan.transactors)).catch(ignoreKafkaErrors)
      }
    }
    this.#working = watch()
    await this.#working
  }

  async settle(): Promise<void> {
    await this.#working
  }

  /** The last look, when everything is decided. */
  async behind(): Promise<string | null> {
    for (const transactor of this.#around.plan.transactors) {
      try {
        await this.#look(transactor)
      } catch (thrown) {
        ignoreKafkaErrors(thrown)
        return `the offset of ${transactor.name}: ${thrown}`
      }
    }
    return null
  }

  async close(): Promise<void> {}

  async #look(transactor: TransactorPlan): Promise<void> {
    const { life, history, plan } = this.#around
    const topic = plan.topics.find(({ use }) => use === 'transactions')!.name
    const consumer = createConsumer({
      bootstrapServers: life.broker,
      groupId: offsetGroupOf(transactor),
      clientId: this.name,
      defaultApiTimeoutMs: 5_000,
    })
    try {
      const askedAt = life.now
      const [offset] = await consumer.committed([{ topic, partition: 0 }])
      history.sawOffset({ producer: transactor.name, offset: Number(offset ?? -1), askedAt })
    } finally {
      await consumer.close()
    }
  }
}
