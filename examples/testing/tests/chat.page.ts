import { expect, test } from 'vite-plugin-switchboard/playwright'

import chat from '../ws/chat.ts'

test('two tabs talk', async ({ page, context, server }) => {
  server.use(chat)
  const address = `/?chat=${encodeURIComponent(server.url('/chat/general'))}`
  const other = await context.newPage()
  for (const tab of [page, other]) {
    await tab.goto(address)
    await expect(tab.getByRole('status')).toHaveText('open')
  }
  await expect(server).toHaveReceivedInOrder([{ type: 'join' }, { type: 'join' }])
  await page.getByLabel('Message').fill('hello')
  await page.getByRole('button').click()
  await expect(other.getByRole('listitem')).toHaveText(['hello'])
})

test('a page whose URL cannot be chosen is led to the server too', async ({ page, server }) => {
  await server.take(page, '**/api/chat/*')
  await page.goto('/')
  const client = await server.connection('/api/chat/general')
  await expect(client).toReceive({ type: 'join' })
  client.send({ type: 'said', text: 'from the test' })
  await expect(page.getByRole('listitem')).toHaveText(['from the test'])
  client.terminate()
  await expect(page.getByRole('status')).toHaveText('waiting')
  await server.connection()
  await expect(page.getByRole('status')).toHaveText('open')
})

test('a page that is refused waits and tries again', async ({ page, server }) => {
  server.refuse(503, { times: 1 })
  await page.goto(`/?chat=${encodeURIComponent(server.url('/chat/general'))}`)
  await expect(page.getByRole('status')).toHaveText('waiting')
  await server.connection()
  await expect(page.getByRole('status')).toHaveText('open')
})
