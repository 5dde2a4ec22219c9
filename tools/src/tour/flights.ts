// Three million flights of the United States in 2001, as the npm package vega-datasets ships them (flights-3m.parquet): the tour's own data set. The key is
// the airport of departure. The package is large and of no use to who embeds a broker, so it is an optional peer dependency.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { zstdCodec } from '@odradek/shared/records/compression/zstd'
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet'
import { CommandError } from '../cli/command-error.ts'
import type { RecordSource } from './input-file.ts'
import type { TourRecord } from './input-lines.rules.ts'

const CHUNK_RECORDS = 500
/** What one column of one row group may decompress to. */
const COLUMN_BYTES_MAX = 256 * 1024 * 1024

export async function flightSource(limit: number): Promise<RecordSource> {
  const file = await asyncBufferFromFile(flightsPath())
  const metadata = await parquetMetadataAsync(file)
  const total = Math.min(limit, Number(metadata.num_rows))
  async function* chunks(): AsyncGenerator<readonly TourRecord[]> {
    let rowStart = 0
    for (const group of metadata.row_groups) {
      const rowEnd = Math.min(rowStart + Number(group.num_rows), total)
      if (rowEnd <= rowStart) return
      const columns = await readColumns({ file, metadata, rowStart, rowEnd })
      for (let from = 0; from < rowEnd - rowStart; from += CHUNK_RECORDS) {
        yield flightsOf(columns, from, Math.min(from + CHUNK_RECORDS, rowEnd - rowStart))
      }
      rowStart = rowEnd
    }
  }
  return {
    name: 'flights of 2001 (vega-datasets)',
    topic: 'flights',
    keyName: 'airport of departure',
    keysName: 'airports of departure',
    recordName: 'flights',
    measure: 'delay',
    measureName: 'minutes of delay',
    total,
    chunks,
  }
}

/** Throws a CommandError when the package is not installed. */
function flightsPath(): string {
  try {
    const main = createRequire(import.meta.url).resolve('vega-datasets')
    return join(dirname(main), '..', 'data', 'flights-3m.parquet')
  } catch {
    const mend = 'run `npm install vega-datasets`, or give a file of your own with --input'
    throw new CommandError(`the flights come with the npm package vega-datasets (42 MB), which is not here: ${mend}`)
  }
}

type Columns = { readonly [name: string]: ArrayLike<unknown> }

async function readColumns(
  options: Pick<Parameters<typeof parquetRead>[0], 'file' | 'metadata' | 'rowStart' | 'rowEnd'>,
): Promise<Columns> {
  const columns: { [name: string]: ArrayLike<unknown> } = {}
  const decompress = (bytes: Uint8Array) => zstdCodec.decompress(bytes, COLUMN_BYTES_MAX)
  await parquetRead({
    ...options,
    compressors: { ZSTD: decompress },
    // A chunk covers its whole row group; the tour may want less of the last one.
    onChunk: ({ columnName, columnData }) => {
      columns[columnName] = columnData
    },
  })
  return columns
}

function flightsOf(columns: Columns, from: number, to: number): TourRecord[] {
  const flights: TourRecord[] = []
  for (let row = from; row < to; row++) {
    const date = (columns.date![row] as Date).toISOString()
    const [origin, destination] = [columns.origin![row] as string, columns.destination![row] as string]
    const [delay, distance] = [columns.delay![row], columns.distance![row]]
    const value = `{"date":"${date}","delay":${delay},"distance":${distance},"origin":"${origin}","destination":"${destination}"}`
    flights.push({ key: origin, value })
  }
  return flights
}
