/** Text that is kept and shown again: without the characters that neither PostgreSQL nor an XML answer can hold. */
import { Fault } from '../base/fault.ts'

const unshowable = /[^\P{Cc}\t\n\r]|[\p{Cs}\ufffe\uffff]/u

export function isPlainText(text: string): boolean {
  return !unshowable.test(text)
}

/**
 * @param lengthMax in UTF-16 units, as EC2 counts
 * @throws Fault InvalidParameter naming the parameter
 */
export function requirePlainText(parameter: string, text: string, lengthMax: number): void {
  if (text.length > lengthMax) {
    throw invalid(parameter, `${parameter} has ${text.length} characters; ${lengthMax} are allowed.`)
  }
  if (!isPlainText(text)) {
    throw invalid(
      parameter,
      `${parameter} holds a control character; only tab and line ends are allowed besides plain text.`,
    )
  }
}

function invalid(parameter: string, message: string): Fault {
  return new Fault('InvalidParameter', message, { data: { ec2Code: 'InvalidParameterValue', parameter } })
}
