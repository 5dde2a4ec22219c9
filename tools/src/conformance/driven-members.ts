// Members of groups in driver processes: librdkafka and kafka-python in Python, the Java client. Configs are Kafka's by name.
import { DriverProcess } from './driver-process.ts'
import { javaDriver, javaMissing, pythonDriver, pythonMissing } from './drivers.ts'
import {
  type ForeignMember,
  HEARTBEAT_MS,
  type MemberKind,
  type MemberWish,
  SESSION_MS,
  type Strategy,
} from './group-member.ts'

interface MemberEvent {
  readonly member: number
  readonly owned?: readonly number[]
  readonly records?: readonly (readonly [partition: number, offset: number, value: string])[]
  readonly error?: string
}

type Configs = { readonly [name: string]: string | number }

function drivenMembers(kind: {
  readonly command: () => ConstructorParameters<typeof DriverProcess>[0]
  readonly configsOf: (wish: MemberWish) => Configs
}): MemberKind['open'] {
  return async bootstrapServers => {
    const members = new Map<number, DrivenMember>()
    const driver = new DriverProcess(kind.command(), (event: MemberEvent) => members.get(event.member)?.heard(event))
    await driver.call('open', { bootstrapServers })
    return {
      async join(wish) {
        const id = members.size + 1
        const member = new DrivenMember(wish, () => driver.call('leaveGroup', { id }))
        members.set(id, member)
        await driver.call('joinGroup', { id, topic: wish.topic, configs: kind.configsOf(wish) })
        return member
      },
      close: () => driver.close(),
    }
  }
}

class DrivenMember implements ForeignMember {
  readonly #wish: MemberWish
  readonly #leave: () => Promise<unknown>
  #owned: readonly number[] = []
  #error: string | null = null

  constructor(wish: MemberWish, leave: () => Promise<unknown>) {
    this.#wish = wish
    this.#leave = leave
  }

  heard({ owned = this.#owned, records = [], error }: MemberEvent): void {
    this.#owned = owned
    this.#error = error ?? this.#error
    for (const [partition, offset, value] of records) this.#wish.onRecord(partition, offset, value)
    this.#wish.onChange()
  }

  owned(): readonly number[] {
    return this.#owned
  }

  error(): string | null {
    return this.#error
  }

  async leave(): Promise<void> {
    await this.#leave()
  }
}

function configsOf(
  { groupId, strategy, groupInstanceId }: MemberWish,
  strategyName: (name: string) => string,
): Configs {
  const classic = {
    'partition.assignment.strategy': strategyName(strategy),
    'heartbeat.interval.ms': HEARTBEAT_MS,
    'session.timeout.ms': SESSION_MS,
  }
  return {
    'group.id': groupId,
    'auto.offset.reset': 'earliest',
    ...(strategy === 'consumer' ? { 'group.protocol': 'consumer' } : classic),
    ...(groupInstanceId === undefined ? {} : { 'group.instance.id': groupInstanceId }),
  }
}

const javaAssignors: { readonly [strategy: string]: string } = {
  range: 'RangeAssignor',
  roundrobin: 'RoundRobinAssignor',
  sticky: 'StickyAssignor',
  'cooperative-sticky': 'CooperativeStickyAssignor',
}

export const drivenMemberKinds: readonly MemberKind[] = [
  {
    name: 'Java',
    missing: javaMissing(),
    strategies: ['range', 'roundrobin', 'sticky', 'cooperative-sticky', 'consumer'],
    hasStatic: true,
    open: drivenMembers({
      command: javaDriver,
      configsOf: wish => configsOf(wish, name => `org.apache.kafka.clients.consumer.${javaAssignors[name]}`),
    }),
  },
  inPython('librdkafka', 'confluent_driver.py', ['range', 'roundrobin', 'cooperative-sticky', 'consumer']),
  inPython('kafka-python', 'kafka_python_driver.py', ['range', 'roundrobin', 'sticky', 'cooperative-sticky']),
]

function inPython(name: string, driver: string, strategies: readonly Strategy[]): MemberKind {
  const open = drivenMembers({
    command: () => pythonDriver(driver),
    configsOf: wish => configsOf(wish, strategy => strategy),
  })
  return { name, missing: pythonMissing(), strategies, hasStatic: true, open }
}
