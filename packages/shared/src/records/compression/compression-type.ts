/**
 * Kafka's compression types: their ids in batch attributes and their names in configs (`compression.type`).
 * Facts only; the codecs are in `codec.ts`.
 */

/** Name of a codec as configs spell it. */
export type CompressionType = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** Names by id: the index is what the low three bits of a batch's attributes hold. Ids 5 to 7 name nothing. */
export const COMPRESSION_TYPES: readonly CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** The id that batch attributes hold for a codec. */
export function compressionId(type: CompressionType): number {
  return COMPRESSION_TYPES.indexOf(type)
}

/** The codec of an id, or undefined when Kafka knows none with that id. */
export function compressionTypeOf(id: number): CompressionType | undefined {
  return COMPRESSION_TYPES[id]
}
