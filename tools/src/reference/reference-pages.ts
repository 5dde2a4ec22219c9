// The reference pages and what should stand in them, rendered from the tables that the code itself uses.
import { brokerConfigs } from '@odradek/shared/configs/broker-configs'
import { configTableMarkdown } from '@odradek/shared/configs/config-docs'
import { groupConfigs } from '@odradek/shared/configs/group-configs'
import { topicConfigs } from '@odradek/shared/configs/topic-configs'

export interface ReferencePage {
  /** From the root of the project. */
  readonly path: string
  readonly text: string
}

export function referencePages(): readonly ReferencePage[] {
  return [{ path: 'packages/broker/CONFIGS.md', text: configsPage() }]
}

function configsPage(): string {
  return [
    '# Configs',
    '',
    'Kafka\'s names, types, ranges and defaults (4.3). Written by `pnpm reference` from `packages/shared/src/configs`. What is "stored only" is accepted,',
    'kept and described, but nothing here acts on it.',
    '',
    '`createBroker({ config })` takes broker configs, dotted or in camelCase (`logRetentionMs`), and sets `group.initial.rebalance.delay.ms` to 0 and the partitions of internal topics',
    'to 4 unless told otherwise; topics take topic configs when they are created or altered.',
    '',
    '## Topic configs',
    '',
    configTableMarkdown(topicConfigs),
    '## Broker configs',
    '',
    configTableMarkdown(brokerConfigs),
    '## Group configs',
    '',
    configTableMarkdown(groupConfigs),
  ].join('\n')
}
