import { useEffect, useRef, useState } from "preact/hooks";
import { plural } from "../../cli/words.js";
import { keptToken, Refusal } from "./ask.js";
import { type ActionForm, describeAction, type OperatorAction, performAction } from "./operator-action.js";

/** Asks for the operators' token, and for what else the action needs, and does it. */
export function ActionDialog({ action, onClose }: { action: OperatorAction; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [form, setForm] = useState<ActionForm>({ token: keptToken.read(), reason: "", deadlineMinutes: "", bringHome: false });
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [remark, setRemark] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const { title, explanation, button } = describeAction(action);
  useEffect(() => dialog.current!.showModal(), []);

  const field = (name: Exclude<keyof ActionForm, "bringHome">) => ({
    name,
    value: form[name],
    onInput: (event: Event) => setForm({ ...form, [name]: (event.currentTarget as HTMLInputElement).value }),
  });
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setRefusal(null);
    try {
      const said = await performAction(action, form);
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
            {(action.kind === "drain" || action.kind === "cordon" || action.kind === "pause") && (
              <label>
                Reason
                <input {...field("reason")} type="text" maxLength={500} placeholder="operator" />
              </label>
            )}
            {action.kind === "drain" && (
              <label>
                Empty within, minutes
                <input {...field("deadlineMinutes")} type="number" min="1" max="525600" step="any" placeholder="no deadline" />
              </label>
            )}
            {action.kind === "undrain" && action.departed > 0 && (
              <label class="choice">
                <input
                  type="checkbox"
                  checked={form.bringHome}
                  onChange={(event) => setForm({ ...form, bringHome: event.currentTarget.checked })}
                />
                Bring home what left it for the drain ({plural(action.departed, "workload")})
              </label>
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
            {/* The hint on tokens is for the command line. */}
            <strong>{refusal.message}.</strong> {refusal.code === "UNAUTHORIZED" ? "" : refusal.hint}
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
