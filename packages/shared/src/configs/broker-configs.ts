// Every broker config that is known here, by name, in alphabetical order. Unknown names are refused in our own API and ignored nowhere.
import { brokerCoordinatorConfigs } from './broker-coordinator-configs.ts'
import { brokerLogConfigs } from './broker-log-configs.ts'
import { brokerNetworkConfigs } from './broker-network-configs.ts'
import { configTable } from './config-spec.ts'

export const brokerConfigs = configTable(
  [...brokerCoordinatorConfigs, ...brokerLogConfigs, ...brokerNetworkConfigs].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  ),
)
