/** Errors of the system in the words of the native program, whose are those of the C library. */

import { constants } from 'node:os'

const WORDS: Record<string, string> = {
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EEXIST: 'File exists',
  EISDIR: 'Is a directory',
  EMFILE: 'Too many open files',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  EPERM: 'Operation not permitted',
  EROFS: 'Read-only file system',
}

/** What the system said. */
export function systemError(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  const words = WORDS[code]
  const number = constants.errno[code as keyof typeof constants.errno]
  if (words !== undefined && number !== undefined) return `${words} (os error ${number})`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `failed to lookup address information: ${NAMES[code]}`
  return message
}

const NAMES = { ENOTFOUND: 'Name or service not known', EAI_AGAIN: 'Temporary failure in name resolution' }
