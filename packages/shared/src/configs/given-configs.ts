// Configs as users of our API write them: dotted or camelCase names, values as strings, numbers, booleans or lists. Checked at the
// door, with a suggestion for names that nobody knows. Called by `createBroker({ config })`, admin and the command line.
import { KafkaError } from '../base/errors.ts'
import { nearestName } from '../base/suggestion.ts'
import type { ConfigSpec } from './config-spec.ts'
import { invalidValue } from './config-values.rules.ts'

type ConfigValue = string | number | boolean | readonly string[]

/** Name in camelCase: `log.retention.ms` is `logRetentionMs`. */
export function camelCaseOf(name: string): string {
  return name.replace(/[._]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/**
 * The given configs under Kafka's names, values as strings. Throws ODK_CONFIG_UNKNOWN (with the nearest name), ODK_CONFIG_INVALID (with
 * what would be right), ODK_CONFIG_CONFLICT (one config under both names). `where` begins the messages.
 */
export function readGivenConfigs(
  given: { readonly [name: string]: ConfigValue },
  table: ReadonlyMap<string, ConfigSpec>,
  where: string,
): { [name: string]: string } {
  const aliases = new Map([...table.keys()].map(name => [camelCaseOf(name), name]))
  const read: { [name: string]: string } = {}
  for (const [written, value] of Object.entries(given)) {
    const spec = table.get(written) ?? table.get(aliases.get(written) ?? '')
    if (spec === undefined) throw unknownConfig(written, aliases, where)
    if (spec.name in read)
      throw new KafkaError(
        'ODK_CONFIG_CONFLICT',
        `${where}: ${spec.name} is given twice, also as ${camelCaseOf(spec.name)}`,
      )
    const text = Array.isArray(value) ? value.join(',') : String(value)
    const complaint = invalidValue(spec, text)
    if (complaint !== null)
      throw new KafkaError('ODK_CONFIG_INVALID', `${where}: ${complaint}`, {
        kafkaCode: 40,
        kafkaName: 'INVALID_CONFIG',
      })
    read[spec.name] = text
  }
  return read
}

function unknownConfig(written: string, aliases: ReadonlyMap<string, string>, where: string): KafkaError {
  const dotted = written.includes('.') || written === written.toLowerCase()
  const meant = nearestName(written, dotted ? aliases.values() : aliases.keys())
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`
  return new KafkaError('ODK_CONFIG_UNKNOWN', `${where}: there is no config ${written}${hint}`)
}
