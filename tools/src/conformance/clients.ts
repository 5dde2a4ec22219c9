// The real clients, pinned: npm's by tools/package.json, the others by tools/conformance (requirements.txt, pom.xml) and Debian.
import { kafkajs } from './kafkajs-client.ts'
import { kcat } from './kcat-client.ts'
import { odradek } from './odradek-client.ts'
import { platformatic } from './platformatic-client.ts'
import type { RealClientKind } from './real-client.ts'

export const realClients: readonly RealClientKind[] = [odradek, kcat, kafkajs, platformatic]
