// The administrator of a simulation: topics come and go, grow, and change their configs while everybody works. What clients write and read is
// untouched by it; only topics of its own are deleted.
import { KafkaError } from '@odradek/shared/base/errors'
import { type Admin, createAdmin } from '@odradek/shared/client/admin'
import { pick } from './client-plans.rules.ts'
import type { CrewMember, Surroundings } from './crew-member.ts'
import type { Plan, TopicPlan } from './plan.rules.ts'

const TOPICS_MAX = 3
const PARTITIONS_MAX = 6

export class SimulatedAdmin implements CrewMember {
  readonly name: string
  readonly #around: Surroundings
  readonly #admin: Admin
  #working: Promise<unknown> = Promise.resolve()

  constructor(name: string, around: Surroundings) {
    this.name = name
    this.#around = around
    this.#admin = createAdmin({ bootstrapServers: around.life.broker, clientId: name })
  }

  async work(until: number): Promise<void> {
    const { life, random } = this.#around
    const administer = async () => {
      while (life.now < until) {
        await life.pass(50 + random.int(400))
        await this.#change().catch(thrown => {
          if (!(thrown instanceof KafkaError)) throw thrown
        })
      }
    }
    this.#working = administer()
    await this.#working
  }

  async settle(): Promise<void> {
    await this.#working
  }

  async behind(): Promise<null> {
    return null
  }

  close(): Promise<void> {
    return this.#admin.close()
  }

  async #change(): Promise<void> {
    const { random, plan } = this.#around
    const { topics, configs } = this.#admin
    const churned = `churned-${random.int(TOPICS_MAX)}`
    const grown = plan.topics.filter(topic => mayGrow(topic, plan))
    switch (random.int(5)) {
      case 0:
        await topics.create({ name: churned, partitions: 1 + random.int(3) })
        return
      case 1:
        await topics.delete(churned)
        return
      case 2: {
        if (grown.length === 0) return
        const { name } = pick(random, grown)
        const [described] = await topics.describe(name)
        const count = (described?.partitions.length ?? PARTITIONS_MAX) + 1
        if (count <= PARTITIONS_MAX) await topics.addPartitions({ name, count })
        return
      }
      default: {
        const { name } = pick(random, plan.topics)
        const bytes = pick(random, [20_000, 1_048_576])
        await configs.set({ type: 'topic', name, set: { 'internal.segment.bytes': String(bytes) } })
      }
    }
  }
}

/**
 * More partitions move keys: pipelines and transactions are judged by key. And a static leader that comes back to a classic group does not know
 * what was added while it was away (KIP-814; nor does Kafka's).
 */
function mayGrow({ use }: TopicPlan, { groups }: Plan): boolean {
  const hasStaticLeader = groups.some(
    ({ protocol, members }) => protocol === 'classic' && members.some(({ instanceId }) => instanceId !== null),
  )
  return use === 'records' && !hasStaticLeader
}
