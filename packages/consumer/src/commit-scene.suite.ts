// Commits of one member before a coordinator that answers when the test says so.
import { simulate } from '@odradek/shared/actor/simulated-host'
import { PortError } from '@odradek/shared/base/errors'
import type { CommittedOffset } from '@odradek/shared/contracts/consumer.contract'
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'
import type { OffsetCommitRequest } from '@odradek/shared/protocol/messages/08-offset-commit'
import { consumerInput, readConsumerOptions } from './consumer-options.ts'
import { commitAnswer, FakeCluster } from './fake-cluster.suite.ts'
import { OffsetCommits } from './offset-commits.ts'

/** An OffsetCommit that reached the coordinator. */
export interface AskedCommit {
  /** `topic-partition@offset`. */
  readonly offsets: readonly string[]
  readonly request: OffsetCommitRequest
  /** By `topic-partition`; 0 for those that are not named. */
  answer(codes?: { readonly [partition: string]: ErrorName }): void
  lose(): void
}

export function offsetOf(partition: number, offset: number, metadata = ''): CommittedOffset {
  return { topic: 'words', partition, offset, leaderEpoch: -1, metadata }
}

/** The options' `onAsked` hears of every request when it arrives. */
export function commitScene({ seed = 1, onAsked = (_: AskedCommit) => {} } = {}) {
  const world = simulate({ seed })
  const cluster = new FakeCluster().at(world.clock)
  const asked: AskedCommit[] = []
  cluster.answers.OffsetCommit = request =>
    new Promise((resolve, reject) => {
      const arrived = {
        offsets: request.topics.flatMap(({ name, partitions }) =>
          partitions.map(({ partitionIndex, committedOffset }) => `${name}-${partitionIndex}@${committedOffset}`),
        ),
        request,
        answer: (codes: { readonly [partition: string]: ErrorName } = {}) =>
          resolve(commitAnswer(request, (topic, at) => errors[codes[`${topic}-${at}`] ?? 'NONE'].code)),
        lose: () => reject(new PortError({ code: 'LINK_CLOSED', message: 'the coordinator has gone' })),
      }
      asked.push(arrived)
      onAsked(arrived)
    })
  const member = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null }
  const fencings: ErrorName[] = []
  const { clock, random } = world
  const options = readConsumerOptions({ bootstrapServers: 'fake:1', groupId: 'g', retryBackoffMs: 10 })
  const commits = new OffsetCommits({
    clock,
    random,
    signal: new AbortController().signal,
    link: cluster,
    input: consumerInput(options, { kind: 'port', broker: {} as never }),
    metadata: () => ({ ...member }),
    needsMember: () => true,
    fenced: error => void fencings.push(error),
  })
  /** What callers were told, in order: `name` and `taken` or the code of the error. */
  const told: string[] = []
  const commit = (name: string, offsets: readonly CommittedOffset[], deadlineMs = 60_000) => {
    commits.commit(offsets, deadlineMs).then(
      () => told.push(`${name}: taken`),
      ({ code, detail }) => told.push(`${name}: ${detail?.kafkaCode ?? code}`),
    )
  }
  return { world, cluster, commits, commit, asked, told, member, fencings, settle: () => world.advance(1) }
}
