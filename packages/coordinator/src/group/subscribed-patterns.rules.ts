// Regular expressions that members subscribe with, resolved to topics (Java: GroupMetadataManager.refreshRegularExpressions), and what changed topics mean
// to consumer groups.

import { compilePattern, PatternError } from '../runtime/bounded-pattern.rules.ts'
import { patternRecord } from './consumer-records.rules.ts'
import { ConsumerStep } from './consumer-step.ts'
import type { GroupRecord } from './group.records.ts'
import type { GroupEffect } from './group-words.ts'
import type { GroupContext, Groups } from './groups.ts'
import { error, type HeartbeatError } from './heartbeat-validation.rules.ts'
import { metadataHashOf } from './subscribed-topics.rules.ts'
import type { Topics } from './topic-view.ts'

/** Records that one decision about changed topics writes at most, so that it does not hold others up. */
const RECORDS_MAX = 1_000

/** Sees to it that the group knows which topics match. Returns what is wrong with the expression. */
export function resolvePattern(step: ConsumerStep, expression: string): HeartbeatError | null {
  const { groupId, patterns } = step.group
  if (patterns.has(expression)) return null
  try {
    step.write(patternRecord(groupId, expression, resolved(expression, step.context)))
    return null
  } catch (wrong) {
    if (!(wrong instanceof PatternError)) throw wrong
    return error(
      'INVALID_REGULAR_EXPRESSION',
      `SubscribedTopicRegex ${expression} is not a valid regular expression: ${wrong.message}.`,
    )
  }
}

function resolved(expression: string, { topics, now }: GroupContext) {
  return { topics: matching(expression, topics), version: topics.version, now }
}

function matching(expression: string, topics: Topics): readonly string[] {
  const matches = compilePattern(expression)
  const names: string[] = []
  for (const { topic } of topics.all()) if (matches(topic)) names.push(topic)
  return names.sort()
}

/** Topics came, went or grew: groups that subscribe to them get a new epoch. Not all at once; `isDone` tells when the rest has none left. */
export function followTopics({ groups }: Groups, context: GroupContext) {
  const records: GroupRecord[] = []
  const effects: GroupEffect[] = []
  for (const group of groups.values()) {
    if (group.type !== 'consumer' || group.members.size === 0) continue
    const step = new ConsumerStep(group, context)
    for (const [expression, { topics }] of group.patterns) {
      const now = resolved(expression, context)
      if (now.topics.join() !== topics.join()) step.write(patternRecord(group.groupId, expression, now))
    }
    if (metadataHashOf(step.group, context.topics) === group.metadataHash) continue
    step.bumpEpoch()
    const decided = step.decision(null)
    records.push(...decided.records!)
    effects.push(...decided.effects!)
    if (records.length >= RECORDS_MAX) return { records, effects, isDone: false }
  }
  return { records, effects, isDone: true }
}
