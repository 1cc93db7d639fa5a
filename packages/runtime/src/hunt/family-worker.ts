import { parentPort, workerData } from "node:worker_threads";
import { beaconFamilies, type FamilyTraits } from "@heliograph/core";
import { agnes } from "ml-hclust";

parentPort?.postMessage(beaconFamilies(workerData as FamilyTraits[], agnes));
