// `odradek serve` as a program: the ready line, draining, running a command beside it, and every topic, config and cluster command against it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { odradek, program, type Running, startOdradek } from '../odradek-process.suite.ts'
import { run } from '../run.ts'
import { capturedTerminal } from '../terminal/captured-terminal.suite.ts'
import { ownServer } from './own-server.ts'

let dir: string
let server: Running
let address: string

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-serve-'))
  server = startOdradek([...ownServer, '--dir', join(dir, 'data'), '--topic', 'orders:3'])
  const ready = JSON.parse(await server.says('stdout', '}'))
  expect(ready).toMatchObject({ event: 'ready', nodeId: 1, dir: join(dir, 'data') })
  address = ready.bootstrapServers
})

afterAll(async () => {
  server.child.kill('SIGTERM')
  const { code, stderr } = await server.ended
  rmSync(dir, { recursive: true, force: true })
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'draining\n' })
})

async function cli(...args: string[]) {
  const terminal = capturedTerminal()
  const code = await run([args[0]!, args[1]!, '-b', address, ...args.slice(2)], terminal)
  return { code, out: terminal.out, notes: terminal.notes.join('\n') }
}

function produce(topic: string, input: string, ...flags: string[]) {
  return odradek(['topic', 'produce', topic, '-b', address, ...flags], { input })
}

test('topics are created, listed, described, grown and deleted', async () => {
  expect(await cli('topic', 'create', 'a', 'b', '--partitions', '2', '--config', 'retention.ms=7')).toMatchObject({
    code: 0,
    out: 'Created topic a.\nCreated topic b.\n',
  })
  expect((await cli('topic', 'list', '--style', 'kafka')).out).toBe('a\nb\norders\n')
  expect((await cli('topic', 'list')).out).toBe(
    'TOPIC   PARTITIONS\na                2\nb                2\norders           3\n',
  )
  expect((await cli('topic', 'describe', 'a', '--style', 'kafka')).out).toMatch(
    /^Topic: a\tTopicId: \S{22}\tPartitionCount: 2\tReplicationFactor: 1\tConfigs: .*retention\.ms=7\n\tTopic: a\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1\t/,
  )
  expect((await cli('topic', 'alter', 'a', '--partitions', '5')).code).toBe(0)
  expect(JSON.parse((await cli('topic', 'describe', 'a', '-o', 'json')).out)[0].partitions).toHaveLength(5)
  expect(await cli('topic', 'delete', 'a', 'b')).toMatchObject({ code: 0, out: 'Deleted topic a.\nDeleted topic b.\n' })
})

test("Kafka's refusals end with 1 and its name for them; tolerated ones end with 0", async () => {
  const again = await cli('topic', 'create', 'orders')
  expect(again.code).toBe(1)
  expect(again.notes).toContain('TOPIC_ALREADY_EXISTS')
  expect((await cli('topic', 'create', 'orders', '--if-not-exists')).code).toBe(0)
  expect((await cli('topic', 'describe', 'none')).notes).toContain('UNKNOWN_TOPIC_OR_PARTITION')
  expect((await cli('topic', 'delete', 'none', '--if-exists')).code).toBe(0)
  const partial = await cli('topic', 'create', 'fresh', 'orders')
  expect(partial).toMatchObject({ code: 1, out: 'Created topic fresh.\n' })
})

test('lines go in and come out with keys, headers, tombstones and partitions', async () => {
  await cli('topic', 'create', 'lines', '--partitions', '2')
  expect(await produce('lines', 'k1:v1\nk2:v2\nk1:\n', '-K:', '-Z', '-H', 'h=1', '-p', '1')).toMatchObject({
    code: 0,
    stderr: '3 records sent\n',
  })
  const format = ['-f', '%p %o %k=%s [%h]\n']
  expect(await cli('topic', 'consume', 'lines', '-o', 'beginning', '-e', '-q', '-Z', ...format)).toMatchObject({
    code: 0,
    out: '1 0 k1=v1 [h=1]\n1 1 k2=v2 [h=1]\n1 2 k1=NULL [h=1]\n',
  })
  expect((await cli('topic', 'consume', 'lines', '-o', '-1', '-n', '1', '-p', '1', '-J')).out).toMatch(
    /^\{"topic":"lines","partition":1,"offset":2,.*"payload":null\}\n$/,
  )
  expect((await cli('topic', 'offsets', 'lines', '--style', 'kafka')).out).toBe('lines:0:0\nlines:1:3\n')
  expect((await cli('topic', 'trim', 'lines', '--before', '2')).out).toBe(
    'lines-0 begins at 0.\nlines-1 begins at 2.\n',
  )
  expect((await cli('topic', 'consume', 'lines', '-o', 'beginning', '-e', '-q', '-f', '%o\n')).out).toBe('2\n')
})

test('a group that reads a number of records goes on after exactly those', async () => {
  await cli('topic', 'create', 'counted', '--partitions', '1')
  await produce('counted', 'a\nb\nc\nd\ne\n', '-q')
  const read = (count: string) =>
    cli('topic', 'consume', 'counted', '-g', 'counting', '-o', 'beginning', '-q', '-n', count)
  expect((await read('2')).out).toBe('a\nb\n')
  expect((await cli('group', 'describe', 'counting', '-o', 'json')).out).toContain('"offset": 2')
  expect((await read('3')).out).toBe('c\nd\ne\n')
})

test('a group is set back: shown first, done with --execute', async () => {
  await cli('topic', 'create', 'again', '--partitions', '1')
  await produce('again', 'a\nb\nc\n', '-q')
  const read = (count: string) =>
    cli('topic', 'consume', 'again', '-g', 'going-back', '-o', 'beginning', '-q', '-n', count)
  expect((await read('3')).out).toBe('a\nb\nc\n')
  const reset = ['group', 'reset', 'going-back', '--topic', 'again', '--shift-by', '-2']
  expect(await cli(...reset)).toMatchObject({
    code: 0,
    out: 'TOPIC  PARTITION  NEW-OFFSET\nagain          0           1\n',
    notes: 'nothing was changed: --execute does it',
  })
  expect((await cli('group', 'describe', 'going-back', '-o', 'json')).out).toContain('"offset": 3')
  expect(await cli(...reset, '--execute')).toMatchObject({ code: 0, notes: '' })
  expect((await read('2')).out).toBe('b\nc\n')
})

test('envelopes that consume prints can be produced again', async () => {
  const envelope = '{"key":"k","payload":"v","headers":["a","1"]}\n'
  await cli('topic', 'create', 'envelopes', '--partitions', '1')
  expect((await produce('envelopes', envelope, '-J')).code).toBe(0)
  const { out } = await cli('topic', 'consume', 'envelopes', '-o', 'beginning', '-e', '-q', '-J')
  expect(JSON.parse(out)).toMatchObject({ key: 'k', payload: 'v', headers: ['a', '1'] })
  expect(await produce('envelopes', `${out}{"key":1}\n`, '-J')).toMatchObject({
    code: 1,
    stderr: "1 records sent\nodradek topic produce: record 2: an envelope has a 'payload' (null for a tombstone)\n",
  })
})

test('many records come out whole and in order, and a reader that goes away ends the program quietly', async () => {
  await cli('topic', 'create', 'many', '--partitions', '1')
  const lines = Array.from({ length: 50_000 }, (_, index) => `line ${index}\n`).join('')
  expect((await produce('many', lines, '-q')).code).toBe(0)
  const all = await odradek(['topic', 'consume', 'many', '-b', address, '-o', 'beginning', '-e', '-q'])
  expect(all.code).toBe(0)
  expect(all.stdout === lines).toBe(true)
  const cut = startOdradek(['topic', 'consume', 'many', '-b', address, '-o', 'beginning', '-q'])
  await cut.says('stdout', 'line 0\n')
  cut.child.stdout!.destroy()
  await produce('many', lines, '-q')
  expect(await cut.ended).toMatchObject({ code: 0, stderr: '' })
})

test('an interrupt ends a waiting consumer with 130', async () => {
  const waiting = startOdradek(['topic', 'consume', 'orders', '-b', address, '-o', 'beginning'])
  await produce('orders', 'hello\n', '-q')
  await waiting.says('stdout', 'hello\n')
  waiting.child.kill('SIGINT')
  expect(await waiting.ended).toMatchObject({ code: 130, stdout: 'hello\n' })
})

test('configs are set, shown and unset', async () => {
  await cli('topic', 'create', 'tuned')
  expect((await cli('config', 'set', 'tuned', 'retention.ms=5', 'cleanup.policy=compact')).code).toBe(0)
  expect((await cli('config', 'describe', 'topic/tuned')).out).toBe(
    'NAME            VALUE    SOURCE\ncleanup.policy  compact  topic\nretention.ms    5        topic\n',
  )
  expect((await cli('config', 'describe', 'tuned', '--style', 'kafka')).out).toMatch(
    /^Dynamic configs for topic tuned are:\n {2}cleanup\.policy=compact sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:cleanup\.policy=compact/,
  )
  expect((await cli('config', 'unset', 'tuned', 'retention.ms')).code).toBe(0)
  expect((await cli('config', 'describe', 'tuned')).out).not.toContain('retention.ms')
  expect((await cli('config', 'set', 'tuned', 'retention.msx=5')).notes).toContain('INVALID_CONFIG')
  expect((await cli('config', 'describe', 'broker/1', '--all')).out).toContain('log.retention')
})

test('the cluster shows its brokers, what they speak, and that they are well', async () => {
  expect((await cli('cluster', 'info')).out).toMatch(new RegExp(`controller 1\\n.*\\n +1 +${address}`))
  expect(JSON.parse((await cli('cluster', 'api-versions', '-o', 'json')).out).apis).toContainEqual({
    apiKey: 3,
    minVersion: 0,
    maxVersion: 13,
    name: 'Metadata',
  })
  expect((await cli('cluster', 'health')).out).toMatch(/^ok: 1 brokers, /)
})

test('wrong flags end with 2 and say what is right', async () => {
  expect(await odradek(['serve', '--listen', 'nowhere'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("It takes host:port, such as 127.0.0.1:9092, got 'nowhere'."),
  })
  expect((await odradek(['serve', '--memory', '--dir', dir])).code).toBe(2)
  expect(await odradek(['serve', '--memory', '--set', 'num.partitons=3'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('num.partitions'),
  })
  expect((await cli('topic', 'consume', 'orders', '-o', 'soon')).code).toBe(2)
  expect((await cli('topic', 'consume', 'orders', '-f', '%x')).notes).toContain('%x is no token')
})

test('an address that is taken, and a cluster that is not there, end with 1', async () => {
  const taken = await odradek(['serve', '--memory', '--listen', address])
  expect(taken).toMatchObject({
    code: 1,
    stderr: `odradek serve: listen: cannot listen on ${address}: another program listens there (EADDRINUSE) (ODK_LISTEN_FAILED)\n`,
  })
  const refused = await odradek(['topic', 'list', '-b', '127.0.0.1:1', '-X', 'bootstrapTimeoutMs=1'])
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no broker of 127.0.0.1:1 could be reached: connect ECONNREFUSED 127.0.0.1:1'),
  })
  const gone = await odradek(['topic', 'list', '-b', '127.0.0.1:1', '-X', 'default.api.timeout.ms=300'])
  expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('127.0.0.1:1') })
})

test('a command beside the broker talks to it, and its exit code is the end', async () => {
  const list = `"${process.execPath}" "${program}" topic list -b $KAFKA_BOOTSTRAP_SERVERS --style kafka`
  const flags = ['--memory', '--listen', '127.0.0.1:0', '--topic', 'beside:2', '--quiet', '--run', `${list}; exit 7`]
  expect(await odradek(['serve', ...flags])).toEqual({ code: 7, stdout: 'beside\n', stderr: '' })
})

test('another process sees who runs and watches the transitions of machines', async () => {
  const list = JSON.parse((await odradek(['actor', 'list', '--dir', join(dir, 'data'), '-o', 'json'])).stdout)
  expect(list).toContainEqual(
    expect.objectContaining({ address: expect.objectContaining({ kind: 'broker' }), state: 'Running' }),
  )
  const watching = startOdradek([
    ...['actor', 'trace', '--dir', join(dir, 'data'), '--machine', 'partition-leader', '--name', 'watched-0'],
    ...['--count', '1', '--json'],
  ])
  await watching.says('stderr', 'watching')
  await cli('topic', 'create', 'watched', '--partitions', '1')
  await produce('watched', 'a leader starts when it is first needed\n', '-q')
  const { code, stdout } = await watching.ended
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ actor: 'watched-0', from: 'Opening', to: 'Leading.Writable' })
})
