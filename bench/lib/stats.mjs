// Order statistics. Rounds are interleaved between systems and compared round by round, because a shared machine drifts:
// a ratio of two medians taken minutes apart says more about the neighbours than about the code.

/** The q-quantile (0..1) of samples, by nearest rank. */
export function quantile(samples, q) {
  const sorted = Float64Array.from(samples).sort();
  if (!sorted.length) return NaN;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))];
}

export const median = (samples) => {
  const sorted = Float64Array.from(samples).sort();
  if (!sorted.length) return NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** The median over rounds of ours/theirs; rounds that either side missed are left out. */
export function ratioByRound(ours, theirs) {
  const ratios = [];
  for (let i = 0; i < Math.min(ours.length, theirs.length); i += 1) {
    const ratio = ours[i] / theirs[i];
    if (Number.isFinite(ratio)) ratios.push(ratio);
  }
  return median(ratios);
}
