// Metadata 0-13. Version 0 has no way to say "none": an empty list means all topics. Brokers are told by the address of the listener that was asked.
// Versions 10 and 11 ask by topic id but cannot answer without a name: a topic that there is not is named ''.
import { answer } from '@odradek/shared/client/port/door'
import type { Handler } from './handler.ts'

/** From this version on topics may be asked for by their ids. */
const BY_ID_VERSION = 10
/** From this version on a topic of the answer may be without a name. */
const NAMELESS_VERSION = 12

export const metadataHandler: Handler<'Metadata'> = async (request, { door, caller, advertised }) => {
  const all = caller.apiVersion === 0 && request.topics?.length === 0
  // Before version 4 asking always may create (Kafka: allowAutoTopicCreation defaults to true).
  const response = await answer(door, 'Metadata', all ? { ...request, topics: null } : request, caller)
  const brokers = response.brokers.map(broker => ({ ...broker, ...advertised }))
  const mustBeNamed = caller.apiVersion >= BY_ID_VERSION && caller.apiVersion < NAMELESS_VERSION
  if (!mustBeNamed) return { ...response, brokers }
  return { ...response, brokers, topics: response.topics.map(topic => ({ ...topic, name: topic.name ?? '' })) }
}
