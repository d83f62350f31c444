/** Dify for a soak run: the tests' simulator. */
import { startDifySimulator } from '../lib/dify-simulator.mjs';

/** @typedef {{ url: string, chat: string, workflow: string, stop: () => Promise<void> }} Dify */

/** How long runs are kept: the simulator keeps all for the tests, and searching hours of them would slow it down. */
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
	const { told, service } = await startDifySimulator(work, SERVER);
	return { ...JSON.parse(told), stop: async () => await service.stop() };
};
