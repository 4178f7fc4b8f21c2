import { useState } from "preact/hooks";
import { ActionDialog } from "./action-dialog.js";
import { AuditView } from "./audit-view.js";
import { FleetView } from "./fleet-view.js";
import { Masthead } from "./masthead.js";
import { MigrationList } from "./migration-list.js";
import { MoveAnnouncer } from "./move-announcer.js";
import type { OperatorAction } from "./operator-action.js";
import { PlanView } from "./plan-view.js";
import { useFleet, useNow } from "./watch-fleet.js";

export function App() {
  const fleet = useFleet();
  const now = useNow();
  const [action, setAction] = useState<OperatorAction | null>(null);
  return (
    <>
      <a class="skip-link" href="#fleet">
        To the fleet
      </a>
      <Masthead status={fleet.status} heard={fleet} now={now} onAction={setAction} />
      <main>
        <FleetView fleet={fleet} now={now} onAction={setAction} />
        <MigrationList migrations={fleet.migrations} isRead={fleet.readAt !== null} now={now} />
        <PlanView plan={fleet.plan} isRead={fleet.readAt !== null} workloads={fleet.workloads} now={now} onAction={setAction} />
        <AuditView at={fleet.status?.at ?? null} />
      </main>
      <MoveAnnouncer migrations={fleet.migrations} />
      {action !== null && <ActionDialog action={action} onClose={() => setAction(null)} />}
    </>
  );
}
