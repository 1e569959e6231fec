import type { BrowserContext, Page } from 'playwright-core'
import { recordSockets, type Socket } from './wire.js'

/** A browser tab with the chat example. */
export class ChatTab {
  private constructor(
    readonly page: Page,
    /** Every WebSocket of the tab, in the order of opening. */
    readonly sockets: Socket[],
    private readonly name: string,
  ) {}

  static async open(context: BrowserContext, url: string, name: string): Promise<ChatTab> {
    const page = await context.newPage()
    const sockets = await recordSockets(page)
    await page.goto(url)
    await page.locator('#status.open').waitFor()
    await page.locator('#username').fill(name)
    return new ChatTab(page, sockets, name)
  }

  /** The chat's own socket, not Vite's. */
  get socket(): Socket {
    const socket = this.sockets.find(({ url }) => url.endsWith('/api/ws/chat'))
    if (!socket) throw new Error('the page has opened no chat socket')
    return socket
  }

  async join(room: string): Promise<void> {
    await this.page.locator('#room').fill(room)
    await this.page.locator('#join').click()
  }

  async leave(): Promise<void> {
    await this.page.locator('#leave').click()
  }

  async say(text: string): Promise<void> {
    await this.page.locator('#text').fill(text)
    await this.page.locator('#send').click()
  }

  /** Waits until the log has this message. */
  async hears(from: string, text: string): Promise<void> {
    await this.page.locator('#log .message', { hasText: `${from} ${text}` }).waitFor()
  }

  /** Waits until the log has this notice. */
  async notices(text: string): Promise<void> {
    await this.page.locator('#log .notice', { hasText: text }).waitFor()
  }

  /** What has come over the chat's socket, of one type. */
  received(type: string): Record<string, unknown>[] {
    return this.socket.received.map((text) => JSON.parse(text)).filter((event) => event.type === type)
  }

  /** Waits until everything sent to this tab before now has arrived: a word to itself in a room of its own comes after it. */
  async settle(): Promise<void> {
    const room = `only ${this.name}`
    const word = `settled ${this.socket.sent.length}`
    await this.join(room)
    await this.say(word)
    await this.hears(this.name, word)
  }
}
