// kcat (librdkafka 2.0 in Debian), driven as people use it: values from files, keys and headers as flags, output by a format string.
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { codecs, type Letter, type ReadLetter, type RealClient, type RealClientKind } from './real-client.ts'

const run = promisify(execFile)
const OUTPUT_MAX = 256 * 1024 * 1024

export const kcat: RealClientKind = {
  name: 'kcat',
  missing: kcatMissing(),
  async open(bootstrapServers) {
    const dir = mkdtempSync(join(tmpdir(), 'kcat-'))
    const broker = ['-b', bootstrapServers]
    const client: RealClient = {
      name: 'kcat',
      codecs,
      lacks: ['null header values', 'binary headers', 'empty keys', 'binary keys'],
      fails: [],
      async write(topic, codec, letters) {
        const partitions = [...new Set(letters.map(({ partition }) => partition))]
        await Promise.all(
          partitions.map(async partition => {
            const own = letters.filter(letter => letter.partition === partition)
            for (const group of adjacentAlike(own)) await writeGroup(broker, dir, topic, codec, group)
          }),
        )
      },
      async read(counts) {
        const found: ReadLetter[] = []
        for (const topic of counts.keys()) found.push(...(await readTopic(broker, topic)))
        return found
      },
      admin: {
        async listTopics() {
          return (await metadata(broker)).topics.map(({ topic }) => topic)
        },
        async partitionsOf(topic) {
          const { topics } = await metadata([...broker, '-t', topic])
          return topics[0]!.partitions.filter(({ leader }) => leader >= 0).length
        },
        endOffset: (topic, partition) => offsetAt(broker, topic, partition, -1),
        beginningOffset: (topic, partition) => offsetAt(broker, topic, partition, -2),
        async cluster() {
          const { brokers } = await metadata(broker)
          const nodes = brokers.map(({ id, name }) => {
            const [host, port] = name.split(':')
            return { id, host: host!, port: Number(port) }
          })
          return { clusterId: null, nodes }
        },
      },
      close: async () => rmSync(dir, { recursive: true, force: true }),
    }
    return client
  },
}

function kcatMissing(): string | null {
  try {
    execFileSync('kcat', ['-V'], { stdio: 'ignore' })
    return null
  } catch {
    return 'kcat is not here: `apt-get install kcat`, or `bash .ci/install DIR`'
  }
}

/** kcat gives one key, one partition and the same headers to all values of a call. */
function adjacentAlike(letters: readonly Letter[]): Letter[][] {
  const groups: Letter[][] = []
  const shape = ({ partition, key, value, headers }: Letter) =>
    JSON.stringify([partition, key && Buffer.from(key).toString('hex'), value === null, headers])
  for (const letter of letters) {
    const last = groups.at(-1)
    if (last && shape(last[0]!) === shape(letter)) last.push(letter)
    else groups.push([letter])
  }
  return groups
}

async function writeGroup(
  broker: readonly string[],
  dir: string,
  topic: string,
  codec: string,
  group: readonly Letter[],
): Promise<void> {
  const { partition, key, value, headers } = group[0]!
  const args = [...broker, '-P', '-t', topic, '-p', String(partition), '-z', codec]
  if (key) args.push('-k', Buffer.from(key).toString())
  for (const [name, content] of headers) args.push('-H', `${name}=${Buffer.from(content!).toString()}`)
  if (value === null) {
    // Empty files and empty lines are not sent; a key alone is, and -Z makes its value null.
    await feed([...args, '-Z', '-K', '\t'], `${Buffer.from(key!).toString()}\t\n`.repeat(group.length))
    return
  }
  const files = group.map((letter, index) => {
    const file = join(dir, `${partition}-${index}`)
    writeFileSync(file, letter.value ?? new Uint8Array(0))
    return file
  })
  await run('kcat', [...args, ...files])
}

function feed(args: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile('kcat', args, error => (error ? reject(error) : resolve()))
    child.stdin!.end(input)
  })
}

// Lengths first, so that keys and values may be any bytes: partition, offset, key length, value length (-1: null), headers, then both.
const FORMAT = '%p %o %K %S %h\n%k%s\n'

async function readTopic(broker: readonly string[], topic: string): Promise<ReadLetter[]> {
  const args = [...broker, '-C', '-q', '-e', '-o', 'beginning', '-t', topic, '-f', FORMAT]
  const { stdout } = await run('kcat', args, { encoding: 'buffer', maxBuffer: OUTPUT_MAX })
  const letters: ReadLetter[] = []
  for (let at = 0; at < stdout.length; ) {
    const end = stdout.indexOf(0x0a, at)
    const [partition, offset, keyBytes, valueBytes, ...headers] = stdout.toString('utf8', at, end).split(' ')
    const take = (size: number, from: number) => (size < 0 ? null : new Uint8Array(stdout.subarray(from, from + size)))
    const key = take(Number(keyBytes), end + 1)
    const valueAt = end + 1 + (key?.byteLength ?? 0)
    const value = take(Number(valueBytes), valueAt)
    at = valueAt + (value?.byteLength ?? 0) + 1
    letters.push({
      topic,
      partition: Number(partition),
      offset: Number(offset),
      key,
      value,
      headers: readHeaders(headers.join(' ')),
    })
  }
  return letters
}

function readHeaders(text: string): [string, Uint8Array | null][] {
  if (text === '') return []
  return text.split(',').map(pair => {
    const equals = pair.indexOf('=')
    const content = pair.slice(equals + 1)
    return [pair.slice(0, equals), content === 'NULL' ? null : Buffer.from(content)]
  })
}

interface Metadata {
  readonly brokers: readonly { readonly id: number; readonly name: string }[]
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly { readonly leader: number }[] }[]
}

async function metadata(args: readonly string[]): Promise<Metadata> {
  const { stdout } = await run('kcat', [...args, '-L', '-J'], { maxBuffer: OUTPUT_MAX })
  return JSON.parse(stdout) as Metadata
}

async function offsetAt(broker: readonly string[], topic: string, partition: number, time: number): Promise<number> {
  const { stdout } = await run('kcat', [...broker, '-Q', '-t', `${topic}:${partition}:${time}`])
  return Number(/offset (-?\d+)/.exec(stdout)![1])
}
