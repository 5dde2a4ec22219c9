// Where the drivers of clients in other languages are, and how they are started. `.ci/install DIR` prepares them; `source DIR/env` says where they are.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { apacheKafkaMissing, kafkaClassPath } from '../apache-kafka/apache-kafka.ts'
import type { DriverCommand } from './driver-process.ts'

const PYTHON_DRIVERS = fileURLToPath(new URL('../../conformance/python/', import.meta.url))

/** Why there is no Python with the clients, and what to do; null when there is. */
export function pythonMissing(): string | null {
  const python = process.env.ODRADEK_PYTHON
  if (python && existsSync(python)) return null
  return 'the Python clients are not here: run `bash .ci/install DIR` and `source DIR/env`'
}

export function pythonDriver(file: string): DriverCommand {
  return { file: process.env.ODRADEK_PYTHON!, args: ['-u', join(PYTHON_DRIVERS, file)] }
}

/** Why the Java driver cannot run, and what to do; null when it can. */
export function javaMissing(): string | null {
  const classes = process.env.ODRADEK_JAVA_CLASSES
  if (apacheKafkaMissing() === null && classes && existsSync(join(classes, 'odradek', 'Driver.class'))) return null
  return 'the Java client is not here: run `bash .ci/install DIR` (needs Java 17 and Maven) and `source DIR/env`'
}

export function javaDriver(): DriverCommand {
  return javaProgram('odradek.Driver', [])
}

/** A main class of Kafka's jars or of ours, in a process of its own. */
export function javaProgram(main: string, parameters: readonly string[]): DriverCommand {
  const classPath = `${process.env.ODRADEK_JAVA_CLASSES}:${kafkaClassPath()}`
  // Compiling hot code is not worth it for a run this short.
  return {
    file: 'java',
    args: ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', classPath, main, ...parameters],
  }
}
