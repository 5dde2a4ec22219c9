// Transactions of clients in driver processes: librdkafka through confluent-kafka, and Java.
import { type DriverCommand, DriverProcess } from './driver-process.ts'
import { javaDriver, javaMissing, pythonDriver, pythonMissing } from './drivers.ts'
import type { TransactionalClientKind } from './transactional-client.ts'

function driven(name: string, missing: string | null, command: () => DriverCommand): TransactionalClientKind {
  return {
    name,
    missing,
    async open(bootstrapServers) {
      const driver = new DriverProcess(command())
      await driver.call('open', { bootstrapServers })
      return {
        name,
        transact: (topic, transactionalId, transactions) =>
          driver.call('transact', { topic, transactionalId, transactions }),
        fence: (topic, transactionalId, values) => driver.call('fence', { topic, transactionalId, ...values }),
        copy: job => driver.call('copy', job),
        readCommitted: topic => driver.call('readCommitted', { topic }),
        close: () => driver.close(),
      }
    },
  }
}

export const confluentTransactions = driven('confluent-kafka', pythonMissing(), () =>
  pythonDriver('confluent_driver.py'),
)
export const javaTransactions = driven('Java', javaMissing(), javaDriver)
