import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { charged, costCharged, feeCharged, nothingCharged, type Figures } from './settlement.ts'

const threePercent = 300n

describe('the formulas of spec §7', () => {
  it.each<[Figures, bigint, bigint]>([
    // Nobody paid yet: cost is recovered as far as paid, so nothing.
    [{ revenue: 2467n, cost: 1000n, collected: 0n }, 0n, 0n],
    [{ revenue: 2467n, cost: 1000n, collected: 600n }, 600n, 0n],
    [{ revenue: 2467n, cost: 1000n, collected: 2467n }, 1000n, 44n],
    // No expected revenue covers C − R: owed in any case.
    [{ revenue: 0n, cost: 1000n, collected: 0n }, 1000n, 0n],
    [{ revenue: 300n, cost: 1000n, collected: 0n }, 700n, 0n],
    [{ revenue: 300n, cost: 1000n, collected: 300n }, 1000n, 0n],
    // 3 % of 0.50 is 1.5 cents: half away from zero.
    [{ revenue: 50n, cost: 0n, collected: 50n }, 0n, 2n],
    [{ revenue: 49n, cost: 0n, collected: 49n }, 0n, 1n],
  ])('%o', (figures, cost, fee) => {
    expect(costCharged(figures)).toBe(cost)
    expect(feeCharged(figures, threePercent)).toBe(fee)
  })
})

const money = fc.bigInt(0n, 10n ** 7n)

/** What a buyer's month goes through: it is billed, used, paid in parts, refunded in parts, in any order that can happen. */
const anyPath = fc
  .record({ billed: money, cost: money, cuts: fc.array(fc.tuple(fc.nat(100), fc.nat(100)), { maxLength: 8 }) })
  .map(({ billed, cost, cuts }) => {
    const path: Figures[] = [{ revenue: billed, cost, collected: 0n }]
    let [deposited, refunded] = [0n, 0n]
    for (const [paid, returned] of cuts) {
      deposited += ((billed - deposited) * BigInt(paid)) / 100n
      refunded += ((deposited - refunded) * BigInt(returned)) / 100n
      path.push({ revenue: billed - refunded, cost, collected: deposited - refunded })
    }
    return path
  })

describe('steps', () => {
  it('end at the same totals whatever path led there, and give back what a refund made too much', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        let books = nothingCharged
        let [cost, fee] = [0n, 0n]
        for (const figures of path) {
          const now = charged(figures, threePercent)
          cost += now.costCharged - books.costCharged
          fee += now.feeCharged - books.feeCharged
          books = now
        }
        const last = path.at(-1)
        expect(last === undefined ? books : charged(last, threePercent)).toEqual({ costCharged: cost, feeCharged: fee })
      }),
    )
  })

  it('never charge more than the cost, nor a fee above the percentage of the value-add', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        for (const figures of path) {
          const { costCharged: cost, feeCharged: fee } = charged(figures, threePercent)
          expect(cost >= 0n && cost <= figures.cost).toBe(true)
          const valueAdd = figures.revenue - figures.cost
          expect(fee >= 0n && fee * 20000n <= (valueAdd > 0n ? valueAdd * 600n : 0n) + 10000n).toBe(true)
          // A buyer who never pays costs the seller max(0, C − R).
          if (figures.collected === 0n) expect(cost).toBe(valueAdd < 0n ? -valueAdd : 0n)
          // Who pays everything: the seller owes the whole cost.
          if (figures.collected === figures.revenue) expect(cost).toBe(figures.cost)
        }
      }),
    )
  })

  it('charge more the more is collected, never less', () => {
    fc.assert(
      fc.property(money, money, money, money, (revenue, cost, a, b) => {
        const [less, more] = a < b ? [a, b] : [b, a]
        const before = charged({ revenue, cost, collected: less }, threePercent)
        const after = charged({ revenue, cost, collected: more }, threePercent)
        expect(after.costCharged >= before.costCharged && after.feeCharged >= before.feeCharged).toBe(true)
      }),
    )
  })
})
