/** The demo, as its user runs it: the whole way acted over the public wires, and the one JSON object it ends with. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeScratchFolder } from '../scratch-folder.ts'
import { runCommand } from '../service-process.ts'

const folder = makeScratchFolder('turnpike-demo-')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test(
  'acts the way from a product to a paid seller, to the cent, and acts it once only',
  { timeout: 120_000 },
  async () => {
    const dataFolder = join(folder, 'demo')
    const words = ['demo', '--exit', '--data-folder', dataFolder]
    const told = await runCommand([...words, '--json'])
    expect(told).toMatchObject({ code: 0, stderr: '' })
    const lines = told.stdout.trim().split('\n')
    const summary = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>
    expect(summary).toMatchObject({
      productCode: expect.stringMatching(/^[0-9A-F]{8}$/),
      purchaseUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/purchase\/[0-9A-F]{8}$/),
      refusedBeforePurchase: 'OptInRequired',
      instanceIds: [1, 2, 3].map(() => expect.stringMatching(/^i-[0-9a-f]{17}$/)),
      invoices: ['18.67', '26.00', '18.00', '21.60'].map((total) => ({ total, state: 'paid', currency: 'USD' })),
      // Of June: 44.27 less cost 6.00, 3 % of each buyer's value-add 1.14, fees 1.20; of July: 40.00 less 3 %.
      payouts: ['34.97', '19.10', '20.66'].map((amount) => ({ amount, state: 'paid' })),
      payout: { amount: '20.66', currency: 'USD', state: 'paid' },
      proof: { ok: true },
    })

    const again = await runCommand(words)
    expect(again.code).toBe(1)
    expect(again.stderr).toContain('The demo acts on an empty database')
    expect((await runCommand(['prove', '--data-folder', dataFolder])).code).toBe(0)
  },
)
