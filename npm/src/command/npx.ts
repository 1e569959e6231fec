/**
 * The end of npx. It runs a program in a shell, and passes SIGTERM to that shell, which ends by it and tells the program nothing.
 * SIGINT the shell keeps for itself until the program has ended: it has to be sent to the program, or to the process group, as a
 * terminal does.
 */

/** How often in ms it is looked whether the shell is still there. */
const INTERVAL = 500

/** Ends this process as SIGTERM does when npx, by which it was started, has ended. */
export function endWithNpx(environment: NodeJS.ProcessEnv = process.env): void {
  // On Windows a parent that has ended keeps its number, and there are no signals to end it by.
  if (!isByNpx(environment) || process.platform === 'win32') return
  const shell = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, INTERVAL)
  timer.unref()
}

/** Whether the shell waits for this program and nothing else; in a script it may put it into the background and end. */
function isByNpx({ npm_command: command, npm_config_call: script }: NodeJS.ProcessEnv): boolean {
  return command === 'exec' && !script
}
