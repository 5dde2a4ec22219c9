// Metadata 0-13. Version 0 has no way to say "none": an empty list means all topics. Brokers are told by the address of the listener that was asked.
import { answer } from '@odradek/shared/client/port/door'
import type { Handler } from './handler.ts'

export const metadataHandler: Handler<'Metadata'> = async (request, { door, caller, advertised }) => {
  const all = caller.apiVersion === 0 && request.topics?.length === 0
  // Before version 4 asking always may create (Kafka: allowAutoTopicCreation defaults to true).
  const response = await answer(door, 'Metadata', all ? { ...request, topics: null } : request, caller)
  return { ...response, brokers: response.brokers.map(broker => ({ ...broker, ...advertised })) }
}
