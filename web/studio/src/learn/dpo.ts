// Direct Preference Optimization (Rafailov et al. 2023, eq. 7), for one pair.

/** `-log sigmoid(beta * margin)`. @param margin how much more the pair's chosen answer gained than the rejected one, in nats */
export function dpoLoss(margin: number, beta: number): number {
  const x = -beta * margin;
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** How hard a pair pulls: `beta * sigmoid(-beta * margin)`, the loss's slope against the margin, turned round. */
export function dpoWeight(margin: number, beta: number): number {
  return beta / (1 + Math.exp(beta * margin));
}
