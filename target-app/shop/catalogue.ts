/** Products, sellers and campaigns, read once at start: they do not change during a run, so nobody asks twice. */
import type { Pool } from "pg";
import type { OrderAsk } from "./routes.ts";

export interface Product {
  readonly sku: string;
  readonly name: string;
  /** KRW. */
  readonly price: number;
  readonly seller: string;
  /** The seller's delivery fee, once an order, KRW. */
  readonly fee: number;
}

/** What an order costs before any coupon; lines sorted by sku, so that all transactions lock shelves in one order. */
export interface Basket {
  readonly skus: readonly string[];
  readonly quantities: readonly number[];
  readonly prices: readonly number[];
  readonly itemsTotal: number;
  readonly fee: number;
  /** Of the first line. */
  readonly seller: string;
}

export interface Catalogue {
  /** The body of GET /home, ready to send. */
  readonly home: string;
  /** null when a sku is unknown. Lines of the same sku are added up. */
  price(items: OrderAsk["items"]): Basket | null;
}

export async function loadCatalogue(pool: Pool): Promise<Catalogue> {
  const { rows: products } = await pool.query<Product>(
    "SELECT sku, products.name, price, seller, fee FROM products JOIN sellers ON sellers.id = seller ORDER BY sku",
  );
  const { rows: campaigns } = await pool.query(
    "SELECT id, kind, amount, per_user, valid_from, valid_to FROM campaigns WHERE kind = 'grant' ORDER BY id",
  );
  const bySku = new Map(products.map((product) => [product.sku, product]));
  return {
    home: JSON.stringify({
      campaigns,
      products: products.map(({ sku, name, price }) => ({ sku, name, price })),
    }),
    price: (items) => priceBasket(bySku, items),
  };
}

function priceBasket(bySku: ReadonlyMap<string, Product>, items: OrderAsk["items"]): Basket | null {
  const quantities = new Map<string, number>();
  for (const { sku, qty } of items) quantities.set(sku, (quantities.get(sku) ?? 0) + qty);
  const lines = [...quantities].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const products: Product[] = [];
  for (const [sku] of lines) {
    const product = bySku.get(sku);
    if (product === undefined) return null;
    products.push(product);
  }
  const [first] = products;
  if (first === undefined) return null;
  return {
    skus: lines.map(([sku]) => sku),
    quantities: lines.map(([, qty]) => qty),
    prices: products.map(({ price }) => price),
    itemsTotal: lines.reduce((sum, [, qty], index) => sum + qty * (products[index]?.price ?? 0), 0),
    fee: Math.max(...products.map(({ fee }) => fee)),
    seller: first.seller,
  };
}
