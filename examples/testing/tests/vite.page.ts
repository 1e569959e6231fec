/** The server is the Vite of `webServer` itself, with the handlers of `ws`. The tests act on it from outside. */

import { expect, test } from 'vite-plugin-switchboard/playwright'

test('a page shows what its server says', async ({ page, control }) => {
  await page.goto('/')
  const { id } = await control.opened('/api/chat/general')
  await control.send(id, { type: 'said', text: 'from the test' })
  await expect(page.getByRole('listitem')).toHaveText(['from the test'])
})

test('a page waits while it is refused, and comes back', async ({ page, control }) => {
  const { id } = await control.addFaults({ route: '/chat/{room}', faults: { on: 'open', refuse: 503 } })
  await page.goto('/')
  await expect(page.getByRole('status')).toHaveText('waiting')
  await control.removeFaults(id)
  await expect(page.getByRole('status')).toHaveText('open')
})

test('a page comes back after a drop', async ({ page, control }) => {
  await page.goto('/')
  const { id } = await control.opened('/api/chat/general')
  await control.terminate({ connection: id })
  await expect(page.getByRole('status')).toHaveText('waiting')
  await control.opened('/api/chat/general')
  await expect(page.getByRole('status')).toHaveText('open')
})

test('a page comes back after a connection that a router drops when a minute is over', async ({ page, control }) => {
  await control.clock.pause()
  await control.addFaults({ route: '/chat/{room}', faults: { after: { ms: 60_000 }, terminate: true } })
  await page.goto('/')
  await control.opened('/api/chat/general')
  await control.clock.advance('59s')
  await expect(page.getByRole('status')).toHaveText('open')
  await control.clock.advance('1s')
  await control.opened('/api/chat/general')
})
