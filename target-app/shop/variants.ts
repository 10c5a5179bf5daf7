/** The two shops. They differ in these operations and limits, and in nothing else; each pair of files is one lesson. */
import * as admitIssueGuarded from "./admit-issue-guarded.ts";
import * as admitIssueNaive from "./admit-issue-naive.ts";
import * as cancelOrderGuarded from "./cancel-order-guarded.ts";
import * as cancelOrderNaive from "./cancel-order-naive.ts";
import * as claimCouponGuarded from "./claim-coupon-guarded.ts";
import * as claimCouponNaive from "./claim-coupon-naive.ts";
import type { Variant } from "./job-queue.ts";
import * as placeOrderGuarded from "./place-order-guarded.ts";
import * as placeOrderNaive from "./place-order-naive.ts";
import * as receiveWebhookGuarded from "./receive-webhook-guarded.ts";
import * as receiveWebhookNaive from "./receive-webhook-naive.ts";
import * as withdrawGuarded from "./withdraw-guarded.ts";
import * as withdrawNaive from "./withdraw-naive.ts";

export interface VariantParts {
  readonly placeOrder: typeof placeOrderNaive.placeOrder;
  readonly claimCoupon: typeof claimCouponNaive.claimCoupon;
  readonly cancelOrder: typeof cancelOrderNaive.cancelOrder;
  readonly receiveWebhook: typeof receiveWebhookNaive.receiveWebhook;
  readonly admitIssue: typeof admitIssueNaive.admitIssue;
  readonly withdraw: typeof withdrawNaive.withdraw;
  /** Orders in work at once; one more is refused before any work. Infinity: nobody is ever refused. */
  readonly ordersInWorkMax: number;
  /** The same for everything else the crowd asks. */
  readonly othersInWorkMax: number;
  /** How long the gateway may take to answer, milliseconds. */
  readonly gatewayTimeoutMs: number;
}

export const VARIANTS: Readonly<Record<Variant, VariantParts>> = {
  naive: {
    placeOrder: placeOrderNaive.placeOrder,
    claimCoupon: claimCouponNaive.claimCoupon,
    cancelOrder: cancelOrderNaive.cancelOrder,
    receiveWebhook: receiveWebhookNaive.receiveWebhook,
    admitIssue: admitIssueNaive.admitIssue,
    withdraw: withdrawNaive.withdraw,
    ordersInWorkMax: Infinity,
    othersInWorkMax: Infinity,
    gatewayTimeoutMs: 300_000, // the HTTP client's default: nobody set one
  },
  guarded: {
    placeOrder: placeOrderGuarded.placeOrder,
    claimCoupon: claimCouponGuarded.claimCoupon,
    cancelOrder: cancelOrderGuarded.cancelOrder,
    receiveWebhook: receiveWebhookGuarded.receiveWebhook,
    admitIssue: admitIssueGuarded.admitIssue,
    withdraw: withdrawGuarded.withdraw,
    ordersInWorkMax: 24,
    othersInWorkMax: 48,
    gatewayTimeoutMs: 2_000,
  },
};
