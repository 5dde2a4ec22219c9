// Retention of partitions whose leader does not run: leaders start at first use, and after a restart a topic that nobody asks for would keep its
// old segments for ever. The broker looks at such logs one at a time, every `log.retention.check.interval.ms`: it opens each once, remembers
// what its segments are (nobody else changes them meanwhile), and opens it again only when something has outlived its topic's configs.
import type { ActorContext } from '@odradek/shared/actor/actor'
import type { Timer } from '@odradek/shared/base/clock'
import type { TopicImage } from '@odradek/shared/contracts/cluster.contract'
import type { LogIdentity, LogStore, PartitionLog, SegmentDescription } from '../log/partition-log.ts'
import { segmentsToDelete } from '../log/segments.rules.ts'
import { type LeaderConfig, parseLeaderConfig } from '../partition/leader-config.rules.ts'
import { logErrorCode } from '../partition/leadership.ts'
import { retentionPolicy } from '../partition/retention.rules.ts'
import type { LeaderHost } from './leader-host.ts'
import type { TopicTable } from './topic-table.ts'

export interface RetentionSweepOptions {
  readonly context: ActorContext
  readonly logs: LogStore
  readonly topics: TopicTable
  readonly leaders: LeaderHost
}

/** What was seen of a log when it was last opened here. */
interface SeenLog {
  readonly segments: readonly SegmentDescription[]
  readonly highWatermark: number
  readonly logStartOffset: number
}

/** Rest between two logs, so that the broker's lane serves others meanwhile. */
const PAUSE_MS = 1

export class RetentionSweep {
  readonly #options: RetentionSweepOptions
  /** By topic id and partition; one entry per partition that is not hosted and has a log. */
  readonly #seen = new Map<string, SeenLog>()
  #timer: Timer | undefined

  constructor(options: RetentionSweepOptions) {
    this.#options = options
  }

  /** Begins to look every `log.retention.check.interval.ms`. */
  start(): void {
    const { context, topics, leaders } = this.#options
    const checkIntervalMs = Number(topics.brokerConfigs['log.retention.check.interval.ms'] ?? 300_000)
    this.#timer = context.clock.after(checkIntervalMs, () => {
      const idle = [...topics.topics()].flatMap(image =>
        image.leaderEpochs.flatMap((_, partition) =>
          leaders.isHosted(image, partition) ? [] : [{ image, partition }],
        ),
      )
      const known = new Set(idle.map(({ image, partition }) => seenKey(image, partition)))
      for (const key of this.#seen.keys()) if (!known.has(key)) this.#seen.delete(key)
      this.#next(idle)
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #next(idle: { readonly image: TopicImage; readonly partition: number }[]): void {
    const next = idle.pop()
    if (next === undefined) {
      this.start()
      return
    }
    try {
      this.#look(next.image, next.partition)
    } catch (error) {
      logErrorCode(error)
      const { topic } = next.image
      this.#options.context.log.warn(
        { topic, partition: next.partition, reason: (error as Error).message },
        'retention of an idle partition failed; it will be tried again',
      )
    }
    this.#timer = this.#options.context.clock.after(PAUSE_MS, () => this.#next(idle))
  }

  /** Synchronous from the look whether a leader runs to the close of the log, so no leader can open it in between. */
  #look({ topic, topicId }: TopicImage, partition: number): void {
    const { context, logs, topics, leaders } = this.#options
    const image = topics.find({ topicId })
    if (image === undefined || leaders.isHosted(image, partition)) return
    const identity: LogIdentity = { topic, topicId, partition }
    const config = parseLeaderConfig(leaders.configsOf(image))
    const seen = this.#seen.get(seenKey(image, partition))
    if (seen !== undefined && !hasOutlived(seen, config, context.clock.now())) return
    context.gate.run(() => {
      if (!logs.has(identity)) return
      const { log } = logs.open(identity)
      try {
        const { deleted, logStartOffset } = log.retain(retentionPolicy(config, context.clock.now()))
        this.#seen.set(seenKey(image, partition), seenOf(log))
        if (deleted.length > 0) {
          context.log.info({ topic, partition, segments: deleted.length, logStartOffset }, 'retention deleted segments')
        }
      } finally {
        log.close({ clean: true })
      }
    })
  }
}

function seenKey({ topicId }: TopicImage, partition: number): string {
  return `${topicId}-${partition}`
}

function seenOf(log: PartitionLog): SeenLog {
  const { highWatermark, logStartOffset } = log
  return { segments: log.segments(), highWatermark, logStartOffset }
}

function hasOutlived({ segments, highWatermark, logStartOffset }: SeenLog, config: LeaderConfig, now: number): boolean {
  return segmentsToDelete(segments, { ...retentionPolicy(config, now), highWatermark, logStartOffset }) > 0
}
