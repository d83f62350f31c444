/** The mixed load: clients that run one workflow after another, and pause during a measurement. */
import { setTimeout as delay } from 'node:timers/promises';
import { LOAD_PROFILES, toWebhookPath } from './load-profiles.mjs';

/** @typedef {import('./types').LoadProfile} LoadProfile */
/** @typedef {import('./types').RunRecord} RunRecord */
/** @typedef {Pick<RunRecord, 'outcome' | 'text'>} Outcome */

/** A run that takes longer hangs: the nodes' timeouts are 5 s, with one retry. */
const HANG_MS = 45_000;
/** n8n leaves the response of a stopped chat open: it is closed after this. */
const AFTER_STOP_MS = 1000;
const FAULT_SHARE = 0.2;
/** Outcome of the faults that the client causes. @type {Record<string, RunRecord['outcome']>} */
const CLIENT_OUTCOMES = { leave: 'left', stop: 'stopped' };

/** @param {number} seed @returns {() => number} evenly from 0 to 1, the same for the same seed */
const randomFrom = (seed) => {
	let state = seed >>> 0;
	// mulberry32
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
};

/** @param {number} seed @returns {() => { profile: LoadProfile, fault: string }} yields the next run, in the same order for the same seed */
export const sequence = (seed) => {
	const random = randomFrom(seed);
	const all = LOAD_PROFILES.flatMap((profile) =>
		Array.from({ length: profile.weight }, () => profile),
	);
	return () => {
		const profile = /** @type {LoadProfile} */ (all[Math.floor(random() * all.length)]);
		const [goesWrong, which] = [random() < FAULT_SHARE, random()];
		const fault = goesWrong
			? (profile.faults[Math.floor(which * profile.faults.length)] ?? '')
			: '';
		return { profile, fault: profile.always ?? fault };
	};
};

/** @param {LoadProfile} profile @param {string} fault */
const buildPrompt = ({ text }, fault) => {
	if (fault === '') return text;
	return `${text} [[${fault in CLIENT_OUTCOMES ? 'slow' : fault}]]`;
};

/**
 * @param {import('../../scripts/lib/types').N8nServer} n8n
 * @param {Map<string, string>} ids of the workflows
 */
const runner = (n8n, ids) => {
	/** @param {LoadProfile} profile */
	const stopRunning = async ({ name }) => {
		const workflowId = ids.get(name) ?? '';
		const running = await n8n.listExecutions({ workflowId, status: ['running'] });
		for (const { id } of running) await n8n.stopExecution(id);
	};

	/** @param {LoadProfile} profile @param {string} fault @param {AbortController} client @returns {Promise<Outcome>} */
	const chat = async (profile, fault, client) => {
		const { signal } = client;
		let text = '';
		let failed = false;
		let acted = false;
		for await (const line of n8n.chat(toWebhookPath(profile.name), buildPrompt(profile, fault), {
			signal,
		})) {
			if (line.type === 'error') failed = true;
			text += line.content ?? '';
			if (line.type !== 'item' || acted) continue;
			acted = fault in CLIENT_OUTCOMES;
			if (fault === 'leave') client.abort();
			if (fault !== 'stop') continue;
			await stopRunning(profile);
			setTimeout(() => client.abort(), AFTER_STOP_MS);
		}
		if (fault === 'stop' && acted) return { outcome: 'stopped', text };
		return { outcome: !failed && profile.expects.test(text) ? 'answered' : 'failed', text };
	};

	/** @type {typeof chat} */
	const webhook = async (profile, fault, client) => {
		const body = { text: buildPrompt(profile, fault) };
		const response = await n8n.webhook(toWebhookPath(profile.name), {
			body,
			signal: client.signal,
		});
		const text = await response.text();
		return { outcome: response.ok && profile.expects.test(text) ? 'answered' : 'failed', text };
	};

	/** @param {LoadProfile} profile @param {string} fault @returns {Promise<Outcome & { ms: number }>} */
	return async (profile, fault) => {
		const client = new AbortController();
		let hung = false;
		const timer = setTimeout(() => {
			hung = true;
			client.abort();
		}, HANG_MS);
		const startedAt = performance.now();
		try {
			const result = await (profile.way === 'chat' ? chat : webhook)(profile, fault, client);
			return { ...result, ms: performance.now() - startedAt };
		} catch (error) {
			const expected = client.signal.aborted ? CLIENT_OUTCOMES[fault] : undefined;
			const outcome = hung ? 'hung' : (expected ?? 'failed');
			return { outcome, text: String(error), ms: performance.now() - startedAt };
		} finally {
			clearTimeout(timer);
		}
	};
};

/**
 * @param {import('../../scripts/lib/types').N8nServer} n8n
 * @param {Map<string, string>} ids of the workflows
 * @param {Pick<import('./types').SoakPlan, 'seed' | 'concurrency'>} plan
 * @param {(run: Omit<RunRecord, 'atMs'>) => void} ended called after each run
 */
export const startLoad = (n8n, ids, { seed, concurrency }, ended) => {
	const next = sequence(seed);
	const run = runner(n8n, ids);
	let pausing = true;
	let stopping = false;
	let running = 0;
	const client = async () => {
		while (!stopping) {
			if (pausing) {
				await delay(20);
				continue;
			}
			running += 1;
			const { profile, fault } = next();
			const { outcome, text, ms } = await run(profile, fault);
			ended({ profile: profile.name, fault, ms, outcome, text: text.slice(0, 400) });
			running -= 1;
		}
	};
	const clients = Array.from({ length: concurrency }, client);
	return {
		resume: () => {
			pausing = false;
		},
		/** Waits until every run has ended. */
		pause: async () => {
			pausing = true;
			while (running > 0) await delay(20);
		},
		stop: async () => {
			stopping = true;
			await Promise.all(clients);
		},
	};
};
