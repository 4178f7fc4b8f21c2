import type { MoveCost } from "../../../policies/types.js";
import type { WorkloadAnswer } from "../../api-shapes.js";
import { ago, bytes, duration, otherModes, percent, plural } from "../../cli/words.js";
import type { PublishedPlan } from "../../plan-store.js";
import type { OperatorAction } from "./operator-action.js";

const SKIPS_SHOWN = 200;

interface Props {
  readonly plan: PublishedPlan | null;
  /** False: that there is none is not known. */
  readonly isRead: boolean;
  readonly workloads: readonly WorkloadAnswer[];
  readonly now: number;
  readonly onAction: (action: OperatorAction) => void;
}

export function PlanView({ plan, isRead, workloads, now, onAction }: Props) {
  const names = new Map(workloads.map(({ id, name }) => [id, name]));
  const nameOf = (id: string) => names.get(id) ?? id.slice(0, 12);
  return (
    <section aria-labelledby="plan-title">
      <h2 id="plan-title">Plan</h2>
      {plan === null ? (
        <p class="empty">{isRead ? "There is no plan yet." : "reading …"}</p>
      ) : (
        <>
          <p class="muted">
            Made {ago(plan.at, now)} under term {plan.term}: {plural(plan.moves.length, "move")}, {plural(plan.skips.length, "candidate")}{" "}
            not moved; imbalance {percent(plan.imbalanceBefore)} now, {percent(plan.imbalanceAfter)} after it.
          </p>
          <Moves plan={plan} nameOf={nameOf} onAction={onAction} />
          <PowerChanges plan={plan} onAction={onAction} />
          <Skips plan={plan} nameOf={nameOf} />
        </>
      )}
    </section>
  );
}

type NameOf = (id: string) => string;

function Moves({ plan, nameOf, onAction }: { plan: PublishedPlan; nameOf: NameOf; onAction: Props["onAction"] }) {
  const held = plan.moves.filter(({ heldBack }) => heldBack !== null);
  if (plan.moves.length === 0) return <p class="empty">Nothing has to be moved.</p>;
  return (
    <>
      <div class="table-box">
        <table>
          <thead>
            <tr>
              <th scope="col">Move</th>
              <th scope="col">From, to</th>
              <th scope="col">For</th>
              <th scope="col">Because</th>
              <th scope="col">Held back</th>
            </tr>
          </thead>
          <tbody>
            {plan.moves.map((move) => (
              <tr key={`${move.workload} ${move.to}`}>
                <th scope="row">{nameOf(move.workload)}</th>
                <td class="route">
                  {move.from} → {move.to}
                </td>
                <td>{move.reason}</td>
                <td>
                  {move.because}
                  {move.cost !== undefined && <span class="expected muted">{sayCost(move.cost)}</span>}
                </td>
                <td>
                  {move.heldBack ?? "no, it is being made"}
                  {move.heldBack !== null && (
                    <button
                      type="button"
                      class="quiet"
                      aria-label={`Make the move of ${nameOf(move.workload)} to ${move.to}`}
                      onClick={() => onAction({ kind: "approve", moves: [{ workload: move.workload, to: move.to }] })}
                    >
                      Make it …
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {held.length > 1 && (
        <button type="button" onClick={() => onAction({ kind: "approve", moves: held.map(({ workload, to }) => ({ workload, to })) })}>
          Make these {held.length} moves …
        </button>
      )}
    </>
  );
}

/** What the move is expected to take; what was never measured is said to be unknown. */
function sayCost(cost: MoveCost): string {
  const { mode, bytes: carried, fileBytes, seconds, blackoutSeconds, dirtyBytesPerSecond, learnedFromMoves } = cost;
  const files = fileBytes === null ? "its files unknown" : `${bytes(fileBytes)} of it files`;
  const written = dirtyBytesPerSecond === null ? "how fast it writes memory unknown" : `memory written at ${bytes(dirtyBytesPerSecond)}/s`;
  const told = learnedFromMoves === 0 ? "by its size and the link" : `by ${plural(learnedFromMoves, "move")} of its own`;
  const others = otherModes(cost);
  const expected = `Expected ${told}: ${mode}, ${bytes(carried)} (${files}, ${written}), ${duration(seconds)}, blackout ${duration(blackoutSeconds)}`;
  return others === "" ? expected : `${expected}; by other modes ${others}`;
}

function PowerChanges({ plan, onAction }: { plan: PublishedPlan; onAction: Props["onAction"] }) {
  if (plan.power.length === 0) return null;
  return (
    <div class="table-box">
      <table>
        <thead>
          <tr>
            <th scope="col">Power</th>
            <th scope="col">To</th>
            <th scope="col">Because</th>
            <th scope="col">Held back</th>
          </tr>
        </thead>
        <tbody>
          {plan.power.map(({ node, to, because, heldBack }) => (
            <tr key={node}>
              <th scope="row">{node}</th>
              <td>{to}</td>
              <td>{because}</td>
              <td>
                {heldBack ?? "no, it is being done"}
                {heldBack !== null && to === "sleep" && (
                  <button type="button" class="quiet" aria-label={`Put ${node} to sleep`} onClick={() => onAction({ kind: "sleep", node })}>
                    Put to sleep …
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Skips({ plan, nameOf }: { plan: PublishedPlan; nameOf: NameOf }) {
  if (plan.skips.length === 0) return null;
  return (
    <details open={plan.skips.length <= 12}>
      <summary>Why not more? {plural(plan.skips.length, "candidate")} not moved</summary>
      <div class="table-box">
        <table>
          <thead>
            <tr>
              <th scope="col">Not moved</th>
              <th scope="col">From, to</th>
              <th scope="col">Reason</th>
              <th scope="col">Because</th>
            </tr>
          </thead>
          <tbody>
            {plan.skips.slice(0, SKIPS_SHOWN).map((skip) => (
              <tr key={`${skip.workload} ${skip.from} ${skip.to} ${skip.reason}`}>
                <th scope="row">{nameOf(skip.workload)}</th>
                <td class="route">
                  {skip.from} → {skip.to ?? "any"}
                </td>
                <td>
                  <code>{skip.reason}</code>
                </td>
                <td>{skip.because}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {plan.skips.length > SKIPS_SHOWN && <p class="muted">{plan.skips.length - SKIPS_SHOWN} more: evenkeel plan --explain</p>}
    </details>
  );
}
