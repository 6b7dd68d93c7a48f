/** The EC2 part of the story, completed by the AWS CLI as its package brings it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requireClient } from '../../tools/find-clients.ts'
import { openSetting, runClient, type ClientRun, type Setting } from '../aws-client.ts'
import type { AccessKey } from '../wires.ts'

describe.sequential('the AWS CLI', { timeout: 90_000 }, () => {
  let setting: Setting
  let imageId = ''
  let instanceId = ''
  const cli = requireClient('awsCli')
  beforeAll(async () => {
    setting = await openSetting()
  })
  afterAll(() => setting.house.close())

  const ask = (who: AccessKey, words: string): Promise<ClientRun> => {
    const common = ['--endpoint-url', setting.house.town.url, '--region', 'us-east-1', '--output', 'json']
    return runClient(cli, [...words.split(' '), ...common], who)
  }
  /** What it prints, which must not be a refusal. */
  const done = async (who: AccessKey, words: string): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await ask(who, words)
    if (code !== 0) throw new Error(`aws ${words}: ${stderr}`)
    return stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>)
  }
  /** The code and message it prints for a refusal. */
  const refused = async (who: AccessKey, words: string): Promise<{ code: string; message: string }> => {
    const { code: exitCode, stderr } = await ask(who, words)
    const [, code = '', message = ''] = /An error occurred \(([^)]+)\) when calling [^:]*: ([^]*)/.exec(stderr) ?? []
    if (exitCode === 0 || code === '') throw new Error(`aws ${words} exited with ${String(exitCode)}: ${stderr}`)
    return { code, message }
  }
  const register = async (who: AccessKey, name: string): Promise<string> => {
    const words = `ec2 register-image --name ${name} --image-location ${name}/manifest.xml --architecture x86_64`
    return String((await done(who, words))['ImageId'])
  }
  const launch = (image: string, type = 'm1.small') =>
    `ec2 run-instances --image-id ${image} --instance-type ${type} --count 1`

  test('both know who they are', async () => {
    for (const who of [setting.seller, setting.buyer]) {
      expect(await done(who, 'sts get-caller-identity')).toMatchObject({ Account: who.accountId })
    }
  })

  test('an image is registered, coded and shared; a launch is refused until the purchase', async () => {
    const { seller, buyer, product, house } = setting
    imageId = await register(seller, 'paid-by-cli')
    await done(seller, `ec2 modify-image-attribute --image-id ${imageId} --product-codes ${product.productCode}`)
    expect((await refused(buyer, launch(imageId))).code).toBe('AuthFailure')
    await done(
      seller,
      `ec2 modify-image-attribute --image-id ${imageId} --launch-permission Add=[{UserId=${buyer.accountId}}]`,
    )
    const refusal = await refused(buyer, launch(imageId))
    expect(refusal.code).toBe('OptInRequired')
    expect(refusal.message).toContain(product.purchaseUrl)
    expect((await house.subscribe(buyer, product)).text).toContain('Thank you, your order is placed')
  })

  test('a launch is accepted once per client token, awaited, described and confirmed', async () => {
    const { seller, buyer, product } = setting
    const once = `${launch(imageId)} --client-token cli-launch`
    const first = await done(buyer, once)
    expect(await done(buyer, once)).toMatchObject({ ReservationId: first['ReservationId'] })
    instanceId = (first['Instances'] as { InstanceId: string }[])[0]?.InstanceId ?? ''
    expect((await refused(buyer, `${launch(imageId, 'm1.large')} --client-token cli-launch`)).code).toBe(
      'IdempotentParameterMismatch',
    )
    await done(buyer, `ec2 wait instance-running --instance-ids ${instanceId}`)
    const found = await done(
      buyer,
      `ec2 describe-instances --filters Name=product-code,Values=${product.productCode} --query Reservations[].Instances[]`,
    )
    expect(found).toMatchObject([
      { InstanceId: instanceId, ProductCodes: [{ ProductCodeId: product.productCode, ProductCodeType: 'devpay' }] },
    ])
    const confirm = `ec2 confirm-product-instance --instance-id ${instanceId} --product-code ${product.productCode}`
    expect(await done(seller, confirm)).toMatchObject({ Return: true, OwnerId: buyer.accountId })
    expect((await refused(buyer, confirm)).code).toBe('AuthFailure')
  })

  test('an instance is stopped, started, rebooted and terminated', async () => {
    const { buyer } = setting
    for (const [verb, state] of [
      ['stop', 'stopped'],
      ['start', 'running'],
      ['terminate', 'terminated'],
    ]) {
      await done(buyer, `ec2 ${verb}-instances --instance-ids ${instanceId}`)
      await done(buyer, `ec2 wait instance-${state} --instance-ids ${instanceId}`)
    }
    expect((await refused(buyer, `ec2 start-instances --instance-ids ${instanceId}`)).code).toBe(
      'IncorrectInstanceState',
    )
  })

  test('a buyer puts the code on an own image, and pages go on to the end', async () => {
    const { buyer, product, house } = setting
    const own = await register(buyer, 'supported-by-cli')
    await done(buyer, `ec2 modify-image-attribute --image-id ${own} --product-codes ${product.productCode}`)
    const launched = await done(buyer, `${launch(own)} --user-data hello`)
    expect(launched['Instances']).toMatchObject([{ ProductCodes: [{ ProductCodeId: product.productCode }] }])
    await done(buyer, launch(imageId).replace('--count 1', '--count 4'))
    const ids = await done(buyer, 'ec2 describe-instances --page-size 5 --query Reservations[].Instances[].InstanceId')
    expect(new Set(ids as unknown as string[]).size).toBe(6)
    expect((await refused(buyer, `${launch(imageId)} --dry-run`)).code).toBe('DryRunOperation')
    expect((await refused(buyer, launch('ami-00000000000000000'))).code).toBe('InvalidAMIID.NotFound')
    expect((await refused(buyer, launch(imageId, 'c1.medium'))).code).toBe('Unsupported')
    expect((await house.proveBooks()).ok).toBe(true)
  })
})
