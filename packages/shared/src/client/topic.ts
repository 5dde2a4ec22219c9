// A topic with its types: a name and the codecs of its keys and values, shared by producers and consumers.
import { KafkaError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { type Codec, type DecodedOf, type EncodableOf, rawCodec } from './codecs.ts'
import { anything, isFunction, isObject, type OptionTable, parseOptions, shown } from './options.ts'

export interface Topic<K extends Codec = Codec, V extends Codec = Codec> {
  readonly name: string
  readonly key: K
  readonly value: V
}

/** What consumers get as key and value of a topic. */
export type KeyOf<T> = T extends Topic<infer K, any> ? DecodedOf<K> : never
export type ValueOf<T> = T extends Topic<any, infer V> ? DecodedOf<V> : never
/** What producers give as key and value of a topic. */
export type KeyFor<T> = T extends Topic<infer K, any> ? EncodableOf<K> : never
export type ValueFor<T> = T extends Topic<any, infer V> ? EncodableOf<V> : never

export type RawCodec = typeof rawCodec
/** A topic given by its name alone: bytes or text in, bytes out. */
export type RawTopic = Topic<RawCodec, RawCodec>

/**
 * Names a topic and the codecs of its keys and values, once, for both ends:
 * `topic('orders', { key: string(), value: json<Order>() })`. Codecs left out take and give bytes (text is accepted too).
 * Creates nothing in the cluster. Throws ODK_TOPIC_INVALID for a name that Kafka would refuse, ODK_OPTION_* for what are no codecs.
 */
export function topic<K extends Codec = RawCodec, V extends Codec = RawCodec>(
  name: string,
  codecs: { readonly key?: K; readonly value?: V } = {},
): Topic<K, V> {
  const problem = topicNameProblem(name)
  if (problem !== null) throw invalidTopic(problem)
  const { options } = parseOptions(`topic ${name}`, codecOptions, codecs)
  return Object.freeze({ name, ...(options as { key: K; value: V }) })
}

const codec = anything<Codec>(null, 'a codec: { encode, decode }', isCodec, rawCodec as Codec)
const codecOptions: OptionTable<Pick<Topic, 'key' | 'value'>> = { key: codec, value: codec }

function isCodec(given: unknown): boolean {
  return isObject(given) && isFunction((given as Codec).encode) && isFunction((given as Codec).decode)
}

/** Raw topics by name: who sends by name has the name checked once, not for every record. */
const rawTopics = new Map<string, RawTopic>()

/** The topic itself, or the raw topic of that name. Throws ODK_TOPIC_INVALID for anything else. */
export function topicOf(given: Topic | string): Topic {
  if (typeof given === 'string') return rawTopics.get(given) ?? newRawTopic(given)
  if (isTopic(given)) return given
  throw invalidTopic(`a topic is its name, or what topic(name, { key, value }) gives, got ${shown(given)}`)
}

function newRawTopic(name: string): RawTopic {
  const made: RawTopic = topic(name)
  if (rawTopics.size >= limits.rawTopicsKnownMax) rawTopics.clear()
  rawTopics.set(name, made)
  return made
}

function isTopic(given: unknown): boolean {
  if (typeof given !== 'object' || given === null) return false
  const { name, key, value } = given as Partial<Topic>
  return typeof name === 'string' && isCodec(key) && isCodec(value)
}

function invalidTopic(problem: string): KafkaError {
  return new KafkaError('ODK_TOPIC_INVALID', problem, { kafkaCode: 17, kafkaName: 'INVALID_TOPIC_EXCEPTION' })
}

const LONGEST_NAME = 249

/** Why Kafka refuses the name (`Topic.validate`), or null when it does not. */
export function topicNameProblem(name: unknown): string | null {
  if (typeof name !== 'string') return `a topic name is a string, got ${typeof name}`
  if (name === '') return 'a topic name may not be empty'
  if (name === '.' || name === '..') return `a topic name may not be '${name}'`
  if (name.length > LONGEST_NAME)
    return `a topic name has at most ${LONGEST_NAME} characters, this one has ${name.length}`
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return `a topic name consists of letters, digits, '.', '_' and '-', got ${JSON.stringify(name)}`
  }
  return null
}
