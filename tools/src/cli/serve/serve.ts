// Starts the broker, says where it is, waits for its end, drains it.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { type Broker, createBroker } from '@odradek/broker'
import type { Log } from '@odradek/shared/actor/actor'
import { openWindow, WINDOW_FILE, type Window } from '../../watch/window.ts'
import { exitCodes } from '../exit-codes.ts'
import { onInterrupt } from '../terminal/interrupts.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { ServeFlags } from './serve-command.ts'

const LISTEN = [{ host: '127.0.0.1', port: 9092 }]

/** Resolves with the exit code when the broker has closed. */
export async function serve(
  terminal: Terminal,
  flags: ServeFlags,
  config: { readonly [name: string]: string },
): Promise<number> {
  using interrupts = onInterrupt()
  await using broker = await createBroker({
    listen: (flags.listen ?? LISTEN).map(address => ({
      ...address,
      ...(flags.advertised === undefined ? {} : { advertised: flags.advertised }),
    })),
    ...(flags.memory ? { storage: 'memory' as const } : {}),
    ...(flags.dir === undefined ? {} : { dir: flags.dir }),
    threads: flags.threads,
    ...(flags.busyPoll ? {} : { busyPoll: 'off' }),
    ...(flags.nodeId === undefined ? {} : { nodeId: flags.nodeId }),
    topics: Object.fromEntries((flags.topic ?? []).map(({ name, partitions }) => [name, partitions ?? {}])),
    config,
    ...(flags.quiet ? {} : { logger: warningsTo(terminal) }),
  })
  await using _window = await windowOf(terminal, broker, flags)
  if (!flags.quiet) sayReady(terminal, broker, flags)
  if (flags.run !== undefined) return await runBeside(flags.run, broker, interrupts.signal)
  if (!interrupts.signal.aborted)
    await new Promise<void>(resolve => interrupts.signal.addEventListener('abort', () => resolve(), { once: true }))
  if (!flags.quiet) terminal.note('draining')
  return exitCodes.ok
}

/** Lets `odradek actor list|trace` look in. One that was not asked for and cannot be opened is no reason not to serve. */
async function windowOf(terminal: Terminal, broker: Broker, { window, quiet }: ServeFlags): Promise<Window | null> {
  if (window !== undefined) return openWindow(broker, window)
  if (broker.dir === null) return null
  return openWindow(broker, join(broker.dir, WINDOW_FILE)).catch((error: Error) => {
    if (!quiet) terminal.note(`warning: nobody can watch this broker: ${error.message}`)
    return null
  })
}

function sayReady(
  terminal: Terminal,
  { bootstrapServers, clusterId, nodeId, dir }: Broker,
  { json }: ServeFlags,
): void {
  if (json)
    terminal.print(JSON.stringify({ event: 'ready', bootstrapServers, clusterId, nodeId, dir, pid: process.pid }))
  else
    terminal.print(
      `ready on ${bootstrapServers} (cluster ${clusterId}, ${dir === null ? 'logs in memory' : `logs in ${dir}`})`,
    )
}

/** Warnings and errors of actors, for people. */
function warningsTo(terminal: Terminal): Log {
  const line = (level: string) => (fields: object, message: string) =>
    terminal.note(`${level}: ${message} ${JSON.stringify(fields)}`)
  return { debug() {}, info() {}, warn: line('warning'), error: line('error') }
}

/** Runs a shell command with the broker's address; its end is the broker's end. */
function runBeside(command: string, { bootstrapServers }: Broker, signal: AbortSignal): Promise<number> {
  const child = spawn(command, {
    shell: true,
    stdio: 'inherit',
    env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: bootstrapServers },
  })
  signal.addEventListener('abort', () => child.kill(signal.reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM'), { once: true })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, killedBy) => {
      if (signal.aborted) resolve(exitCodes.interrupted)
      else resolve(code ?? 128 + constants.signals[killedBy!])
    })
  })
}
