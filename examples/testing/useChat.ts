import { useCallback, useEffect, useRef, useState } from 'react'

export type Status = 'connecting' | 'open' | 'waiting'

const LONGEST_PAUSE = 30_000

/** A room of the chat. When the connection is lost it is opened again after 1 s, 2 s, 4 s … 30 s. */
export function useChat(url: string) {
  const [status, setStatus] = useState<Status>('connecting')
  const [messages, setMessages] = useState<string[]>([])
  const socket = useRef<WebSocket>(null)

  useEffect(() => {
    let failures = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false

    function connect(): void {
      setStatus('connecting')
      const opened = new WebSocket(url)
      socket.current = opened
      opened.onopen = () => {
        failures = 0
        setStatus('open')
        opened.send(JSON.stringify({ type: 'join' }))
      }
      opened.onmessage = ({ data }) => {
        const message = JSON.parse(String(data)) as { type: string; text: string }
        if (message.type === 'said') setMessages((before) => [...before, message.text])
      }
      opened.onclose = () => {
        if (isOver) return
        setStatus('waiting')
        timer = setTimeout(connect, Math.min(1000 * 2 ** failures++, LONGEST_PAUSE))
      }
    }

    connect()
    return () => {
      isOver = true
      clearTimeout(timer)
      socket.current?.close()
    }
  }, [url])

  const say = useCallback((text: string) => socket.current?.send(JSON.stringify({ type: 'say', text })), [])
  return { status, messages, say }
}
