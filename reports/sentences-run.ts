/** What the terminal says before, while and after a run; part of the one table of sentences.ts. */

/** key → [English, Korean]. */
export const RUN_SENTENCES = {
  // The verdict
  go: ["GO", "발송 가능"],
  noGo: ["NO-GO", "발송 불가"],
  undecided: ["UNDECIDED", "판단 보류"],
  sendIt: ["Send the promotion?", "프로모션을 보내도 될까?"],
  pass: ["pass", "통과"],
  fail: ["fail", "위반"],
  inconclusive: ["inconclusive", "판정 불가"],
  notApplicable: ["not applicable", "해당 없음"],
  servedWell: ["served well up to {rate}", "{rate}까지 정상 처리"],
  forecast: ["forecast {rate}", "예상 {rate}"],
  headroom: ["headroom {share}", "여유 {share}"],
  perSecond: ["{number}/s", "초당 {number}건"],
  seconds: ["{number}\u00a0s", "{number}초"],
  notMeasured: ["not measured", "측정되지 않음"],
  naive: ["NAIVE", "순진한 구현"],
  guarded: ["GUARDED", "방어한 구현"],

  // The service
  theService: ["THE SERVICE", "서비스"],
  goodputRow: ["orders/s  before > surge > after", "초당 주문  이전 > 폭주 > 이후"],
  goodputTriple: ["{before} > {surge} > {after}", "{before} > {surge} > {after}"],
  afterRestart: [" ({rate} restarted)", " (재시작 뒤 {rate})"],
  recoveredRow: ["recovered when the crowd left", "인파가 빠진 뒤 회복"],
  neverCollapsed: ["yes: it never collapsed", "예: 무너지지 않음"],
  recoveredAfter: ["yes, after {seconds}", "예, {seconds} 만에"],
  notRecoveredGrowing: [
    "no: queue still growing ({seconds})",
    "아니요: 대기열이 계속 늘어남 ({seconds})",
  ],
  notRecoveredStuck: [
    "no: backlog not shrinking ({seconds})",
    "아니요: 밀린 일이 줄지 않음 ({seconds})",
  ],
  notRecoveredYet: ["not within {seconds}", "{seconds} 안에는 아님"],
  collapseUnknown: ["cannot be said", "말할 수 없음"],
  neverServedRow: ["customers never served", "끝내 응대받지 못한 고객"],
  toldComeBack: ["{count} ({told} told “come back”)", "{count} (“나중에 다시” 안내 {told})"],

  // The customers
  theCustomers: ["THE CUSTOMERS", "고객"],
  aboveCapRow: ["coupons above the cap", "한도를 넘은 쿠폰"],
  withoutRuleRow: ["cancelled with no rule behind it", "근거 규정 없이 취소됨"],
  notRefundedRow: ["paid, cancelled, not refunded", "결제·취소 후 환불 안 됨"],
  notToldRow: ["cancelled and not told", "취소되고도 통보 못 받음"],
  leftOutRow: ["in the rule's scope, left out", "규정 대상인데 빠진 주문"],
  boughtTwiceRow: ["bought once, ordered again", "한 번 샀는데 거듭 주문"],
  doubleChargeRow: ["double charges", "이중 결제"],
  unknownRow: ["unknown outcomes left open", "끝내 알 수 없는 결과"],
  otherRulesRow: ["other rules broken", "그 밖에 어긴 규칙"],
  countOf: ["{count} of {total}", "{total} 중 {count}"],
  countOfByPolicy: ["{count} of {total} (all by policy)", "{total} 중 {count} (모두 규정대로)"],
  refundPendingTold: [
    "{count} ({pending} pending, all told)",
    "{count} (대기 {pending}, 모두 통보)",
  ],
  refundPendingUntold: [
    "{count} ({pending} pending, {untold} untold)",
    "{count} (대기 {pending}, 미통보 {untold})",
  ],
  noBooks: ["no books to read", "읽을 장부 없음"],

  // The matched pair
  whyTitle: [
    "WHY “AT RANDOM”? Two customers, alike in everything the policy may look at:",
    "왜 “무작위”인가? 규정이 볼 수 있는 모든 점에서 같은 두 고객:",
  ],
  pairLine: [
    "customer {id}  {time}  {items} {total}  {coupon}  -> {fate}",
    "고객 {id}  {time}  {items} {total}  {coupon}  -> {fate}",
  ],
  couponUsed: ["coupon used", "쿠폰 사용"],
  noCoupon: ["no coupon", "쿠폰 없음"],
  fateCancelled: ["cancelled", "취소됨"],
  fateHeld: ["held", "보류됨"],
  fateKept: ["kept", "유지됨"],
  fateShipped: ["kept and shipped", "유지되어 출고됨"],
  refundDone: ["refunded", "환불됨"],
  refundPending: ["refund waits for an account", "환불 계좌 대기"],
  refundRequested: ["refund only requested", "환불 요청만 됨"],
  refundPart: ["refunded in part", "일부만 환불됨"],
  refundUnknown: ["refund unknown", "환불 여부 불명"],
  refundMissing: ["refund missing", "환불 없음"],
  refundNone: ["nothing to refund", "환불할 것 없음"],
  told: ["told why", "사유 통보됨"],
  untold: ["no message", "통보 없음"],
  separates: [
    "What separates them: {fact}. No published rule says so.",
    "둘을 가르는 것: {fact}. 공표된 어떤 규정에도 없다.",
  ],
  separatesNothing: [
    "Nothing we can see separates them. No published rule says so.",
    "눈에 보이는 차이가 없다. 공표된 어떤 규정에도 없다.",
  ],
  codeDiffers: ["The difference in code: {naive} | {guarded}", "코드의 차이: {naive} | {guarded}"],
  factRefundAccount: ["a refund account on file", "등록된 환불 계좌"],
  factShipped: ["shipped before the first cancel", "첫 취소 이전에 출고됨"],
  factMinute: ["the minute of the purchase", "구매한 시각(분)"],
  factBatch: ["its place in the batch", "일괄 처리에서의 순번"],
  factSeller: ["the seller", "판매자"],
  factCharge: ["how the gateway answered the charge", "결제사의 결제 응답"],
  factAttempts: ["how often the customer had to try", "고객이 시도해야 했던 횟수"],

  // The end of the screen
  trustTitle: ["Can you trust this?", "믿어도 될까?"],
  trustGood: [
    "generator late by {lateness} (p99), not the bottleneck",
    "부하 생성기 지연 {lateness} (p99), 병목 아님",
  ],
  trustBad: [
    "generator late by {lateness} (p99), it WAS the bottleneck",
    "부하 생성기 지연 {lateness} (p99), 병목이었음",
  ],
  trustRules: [
    "{judged} rules judged, {undecided} undecided",
    "규칙 {judged}개 판정, {undecided}개 보류",
  ],
  report: ["Report", "보고서"],
  replay: ["Replay", "재실행"],
  demoTitle: ["{title}   seed {seed}", "{title}   시드 {seed}"],
  demoCrowd: [
    "same crowd for both: {customers} customers, peak {peak}",
    "양쪽 모두 같은 인파: 고객 {customers}명, 최고 {peak}",
  ],
  runCrowd: ["{customers} customers, peak {peak}", "고객 {customers}명, 최고 {peak}"],
  demoMargins: ["margins   {margins}", "여유   {margins}"],
  demoAsIntended: [
    "exit 0: naive failed and guarded held, as this demo intends (a gate would exit {gate} on naive)",
    "종료 0: 의도한 대로 naive는 실패하고 guarded는 버텼다 (게이트라면 naive에서 {gate}로 종료)",
  ],
  demoNotAsIntended: [
    "exit 1: this demo did not go as intended: {because}",
    "종료 1: 데모가 의도대로 되지 않았다: {because}",
  ],
  exitLine: ["exit {code}: {meaning}", "종료 {code}: {meaning}"],
  exit0: ["everything judged held", "판정한 모든 것이 지켜졌다"],
  exit99: ["a threshold or an SLO failed", "임계값 또는 SLO를 어겼다"],
  exit105: ["interrupted; this is what was seen until then", "중단됨. 그때까지 본 것이다"],
  exit111: ["a rule was broken", "규칙이 깨졌다"],
  exit112: [
    "inconclusive: not enough was seen to say more",
    "판정 불가: 더 말하기에는 본 것이 부족하다",
  ],
  exit114: ["unsafe: a fault was not proved undone", "위험: 주입한 장애의 원복이 확인되지 않았다"],
  exitOther: [
    "the run did not end well; see the logs of the run",
    "실행이 정상으로 끝나지 않았다. 실행 로그를 보라",
  ],

  // Opening lines
  openDemo: [
    "Two runs of the same night, one after the other: first the naive service, then the guarded one.",
    "같은 밤을 두 번 겪는다. 먼저 naive 서비스, 다음은 guarded 서비스다.",
  ],
  openRun: ["One run against the {target} service.", "{target} 서비스를 상대로 한 번 실행한다."],
  openProbe: [
    "First its capacity is measured, so that the crowd fits this machine.",
    "먼저 처리 용량을 재어 인파를 이 기계에 맞춘다.",
  ],
  openCapacity: [
    "The crowd is sized for a capacity of {rate}.",
    "인파는 처리 용량 {rate}에 맞춘다.",
  ],
  openLasts: [
    "About {duration} in all; Ctrl-C at any moment stops, cleans up and reports.",
    "모두 약 {duration}. 언제든 Ctrl-C로 멈추면 정리하고 보고한다.",
  ],
  openPlan: ["The plan, in seconds from the start:", "계획 (시작부터 초 단위):"],
  openSafe: [
    "Loopback only; no real money, no real messages.",
    "루프백 안에서만 움직인다. 실제 돈도, 실제 메시지도 없다.",
  ],
  minutes: ["{minutes}\u00a0min {seconds}\u00a0s", "{minutes}분 {seconds}초"],
  roleWarmUp: ["warming up", "예열"],
  roleBaseline: ["an ordinary day: what normal looks like", "평소: 정상 상태를 잰다"],
  roleTrigger: ["the crowd is pushed beyond ordinary", "인파가 평소를 넘어선다"],
  roleWatch: [
    "the crowd has left; does the service come back by itself?",
    "인파가 떠났다. 스스로 돌아오는가?",
  ],
  roleIntervention: ["people step in", "사람이 개입한다"],

  // Live
  liveOffered: ["offered", "유입"],
  liveGoodput: ["goodput", "정상 처리"],
  liveRetries: ["retries", "재시도"],
  liveInFlight: ["in flight", "처리 중"],
  liveFaults: ["faults", "장애"],
  liveNone: ["none", "없음"],
  livePhase: ["phase", "단계"],
  liveLeft: ["{seconds} left", "{seconds} 남음"],
  tellCollapse: [
    "COLLAPSE: {offered} ask, {good} get what they came for; it has been under half for {seconds}.",
    "붕괴: {offered} 요청 중 {good}만 제대로 응대된다. 절반 아래가 {seconds} 이어졌다.",
  ],
  tellBack: [
    "BACK: {good} of {offered} are served well again.",
    "회복: {offered} 중 {good}이 다시 정상 처리된다.",
  ],
} as const;
