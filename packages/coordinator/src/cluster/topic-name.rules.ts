// Which names a topic may have (Java: org.apache.kafka.common.internals.Topic). Names reach paths, so nothing else is ever let in.

const NAME_LENGTH_MAX = 249

/** Null when the name is allowed, else Kafka's reason. */
export function invalidTopicName(name: string): string | null {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > NAME_LENGTH_MAX) {
    return `the length of '${name.slice(0, 20)}...' is longer than the max allowed length ${NAME_LENGTH_MAX}`
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  }
  return null
}

/** Topics whose keys are equal would have the same name in Kafka's metrics, where '.' becomes '_'. */
export function collisionKey(name: string): string {
  return name.replaceAll('.', '_')
}
