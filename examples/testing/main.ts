import { createElement as h, useState } from 'react'
import { createRoot } from 'react-dom/client'

import { useChat } from './useChat.ts'

/** Where the chat is: the dev server's own, or what a test says. */
const url = new URLSearchParams(location.search).get('chat') ?? `ws://${location.host}/api/chat/general`

function Chat() {
  const { status, messages, say } = useChat(url)
  const [text, setText] = useState('')
  return h(
    'main',
    null,
    h('p', { role: 'status' }, status),
    h('ul', null, messages.map((message, index) => h('li', { key: index }, message))),
    h(
      'form',
      {
        onSubmit: (event: { preventDefault(): void }) => {
          event.preventDefault()
          say(text)
          setText('')
        },
      },
      h('input', { 'aria-label': 'Message', value: text, onChange: (event: { target: { value: string } }) => setText(event.target.value) }),
      h('button', { disabled: status !== 'open' }, 'Say'),
    ),
  )
}

createRoot(document.querySelector('#app')!).render(h(Chat))
