// The real clients, pinned: npm's by tools/package.json, the others by tools/conformance (requirements.txt, pom.xml) and Debian.
import { drivenClient } from './driven-client.ts'
import { javaDriver, javaMissing, pythonDriver, pythonMissing } from './drivers.ts'
import { kafkajs } from './kafkajs-client.ts'
import { kcat } from './kcat-client.ts'
import { odradek } from './odradek-client.ts'
import { platformatic } from './platformatic-client.ts'
import { codecs, type RealClientKind } from './real-client.ts'

const confluentKafka = drivenClient({
  name: 'confluent-kafka',
  missing: pythonMissing(),
  command: () => pythonDriver('confluent_driver.py'),
  codecs,
})

const kafkaPython = drivenClient({
  name: 'kafka-python',
  missing: pythonMissing(),
  command: () => pythonDriver('kafka_python_driver.py'),
  // The others need packages of their own.
  codecs: ['none', 'gzip'],
  lacks: ['null header values'],
})

const java = drivenClient({ name: 'Java', missing: javaMissing(), command: javaDriver, codecs })

export const realClients: readonly RealClientKind[] = [
  odradek,
  kcat,
  kafkajs,
  platformatic,
  confluentKafka,
  kafkaPython,
  java,
]
