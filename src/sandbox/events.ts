/** `/v1/events` */
import { list, paging, text } from './parameters.ts'
import { answerList, route } from './route.ts'
import { missing } from './sandbox.ts'
import { findDelivery, findObject } from './store.ts'

export const eventRoutes = [
  route('GET', 'events/:id', {}, async (call, _, id) => {
    const found = await findObject(call.tx, 'event', id)
    if (found === undefined) throw missing('event', id)
    const delivery = await findDelivery(call.tx, id)
    return { ...found.data, pending_webhooks: delivery?.deliveredAt === null ? 1 : 0 }
  }),
  route('GET', 'events', { ...paging, type: text.optional(), types: list(text).optional() }, async (call, p) =>
    answerList(call, 'event', p, { type: p.types ?? p.type }),
  ),
]
