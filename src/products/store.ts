/** The rows of products, prices and rate cards. */
import type { Currency } from '../base/money.ts'
import { join, sql, type Sql, type Transaction } from '../database/database.ts'
import { instanceHours, type InstanceConfiguration } from './dimension.ts'
import type { EndOfAccessPolicy, PriceVersion, Product, ProductState } from './products.ts'
import type { CatalogData, ParsedRateCard } from './rate-card.ts'

interface ProductRow {
  product_code: string
  seller_account_id: string
  offering_code: string
  company_name: string
  name: string
  description: string
  redirect_url: string
  terms: string | null
  private_contact_email: string
  private_contact_telephone: string
  public_contact: string
  currency: Currency
  end_of_access_policy: EndOfAccessPolicy
  state: ProductState
  state_reason: string | null
  created_at: Date
  state_changed_at: Date
}

/** A product about to be written. */
export interface NewProduct extends Omit<Product, 'stateReason' | 'createdAt' | 'stateChangedAt' | 'terms'> {
  readonly terms?: string | undefined
  readonly tokenSealed: Buffer
  readonly tokenSha256: string
  readonly clientToken?: string
  readonly requestSha256?: string
}

const productColumns = sql`product_code, seller_account_id, offering_code, company_name, name, description, redirect_url,
  terms, private_contact_email, private_contact_telephone, public_contact, currency, end_of_access_policy, state,
  state_reason, created_at, state_changed_at`

/** Writes a product unless one of its codes, or its client token, is taken; waits for a registration under way. */
export async function insertProduct(tx: Transaction, product: NewProduct): Promise<boolean> {
  const written = await tx.run(sql`
    insert into product (product_code, seller_account_id, offering_code, product_token_sealed, product_token_sha256,
        company_name, name, description, redirect_url, terms, private_contact_email, private_contact_telephone,
        public_contact, currency, end_of_access_policy, state, client_token, request_sha256, created_at, state_changed_at)
      values (${product.productCode}, ${product.sellerAccountId}, ${product.offeringCode}, ${product.tokenSealed},
        ${product.tokenSha256}, ${product.companyName}, ${product.name}, ${product.description}, ${product.redirectUrl},
        ${product.terms ?? null}, ${product.privateContactEmail}, ${product.privateContactTelephone},
        ${product.publicContact}, ${product.currency}, ${product.endOfAccessPolicy}, ${product.state},
        ${product.clientToken ?? null}, ${product.requestSha256 ?? null}, ${tx.now}, ${tx.now})
      on conflict do nothing`)
  return written === 1
}

export async function findByClientToken(
  tx: Transaction,
  sellerAccountId: string,
  clientToken: string,
): Promise<{ productCode: string; requestSha256: string } | undefined> {
  const row = await tx.first<{ product_code: string; request_sha256: string }>(sql`
    select product_code, request_sha256 from product
     where seller_account_id = ${sellerAccountId} and client_token = ${clientToken}`)
  return row && { productCode: row.product_code, requestSha256: row.request_sha256 }
}

export async function selectProduct(tx: Transaction, productCode: string): Promise<Product | undefined> {
  const row = await tx.first<ProductRow>(sql`select ${productColumns} from product where product_code = ${productCode}`)
  return row && toProduct(row)
}

export async function selectProductByOffering(tx: Transaction, offeringCode: string): Promise<Product | undefined> {
  const row = await tx.first<ProductRow>(
    sql`select ${productColumns} from product where offering_code = ${offeringCode}`,
  )
  return row && toProduct(row)
}

export async function selectProducts(
  tx: Transaction,
  query: {
    sellerAccountId?: string | undefined
    state?: ProductState | undefined
    after?: string | undefined
    limit: number
  },
): Promise<Product[]> {
  const conditions: Sql[] = [sql`true`]
  if (query.sellerAccountId !== undefined) conditions.push(sql`seller_account_id = ${query.sellerAccountId}`)
  if (query.state !== undefined) conditions.push(sql`state = ${query.state}`)
  if (query.after !== undefined) {
    conditions.push(
      sql`(created_at, product_code) > (select created_at, product_code from product where product_code = ${query.after})`,
    )
  }
  const rows = await tx.rows<ProductRow>(sql`
    select ${productColumns} from product where ${join(conditions, ' and ')}
     order by created_at, product_code limit ${query.limit}`)
  return rows.map(toProduct)
}

export async function selectTokenSealed(tx: Transaction, productCode: string): Promise<Buffer | undefined> {
  const row = await tx.first<{ product_token_sealed: Buffer }>(
    sql`select product_token_sealed from product where product_code = ${productCode}`,
  )
  return row?.product_token_sealed
}

/** Compare-and-set of the state. */
export async function updateState(
  tx: Transaction,
  change: {
    productCode: string
    from: ProductState
    to: ProductState
    reason?: string | undefined
  },
): Promise<boolean> {
  const changed = await tx.run(sql`
    update product set state = ${change.to}, state_reason = ${change.reason ?? null}, state_changed_at = ${tx.now}
     where product_code = ${change.productCode} and state = ${change.from}`)
  return changed === 1
}

export async function insertConfiguration(
  tx: Transaction,
  productCode: string,
  rows: readonly InstanceConfiguration[],
): Promise<void> {
  await tx.run(sql`
    insert into product_configuration (product_code, region, environment, instance_type)
      select ${productCode}, * from unnest(${rows.map((row) => row.region)}::text[],
        ${rows.map((row) => row.environment)}::text[], ${rows.map((row) => row.instanceType)}::text[])`)
}

export async function configurationHolds(
  tx: Transaction,
  productCode: string,
  { region, environment, instanceType }: InstanceConfiguration,
): Promise<boolean> {
  const row = await tx.one<{ holds: boolean }>(sql`
    select exists (select from product_configuration where product_code = ${productCode} and region = ${region}
      and environment = ${environment} and instance_type = ${instanceType}) as holds`)
  return row.holds
}

export async function selectConfiguration(tx: Transaction, productCode: string): Promise<InstanceConfiguration[]> {
  const rows = await tx.rows<{ region: string; environment: string; instance_type: string }>(sql`
    select region, environment, instance_type from product_configuration where product_code = ${productCode}
     order by region, environment, instance_type`)
  return rows.map(({ instance_type: instanceType, ...row }) => ({ ...row, instanceType }))
}

export async function insertPriceVersion(tx: Transaction, price: Omit<PriceVersion, 'currency'>): Promise<void> {
  await tx.run(sql`
    insert into price_version (product_code, version, effective_at, one_time, monthly, created_at)
      values (${price.productCode}, ${price.version}, ${price.effectiveAt}, ${price.oneTime}, ${price.monthly}, ${tx.now})`)
  await tx.run(sql`
    insert into price_rate (product_code, version, dimension, rate_nano)
      select ${price.productCode}, ${price.version}::integer, * from unnest(${[...price.rates.keys()]}::text[],
        ${[...price.rates.values()]}::bigint[])`)
}

interface PriceRow {
  product_code: string
  version: number
  effective_at: Date
  one_time: bigint
  monthly: bigint
  currency: Currency
  dimensions: string[]
  rates: bigint[]
}

/** Versions oldest first; with `at` only the one in force then. One query: prices are read on the hot paths. */
export async function selectPriceVersions(
  tx: Transaction,
  productCode: string,
  { at }: { at?: Date },
): Promise<PriceVersion[]> {
  const which =
    at === undefined
      ? sql`order by v.effective_at`
      : sql`and v.effective_at <= ${at} order by v.effective_at desc limit 1`
  const rows = await tx.rows<PriceRow>(sql`
    select v.product_code, v.version, v.effective_at, v.one_time, v.monthly, p.currency,
           array(select r.dimension from price_rate r where r.product_code = v.product_code and r.version = v.version
                  order by r.dimension) as dimensions,
           array(select r.rate_nano from price_rate r where r.product_code = v.product_code and r.version = v.version
                  order by r.dimension) as rates
      from price_version v join product p using (product_code)
     where v.product_code = ${productCode} ${which}`)
  return rows.map((row) => ({
    productCode: row.product_code,
    version: row.version,
    effectiveAt: row.effective_at,
    oneTime: row.one_time,
    monthly: row.monthly,
    currency: row.currency,
    rates: new Map(row.dimensions.map((dimension, index) => [dimension, row.rates[index] ?? 0n])),
  }))
}

/** A version of the rate card without its contents. */
export interface RateCardVersion {
  readonly version: number
  readonly sha256: string
  readonly name: string
  readonly currency: Currency
  readonly effectiveAt: Date
}

interface RateCardRow {
  rate_card_version: number
  sha256: string
  name: string
  currency: Currency
  effective_at: Date
}

/** Until this transaction ends no other loads a rate card. */
export async function lockRateCards(tx: Transaction): Promise<void> {
  await tx.run(sql`select pg_advisory_xact_lock(hashtextextended('turnpike:rate-card', 0))`)
}

export async function latestRateCard(tx: Transaction): Promise<RateCardVersion | undefined> {
  const row = await tx.first<RateCardRow>(sql`
    select rate_card_version, sha256, name, currency, effective_at from rate_card order by rate_card_version desc limit 1`)
  return row && toRateCardVersion(row)
}

/** Whether a file of this digest ever became a version. */
export async function wasLoaded(tx: Transaction, sha256: string): Promise<boolean> {
  const row = await tx.one<{ loaded: boolean }>(
    sql`select exists (select from rate_card where sha256 = ${sha256}) as loaded`,
  )
  return row.loaded
}

export async function versionInForce(tx: Transaction, at: Date): Promise<RateCardVersion | undefined> {
  const row = await tx.first<RateCardRow>(sql`
    select rate_card_version, sha256, name, currency, effective_at from rate_card where effective_at <= ${at}
     order by effective_at desc, rate_card_version desc limit 1`)
  return row && toRateCardVersion(row)
}

export async function insertRateCard(
  tx: Transaction,
  card: ParsedRateCard & { version: number; sha256: string },
): Promise<void> {
  await tx.run(sql`
    insert into rate_card (rate_card_version, sha256, name, currency, effective_at, catalog, loaded_at)
      values (${card.version}, ${card.sha256}, ${card.name}, ${card.currency}, ${tx.now},
        ${JSON.stringify(card.catalog)}::jsonb, ${tx.now})`)
  await tx.run(sql`
    insert into rate_card_rate (rate_card_version, dimension, rate_nano)
      select ${card.version}::integer, * from unnest(${[...card.rates.keys()]}::text[],
        ${[...card.rates.values()]}::bigint[])`)
}

export async function readRateCard(
  tx: Transaction,
  version: number,
): Promise<{ catalog: CatalogData; rates: Map<string, bigint> }> {
  const { catalog } = await tx.one<{ catalog: CatalogData }>(
    sql`select catalog from rate_card where rate_card_version = ${version}`,
  )
  const rows = await tx.rows<{ dimension: string; rate_nano: bigint }>(
    sql`select dimension, rate_nano from rate_card_rate where rate_card_version = ${version}`,
  )
  return { catalog, rates: new Map(rows.map((row) => [row.dimension, row.rate_nano])) }
}

/** Dimensions that products which sell, or may come to, cover and the given ones leave out; the first few. */
export async function findSoldOutside(tx: Transaction, offered: readonly InstanceConfiguration[]): Promise<string[]> {
  const rows = await tx.rows<{ region: string; environment: string; instance_type: string }>(sql`
    select c.region, c.environment, c.instance_type
      from product_configuration c join product p using (product_code) where p.state <> 'rejected'
    except
    select * from unnest(${offered.map((row) => row.region)}::text[], ${offered.map((row) => row.environment)}::text[],
      ${offered.map((row) => row.instanceType)}::text[])
     order by 1, 2, 3 limit 20`)
  return rows.map(({ instance_type: instanceType, ...row }) => instanceHours({ ...row, instanceType }))
}

function toRateCardVersion(row: RateCardRow): RateCardVersion {
  return {
    version: row.rate_card_version,
    sha256: row.sha256,
    name: row.name,
    currency: row.currency,
    effectiveAt: row.effective_at,
  }
}

function toProduct(row: ProductRow): Product {
  return {
    productCode: row.product_code,
    offeringCode: row.offering_code,
    sellerAccountId: row.seller_account_id,
    companyName: row.company_name,
    name: row.name,
    description: row.description,
    redirectUrl: row.redirect_url,
    ...(row.terms === null ? {} : { terms: row.terms }),
    privateContactEmail: row.private_contact_email,
    privateContactTelephone: row.private_contact_telephone,
    publicContact: row.public_contact,
    currency: row.currency,
    endOfAccessPolicy: row.end_of_access_policy,
    state: row.state,
    ...(row.state_reason === null ? {} : { stateReason: row.state_reason }),
    createdAt: row.created_at,
    stateChangedAt: row.state_changed_at,
  }
}
