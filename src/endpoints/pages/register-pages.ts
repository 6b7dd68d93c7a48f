/** Registering a product (spec §2, §3) by form: errors stand beside their fields, and everything typed is kept. */
import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { Fault } from '../../base/fault.ts'
import type { Transaction } from '../../database/database.ts'
import { findSeller } from '../../accounts/ensure-seller.ts'
import { rateCardInForce } from '../../products/find-rate-card.ts'
import type { ProductInput } from '../../products/product-input.ts'
import type { RateCard } from '../../products/rate-card.ts'
import { quotePrice, type PriceQuote } from '../../products/quote-price.ts'
import { registerProduct } from '../../products/register-product.ts'
import type { Reader } from './layout.ts'
import type { PagesHouse } from './pages.ts'
import { field, requireReader, sendPage } from './reader.ts'
import { drawRegister } from './register-form.ts'
import { emptyDraft, inputOf, readDraft } from './register-draft.ts'

export function addRegisterPages(scope: FastifyInstance, house: PagesHouse): void {
  const { database } = house
  scope.get('/seller/products/new', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const { rateCard, companyName } = await database.read((tx) => surroundings(tx, reader))
    const draft = emptyDraft({ companyName, email: reader.account.email, nonce: randomBytes(24).toString('base64url') })
    await sendPage(reply, drawRegister({ draft, reader, rateCard, problems: {} }))
  })

  scope.post('/seller/products/new', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const draft = readDraft(request.body)
    const { rateCard } = await database.read((tx) => surroundings(tx, reader))
    const input = inputOf(draft, rateCard)
    try {
      if (field(request.body, 'do') === 'quote') {
        const quote = await database.read((tx) => quoteOf(tx, input))
        await sendPage(reply, drawRegister({ draft, reader, rateCard, problems: {}, quote }))
        return
      }
      const { product } = await database.transaction((tx) =>
        registerProduct(tx, {
          accountId: reader.account.accountId,
          clientToken: draft.nonce,
          input: { ...input, draft: field(request.body, 'do') === 'draft' },
        }),
      )
      await reply.redirect(`/seller/products/${product.productCode}`, 303)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      const problems = error.code === 'InvalidParameter' ? error.data : {}
      await sendPage(reply, drawRegister({ draft, reader, rateCard, problems, problem: error.message }), error.status)
    }
  })
}

async function surroundings(tx: Transaction, reader: Reader): Promise<{ rateCard: RateCard; companyName: string }> {
  const seller = await findSeller(tx, reader.account.accountId)
  return { rateCard: await rateCardInForce(tx, tx.now), companyName: seller?.companyName ?? '' }
}

async function quoteOf(tx: Transaction, { configuration, price, currency }: ProductInput): Promise<PriceQuote> {
  return await quotePrice(tx, { configuration, price, currency })
}
