import { useEffect, useRef, useState } from "preact/hooks";
import type { ApprovalAnswer, MaintenanceAnswer } from "../../api-shapes.js";
import { ask, keptToken, Refusal } from "./ask.js";

export type OperatorAction =
  | { readonly kind: "drain"; readonly node: string }
  | { readonly kind: "undrain"; readonly node: string }
  | { readonly kind: "approve"; readonly moves: readonly { readonly workload: string; readonly to: string }[] };

interface Form {
  readonly token: string;
  readonly reason: string;
  readonly deadlineMinutes: string;
}

/** Asks for the operators' token, and for what else the action needs, and does it. */
export function ActionDialog({ action, onClose }: { action: OperatorAction; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [form, setForm] = useState<Form>({ token: keptToken.read(), reason: "", deadlineMinutes: "" });
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [remark, setRemark] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const { title, explanation, button } = describe(action);
  useEffect(() => dialog.current!.showModal(), []);

  const field = (name: keyof Form) => ({
    name,
    value: form[name],
    onInput: (event: Event) => setForm({ ...form, [name]: (event.currentTarget as HTMLInputElement).value }),
  });
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setRefusal(null);
    try {
      const said = await perform(action, form);
      keptToken.write(form.token);
      if (said === null) dialog.current!.close();
      else setRemark(said);
    } catch (error) {
      const known = error instanceof Refusal ? error : new Refusal(String(error), "", "INTERNAL");
      if (known.code === "UNAUTHORIZED") keptToken.forget();
      setRefusal(known);
    } finally {
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="dialog-title">
      <form onSubmit={submit}>
        <h2 id="dialog-title">{title}</h2>
        <p>{remark ?? explanation}</p>
        {remark === null && (
          <>
            {action.kind === "drain" && (
              <>
                <label>
                  Reason
                  <input {...field("reason")} type="text" maxLength={500} placeholder="operator" />
                </label>
                <label>
                  Empty within, minutes
                  <input {...field("deadlineMinutes")} type="number" min="1" max="525600" step="any" placeholder="no deadline" />
                </label>
              </>
            )}
            <label>
              Operators' token
              <input {...field("token")} type="password" required autocomplete="off" />
              <small>Kept in this tab until it is closed.</small>
            </label>
          </>
        )}
        {refusal !== null && (
          <p class="refusal" role="alert">
            {refusal.code === "UNAUTHORIZED" ? (
              <strong>That is not this scheduler's operator token.</strong>
            ) : (
              <>
                <strong>{refusal.message}.</strong> {refusal.hint}
              </>
            )}
          </p>
        )}
        <div class="dialog-buttons">
          <button type="button" class="quiet" onClick={() => dialog.current!.close()}>
            {remark === null ? "Cancel" : "Close"}
          </button>
          {remark === null && (
            <button type="submit" disabled={isBusy}>
              {button}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}

function describe(action: OperatorAction): { title: string; explanation: string; button: string } {
  switch (action.kind) {
    case "drain":
      return {
        title: `Drain ${action.node}`,
        explanation: "Nothing new is placed there, and all that runs there moves to other nodes. Nothing is stopped or killed.",
        button: "Drain",
      };
    case "undrain":
      return { title: `Return ${action.node} to service`, explanation: "The node takes workloads again.", button: "Return to service" };
    case "approve":
      return {
        title: `Make ${action.moves.length === 1 ? "the planned move" : `the ${action.moves.length} planned moves`}`,
        explanation: "The plan is made anew first: what is no longer called for is left out.",
        button: "Make them",
      };
  }
}

/** @returns what the operator should still know; null when all is as asked. */
async function perform(action: OperatorAction, { token, reason, deadlineMinutes }: Form): Promise<string | null> {
  switch (action.kind) {
    case "drain": {
      const body = {
        ...(reason.trim() === "" ? {} : { reason }),
        ...(deadlineMinutes === "" ? {} : { deadlineSeconds: Number(deadlineMinutes) * 60 }),
      };
      await ask<MaintenanceAnswer>("PUT", `/nodes/${encodeURIComponent(action.node)}/maintenance`, body, token);
      return null;
    }
    case "undrain": {
      const path = `/nodes/${encodeURIComponent(action.node)}/maintenance`;
      const { stillAskedForBy } = await ask<MaintenanceAnswer>("DELETE", path, undefined, token);
      if (stillAskedForBy.length === 0) return null;
      const sources = stillAskedForBy.map(({ source, reason: why }) => `a ${source} (${why})`).join(" and ");
      return `The flag is lifted, but ${sources} still asks for maintenance, so the node stays as it is.`;
    }
    case "approve": {
      const { dropped } = await ask<ApprovalAnswer>("POST", "/plan/approve", { moves: action.moves }, token);
      return dropped.length === 0 ? null : `${dropped.length} of them are no longer called for and were left out.`;
    }
  }
}
