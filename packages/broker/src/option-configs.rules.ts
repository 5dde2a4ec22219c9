// Kafka configs that say what an option of `createBroker` says (a server.properties has them): read as that option, or refused by name. Taken as any other
// config they would be stored and shown, and the broker would be elsewhere.
import { KafkaError } from '@odradek/shared/base/errors'
import { isObject } from '@odradek/shared/client/options'
import { camelCaseOf } from '@odradek/shared/configs/given-configs'
import type { BrokerOptions } from './options.ts'

type Config = NonNullable<BrokerOptions['config']>

/** The value of the config as the option takes it. */
const readAsOption: { readonly [config: string]: readonly [keyof BrokerOptions, (value: string) => unknown] } = {
  'log.dirs': ['dir', value => value],
  'node.id': ['nodeId', Number],
  'broker.rack': ['rack', value => value],
}

const refused: { readonly [config: string]: string } = {
  listeners: "give 'listen' (odradek serve: --listen)",
  'advertised.listeners': "give 'advertised' of 'listen' (odradek serve: --advertised)",
  'broker.id': 'give node.id',
  'log.dir': 'give log.dirs',
}

/** The options with what their `config` says of them. Throws KafkaError ODK_OPTION_CONFLICT. */
export function withOptionConfigs(given: BrokerOptions): BrokerOptions {
  if (!isObject(given) || !isObject(given.config)) return given
  const config: { [name: string]: Config[string] } = { ...given.config }
  const options: { [option: string]: unknown } = { ...given }
  for (const [name, hint] of Object.entries(refused))
    if (name in config || camelCaseOf(name) in config) throw conflict(`config ${name} has no effect here: ${hint}`)
  for (const [name, [option, read]] of Object.entries(readAsOption)) {
    const written = name in config ? name : camelCaseOf(name)
    if (config[written] === undefined) continue
    const value = read(String(config[written]))
    if (options[option] !== undefined && options[option] !== value)
      throw conflict(`${option} is '${options[option]}', but config ${name} is '${config[written]}': give one of them`)
    if (option === 'dir' && String(value).includes(','))
      throw conflict(`config log.dirs takes one directory here, not '${value}'`)
    options[option] = value
  }
  return options
}

function conflict(what: string): KafkaError {
  return new KafkaError('ODK_OPTION_CONFLICT', `createBroker: ${what}`)
}
