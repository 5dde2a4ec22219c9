// Embedding: what createBroker takes and leaves behind, on real threads.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createBroker } from './create-broker.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'create-broker-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('a directory serves one broker at a time, and the next one once it is closed', async () => {
  const first = await createBroker({ dir })
  await expect(createBroker({ dir })).rejects.toMatchObject({ code: 'ODK_DIRECTORY_LOCKED' })
  const { clusterId } = first
  await first.close()
  await first.close()
  const second = await createBroker({ dir })
  expect(second.clusterId).toBe(clusterId)
  await second.close()
})

test('a directory that is a file is refused by the name of the option', async () => {
  const file = join(dir, 'file')
  writeFileSync(file, '')
  await expect(createBroker({ dir: file })).rejects.toMatchObject({
    code: 'ODK_DIRECTORY_UNUSABLE',
    message: `dir: cannot use '${file}': it is not a directory (EEXIST)`,
  })
  await expect(createBroker({ dir: join(file, 'below') })).rejects.toMatchObject({
    message: expect.stringMatching(/^dir: .*a part of the path is not a directory \(ENOTDIR\)$/),
  })
})

test.runIf(process.platform === 'linux')('a directory that nobody can make is refused', async () => {
  await expect(createBroker({ dir: '/proc/none/data' })).rejects.toMatchObject({
    code: 'ODK_DIRECTORY_UNUSABLE',
    message: expect.stringContaining("dir: cannot use '/proc/none/data'"),
  })
})

test('a folder that does not say whose log it is ends the start, by its name', async () => {
  const folder = 'orders-0'
  mkdirSync(join(dir, folder))
  writeFileSync(join(dir, folder, 'partition.metadata'), 'version: 0\n')
  await expect(createBroker({ dir })).rejects.toMatchObject({
    code: 'ODK_BROKER_FAILED',
    message: expect.stringContaining(join(folder, 'partition.metadata')),
  })
})

test('a second listener that cannot listen ends the start, and leaves nothing behind', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => taken.once('listening', resolve))
  const { port } = taken.address() as { port: number }
  const listen = [{ port: 0 }, { port }]
  await expect(createBroker({ dir, listen })).rejects.toMatchObject({
    code: 'ODK_LISTEN_FAILED',
    message: `listen: cannot listen on 127.0.0.1:${port}: another program listens there (EADDRINUSE)`,
  })
  await new Promise(resolve => taken.close(resolve))
  const broker = await createBroker({ dir, listen })
  expect(broker.bootstrapServers.split(',')).toHaveLength(2)
  expect(await broker.health()).toMatchObject({ ok: true, state: 'Running' })
  await broker.close()
})

test('a signal that fires while a broker starts closes it and frees its directory', async () => {
  const stop = new AbortController()
  const starting = createBroker({ dir, signal: stop.signal })
  stop.abort(new Error('changed my mind'))
  await expect(starting).rejects.toMatchObject({
    code: 'ODK_ABORTED',
    message: expect.stringContaining('changed my mind'),
  })
  const broker = await createBroker({ dir })
  await broker.close()
})

test('log.dirs, node.id and broker.rack of the configs are the options dir, nodeId and rack', async () => {
  const broker = await createBroker({ listen: false, config: { 'log.dirs': dir, 'node.id': '7', brokerRack: 'a' } })
  expect({ dir: broker.dir, nodeId: broker.nodeId }).toEqual({ dir, nodeId: 7 })
  await broker.close()
  expect(readdirSync(dir)).toContain('meta.properties')
})

test('a broker that was closed is not reset', async () => {
  const broker = await createBroker({ storage: 'memory', listen: false })
  await broker.close()
  await expect(broker.reset()).rejects.toMatchObject({ code: 'ODK_BROKER_CLOSED' })
})

test.each([
  [{ storage: 'memory', dir: './x' }, 'ODK_OPTION_CONFLICT', 'dir'],
  [{ storage: 'memory', config: { 'log.dirs': './x' } }, 'ODK_OPTION_CONFLICT', 'log.dirs'],
  [{ dir: './x', config: { logDirs: './y' } }, 'ODK_OPTION_CONFLICT', './y'],
  [{ config: { 'log.dirs': './x,./y' } }, 'ODK_OPTION_CONFLICT', 'one directory'],
  [{ nodeId: 1, config: { 'node.id': 2 } }, 'ODK_OPTION_CONFLICT', 'node.id'],
  [{ config: { listeners: 'PLAINTEXT://:9092' } }, 'ODK_OPTION_CONFLICT', 'listen'],
  [{ theads: 2 }, 'ODK_OPTION_UNKNOWN', 'threads'],
  [{ placement: 'spread' }, 'ODK_OPTION_INVALID', 'function'],
  [{ listen: { port: 70_000 } }, 'ODK_OPTION_INVALID', '65535'],
  [{ listen: { port: 0, tls: {} } }, 'ODK_OPTION_INVALID', 'cert'],
  [{ listen: { port: 0, advertised: { host: 'a' } } }, 'ODK_OPTION_INVALID', 'advertised: { host, port }'],
  [{ topics: { orders: 0 } }, 'ODK_OPTION_INVALID', 'topics.orders'],
  [{ topics: { orders: null } }, 'ODK_OPTION_INVALID', 'topics.orders'],
  [{ topics: { orders: { partition: 1 } } }, 'ODK_OPTION_INVALID', '{ partitions, configs }'],
  [{ topics: { 'a/b': 1 } }, 'ODK_OPTION_INVALID', "letters, digits, '.', '_' and '-'"],
  [{ config: { 'log.retention.mss': 1 } }, 'ODK_CONFIG_UNKNOWN', 'log.retention.ms'],
] as const)('%j is refused by name, with what would be right', async (options, code, hint) => {
  await expect(createBroker(options as never)).rejects.toMatchObject({ code, message: expect.stringContaining(hint) })
})
