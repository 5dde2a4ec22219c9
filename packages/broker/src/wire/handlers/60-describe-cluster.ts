// DescribeCluster 0-2. Brokers are told by the address of the listener that was asked; endpoint type 1 (brokers) only.
import { answer } from '@odradek/shared/client/port/door'
import type { Handler } from './handler.ts'

export const describeClusterHandler: Handler<'DescribeCluster'> = async (request, { door, caller, advertised }) => {
  const response = await answer(door, 'DescribeCluster', request, caller)
  return { ...response, brokers: response.brokers.map(broker => ({ ...broker, ...advertised })) }
}
