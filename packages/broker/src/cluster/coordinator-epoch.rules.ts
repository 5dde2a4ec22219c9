// The epoch of a coordinator: what tells its markers from those that a predecessor sent before it died. Kafka takes the leader epoch of the coordinator's partition,
// because there a coordinator begins with each leadership. Here one may die and begin anew beside a leader that lives on, so the starts under
// one leader epoch count, too. Leader epochs rise, durably, with each start of the broker.
//
//   31        30 ........................... 12   11 ............ 0
//   sign (0)  leader epoch                        starts before this one

const STARTS = 2 ** 12
const INT32_MAX = 2 ** 31 - 1

/**
 * Of the start that comes after `startsBefore` others under that leader epoch. Above every earlier one, and above the leader epoch itself, which markers bore before
 * starts were counted. After 4,095 starts, or 524,287 leader epochs, it stays as it is: equal epochs are not refused.
 */
export function coordinatorEpochOf(leaderEpoch: number, startsBefore: number): number {
  return Math.min(leaderEpoch * STARTS + Math.min(startsBefore, STARTS - 1), INT32_MAX)
}
