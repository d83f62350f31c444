/** Runs the Dify simulator of the tests in its own process, for measurements. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { node } from '../../scripts/lib/deps.mjs';
import { root } from '../../scripts/lib/paths.mjs';
import { startService } from '../../scripts/lib/proc.mjs';

/**
 * @param {string} folder for the program
 * @param {string} source TypeScript, relative to the clone; starts the simulator and prints one line about it
 * @returns {Promise<{ told: string, service: import('../../scripts/lib/types').Service }>} `told`: the printed line
 */
export const startDifySimulator = async (folder, source) => {
	const outfile = join(folder, 'dify.cjs');
	await build({
		stdin: { contents: source, resolveDir: root, loader: 'ts' },
		outfile,
		bundle: true,
		platform: 'node',
		format: 'cjs',
		logLevel: 'error',
	});
	/** @type {(line: string) => void} */
	let tell = () => undefined;
	/** @type {Promise<string>} */
	const first = new Promise((resolve) => (tell = resolve));
	const service = startService('dify', node, [outfile], { onLine: (line) => tell(line) });
	const ended = service.exited.then(() => {
		throw new Error(
			`The Dify simulator ended (${service.endReason})\n${service.lines.slice(-10).join('\n')}`,
		);
	});
	ended.catch(() => {});
	return { told: await Promise.race([first, ended]), service };
};
