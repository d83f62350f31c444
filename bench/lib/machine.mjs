/** What stands above every result: where it was measured. */
import { cpus, totalmem } from 'node:os';
import { node } from '../../scripts/lib/deps.mjs';
import { run } from '../../scripts/lib/proc.mjs';

/** @returns {string} processors and memory */
export const machine = () => `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;

/** @returns {Promise<string>} of the Node that runs n8n and the nodes */
export const nodeVersion = async () => (await run(node, ['--version'])).stdout.trim();
