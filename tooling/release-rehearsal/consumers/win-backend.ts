// Imports everywhere; where there is no Windows, says so once and clearly.
import { WhvError } from "@whvkit/whv-types";
import { winHypervisor } from "@whvkit/win-backend";

try {
  winHypervisor.createPartition().dispose();
} catch (error) {
  if (!(error instanceof WhvError)) throw error;
  console.log(error.message);
}
