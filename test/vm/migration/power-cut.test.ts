import { whyNoGuests } from "../../../lab/vm/guest.js";
import { testPowerCuts } from "../../e2e/support/power-cuts.js";

const obstacle = whyNoGuests();

describe(`A virtual node that loses power in a move${obstacle === null ? "" : ` (skipped: ${obstacle})`}`, function () {
  this.timeout(1_800_000);
  testPowerCuts("vm", "vm-power", obstacle);
});
