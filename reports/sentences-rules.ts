/** What each rule promises, in a customer's words; part of the one table of sentences.ts. */

/** `rule` + id → [English, Korean]. */
export const RULE_SENTENCES = {
  ruleC1: ["No more coupons than the cap allows", "쿠폰은 발급 한도를 넘지 않는다"],
  ruleC2: ["Only entitled members get a coupon", "자격이 있는 회원만 쿠폰을 받는다"],
  ruleC3: [
    "A mass issue reaches no more people than it declared",
    "일괄 발급은 미리 신고한 인원까지만 나간다",
  ],
  ruleC4: ["One coupon per person", "쿠폰은 한 사람에 한 장이다"],
  ruleC5: ["No two coupons share a code", "쿠폰 번호는 겹치지 않는다"],
  ruleC6: ["An acknowledged coupon is really there", "발급되었다고 답한 쿠폰은 실제로 있다"],
  ruleC7: ["No coupon appears that nobody asked for", "아무도 요청하지 않은 쿠폰은 생기지 않는다"],
  ruleC8: ["A coupon is used once", "쿠폰은 한 번만 쓰인다"],
  ruleC9: ["A recalled coupon buys nothing", "회수된 쿠폰으로는 살 수 없다"],
  ruleC10: ["A recall takes exactly the coupons it names", "회수는 대상 쿠폰만, 빠짐없이 거둔다"],
  ruleC11: [
    "A recall leaves a member's other coupons alone",
    "회수는 회원의 다른 쿠폰을 건드리지 않는다",
  ],
  ruleC12: ["The campaign stays within its budget", "캠페인은 예산을 넘지 않는다"],
  ruleC13: ["“Sold out” is said only when it is", "“소진”은 정말 소진되었을 때만 말한다"],
  ruleO1: [
    "An acknowledged order is really there, a refused one is not",
    "접수된 주문은 실제로 있고, 거절된 주문은 없다",
  ],
  ruleO2: ["One wish, one order, however often it is retried", "몇 번을 다시 눌러도 주문은 하나다"],
  ruleO3: ["The price is the price that was agreed", "결제 금액은 약속한 금액과 같다"],
  ruleO4: [
    "A used coupon belongs to exactly one live order",
    "사용된 쿠폰은 살아 있는 주문 하나에만 속한다",
  ],
  ruleO5: ["An order changes only in declared ways", "주문 상태는 정해진 길로만 바뀐다"],
  ruleO6: ["Nothing is sold that is not in stock", "없는 재고는 팔지 않는다"],
  ruleO7: ["Customers can read the order they just placed", "방금 낸 주문은 고객에게 보인다"],
  ruleO8: ["Nothing is cancelled after it has shipped", "출고된 주문은 취소되지 않는다"],
  ruleO9: ["Every order comes to an end", "모든 주문은 제때 끝을 맺는다"],
  ruleX0: ["No order is cancelled at random", "어떤 주문도 무작위로 취소되지 않는다"],
  ruleX1: ["Everyone is told once, with the reason", "모든 당사자에게 사유와 함께 한 번 알린다"],
  ruleX2: ["Alike customers are compensated alike", "같은 처지의 고객은 같은 보상을 받는다"],
  ruleX3: ["Every change says who did it and why", "모든 변경에는 누가, 왜 했는지 남는다"],
  ruleP1: ["Nobody is charged twice", "누구도 두 번 결제되지 않는다"],
  ruleP2: [
    "The shop's books agree with the payment gateway's",
    "쇼핑몰 장부와 결제사 장부가 일치한다",
  ],
  ruleP3: ["No money is kept without a live order", "살아 있는 주문 없이 남는 돈이 없다"],
  ruleP4: [
    "A full cancel refunds what was paid, and not twice",
    "전체 취소는 낸 돈을 한 번만, 모두 돌려준다",
  ],
  ruleP5: ["The refund reaches the payer in time", "환불은 기한 안에 결제자에게 닿는다"],
  ruleP6: [
    "Repeated or late payment messages change nothing",
    "결제 알림이 겹치거나 늦어도 결과는 같다",
  ],
  ruleP7: ["A forged payment message changes nothing", "위조된 결제 알림은 아무것도 바꾸지 못한다"],
  ruleP8: ["The ledger balances", "원장의 차변과 대변이 맞는다"],
} as const;
