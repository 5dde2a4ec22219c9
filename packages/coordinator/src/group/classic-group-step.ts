// The classic group's machine as a pure function: thousands of groups share one table, made from the graph itself. A test holds it against
// XState's own steps.
import { type MachineStep, machineTable } from '@odradek/shared/actor/machine-table'
import {
  type ClassicGroupEffect,
  type ClassicGroupEvent,
  type ClassicGroupState,
  classicGroupMachine,
} from './classic-group.machine.ts'

/** Where an event leads from a state, and which effects it has. */
export const classicGroupStep: (
  state: ClassicGroupState,
  event: ClassicGroupEvent,
) => MachineStep<ClassicGroupState, ClassicGroupEffect> = machineTable<
  ClassicGroupState,
  ClassicGroupEffect,
  typeof classicGroupMachine
>(classicGroupMachine)
