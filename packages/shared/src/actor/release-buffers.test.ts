import { describe, expect, it } from 'vitest'
import { releaseBuffers } from './release-buffers.ts'

describe('releaseBuffers', () => {
  it('detaches what it frees, again and again', () => {
    for (let round = 0; round < 3; round++) {
      const buffers = [new ArrayBuffer(65_536), new ArrayBuffer(1)]
      const views = buffers.map(buffer => new Uint8Array(buffer))
      releaseBuffers(buffers)
      expect(views.map(view => view.byteLength)).toEqual([0, 0])
      expect(buffers).toEqual([])
    }
  })

  it('takes an empty list', () => {
    expect(() => releaseBuffers([])).not.toThrow()
  })
})
