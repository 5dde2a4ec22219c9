import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { parseSync } from 'oxc-parser'
import { expect, test } from 'vitest'
import { nouns } from '../cli/nouns.ts'
import { packedCommands } from '../cli/packed-commands.ts'
import { packedFolder } from './freshness.ts'

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
    ['--input-type=module', '--eval', program, built('./main.ts'), built('../cli/odradek.ts'), ...args],
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
