// What two lanes say to each other. All that was said to one lane in one event turn is one flat array of entries; positions are
// cheaper to clone than objects with keys. Written by link-end and peer-end, read by trunk. Links are numbered by the lane that
// opened them, so the asker's words and the actor's words live in two number spaces of one channel.
//
//   asker -> actor                                       actor -> asker
//   OPEN        link actor incarnation kind asker        REPLY   link seq response
//   ASK         link seq word request                    ERROR   link seq error
//   TELL        link word bytes message                  NEWS    link word bytes message
//   NEWS_CREDIT link messages bytes                      CREDIT  link messages bytes
//   CLOSE       link reason                              CLOSED  link code reason
//
// `word` is the position of the name in its contract (both ends import the same one); `seq` numbers the asks of a link from 0.
// A REPLY or ERROR returns the credit of its ask; CREDIT and NEWS_CREDIT return those of tells and news that were handled.

export const OPEN = 0
export const ASK = 1
export const TELL = 2
export const NEWS_CREDIT = 3
export const CLOSE = 4
export const REPLY = 5
export const ERROR = 6
export const NEWS = 7
export const CREDIT = 8
export const CLOSED = 9

/** Positions that an entry of each kind takes, its own code included. */
export const entryLength = [6, 5, 5, 4, 3, 4, 4, 5, 4, 4] as const

export type Entries = unknown[]
