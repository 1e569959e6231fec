/** `conn.rooms` is a set in every way that JavaScript has to look at one. */

import { inspect } from 'node:util'

import { expect, test } from 'vitest'

import { Rooms } from '../src/connection/rooms.js'

function rooms(...joined: string[]): { rooms: Rooms; joined: string[] } {
  const source = {
    getRooms: () => [...joined],
    isInRoom: (room: string) => joined.includes(room),
    joinRoom: (room: string) => void (joined.includes(room) || joined.push(room)),
    leaveRoom: (room: string) => void joined.splice(0, joined.length, ...joined.filter((other) => other !== room)),
  }
  return { rooms: new Rooms(source), joined }
}

test('it is shown, cloned and compared with its members', () => {
  const set = rooms('a', 'b').rooms.refresh()
  expect(inspect(set)).toBe("Set(2) { 'a', 'b' }")
  expect(structuredClone(set)).toEqual(new Set(['a', 'b']))
  expect([...set, set.size, new Set(set).size]).toEqual(['a', 'b', 2, 2])
})

test('adding joins, deleting leaves, and what it holds follows', () => {
  const { rooms: set, joined } = rooms('a')
  expect([set.add('b').has('b'), set.delete('a'), set.delete('a')]).toEqual([true, true, false])
  expect([joined, [...structuredClone(set)]]).toEqual([['b'], ['b']])
  set.clear()
  expect([joined, structuredClone(set).size]).toEqual([[], 0])
})

test('the methods of newer JavaScript see rooms that were joined since', () => {
  const { rooms: set, joined } = rooms('a')
  joined.push('b')
  const newer = set as unknown as { union?(other: Set<string>): Set<string>; isSubsetOf(other: Set<string>): boolean }
  if (newer.union === undefined) return expect('union' in Set.prototype).toBe(false)
  expect([...newer.union(new Set(['c']))]).toEqual(['a', 'b', 'c'])
  expect([newer.isSubsetOf(new Set(['a', 'b'])), newer.isSubsetOf(new Set(['a']))]).toEqual([true, false])
})
