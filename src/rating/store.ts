/** The SQL of rating: prices of many products and all rate cards a period may need, read at once. */
import type { Currency } from '../base/money.ts'
import type { Period } from '../base/period.ts'
import { sql, type Transaction } from '../database/database.ts'

export interface VersionRow {
  readonly version: number
  readonly effectiveAt: Date
  readonly currency: Currency
  readonly dimensions: string[]
  readonly rates: bigint[]
}

export interface PriceRow extends VersionRow {
  readonly productCode: string
  readonly oneTime: bigint
  readonly monthly: bigint
}

/** Every price version of the products that takes effect before the period ends; the one in force at its start is among them. */
export async function selectPrices(
  tx: Transaction,
  productCodes: readonly string[],
  period: Period,
): Promise<PriceRow[]> {
  return await tx.rows<PriceRow>(sql`
    select price.product_code as "productCode", price.version, price.effective_at as "effectiveAt",
      product.currency, price.one_time as "oneTime", price.monthly,
      coalesce(array_agg(rate.dimension order by rate.dimension) filter (where rate.dimension is not null), '{}') as dimensions,
      coalesce(array_agg(rate.rate_nano order by rate.dimension) filter (where rate.dimension is not null), '{}') as rates
    from price_version price
    join product using (product_code)
    left join price_rate rate using (product_code, version)
    where price.product_code = any(${productCodes}::text[])
      and (price.version = 1 or price.effective_at < ${period.end})
    group by 1, 2, 3, 4, 5, 6
    order by 1, 2`)
}

export async function selectRateCards(tx: Transaction, period: Period): Promise<VersionRow[]> {
  return await tx.rows<VersionRow>(sql`
    select card.rate_card_version as version, card.effective_at as "effectiveAt", card.currency,
      coalesce(array_agg(rate.dimension order by rate.dimension) filter (where rate.dimension is not null), '{}') as dimensions,
      coalesce(array_agg(rate.rate_nano order by rate.dimension) filter (where rate.dimension is not null), '{}') as rates
    from rate_card card
    left join rate_card_rate rate using (rate_card_version)
    where card.rate_card_version >= coalesce(
        (select rate_card_version from rate_card where effective_at <= ${period.start}
          order by effective_at desc, rate_card_version desc limit 1), 0)
      and (card.effective_at < ${period.end} or card.rate_card_version = (select min(rate_card_version) from rate_card))
    group by 1, 2, 3
    order by 1`)
}
