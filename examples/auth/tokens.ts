/** Who a token belongs to. */
export interface User {
  id: number
  name: string
}

const users = new Map<string, User>([
  ['alice-token', { id: 1, name: 'Alice' }],
  ['bob-token', { id: 2, name: 'Bob' }],
])

/** Where a real application would check a signature or ask its database. */
export async function verifyToken(token: string): Promise<User> {
  const user = users.get(token)
  if (!user) {
    throw new Error('unknown token')
  }
  return user
}
