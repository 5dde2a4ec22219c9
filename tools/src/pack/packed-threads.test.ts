import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { parseSync } from 'oxc-parser'
import { expect, onTestFinished, test } from 'vitest'
import { nouns } from '../cli/nouns.ts'
import { packedCommands } from '../cli/packed-commands.ts'
import { CodeCache } from './code-cache.ts'
import { packedFolder } from './freshness.ts'
import { installedLibrary } from './packed-libraries.ts'

const built = (path: string) => fileURLToPath(builtUrl(new URL(path, import.meta.url).href))

/** Runs in a process of its own: an entry, once named, is that of the whole process. */
const story = `
  const [pack, door] = process.argv.slice(1)
  await import(pack)
  const { createBroker, createProducer, createConsumer } = await import(door)
  const { threadEntry } = await import('@odradek/shared/actor/thread-entry')
  const { testCertificate } = await import('@odradek/broker/wire/test-certificate.suite')
  const broker = await createBroker({ storage: 'memory', listen: { port: 0, tls: testCertificate }, topics: { orders: 1 } })
  const producer = createProducer({ bootstrapServers: broker })
  const overTls = { bootstrapServers: broker.bootstrapServers, tls: { ca: testCertificate.cert } }
  const consumer = createConsumer({ ...overTls, groupId: 'readers', autoOffsetReset: 'earliest' })
  await producer.send('orders', { value: Buffer.alloc(2_000, 'x') })
  for await (const record of consumer.stream('orders')) { console.log(threadEntry().pathname.split('/').slice(-2).join('/'), record.value.length); break }
  await consumer.close(); await producer.close(); await broker.close()
`

test('a record travels through a broker, a producer and, over TLS, a group on packed threads', () => {
  const run = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', story, built('./main.ts'), built('../index.ts')],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('../../', import.meta.url)) },
  )
  expect(run.stderr).toBe('')
  expect(run.stdout.trim()).toBe('packed/thread-start.cjs 2000')
})

test('nothing that is packed imports by itself: V8 refuses that to code that comes with its bytecode', () => {
  // Every build packs anew what is not fresh.
  spawnSync(process.execPath, [built('./main.ts')])
  const files = readdirSync(packedFolder).filter(file => file.endsWith('.cjs'))
  const own = ['program-recorder.cjs', 'program-start.cjs', 'thread-recorder.cjs', 'thread-start.cjs']
  const importing = files.filter(file => {
    const code = readFileSync(new URL(file, packedFolder), 'utf8')
    return parseSync(file, code).module.dynamicImports.length > 0
  })
  expect(importing.sort()).toEqual(own)
})

test('what is packed of lmdb opens environments, and the licences of all that is packed lie beside it', () => {
  // Every build packs anew what is not fresh.
  expect(spawnSync(process.execPath, [built('./main.ts')]).status).toBe(0)
  const folder = mkdtempSync(join(tmpdir(), 'odradek-packed-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const lmdb = installedLibrary(createRequire(import.meta.url).resolve('lmdb'), 'lmdb')
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(lmdb.folder, join(folder, 'node_modules', 'lmdb'), 'junction')
  copyFileSync(new URL(lmdb.packed, packedFolder), join(folder, lmdb.packed))
  writeFileSync(
    join(folder, 'store.cjs'),
    `exports.open = path => require('lmdb').open({ path, encoding: 'binary' })\n`,
  )
  const cache = new CodeCache(folder, () => undefined)
  const { open } = cache.load('store.cjs') as { open: typeof import('lmdb').open }
  const root = open<Buffer, number>(join(folder, 'log'), {})
  expect([...cache.code()].map(({ name }) => name)).toEqual(['store.cjs', lmdb.packed])
  root.transactionSync(() => void root.putSync(7, Buffer.from('seven')))
  expect(root.getBinary(7)?.toString()).toBe('seven')
  void root.close()
  const licences = readFileSync(new URL('LICENSES.txt', packedFolder), 'utf8')
  for (const name of ['lmdb', 'msgpackr', 'ordered-binary', 'xstate'])
    expect(licences).toMatch(new RegExp(`^${name}$`, 'm'))
})

/** Runs the program in one process with the pack's builder, which packs anew if that is needed; prints what became of it last. */
function programSays(args: readonly string[], told: string): string {
  const program = `
    import { createRequire } from 'node:module'
    const [pack, program, ...args] = process.argv.slice(1)
    await import(pack)
    process.argv = [process.execPath, program, ...args]
    const { threadEntry } = await import('@odradek/shared/actor/thread-entry')
    const loaded = () => Object.keys(createRequire(program).cache).map(path => path.split(/[\\\\/]/).at(-1))
    process.on('exit', () => console.log(${told}))
    await import(program)
  `
  const run = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      program,
      built('./main.ts'),
      fileURLToPath(new URL('../../dist/cli/odradek.cjs', import.meta.url)),
      ...args,
    ],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('../../', import.meta.url)) },
  )
  expect({ stderr: run.stderr, status: run.status }).toEqual({ stderr: '', status: 0 })
  return run.stdout.trim().split('\n').at(-1)!
}

test('commands that are not packed run their threads on the pack as well', () => {
  expect(programSays(['--version'], `threadEntry().pathname.split('/').slice(-2).join('/')`)).toBe(
    'packed/thread-start.cjs',
  )
}, 60_000)

test('packed commands run from the pack', () => {
  expect(programSays(['topic', '--help'], 'loaded().join()')).toContain('program-start.cjs')
}, 60_000)

test('a packed command is one that the program has', () => {
  for (const name of packedCommands) expect(nouns.map(noun => noun.name)).toContain(name)
})

test('every actor of the house is at hand on a packed thread', () => {
  const worker = readFileSync(built('./packed-thread.worker.ts'), 'utf8')
  const actors = ['broker', 'coordinator', 'producer', 'consumer'].flatMap(name =>
    readdirSync(new URL(`../../../packages/${name}/src/`, import.meta.url), {
      recursive: true,
      encoding: 'utf8',
    }).filter(path => path.endsWith('.actor.ts') && !path.includes('suite')),
  )
  expect(actors.length).toBeGreaterThan(7)
  for (const path of actors) expect(worker).toContain(`'${path.split('/').at(-1)!.replace(/\.ts$/, '.js')}'`)
})
