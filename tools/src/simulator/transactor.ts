// What every transactional client of a simulation does, whichever protocol it speaks: one transaction after another until the life is over, and
// one more that is committed once nothing goes wrong any more. Numbers go on over all lives.
import type { TransactorPlan } from './client-plans.rules.ts'
import type { CrewMember, Surroundings } from './crew-member.ts'
import type { Send, TransactionRun } from './history.ts'
import type { TopicPlan } from './plan.rules.ts'

export abstract class Transactor implements CrewMember {
  readonly name: string
  protected readonly around: Surroundings
  protected readonly plan: TransactorPlan
  protected readonly topics: readonly TopicPlan[]
  /** Nothing goes wrong any more. */
  protected isCalm = false
  /** Offsets of its group count its transactions, over all lives. */
  readonly #numbers: Map<string, number>
  #working: Promise<unknown> = Promise.resolve()
  #records = 0

  constructor(name: string, around: Surroundings, plan: TransactorPlan, numbers: Map<string, number>) {
    this.name = name
    this.around = around
    this.plan = plan
    this.#numbers = numbers
    this.topics = around.plan.topics.filter(({ use }) => use === 'transactions')
  }

  /** From its beginning to its end. Never rejects for what a client must expect. */
  protected abstract transact(): Promise<TransactionRun['outcome']>
  abstract close(): Promise<void>

  async work(until: number): Promise<void> {
    const { life } = this.around
    const live = async () => {
      while (life.now < until && !this.isCalm) {
        await this.transact()
        await this.rest()
      }
    }
    this.#working = live()
    await this.#working
  }

  /** Ends what is open, and shows that a transaction can be committed now. Twins may fence each other meanwhile: then once more. */
  async settle(): Promise<void> {
    this.isCalm = true
    await this.#working
    const { life, random } = this.around
    while ((await this.transact()) !== 'committed') await life.pass(50 + random.int(500))
  }

  async behind(): Promise<null> {
    return null
  }

  protected rest(): Promise<void> {
    const { life, random } = this.around
    return life.pass(random.int(this.plan.restMax))
  }

  protected beganTransaction(): TransactionRun {
    return this.around.history.beganTransaction(`${this.name}/${this.#next('transactions')}`, this.plan.name)
  }

  /** A record of the transaction, about to be sent. */
  protected sending(run: TransactionRun, topic: string): Send & { readonly key: string } {
    const key = `k${this.around.random.int(8)}`
    const value = `${run.id}#${this.#records++}`
    const record = { producer: this.name, idempotent: true, topic, key, value, transaction: run.id }
    return this.around.history.sending(record) as Send & { readonly key: string }
  }

  protected nextOffset(): number {
    return this.#next('offsets')
  }

  protected get groupId(): string {
    return offsetGroupOf(this.plan)
  }

  /** Whose offset its transactions carry. */
  protected get place(): { readonly topic: string; readonly partition: number } {
    return { topic: this.topics[0]!.name, partition: 0 }
  }

  #next(what: string): number {
    const key = `${this.plan.name} ${what}`
    const number = (this.#numbers.get(key) ?? 0) + 1
    this.#numbers.set(key, number)
    return number
  }
}

/** The group whose offsets a client's transactions carry. */
export function offsetGroupOf({ name }: TransactorPlan): string {
  return `carried-by-${name}`
}
