/** The machine and Node version that results name, and the CPU time of a process. */
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { node } from '../../scripts/lib/system/dependencies.mjs';
import { run } from '../../scripts/lib/system/processes.mjs';

/** @returns {string} processors and memory */
export const machine = () =>
	`${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;

/** @returns {Promise<string>} version of the Node that runs n8n and the nodes */
export const nodeVersion = async () => (await run(node, ['--version'])).stdout.trim();

/**
 * @param {number} pid
 * @returns {number} seconds of CPU that the process has used; not a number where the system does not tell
 */
export const getCpuSeconds = (pid) => {
	try {
		// The fields after the name in parentheses, which may contain anything; in hundredths of a second (proc(5)).
		const status = readFileSync(`/proc/${pid}/stat`, 'latin1');
		const fields = status.replace(/^.*\) /s, '').split(' ');
		return (Number(fields[11]) + Number(fields[12])) / 100;
	} catch {
		return NaN;
	}
};
