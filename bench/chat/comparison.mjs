/** Runs the contestants of the chat benchmark, each in its own process, round by round. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { node } from '../../scripts/lib/system/dependencies.mjs';
import { root } from '../../scripts/lib/system/paths.mjs';

/**
 * What one contestant took for one round.
 *
 * @typedef {{ tokens: number, wallMs: number, cpuMsPer1000: number, firstP50: number, firstP99: number,
 *   gapP50: number, gapP99: number, rssMb: number }} Round
 */

/**
 * Each clone brings the script that starts its own code, since functions get other parameters over time.
 *
 * @param {string} name
 * @param {{ root?: string } & Record<string, unknown>} settings those that all contestants share, and `root`: the clone, by default this one
 */
export const startContestant = (name, settings) => {
	const script = join(settings.root ?? root, 'bench', 'chat', 'candidate.mjs');
	// Else V8 uses an idle moment after the warm-up to shrink the heap, which takes longer than a round at a slow pace.
	const nodeOptions = ['--no-memory-reducer'];
	const child = spawn(node, [...nodeOptions, script, JSON.stringify({ name, ...settings })], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	return {
		/**
		 * @param {{ streams: number, total: number }} work
		 * @returns {Promise<Round>}
		 */
		round: async (work) => {
			child.stdin.write(`${JSON.stringify(work)}\n`);
			const { value, done } = /** @type {IteratorResult<string>} */ (await lines.next());
			if (done) throw new Error(`${name} ended without a result`);
			return JSON.parse(value);
		},
		stop: () => child.kill('SIGKILL'),
	};
};

/** After so many tokens V8 has compiled the contestant's code; before, a round costs up to three times as much. */
export const WARM_UP_TOKENS = 1_000_000;

/**
 * Starts contestants and warms each up until its code is compiled, as in an n8n that has run for a while.
 *
 * @param {readonly string[]} names
 * @param {{ tokens: number }} fixed settings that all of them share
 * @param {Record<string, object>} own settings of one contestant, by its name
 */
export const startContestants = async (names, fixed, own = {}) => {
	const running = names.map((name) => ({
		name,
		process: startContestant(name, { ...fixed, ...own[name] }),
	}));
	const stop = () => running.forEach(({ process }) => process.stop());
	try {
		const total = Math.ceil(WARM_UP_TOKENS / fixed.tokens);
		for (const { process } of running) await process.round({ streams: 16, total });
	} catch (error) {
		stop();
		throw error;
	}
	return {
		stop,
		/**
		 * Contestants take turns within a round, so that a change of the machine's speed affects all alike; each round begins
		 * with another one. At once, they are affected by even the shortest change alike. That is for a paced server, which
		 * leaves the cores idle most of the time.
		 *
		 * @param {{ streams: number, total: number, rounds: number, isAtOnce: boolean }} contest
		 * @returns {Promise<Record<string, Round[]>>}
		 */
		contest: async ({ streams, total, rounds, isAtOnce }) => {
			/** @type {Record<string, Round[]>} */
			const results = Object.fromEntries(names.map((name) => [name, []]));
			// Not measured: the first round with a new number of streams opens connections and grows the heap.
			for (const { process } of running) await process.round({ streams, total: streams });
			for (let round = 0; round < rounds; round += 1) {
				const order = running.map((_one, index) => running[(index + round) % running.length]);
				const measured = order.map((one) => async () => {
					if (one) results[one.name]?.push(await one.process.round({ streams, total }));
				});
				if (isAtOnce) await Promise.all(measured.map((measure) => measure()));
				else for (const measure of measured) await measure();
			}
			return results;
		},
	};
};

/**
 * One contestant's figure divided by another's, round by round: both were measured within seconds of each other.
 *
 * @param {readonly Round[]} rounds
 * @param {readonly Round[]} others
 * @param {keyof Round} figure
 */
export const ratios = (rounds, others, figure) =>
	rounds.map((round, index) => round[figure] / (others[index]?.[figure] ?? NaN));
