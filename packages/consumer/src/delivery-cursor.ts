// Walks the records of one delivery in the caller's thread. The hot loop of consuming: allocates one ConsumerRecord per record.
import type { Codec } from '@odradek/shared/client/codecs'
import type { Delivery } from '@odradek/shared/contracts/consumer.contract'
import * as batch from '@odradek/shared/records/record-batch'
import { RecordReader } from '@odradek/shared/records/record-reader'
import { ConsumerRecord, type RecordSource } from './consumer-record.ts'

/** Where the records of a delivery come from and how they are decoded. */
export interface CursorTopic {
  readonly topic: string
  readonly partition: number
  readonly keyCodec: Codec
  readonly valueCodec: Codec
}

export class DeliveryCursor {
  readonly delivery: Delivery
  readonly #source: RecordSource
  readonly #reader = new RecordReader()
  #batchAt: number
  readonly #end: number
  #batchOpen = false

  constructor(delivery: Delivery, { topic, partition, keyCodec, valueCodec }: CursorTopic) {
    this.delivery = delivery
    this.#batchAt = delivery.from
    this.#end = delivery.from + delivery.length
    const { buffer, byteOffset, byteLength } = delivery.records
    // Text codecs decode fastest from a Buffer.
    const bytes = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
    this.#source = { topic, partition, keyCodec, valueCodec, bytes }
  }

  /** The next record, or null after the last. Throws CorruptRecordError where the bytes are no record. */
  next(): ConsumerRecord<any, any> | null {
    for (;;) {
      if (!this.#batchOpen && !this.#openBatch()) return null
      while (this.#reader.next()) {
        if (this.#reader.offset >= this.delivery.startOffset) return new ConsumerRecord(this.#source, this.#reader)
      }
      this.#batchOpen = false
    }
  }

  /** Offset of the record that `next` returned last. */
  get offset(): number {
    return this.#reader.offset
  }

  #openBatch(): boolean {
    const { bytes } = this.#source
    if (this.#batchAt >= this.#end) return false
    this.#reader.open(bytes, this.#batchAt, bytes.length)
    this.#batchAt += batch.batchSizeInBytes(bytes, this.#batchAt)
    this.#batchOpen = true
    return true
  }
}
