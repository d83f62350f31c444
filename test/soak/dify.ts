/**
 * The Dify of a soak run, in a process of its own: the simulator with two apps, which forgets what is older than a minute.
 * Otherwise it keeps all runs for the tests, and searching hours of them would slow it down. Prints its URL and the keys
 * as one line of JSON.
 */
import { appKey, startDifySim } from '../simulators/dify';
import type { AppSpec, DifySim, Step } from '../simulators/dify';

const KEPT_MS = 60_000;
const FORGET_EACH_MS = 5000;

const apps: AppSpec[] = [
	{
		mode: 'chat',
		key: appKey('chat'),
		reply: ({ query }) => {
			const texts = ['You said: ', ...query.split(/(?<= )/)];
			return { steps: texts.flatMap((text): Step[] => [{ wait: 10 }, { text }]) };
		},
	},
	{
		mode: 'workflow',
		key: appKey('workflow'),
		reply: () => ({ steps: [{ wait: 100 }], outputs: { done: true } }),
	},
];

function deleteOld<Value>(
	records: Map<string, Value>,
	getSeconds: (value: Value) => number,
	before: number,
): void {
	for (const [id, value] of records) {
		if (getSeconds(value) * 1000 < before) records.delete(id);
	}
}

function forget({ requests, stops, runs, store }: DifySim): void {
	const before = Date.now() - KEPT_MS;
	requests.splice(0);
	stops.splice(0);
	const kept = runs.filter(
		({ finishedAt }) => finishedAt === undefined || finishedAt * 1000 > before,
	);
	runs.splice(0, runs.length, ...kept);
	for (const { messages, conversations } of store.apps) {
		deleteOld(messages, ({ createdAt }) => createdAt, before);
		deleteOld(conversations, ({ updatedAt }) => updatedAt, before);
	}
}

void startDifySim({ apps }).then((sim) => {
	setInterval(() => forget(sim), FORGET_EACH_MS);
	const line = { url: sim.origin, chat: appKey('chat'), workflow: appKey('workflow') };
	process.stdout.write(`${JSON.stringify(line)}\n`);
});
