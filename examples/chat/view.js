// How things look. Change anything here while the chat is running: Vite swaps this module in, the
// messages are drawn anew, and the WebSocket stays open.

export const title = 'Chat'

/** One line of the log for something that the server sent. */
export function line(event, username) {
  switch (event.type) {
    case 'chat-message':
      return entry(event.from === username ? 'message own' : 'message', event.text, event.from)
    case 'user-joined':
      return entry('notice', `${event.username} joined ${event.room}`)
    case 'user-left':
      return entry('notice', 'somebody left')
    case 'welcome':
      return entry('notice', event.message)
    case 'connected':
      return entry('notice', `you are ${event.id}`)
    default:
      return entry('notice', JSON.stringify(event))
  }
}

function entry(kind, text, author) {
  const item = document.createElement('li')
  item.className = kind
  if (author) {
    const name = document.createElement('b')
    name.textContent = author
    item.append(name, ' ')
  }
  item.append(text)
  return item
}
