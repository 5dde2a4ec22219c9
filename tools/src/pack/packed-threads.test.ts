import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { expect, test } from 'vitest'

const built = (path: string) => fileURLToPath(builtUrl(new URL(path, import.meta.url).href))

/** Runs in a process of its own: an entry, once named, is that of the whole process. */
const story = `
  const [pack, door] = process.argv.slice(1)
  await import(pack)
  const { createBroker, createProducer, createConsumer } = await import(door)
  const { threadEntry } = await import('@odradek/shared/actor/thread-entry')
  const broker = await createBroker({ storage: 'memory', listen: false, topics: { orders: 1 } })
  const producer = createProducer({ bootstrapServers: broker })
  const consumer = createConsumer({ bootstrapServers: broker, groupId: 'readers', autoOffsetReset: 'earliest' })
  await producer.send('orders', { value: Buffer.alloc(2_000, 'x') })
  for await (const record of consumer.stream('orders')) { console.log(threadEntry().pathname.split('/').slice(-2).join('/'), record.value.length); break }
  await consumer.close(); await producer.close(); await broker.close()
`

test('a record travels through a broker, a producer and a group on packed threads', () => {
  const run = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', story, built('./main.ts'), built('../index.ts')],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('../../', import.meta.url)) },
  )
  expect(run.stderr).toBe('')
  expect(run.stdout.trim()).toBe('packed/thread-start.cjs 2000')
})

test('the program runs its threads on the pack as well', () => {
  const program = `
    const [pack, program] = process.argv.slice(1)
    await import(pack)
    process.argv = [process.execPath, program, '--version']
    await import(program)
    const { threadEntry } = await import('@odradek/shared/actor/thread-entry')
    console.log(threadEntry().pathname.split('/').slice(-2).join('/'))
  `
  const run = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', program, built('./main.ts'), built('../cli/odradek.ts')],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('../../', import.meta.url)) },
  )
  expect(run.stderr).toBe('')
  expect(run.stdout.trim().split('\n').at(-1)).toBe('packed/thread-start.cjs')
}, 60_000)

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
