/** The Dify simulator of the tests, in a process of its own. */
import { build } from 'esbuild';
import { join } from 'node:path';
import { node } from '../lib/deps.mjs';
import { root } from '../lib/paths.mjs';
import { startService } from '../lib/proc.mjs';

/** @typedef {{ url: string, chat: string, workflow: string, stop: () => Promise<void> }} Dify */

/** The simulator keeps every run for the tests to look at; looking through hours of them would take it time. */
const KEEP_MS = 60_000;

const SERVER = `
	import { appKey, startDifySim } from './test/servers/dify';
	const said = ({ query }) => ['You said: ', ...query.split(/(?<= )/)].map((text) => ({ text }));
	const apps = [
		{ mode: 'chat', key: appKey('chat'), reply: (turn) => ({ steps: said(turn).flatMap((step) => [{ wait: 10 }, step]) }) },
		{ mode: 'workflow', key: appKey('workflow'), reply: () => ({ steps: [{ wait: 100 }], outputs: { done: true } }) },
	];
	startDifySim({ apps, keepBytes: 1024 }).then((sim) => {
		setInterval(() => {
			const before = Date.now() - ${KEEP_MS};
			sim.requests.splice(0);
			sim.stops.splice(0);
			const kept = sim.runs.filter(({ finishedAt }) => finishedAt === undefined || finishedAt * 1000 > before);
			sim.runs.splice(0, Infinity, ...kept);
			for (const app of sim.store.apps) {
				for (const [id, { createdAt }] of app.messages) if (createdAt * 1000 < before) app.messages.delete(id);
				for (const [id, { updatedAt }] of app.conversations) if (updatedAt * 1000 < before) app.conversations.delete(id);
			}
		}, 5000);
		console.log(JSON.stringify({ url: sim.origin, chat: appKey('chat'), workflow: appKey('workflow') }));
	});
`;

/** @param {string} work @returns {Promise<Dify>} */
export const startDify = async (work) => {
	const outfile = join(work, 'dify.cjs');
	const stdin = { contents: SERVER, resolveDir: root, loader: /** @type {const} */ ('ts') };
	await build({ stdin, outfile, bundle: true, platform: 'node', format: 'cjs', logLevel: 'error' });
	/** @type {(line: string) => void} */
	let told = () => undefined;
	/** @type {Promise<string>} */
	const first = new Promise((resolve) => (told = resolve));
	const service = startService('dify', node, [outfile], { onLine: (line) => told(line) });
	const { url, chat, workflow } = JSON.parse(await first);
	return { url, chat, workflow, stop: async () => await service.stop() };
};
