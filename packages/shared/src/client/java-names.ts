// Options in Java's dotted spelling, as types: what `parseOptions` takes beside the camelCase names.

/** `lingerMs` as Java spells it: `linger.ms`. */
type Dotted<Name extends string> = Name extends `${infer Head}${infer Rest}`
  ? `${Head extends Lowercase<Head> ? Head : `.${Lowercase<Head>}`}${Dotted<Rest>}`
  : ''

/** The options under Java's names, with values as here or as text: `'linger.ms': 5`, `'isolation.level': 'read_committed'`. */
export type InJavasSpelling<Options> = {
  readonly [Name in keyof Options as Name extends string ? Dotted<Name> : never]?: Options[Name] | string
}
