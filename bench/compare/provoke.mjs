/** How situations of one kind are provoked and judged. */
import { setTimeout as delay } from 'node:timers/promises';
import { ask, begin } from './ask.mjs';
import { answerOf, cost, counted, duration, errorText, result, toolRuns } from './cells.mjs';
import { ANSWERS } from './script.mjs';

/** @typedef {import('./types').Cell} Cell */
/** @typedef {import('./types').ContestantName} ContestantName */
/** @typedef {import('./types').Faults} Faults */
/** @typedef {import('./types').Outcome} Outcome */
/** @typedef {import('./types').Question} Question */
/** @typedef {import('./types').Situation} Situation */
/** @typedef {import('./types').Environment} Environment */
/** @typedef {import('./types').Tap} Tap */

/** How often Stop is pressed; the median counts, since timings vary. */
const STOPS = 3;

/**
 * Asks one question through a new tap.
 *
 * @param {Environment} environment
 * @param {ContestantName} contestant
 * @param {{ upstream?: string, faults?: Faults, url?: (url: string) => string }} where
 * @param {Question} question
 * @param {(outcome: Outcome, tap: Tap) => Cell} judge
 * @returns {Promise<Cell>}
 */
export const askThroughTap = async (
	environment,
	contestant,
	{ upstream = environment.scripted, faults, url },
	question,
	judge,
) => {
	const tap = await environment.tap(upstream, faults);
	try {
		const outcome = await ask(
			environment.n8n,
			contestant,
			tap.url,
			url ? { ...question, baseUrl: url(tap.url) } : question,
		);
		return judge(outcome, tap);
	} finally {
		await tap.stop();
	}
};

/**
 * @param {string} expected
 * @returns {(outcome: Outcome, tap: Tap) => Cell} the answer and nothing else
 */
export const answers = (expected) => (outcome, tap) => ({
	right: !outcome.error && answerOf(outcome).trim() === expected,
	says: [...result(outcome), cost(outcome, tap)],
});

/**
 * @param {RegExp} wanted what the user has to learn
 * @returns {(outcome: Outcome, tap: Tap) => Cell}
 */
export const failsSaying = (wanted) => (outcome, tap) => ({
	right: wanted.test(errorText(outcome)),
	says: [...result(outcome), cost(outcome, tap)],
});

/**
 * The base URL is typed in another way.
 *
 * @param {string} title
 * @param {(url: string) => string} url what is typed, from the server's address
 * @param {Faults} [faults]
 * @returns {Situation}
 */
export const typedAs = (title, url, faults) => ({
	title,
	wanted: 'the answer',
	run: async (environment, contestant) =>
		await askThroughTap(
			environment,
			contestant,
			{ url, faults },
			{ text: 'greet me' },
			answers(ANSWERS.greeting),
		),
});

/**
 * The server sends nothing for `holdMs` before it answers.
 *
 * @param {string} title
 * @param {number} holdMs
 * @param {boolean} streamed
 * @param {number} [limitSeconds] the node's time limit
 * @returns {Situation}
 */
export const silentFor = (title, holdMs, streamed, limitSeconds) => ({
	title,
	wanted: 'the answer, from one request',
	slow: true,
	run: async (environment, contestant) =>
		await askThroughTap(
			environment,
			contestant,
			{ faults: { holdMs } },
			{ text: 'greet me', streamed, limitSeconds, timeoutMs: holdMs + 30_000 },
			(outcome, tap) => {
				const again = tap.requests
					.slice(1)
					.map(({ atMs }) => duration(atMs - (tap.requests[0]?.atMs ?? 0)));
				return {
					right: answerOf(outcome).trim() === ANSWERS.greeting && again.length === 0,
					says: [
						...(outcome.status === 'canceled'
							? ['no answer when the measurement ended']
							: result(outcome)),
						cost(outcome, tap),
						...(again.length > 0
							? [`gave up and sent the request again after ${again.join(', ')}`]
							: []),
					],
				};
			},
		),
});

/**
 * The answer ends early.
 *
 * @param {string} title
 * @param {Faults} faults
 * @param {RegExp} reason what the error must say
 * @returns {Situation}
 */
export const breaks = (title, faults, reason) => ({
	title,
	wanted: 'an error that says what happened, and the partial text in the execution data',
	run: async (environment, contestant) =>
		await askThroughTap(
			environment,
			contestant,
			{ faults },
			{ text: 'tell a story' },
			(outcome, tap) => {
				const beginning = ANSWERS.story.slice(0, 15);
				const kept = JSON.stringify(outcome.execution.data.resultData).includes(beginning);
				return {
					right: outcome.error !== undefined && reason.test(errorText(outcome)) && kept,
					says: [
						...result(outcome),
						`partial text ${kept ? 'kept' : 'not kept'} in the execution data`,
						cost(outcome, tap),
					],
				};
			},
		),
});

/**
 * Presses Stop and waits until the server sees the connection closed.
 *
 * @param {Environment} environment
 * @param {ContestantName} contestant
 * @param {{ upstream: string, faults?: Faults, streamed: boolean }} how
 * @param {(tap: Tap) => boolean} ready when to press Stop
 */
const stopped = async (environment, contestant, { upstream, faults, streamed }, ready) => {
	const tap = await environment.tap(upstream, faults);
	try {
		const run = await begin(environment.n8n, contestant, tap.url, {
			text: 'Go on for ever',
			streamed,
		});
		while (!ready(tap)) await delay(20);
		await delay(1000);
		const pressedAt = performance.now();
		await run.stop();
		const closedAt = () => tap.requests[0]?.leftAtMs;
		while (closedAt() === undefined && performance.now() - pressedAt < 10_000) await delay(10);
		const ms = (closedAt() ?? Infinity) - pressedAt;
		await run.finished();
		return { ms, requests: tap.requests.length };
	} finally {
		await tap.stop();
	}
};

/**
 * Stop is pressed during an answer.
 *
 * @param {string} title
 * @param {boolean} silent before the first token, else while text arrives
 * @param {boolean} streamed
 * @returns {Situation}
 */
export const stops = (title, silent, streamed) => ({
	title,
	wanted: 'the connection closed within five seconds, and no further request',
	run: async (environment, contestant) => {
		const rounds = [];
		for (let round = 0; round < STOPS; round += 1) {
			const how = {
				upstream: environment.endless,
				faults: silent ? { holdMs: 60_000 } : {},
				streamed,
			};
			// Without streaming some nodes request the answer in one piece: nothing is visible before it is complete.
			const ready = (/** @type {Tap} */ { requests }) =>
				streamed && !silent ? (requests[0]?.records.length ?? 0) > 5 : requests.length > 0;
			rounds.push(await stopped(environment, contestant, how, ready));
		}
		const median =
			rounds.map(({ ms }) => ms).sort((one, other) => one - other)[Math.floor(STOPS / 2)] ??
			Infinity;
		const requests = Math.max(...rounds.map((one) => one.requests));
		return {
			right: median < 5000 && requests === 1,
			says: [
				Number.isFinite(median) ? `closed after ${Math.round(median)} ms` : 'still open after 10 s',
				...(requests > 1 ? [counted(requests, 'request')] : []),
			],
		};
	},
});

/** @param {Outcome} outcome */
export const inputs = ({ tools }) => tools.map(({ input }) => input).join(' ');

/**
 * A question for which the model calls the calculator once.
 *
 * @param {Parameters<typeof askThroughTap>[0]} environment
 * @param {Parameters<typeof askThroughTap>[1]} contestant
 * @param {Parameters<typeof askThroughTap>[4]} judge
 * @param {boolean} [streamed]
 */
export const askForProduct = async (environment, contestant, judge, streamed) =>
	await askThroughTap(
		environment,
		contestant,
		{},
		{ text: 'what is one product?', calculator: true, streamed },
		judge,
	);

/**
 * The model calls one tool.
 *
 * @param {string} title
 * @param {boolean} streamed
 * @returns {Situation}
 */
export const oneCall = (title, streamed) => ({
	title,
	wanted: 'the tool run with its arguments',
	run: async (environment, contestant) =>
		await askForProduct(
			environment,
			contestant,
			(outcome, tap) => ({
				right: inputs(outcome).includes('17*23') && answerOf(outcome).trim() === ANSWERS.product,
				says: [...toolRuns(outcome), ...result(outcome), cost(outcome, tap)],
			}),
			streamed,
		),
});

/**
 * The answer must follow a JSON schema.
 *
 * @param {string} title
 * @param {import('../../scripts/lib/types').JsonObject} jsonSchema
 * @returns {Situation}
 */
export const keepsTo = (title, jsonSchema) => ({
	title,
	wanted: 'an answer that keeps to the schema',
	without: {
		completions: 'offers JSON mode only; a schema by hand in *Extra Body*',
		ollama: 'offers JSON mode only',
	},
	run: async (environment, contestant) =>
		await askThroughTap(
			environment,
			contestant,
			{ upstream: environment.noise },
			{ text: 'Which colour?', root: 'chain', streamed: false, maxTokens: 200, jsonSchema },
			(outcome, tap) => ({
				right: /"colour"\s*:\s*"(red|blue)"/.test(outcome.output.replaceAll('\\', '')),
				says: [...result(outcome), cost(outcome, tap)],
			}),
		),
});
