// `odradek` as a program: help, wrong words, exit codes, pipes that end.
import { spawn, spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { machines } from '../machine-docs/machines.ts'
import { type Noun, nouns } from './nouns.ts'
import { program } from './odradek-process.suite.ts'
import { run } from './run.ts'
import { capturedTerminal } from './terminal/captured-terminal.suite.ts'
import { examplesOf } from './terminal/help.ts'

async function odradek(...args: string[]) {
  const terminal = capturedTerminal()
  const code = await run(args, terminal)
  return { code, out: terminal.out, notes: terminal.notes.join('\n') }
}

test('help lists every command and ends with 0', async () => {
  for (const args of [[], ['--help'], ['help']]) {
    const { code, out } = await odradek(...args)
    expect(code).toBe(0)
    for (const { name } of nouns) expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
  }
})

test('help of a command lists its subcommands', async () => {
  for (const args of [
    ['actor', '--help'],
    ['help', 'actor'],
  ]) {
    const { code, out } = await odradek(...args)
    expect(code).toBe(0)
    expect(out).toContain('graph [options] <machine>')
  }
})

const commandOf = (noun: Noun) => noun.load(capturedTerminal())

/** Words of a line as a shell would part them; what follows is for the shell. */
function wordsOf(line: string): string[] {
  const words = line.replace(/ [<>|].*/, '').match(/'[^']*'|"[^"]*"|\S+/g)!
  return words.map(word => word.replace(/^(['"])(.*)\1$/, '$2'))
}

test('every command has examples, and each of them is one that it takes', async () => {
  for (const noun of nouns) {
    const examples = examplesOf(await commandOf(noun))
    expect(examples.length, noun.name).toBeGreaterThan(1)
    for (const [line] of examples) {
      const command = await commandOf(noun)
      let taken = 0
      for (const each of [command, ...command.commands]) {
        each.exitOverride().configureOutput({ writeErr: () => undefined })
        if (each.commands.length === 0) each.action(() => void taken++)
      }
      const [name, ...args] = wordsOf(line)
      await command.parseAsync(args, { from: 'user' })
      expect({ line, name, taken }).toEqual({ line, name: noun.name, taken: 1 })
    }
  }
})

test('help names units, choices and defaults as they would be written, and nothing of switches that are off', async () => {
  for (const noun of nouns) {
    const command = await commandOf(noun)
    for (const path of [[command.name()], ...command.commands.map(each => [command.name(), each.name()])]) {
      const { code, out } = await odradek(...path, '--help')
      expect(code).toBe(0)
      expect(out, path.join(' ')).not.toMatch(/default: (false|null|undefined)|choices:/)
    }
  }
  const { out } = await odradek('load', 'e2e', '--help')
  for (const named of ['default: 10s', 'default: 1s', 'default: max', 'none, gzip, snappy, lz4, zstd; default: none'])
    expect(out.replace(/\s+/g, ' ')).toContain(named)
})

test('where no broker can be watched is said', async () => {
  expect(await odradek('actor', 'trace', '--window', '/nowhere/watch.sock')).toMatchObject({
    code: 1,
    notes: expect.stringContaining('no broker can be watched at /nowhere/watch.sock'),
  })
  expect(await odradek('actor', 'trace', '--machine', 'sendr')).toMatchObject({
    code: 2,
    notes: expect.stringContaining('did you mean sender?'),
  })
})

test('a wrong command, subcommand, flag or choice ends with 2 and names what was likely meant', async () => {
  expect(await odradek('acter')).toMatchObject({ code: 2, notes: expect.stringContaining('Did you mean actor?') })
  expect(await odradek('actor', 'grap', 'x')).toMatchObject({
    code: 2,
    notes: expect.stringContaining('Did you mean graph?'),
  })
  expect(await odradek('actor', 'list', '--outptu', 'json')).toMatchObject({
    code: 2,
    notes: expect.stringContaining('Did you mean --output?'),
  })
  expect(await odradek('serve', '--memory', '--set', 'num.partitions=some')).toMatchObject({
    code: 2,
    notes: expect.stringContaining('Invalid value some for configuration num.partitions'),
  })
  for (const [noun, flag] of [
    ['txn', '--state'],
    ['group', '--state'],
    ['group', '--type'],
  ] as const) {
    const { code, notes } = await odradek(noun, 'list', flag, 'Nonsense')
    expect(code).toBe(2)
    expect(notes).toContain("'Nonsense' is none.")
  }
  expect(await odradek('actor', 'list', '-o', 'xml')).toMatchObject({
    code: 2,
    notes: expect.stringContaining('Allowed choices are text, wide, json, yaml'),
  })
  expect(await odradek('actor', 'graph')).toMatchObject({ code: 2, notes: expect.stringContaining('machine') })
  expect(await odradek('actor', 'graph', 'suprvisor')).toMatchObject({
    code: 2,
    notes: expect.stringContaining(
      "odradek actor graph: there is no machine 'suprvisor'; did you mean supervisor?\nmachines: ",
    ),
  })
})

test.each([
  [
    ['topic', 'list', '-b', 'nowhere'],
    "odradek topic list: --bootstrap-server takes host:port,... such as 127.0.0.1:9092, got 'nowhere'",
  ],
  [['topic', 'list', '-X', 'fetchMinByte=1'], 'odradek topic list: unknown option fetchMinByte'],
  [['group', 'reset', 'billing', '--topic', 'orders'], 'odradek group reset: exactly one of --to-earliest'],
  [['group', 'reset', 'billing', '--to-latest'], 'odradek group reset: give --topic NAME or NAME:0,1, or --all-topics'],
  [['topic', 'trim', 'orders'], 'odradek topic trim: give either --before OFFSET or --all'],
  [['serve', '--threads', 'many'], 'It takes auto, or an integer from 0 to 256.'],
  [['load', 'e2e', '--rate', '0'], 'It takes max, or an integer from 1.'],
  [['group', 'reset', 'billing', '--shift-by', 'x'], 'It takes an integer.'],
])(
  '%j ends with 2, names the command, what was given or what would be right, and where help is',
  async (args, message) => {
    const { code, notes } = await odradek(...args)
    expect(code).toBe(2)
    expect(notes).toContain(message)
    expect(notes).toMatch(/\n\(odradek \S+( \S+)? --help tells what it takes\)$/)
  },
)

test('data goes to stdout, in the format asked for', async () => {
  const { code, out, notes } = await odradek('actor', 'list', '-o', 'json')
  expect(code).toBe(0)
  expect(notes).toBe('')
  expect(JSON.parse(out)).toContainEqual(expect.objectContaining({ name: 'supervisor', states: 6 }))
  expect((await odradek('actor', 'list', '-o', 'yaml')).out).toContain('- name: supervisor\n  states: 6\n')
  expect((await odradek('actor', 'graph', 'sender')).out).toMatch(/^stateDiagram-v2\n/)
})

test('every machine is drawn by its name, in every form, and an unknown name lists them all', async () => {
  const { notes } = await odradek('actor', 'graph', 'nothing-like-it')
  for (const { name } of machines) {
    expect(notes).toContain(name)
    const { code, out } = await odradek('actor', 'graph', name)
    expect({ name, code, out }).toEqual({
      name,
      code: 0,
      out: expect.stringMatching(/^stateDiagram-v2\n(?: .*\n)* {2}\[\*\] --> /),
    })
    expect((await odradek('actor', 'graph', name, '--format', 'table')).out).toContain('(initial)')
    expect(JSON.parse((await odradek('actor', 'graph', name, '--format', 'json')).out)).toMatchObject({ machine: name })
  }
})

test('the program itself: version, exit code, messages on stderr', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, '--version'], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  const wrong = spawnSync(process.execPath, [program, 'nonsense'], { encoding: 'utf8' })
  expect(wrong.status).toBe(2)
  expect(wrong.stdout).toBe('')
  expect(wrong.stderr).toContain("unknown command 'nonsense'")
})

test('a reader that goes away ends the program quietly', async () => {
  const child = spawn(process.execPath, [program, 'actor', 'graph', 'sender'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const stderr: Buffer[] = []
  child.stderr.on('data', chunk => stderr.push(chunk))
  const code = await new Promise(resolve => child.once('close', resolve))
  expect(Buffer.concat(stderr).toString()).toBe('')
  expect(code).toBe(0)
})
