export {
  checkInsight,
  DEFAULT_INSIGHT_ROWS,
  type Insight,
  insightAnswer,
  insightBody,
  isAggregation,
  MOST_INSIGHT_ROWS,
} from "./insight.js";
export { INSIGHTS } from "./registry.js";
