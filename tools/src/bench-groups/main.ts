// `pnpm bench:groups [--rounds N] [--add FILE] [FILTER...]`: rebalances over TCP against our broker and Apache Kafka, side by side on this machine, alternating, by the
// same unmodified clients: a third member joins and leaves a group under load, until every partition delivers again. Prints ratios, ours to Kafka's. FILTER: part of
// a client's or strategy's name. `--add FILE` keeps what was measured, to be told with other slices by `--table FILE`, which measures nothing.
import { parseArgs } from 'node:util'
import { type Random, seededRandom } from '@odradek/shared/base/random'
import { createAdmin } from '@odradek/shared/client/admin'
import { apacheKafkaMissing } from '../apache-kafka/apache-kafka.ts'
import { countFlag } from '../bench/bench-flags.rules.ts'
import { median } from '../bench/median.rules.ts'
import { type Figure, ratioTable } from '../bench-tcp/ratios.rules.ts'
import { SampleBook, samplesIn } from '../bench-tcp/sample-file.ts'
import { type Server, startKafka, startOdradek } from '../bench-tcp/server.ts'
import { drivenMemberKinds } from '../conformance/driven-members.ts'
import type { MemberKind, Strategy } from '../conformance/group-member.ts'
import { nodeMemberKinds } from '../conformance/node-members.ts'
import { GroupClock, PARTITIONS } from './group-clock.ts'

const { values: flags, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    add: { type: 'string' },
    table: { type: 'string' },
  },
})

/** How often members of either protocol speak. */
const HEARTBEAT_MS = 200
/** The same on both: no wait for more members, and how often members of the consumer protocol report. */
const CONFIGS = {
  'group.initial.rebalance.delay.ms': '0',
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': `${HEARTBEAT_MS}`,
}
const strategies: readonly Strategy[] = ['range', 'cooperative-sticky', 'consumer', 'own']
const clients = ['librdkafka', 'Java', 'kafkajs']
/** Rounds of each visit that count; one before them warms both ends up. */
const ROUNDS = countFlag('--rounds', flags.rounds)

const joins: Figure = { name: 'third joins, p50 ms', digits: 0, atMost: 1 }
const leaves: Figure = { name: 'third leaves, p50 ms', digits: 0, atMost: 1 }
const book = new SampleBook(flags.add)

function note(line: string, figure: Figure, server: Server, value: number): void {
  book.note({ line, figure, server: server.name, value })
}

/** One group of fresh clients on one server, through all rounds. */
async function visit(server: Server, kind: MemberKind, strategy: Strategy, turn: number): Promise<void> {
  const line = lineOf(kind, strategy)
  const topic = `${kind.name}-${strategy}-${turn}`
  await using admin = createAdmin({ bootstrapServers: server.bootstrapServers })
  await admin.topics.create([{ name: topic, partitions: PARTITIONS }])
  const house = await kind.open(server.bootstrapServers)
  const group = new GroupClock(house, server.bootstrapServers, topic, strategy)
  // The same moments for both servers.
  const random = seededRandom(Math.floor(turn / 2))
  const [joined, left]: [number[], number[]] = [[], []]
  try {
    await group.join()
    await group.join()
    for (let round = 0; round <= ROUNDS; round++) {
      await someMoment(random)
      const joinMs = await group.join()
      await someMoment(random)
      const leaveMs = await group.leave()
      if (round === 0) continue
      joined.push(joinMs)
      left.push(leaveMs)
      note(line, joins, server, joinMs)
      note(line, leaves, server, leaveMs)
    }
  } finally {
    await group.close()
    await house.close()
  }
  console.error(`${line}, ${server.name}: join ${median(joined).toFixed(0)} ms, leave ${median(left).toFixed(0)} ms`)
}

/** Changes come at any moment between two heartbeats. Right after the change before, with which all members have just spoken, whoever settled sooner would wait longer for the next. */
function someMoment(random: Random): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, random.int(HEARTBEAT_MS)))
}

function lineOf({ name }: MemberKind, strategy: Strategy): string {
  return `${name}, ${strategy === 'own' ? 'its own assigner' : strategy}`
}

async function compare(): Promise<void> {
  const missing = apacheKafkaMissing()
  if (missing) throw new Error(missing)
  const servers: Server[] = []
  try {
    servers.push(await startOdradek(CONFIGS))
    servers.push(await startKafka(CONFIGS))
    for (const kind of [...drivenMemberKinds, ...nodeMemberKinds]) {
      if (!clients.includes(kind.name) || kind.missing !== null) continue
      for (const strategy of strategies.filter(each => kind.strategies.includes(each))) {
        if (!filters.every(filter => lineOf(kind, strategy).includes(filter))) continue
        // There and back, so that neither is always the one that comes second.
        for (const [turn, server] of [...servers, ...servers.toReversed()].entries()) {
          await visit(server, kind, strategy, turn)
        }
      }
    }
  } finally {
    await Promise.all(servers.map(server => server.stop()))
  }
}

if (flags.table === undefined) await compare()
for (const row of ratioTable(flags.table === undefined ? book.samples : samplesIn(flags.table))) console.log(row)
