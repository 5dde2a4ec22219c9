// Members as clients behave, in the simulated world: one of the classic protocol, one of the consumer protocol. Each lives until it is told to stop.
import { errors } from '@odradek/shared/protocol/error-codes'
import { type GroupSimulation, PARTITIONS, TOPIC_ID } from './group-simulation.suite.ts'

const NO_BYTES = new Uint8Array(0)

/** Joins, shares out when it leads, heartbeats and commits; static when it has an instance id. */
export class ClassicSimulant {
  readonly #simulation: GroupSimulation
  readonly #instanceId: string | null
  memberId = ''
  generation = -1
  owned: number[] = []
  isStopped = false

  constructor(simulation: GroupSimulation, instanceId: string | null = null) {
    this.#simulation = simulation
    this.#instanceId = instanceId
  }

  async live(): Promise<void> {
    const { random } = this.#simulation
    while (!this.isStopped) {
      if (this.generation < 0) await this.#rejoin()
      else await this.#work()
      await this.#simulation.pass(50 + random.int(300))
    }
    await this.#simulation.ask('LeaveGroup', {
      groupId: 'classic',
      memberId: '',
      members: [{ memberId: this.memberId, groupInstanceId: this.#instanceId, reason: null }],
    })
  }

  /** Comes back under a new member id, as a static member does that was restarted. */
  async restart(): Promise<void> {
    this.memberId = ''
    this.#lose()
  }

  #lose(): void {
    this.generation = -1
    this.owned = []
  }

  async #rejoin(): Promise<void> {
    const asked = this.memberId
    const joined = await this.#simulation.ask('JoinGroup', {
      groupId: 'classic',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 20_000,
      memberId: asked,
      groupInstanceId: this.#instanceId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: NO_BYTES }],
      reason: null,
    })
    if (joined === null) return
    if (joined.errorCode === errors.MEMBER_ID_REQUIRED.code) this.memberId = joined.memberId
    if (joined.errorCode === errors.UNKNOWN_MEMBER_ID.code) this.memberId = ''
    this.#checkFenced(joined.errorCode, asked)
    if (joined.errorCode !== 0 || this.memberId !== asked) return
    this.memberId = joined.memberId
    const isLeader = joined.leader === joined.memberId && !joined.skipAssignment
    await this.#sync(joined.generationId, isLeader ? joined.members.map(({ memberId }) => memberId) : [])
  }

  async #sync(generationId: number, members: readonly string[]): Promise<void> {
    const shares = members.map((memberId, index) => ({
      memberId,
      assignment: Uint8Array.from(
        Array.from({ length: PARTITIONS }, (_, p) => p).filter(p => p % members.length === index),
      ),
    }))
    const { memberId } = this
    const synced = await this.#simulation.ask('SyncGroup', {
      groupId: 'classic',
      generationId,
      memberId,
      groupInstanceId: this.#instanceId,
      protocolType: null,
      protocolName: null,
      assignments: shares,
    })
    if (synced?.errorCode !== 0 || this.memberId !== memberId) return this.#refused(synced?.errorCode ?? 0, memberId)
    this.generation = generationId
    this.#simulation.history.began(generationId)
    this.owned = [...synced.assignment]
    const name = this.#instanceId ?? memberId
    for (const partition of this.owned) this.#simulation.history.owns(name, generationId, partition)
  }

  async #work(): Promise<void> {
    const { random } = this.#simulation
    // Sometimes it stalls for longer than its session, and goes on as if nothing had happened.
    const stalls = !this.#simulation.calm && random.int(100) === 0
    if (stalls) await this.#simulation.pass(30_000)
    if ((stalls || random.int(3) === 0) && this.owned.length > 0)
      return this.#commit(this.owned[random.int(this.owned.length)]!)
    const { generation: generationId, memberId } = this
    const groupInstanceId = this.#instanceId
    const beat = await this.#simulation.ask('Heartbeat', {
      groupId: 'classic',
      generationId,
      memberId,
      groupInstanceId,
    })
    this.#refused(beat?.errorCode ?? 0, memberId)
  }

  async #commit(partition: number): Promise<void> {
    const { history } = this.#simulation
    const { generation, memberId } = this
    const offset = history.committedSoFar(partition) + 1
    const newestBefore = history.newest
    const entry = {
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      committedMetadata: null,
    }
    const committed = await this.#simulation.ask('OffsetCommit', {
      groupId: 'classic',
      generationIdOrMemberEpoch: generation,
      memberId,
      groupInstanceId: this.#instanceId,
      retentionTimeMs: -1,
      topics: [{ name: 'orders', topicId: TOPIC_ID, partitions: [entry] }],
    })
    const errorCode = committed?.topics[0]?.partitions[0]?.errorCode
    if (errorCode === 0) history.committed(partition, offset, { generation, newestBefore })
    else this.#refused(errorCode ?? 0, memberId)
  }

  #refused(errorCode: number, memberId: string): void {
    this.#checkFenced(errorCode, memberId)
    const isLost = errorCode === errors.UNKNOWN_MEMBER_ID.code
    if (isLost && this.memberId === memberId) this.memberId = ''
    const begins = [errors.REBALANCE_IN_PROGRESS, errors.ILLEGAL_GENERATION, errors.UNKNOWN_MEMBER_ID]
    if (begins.some(({ code }) => code === errorCode)) this.#lose()
  }

  /** Nobody else has its instance id: only an older life of its own may be fenced. */
  #checkFenced(errorCode: number, memberId: string): void {
    if (errorCode !== errors.FENCED_INSTANCE_ID.code || memberId === '' || memberId !== this.memberId) return
    throw new Error(`static member ${this.#instanceId} was fenced although nobody took its place`)
  }
}

/** Heartbeats, gives up what it must and reads what it may. */
export class ConsumerSimulant {
  readonly memberId: string
  readonly #simulation: GroupSimulation
  #epoch = 0
  /** What it reads: what it was told to give up until its next heartbeat says that it did. */
  owned: ReadonlySet<number> = new Set()
  #told: ReadonlySet<number> = new Set()
  isStopped = false

  constructor(simulation: GroupSimulation, memberId: string) {
    this.#simulation = simulation
    this.memberId = memberId
  }

  async live(): Promise<void> {
    const { random } = this.#simulation
    while (!this.isStopped) {
      await this.#beat()
      await this.#simulation.pass(200 + random.int(800))
    }
    this.#read(new Set())
    while ((await this.#heartbeat(-1)) === null) await this.#simulation.pass(20)
  }

  async #beat(): Promise<void> {
    this.#read(this.#told)
    const reply = await this.#heartbeat(this.#epoch)
    if (reply === null) return
    const isFenced = [errors.FENCED_MEMBER_EPOCH, errors.UNKNOWN_MEMBER_ID].some(({ code }) => code === reply.errorCode)
    if (isFenced) {
      this.#epoch = 0
      this.#told = new Set()
      this.#read(this.#told)
    }
    if (reply.errorCode !== 0) return
    this.#epoch = reply.memberEpoch
    if (reply.assignment === null) return
    this.#told = new Set(reply.assignment.topicPartitions.flatMap(({ partitions }) => partitions))
    this.#read(new Set([...this.owned, ...this.#told]))
  }

  #read(partitions: ReadonlySet<number>): void {
    this.owned = partitions
    this.#simulation.history.reads(this.memberId, partitions)
  }

  #heartbeat(memberEpoch: number) {
    const partitions = memberEpoch === 0 ? [] : [...this.owned]
    return this.#simulation.ask(
      'ConsumerGroupHeartbeat',
      {
        groupId: 'consumer',
        memberId: this.memberId,
        memberEpoch,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: 60_000,
        subscribedTopicNames: ['orders'],
        subscribedTopicRegex: null,
        serverAssignor: null,
        topicPartitions: partitions.length === 0 ? [] : [{ topicId: TOPIC_ID, partitions }],
      },
      1,
    )
  }
}
