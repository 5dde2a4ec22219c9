// What the tour is told to do.

export interface TourOptions {
  /** Where the logs are. */
  readonly dir: string
  /** Undefined: named after the input. */
  readonly topic: string | undefined
  readonly partitions: number
  /** A file of lines or JSON lines; undefined: the flights. */
  readonly input: string | undefined
  /** The field of JSON lines that is the key. */
  readonly key: string | undefined
  /** Most records taken from the input. */
  readonly records: number
  /** On a terminal, keep the broker running afterwards. */
  readonly thenServe: boolean
}
