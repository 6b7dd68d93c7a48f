/** The EC2 part of the story, completed by boto3 as its package brings it. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requireClient } from '../../tools/find-clients.ts'
import { openSetting, runClient, type Setting } from '../aws-client.ts'

const boto3Story = fileURLToPath(new URL('boto3-story.py', import.meta.url))

describe.sequential('boto3', { timeout: 60_000 }, () => {
  let setting: Setting
  let imageId = ''
  const python = requireClient('python')
  beforeAll(async () => {
    setting = await openSetting()
  })
  afterAll(() => setting.house.close())

  const play = async (part: 'before' | 'after'): Promise<Record<string, unknown>> => {
    const { house, product, seller, buyer } = setting
    const settings = { url: house.town.url, productCode: product.productCode, seller, buyer, imageId }
    const { code, stdout, stderr } = await runClient(python, [boto3Story, part, JSON.stringify(settings)])
    if (code !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as Record<string, unknown>
  }

  test('before the purchase a launch is refused with the purchase URL', async () => {
    const { seller, buyer, product, house } = setting
    const seen = await play('before')
    imageId = String(seen['imageId'])
    expect(seen).toMatchObject({
      accounts: [seller.accountId, buyer.accountId],
      notShared: { code: 'AuthFailure', status: 401 },
      productCodes: [{ ProductCodeId: product.productCode, ProductCodeType: 'devpay' }],
      refused: { code: 'OptInRequired', status: 401, message: expect.stringContaining(product.purchaseUrl) as string },
    })
    expect((await house.subscribe(buyer, product)).text).toContain('Thank you, your order is placed')
  })

  test('after it the whole life of instances goes through', async () => {
    const { buyer, product, house } = setting
    const code = { ProductCodeId: product.productCode, ProductCodeType: 'devpay' }
    expect(await play('after')).toEqual({
      repeated: true,
      mismatch: 'IdempotentParameterMismatch',
      productCodes: [code],
      confirmed: [true, buyer.accountId],
      confirmStopped: 'IncorrectInstanceState',
      supported: [code],
      paged: [6, 6],
      errors: ['InvalidAMIID.NotFound', 'InvalidInstanceID.NotFound', 'Unsupported', 'DryRunOperation'],
    })
    expect((await house.proveBooks()).ok).toBe(true)
  })
})
