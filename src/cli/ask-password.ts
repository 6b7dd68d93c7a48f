/** Asks for a password on a terminal. */
import { isCancel, password as prompt } from '@clack/prompts'
import { Fault } from '../base/fault.ts'

/** @throws Fault MissingParameter where there is no terminal to ask on, or the person gives up */
export async function askPassword(): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new Fault('MissingParameter', 'There is no terminal to ask for the password on; give it as --password.')
  }
  const answer = await prompt({ message: 'Password (at least 10 characters)' })
  if (isCancel(answer)) throw new Fault('MissingParameter', 'No password was given; nothing was done.')
  return answer
}
