// DescribeQuorum 0-2. A quorum of one; its listener is the one that was asked.
import { answer } from '@odradek/shared/client/port/door'
import type { Handler } from './handler.ts'

export const describeQuorumHandler: Handler<'DescribeQuorum'> = async (request, { door, caller, advertised }) => {
  const response = await answer(door, 'DescribeQuorum', request, caller)
  const nodes = response.nodes.map(node => ({
    ...node,
    listeners: node.listeners.map(listener => ({ ...listener, ...advertised })),
  }))
  return { ...response, nodes }
}
