import { cleanup, renderHook, waitFor } from '@testing-library/react'
import { afterEach, vi } from 'vitest'
import { expect, test } from 'vite-plugin-switchboard/vitest'

import { useChat } from '../useChat.ts'
import chat from '../ws/chat.ts'

afterEach(() => {
  cleanup() // unmounts, which closes the socket: one that is left open fails its test
  vi.useRealTimers()
})

test('joins its room', async ({ server }) => {
  const { result } = renderHook(() => useChat(server.url('/chat/general')))
  const client = await server.connection('/chat/general')
  await expect(client).toReceive({ type: 'join' })
  await waitFor(() => expect(result.current.status).toBe('open'))
})

test('shows what is said, by the handler that the app is developed with', async ({ server }) => {
  server.use(chat)
  const ada = renderHook(() => useChat(server.url('/chat/general')))
  const bob = renderHook(() => useChat(server.url('/chat/general')))
  await expect(server).toHaveConnections(2)
  await expect(server).toHaveReceivedInOrder([{ type: 'join' }, { type: 'join' }])
  await waitFor(() => expect(ada.result.current.status).toBe('open'))
  ada.result.current.say('hello')
  await waitFor(() => expect(bob.result.current.messages).toEqual(['hello']))
  expect(ada.result.current.messages).toEqual(['hello'])
})

test('comes back after a drop, and joins again', async ({ server }) => {
  vi.useFakeTimers({ shouldAdvanceTime: true }) // the app's timers; the server's are its own
  const { result } = renderHook(() => useChat(server.url('/chat/general')))
  const client = await server.connection()
  await expect(client).toReceive({ type: 'join' })
  client.terminate()
  await waitFor(() => expect(result.current.status).toBe('waiting'))
  await expect(server).toHaveConnections(0)
  await vi.advanceTimersByTimeAsync(1000)
  await expect(server).toHaveConnections(1)
  await expect(await server.connection()).toReceive({ type: 'join' })
})

test('waits longer each time while the server is overloaded', async ({ server }) => {
  vi.useFakeTimers({ shouldAdvanceTime: true })
  server.refuse(503, { times: 3 })
  renderHook(() => useChat(server.url('/chat/general')))
  for (const [count, pause] of [1000, 2000, 4000].entries()) {
    await waitFor(() => expect(server.refusals).toHaveLength(count + 1))
    await vi.advanceTimersByTimeAsync(pause - 500)
    expect(server.refusals).toHaveLength(count + 1)
    await vi.advanceTimersByTimeAsync(500)
  }
  await expect(server).toHaveConnections(1)
})

test('comes back when the server was down', async ({ server }) => {
  vi.useFakeTimers({ shouldAdvanceTime: true })
  const { result } = renderHook(() => useChat(server.url('/chat/general')))
  await server.connection()
  server.down()
  await waitFor(() => expect(result.current.status).toBe('waiting'))
  server.up()
  await vi.advanceTimersByTimeAsync(1000)
  await server.connection()
  await waitFor(() => expect(result.current.status).toBe('open'))
})

test('comes back when the connection breaks in the middle', async ({ server }) => {
  vi.useFakeTimers({ shouldAdvanceTime: true })
  server.use(chat)
  server.faults.add({ after: { messages: 2 }, terminate: true, times: 1 }) // the join, and its answer
  const { result } = renderHook(() => useChat(server.url('/chat/general')))
  await waitFor(() => expect(result.current.status).toBe('waiting'))
  await vi.advanceTimersByTimeAsync(1000)
  await expect(server).toHaveConnections(1)
  await waitFor(() => expect(result.current.status).toBe('open'))
})

test('says goodbye when it is unmounted', async ({ server }) => {
  const { unmount } = renderHook(() => useChat(server.url('/chat/general')))
  const client = await server.connection()
  await expect(client).toReceive({ type: 'join' })
  unmount()
  await expect(client).toBeClosedWith(expect.any(Number))
  await expect(server).toHaveConnections(0)
})

const withClock = test.extend({ serverOptions: { serve: chat, clock: 'manual' as const } })

withClock('who is silent for a minute is closed', async ({ server }) => {
  const { result } = renderHook(() => useChat(server.url('/chat/general')))
  const client = await server.connection()
  await expect(client).toReceive({ type: 'join' })
  await server.clock.advance('59s')
  expect(client.isOpen).toBe(true)
  await server.clock.advance('1s')
  await expect(client).toBeClosedWith(expect.any(Number))
  await waitFor(() => expect(result.current.status).toBe('waiting'))
})
