// `pnpm schemas`: prints our protocol schemas as a JSON array in the shape of Kafka's message definitions, so that a program
// can compare them. Without arguments: requests, responses, headers and the data messages that Kafka keeps beside them;
// with `--all` also the records of the internal topics, whose definitions live elsewhere in Kafka's tree.

import { apiTable } from '@odradek/shared/protocol/api-table'
import { requestHeader, responseHeader } from '@odradek/shared/protocol/frame'
import type { Message } from '@odradek/shared/protocol/schema'
import * as clusterMetadata from '@odradek/shared/protocol/stored/cluster-metadata.records'
import * as consumerGroup from '@odradek/shared/protocol/stored/consumer-group.records'
import * as consumerOffsets from '@odradek/shared/protocol/stored/consumer-offsets.records'
import * as consumerProtocol from '@odradek/shared/protocol/stored/consumer-protocol.records'
import * as control from '@odradek/shared/protocol/stored/control.records'
import * as transactionState from '@odradek/shared/protocol/stored/transaction-state.records'
import { definitionOf } from './definition.ts'

async function messages(all: boolean): Promise<Message<any>[]> {
  const loaded = await Promise.all(apiTable.filter(api => api.known).map(api => api.load()))
  const common: Message<any>[] = [
    ...loaded.flatMap(({ request, response }) => [request, response]),
    requestHeader,
    responseHeader,
    ...Object.values(consumerProtocol),
    ...Object.values(control),
  ]
  if (!all) return common
  const internal = [clusterMetadata, consumerGroup, consumerOffsets, transactionState]
  return [...common, ...internal.flatMap(file => Object.values(file) as Message<any>[])]
}

const definitions = (await messages(process.argv.includes('--all'))).map(definitionOf)
process.stdout.write(`${JSON.stringify(definitions, undefined, 2)}\n`)
