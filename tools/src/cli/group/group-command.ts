// `odradek group ...`: consumer groups of any cluster.
import { createAdmin } from '@odradek/shared/client/admin'
import { Command, Option } from 'commander'
import { type ClusterFlags, clientOptions, clusterOptions } from '../terminal/cluster-flags.ts'
import { integerFlag, severalFlag, wordsFlag } from '../terminal/flags.ts'
import { withExamples } from '../terminal/help.ts'
import { outputOption, styleOption } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** Of both protocols (Java: GroupState). */
const GROUP_STATES = [
  'Assigning',
  'CompletingRebalance',
  'Dead',
  'Empty',
  'PreparingRebalance',
  'Reconciling',
  'Stable',
]

export function groupCommand(terminal: Terminal): Command {
  const command = new Command('group').description('consumer groups of any cluster')
  const add = (name: string, summary: string) => clusterOptions(command.command(name).description(summary))
  add('list', 'all groups')
    .option('--state [state,...]', `only in these states: ${GROUP_STATES.join(', ')}`, wordsFlag(GROUP_STATES))
    .option('--type [type,...]', 'only classic or consumer groups', wordsFlag(['classic', 'consumer']))
    .addOption(outputOption())
    .addOption(styleOption())
    .action(async flags => (await import('./group-views.ts')).listGroups(terminal, flags))
  add('describe', 'offsets and lag of every partition; or members, or state')
    .argument('[group...]', 'all of them where none is named')
    .option('--offsets', 'where the group stands: what is shown where nothing else is asked for')
    .addOption(new Option('--members', 'who is in it, with which partitions').conflicts(['offsets', 'state']))
    .addOption(new Option('--state', 'state, assignor, coordinator').conflicts('offsets'))
    .option('--verbose', 'more columns')
    .addOption(outputOption())
    .addOption(styleOption())
    .action(async (groups, flags) => (await import('./group-views.ts')).describeGroups(terminal, groups, flags))
  resetCommand(
    terminal,
    add('reset', 'set where a group without members goes on; shows it first, does it with --execute'),
  )
  add('delete', 'delete groups without members, and their offsets')
    .argument('<group...>')
    .action((groups: readonly string[], flags: ClusterFlags) => deleteGroups(terminal, groups, flags))
  return withExamples(command, [
    ['group list --state Stable,Empty'],
    ['group describe billing', 'where it stands, partition by partition'],
    ['group describe billing --members'],
    ['group reset billing --topic orders --to-earliest', 'shows what would be'],
    ['group reset billing --all-topics --shift-by -10 --execute'],
    ['group delete billing'],
  ])
}

function resetCommand(terminal: Terminal, command: Command): void {
  const anyInteger = integerFlag({ min: Number.MIN_SAFE_INTEGER })
  command
    .argument('<group>')
    .option('--topic <name[:0,1]>', 'a topic, or some of its partitions; may be repeated', severalFlag(String))
    .option('--all-topics', 'all topics that the group has offsets of', false)
    .option('--to-earliest', 'the beginning')
    .option('--to-latest', 'the end')
    .option('--to-current', 'where it is; the end where it is nowhere')
    .option('--to-offset <n>', 'this offset, or the end next to it', integerFlag())
    .option('--shift-by <n>', 'so many records on (or back, if negative), within what there is', anyInteger)
    .option('--to-datetime <datetime>', 'the first record from then: YYYY-MM-DDTHH:mm:ss.sss, UTC unless it has a zone')
    .option('--by-duration <duration>', 'the first record from so long ago: P1DT2H3M')
    .option('--from-file <file>', 'lines of topic,partition,offset, such as --export prints')
    .option('--dry-run', 'show only: what is done without --execute', false)
    .option('--execute', 'do it', false)
    .option('--export', 'print lines for --from-file', false)
    .addOption(outputOption())
    .addOption(styleOption())
    .action(async (group, flags) => (await import('./group-reset.ts')).resetGroup(terminal, group, flags))
}

async function deleteGroups(terminal: Terminal, groups: readonly string[], flags: ClusterFlags): Promise<void> {
  await using admin = createAdmin(clientOptions(flags))
  await admin.groups.delete(groups)
  const names = groups.map(group => `'${group}'`).join(', ')
  terminal.print(`Deletion of requested consumer groups (${names}) was successful.`)
}
