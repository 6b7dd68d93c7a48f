/** The registration form. It works without JavaScript: the markup over the cloud's rates is shown by a button. */
import { formatRate } from '../../base/money.ts'
import { html, type Markup } from '../../http/markup.ts'
import { endOfAccessPolicies, type EndOfAccessPolicy } from '../../products/products.ts'
import type { PriceQuote } from '../../products/quote-price.ts'
import type { RateCard } from '../../products/rate-card.ts'
import { scrolling, tableHead, tableRow } from './figures.ts'
import { drawPage, type Reader } from './layout.ts'
import { dimensionsOf, ratedRows, rateField, type ProductDraft, type TextField } from './register-draft.ts'

/** Problems by the path of a field in `ProductInput`, as the domain says them. */
type Problems = Readonly<Record<string, string>>

interface RegisterView {
  readonly draft: ProductDraft
  readonly reader: Reader
  readonly rateCard: RateCard
  readonly problems: Problems
  /** A refusal as a whole; shown when it belongs to no field. */
  readonly problem?: string
  readonly quote?: PriceQuote
}

/** A form posts at most a thousand fields (route-kind.ts); a larger cloud is priced through the REST API. */
const rateFieldsMax = 900

export function drawRegister(view: RegisterView): string {
  const { draft, reader, problems, problem, quote } = view
  const count = Object.keys(problems).length
  return drawPage({
    title: 'Register a product',
    section: '/seller',
    reader,
    content: html`<p class="back"><a href="/seller">Seller activity</a></p>
      <h1>Register a product</h1>
      <p class="lead">What you register is reviewed by the operator before it sells.</p>
      ${
        problem !== undefined &&
        html`<p class="note bad" role="alert">
          ${count === 0 ? problem : `Nothing was registered yet: ${count === 1 ? 'one field needs' : `${count} fields need`} another look.`}
        </p>`
      }
      ${quote !== undefined && drawWarnings(quote)}
      <form method="post" action="/seller/products/new" novalidate>
        <input type="hidden" name="nonce" value="${draft.nonce}" />
        ${drawProductFields(view)} ${drawConfiguration(view)} ${drawPriceFields(view)}
        <div class="actions">
          <button name="do" value="register">Register</button>
          <button class="quiet" name="do" value="draft">Keep as a draft</button>
          <button class="quiet" name="do" value="quote">Show the markup</button>
        </div>
      </form>`,
  })
}

function drawWarnings({ warnings }: PriceQuote): Markup {
  if (warnings.length === 0) {
    return html`<p class="note" role="status">
      No hour is sold below the cloud’s rate. The markup stands beside each rate.
    </p>`
  }
  return html`<div class="note wait" role="status">
    <ul>
      ${warnings.map((warning) => html`<li>${warning}</li>`)}
    </ul>
  </div>`
}

function drawProductFields(view: RegisterView): Markup {
  return html`<h2>The product</h2>
    ${textField(view, 'companyName', 'Company name', { autocomplete: 'organization' })}
    ${textField(view, 'name', 'Product name')}
    ${textField(view, 'description', 'Description, as buyers see it', { lines: true })}
    ${textField(view, 'redirectUrl', 'Redirect URL', { type: 'url', hint: 'Where buyers go after their purchase. The activation key and the product code are added to it.' })}
    ${textField(view, 'terms', 'Terms and conditions (optional)', { lines: true, optional: true, hint: 'Buyers must accept them to order.' })}
    <h2>Contacts</h2>
    ${textField(view, 'publicContact', 'Public contact', { hint: 'An e-mail address or a page; buyers see it.' })}
    ${textField(view, 'privateContactEmail', 'Private e-mail address', { type: 'email', hint: 'Only you and the operator see it.' })}
    ${textField(view, 'privateContactTelephone', 'Private telephone number', { type: 'tel' })}`
}

function drawConfiguration(view: RegisterView): Markup {
  const { draft, rateCard, problems } = view
  const { catalog } = rateCard
  const group = (
    name: 'regions' | 'environments' | 'instanceTypes',
    label: string,
    options: readonly string[],
  ): Markup => {
    const problem = under(problems, `configuration.${name}`)
    return html`<fieldset${problem !== undefined && html` aria-describedby="${name}-problem"`}>
      <legend>${label}</legend>
      <div class="options">
        ${options.map(
          (option) =>
            html`<label class="option">
              <input
                type="checkbox"
                name="${name}"
                value="${option}"
                ${draft[name].includes(option) && html`checked`}
              />
              ${option}
            </label>`,
        )}
      </div>
      ${drawProblem(name, problem)}
    </fieldset>`
  }
  return html`<h2>What it covers</h2>
    <p class="hint">
      Exactly these combinations can be launched with the product’s code, by nobody otherwise. What the cloud offers
      later is not added by itself.
    </p>
    ${drawProblem('configuration', problems['configuration'])} ${group('regions', 'Regions', catalog.regions)}
    ${group('environments', 'Environments', catalog.environments)}
    ${group(
      'instanceTypes',
      'Instance types',
      catalog.instanceTypes.map((type) => type.name),
    )}
    <div class="field">
      <label for="endOfAccessPolicy">When a subscription ends, running instances are</label>
      <select id="endOfAccessPolicy" name="endOfAccessPolicy">
        ${endOfAccessPolicies.map(
          (policy) =>
            html`<option value="${policy}" ${draft.texts.endOfAccessPolicy === policy && html`selected`}>
              ${policies[policy]}
            </option>`,
        )}
      </select>
      ${drawProblem('endOfAccessPolicy', problems['endOfAccessPolicy'])}
    </div>`
}

const policies: Readonly<Record<EndOfAccessPolicy, string>> = {
  stop: 'stopped',
  terminate: 'terminated',
  'leave-running': 'left running, and billed',
}

function drawPriceFields(view: RegisterView): Markup {
  const { rateCard, problems } = view
  const { currency } = rateCard
  return html`<h2>Price</h2>
    <p class="hint">In ${currency}. Any mix of these; leave empty what you do not charge.</p>
    ${drawProblem('price', problems['price'] ?? problems['currency'])}
    ${textField(view, 'oneTime', 'Once, at sign-up', { path: 'price.oneTime', decimal: true, optional: true, hint: 'Such as 20.00.' })}
    ${textField(view, 'monthly', 'Every month, in advance', { path: 'price.monthly', decimal: true, optional: true })}
    ${drawRateFields(view)}`
}

function drawRateFields({ draft, rateCard, problems, quote }: RegisterView): Markup {
  const rows = dimensionsOf(rateCard)
  if (rows.length > rateFieldsMax) {
    return html`<p class="note wait">
      This cloud has ${rows.length} hourly rates, too many for a form. Register a product with hourly rates through the
      <a href="/api/v1/openapi.json">REST API</a>.
    </p>`
  }
  const places = new Map(ratedRows(draft, rateCard).map(({ dimension }, index) => [dimension, index]))
  const quoted = new Map(quote?.rates.map((one) => [one.dimension, one]))
  const columns = [
    { label: 'Use' },
    { label: 'The cloud’s rate', number: true },
    { label: `Your rate, ${rateCard.currency} an hour`, number: true },
    ...(quote === undefined ? [] : [{ label: 'Markup', number: true }]),
  ]
  const markup = (dimension: string): string[] => {
    const one = quoted.get(dimension)
    if (quote === undefined) return []
    return [
      one === undefined ? '' : `${one.markup}${one.markupPercent === undefined ? '' : ` (${one.markupPercent} %)`}`,
    ]
  }
  return html`<h3>Hourly rates</h3>
    <p class="hint">Your rate replaces the cloud’s for the buyer; you owe the cloud its own.</p>
    ${scrolling(
      'Hourly rates',
      html`${tableHead(columns)}
        <tbody>
          ${rows.map(({ dimension, instanceType, environment, region }) => {
            const place = places.get(dimension)
            const problem = place === undefined ? undefined : under(problems, `price.rates[${place}]`)
            const name = rateField(dimension)
            return tableRow(columns, [
              html`<label for="${name}">${instanceType}, ${environment}, ${region}</label>`,
              formatRate(rateCard.rateOf(dimension)),
              html`<input
                  class="rate"
                  id="${name}"
                  name="${name}"
                  inputmode="decimal"
                  autocomplete="off"
                  value="${draft.rates.get(dimension)}"
                  ${problem !== undefined && html`aria-invalid="true" aria-describedby="${name}-problem"`}
                />${drawProblem(name, problem)}`,
              ...markup(dimension),
            ])
          })}
        </tbody>`,
    )}`
}

interface FieldLook {
  readonly type?: string
  readonly hint?: string
  readonly lines?: boolean
  readonly optional?: boolean
  readonly decimal?: boolean
  readonly autocomplete?: string
  /** The field's path in `ProductInput`, where it is not its name. */
  readonly path?: string
}

function textField(view: RegisterView, name: TextField, label: string, look: FieldLook = {}): Markup {
  const value = view.draft.texts[name]
  const problem = view.problems[look.path ?? name]
  const described = [look.hint !== undefined && `${name}-hint`, problem !== undefined && `${name}-problem`]
    .filter((id) => id !== false)
    .join(' ')
  const attributes = html`id="${name}" name="${name}" ${look.optional !== true && html`required`}
  ${described !== '' && html`aria-describedby="${described}"`} ${problem !== undefined && html`aria-invalid="true"`}`
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${
      look.lines === true
        ? html`<textarea ${attributes}>${value}</textarea>`
        : html`<input
            ${attributes}
            type="${look.type ?? 'text'}"
            autocomplete="${look.autocomplete ?? 'off'}"
            ${look.decimal === true && html`inputmode="decimal"`}
            value="${value}"
          />`
    }
    ${look.hint !== undefined && html`<p class="hint" id="${name}-hint">${look.hint}</p>`} ${drawProblem(name, problem)}
  </div>`
}

/** The problem of a field or of anything inside it. */
function under(problems: Problems, path: string): string | undefined {
  return Object.entries(problems).find(
    ([at]) => at === path || at.startsWith(`${path}[`) || at.startsWith(`${path}.`),
  )?.[1]
}

function drawProblem(name: string, problem: string | undefined): Markup | false {
  return problem !== undefined && html`<p class="problem" id="${name}-problem">This ${problem}.</p>`
}
