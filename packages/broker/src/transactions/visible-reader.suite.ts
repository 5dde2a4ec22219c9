// What a read_committed consumer makes of fetched batches: committed values in order, without markers and aborted data.
import { controlRecordType } from '@odradek/shared/records/control-records'
import * as batch from '@odradek/shared/records/record-batch'
import { RecordReader } from '@odradek/shared/records/record-reader'

interface Aborted {
  readonly producerId: number
  readonly firstOffset: number
}

export class VisibleReader {
  readonly values: string[] = []
  nextOffset = 0
  readonly #aborting = new Set<number>()
  readonly #reader = new RecordReader()

  take(records: Uint8Array, aborted: readonly Aborted[]): void {
    const coming = [...aborted]
    batch.forEachBatch(records, at => {
      const begun = coming.filter(({ firstOffset }) => firstOffset <= batch.lastOffset(records, at))
      for (const transaction of begun) {
        this.#aborting.add(transaction.producerId)
        coming.splice(coming.indexOf(transaction), 1)
      }
      this.#reader.open(records, at, 2 ** 24)
      this.nextOffset = batch.nextOffset(records, at)
      const producerId = batch.producerId(records, at)
      if (batch.isControlBatch(records, at)) {
        this.#reader.next()
        if (controlRecordType(this.#reader.key()) === 'ABORT') this.#aborting.delete(producerId)
      } else if (!this.#aborting.has(producerId)) this.#read()
    })
  }

  #read(): void {
    while (this.#reader.next()) this.values.push(Buffer.from(this.#reader.value()!).toString())
  }
}
