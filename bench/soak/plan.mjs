/** Reads the options of a soak run. */

const MINUTE_MS = 60_000;

/** @param {string | undefined} typed @param {string} name @param {number} preset @param {[number, number]} range */
const numberOf = (typed, name, preset, [least, most]) => {
	if (typed === undefined) return preset;
	const value = Number(typed);
	if (typed.trim() === '' || !(value >= least && value <= most)) {
		throw new Error(`--${name} must be a number from ${least} to ${most}, not "${typed}".`);
	}
	return value;
};

/** @param {number} value @param {number} least @param {number} most */
const between = (value, least, most) => Math.min(most, Math.max(least, value));

/**
 * @param {{ hours?: string, minutes?: string, seed?: string, 'at-once'?: string, faults?: string, control?: boolean }} typed
 * @returns {import('./types').SoakPlan}
 */
export const planFrom = (typed) => {
	if (typed.hours === undefined && typed.minutes === undefined) {
		throw new Error(
			'How long? For example: npm run bench -- soak --minutes 30, or npm run bench -- soak --hours 8',
		);
	}
	const hours = numberOf(typed.hours, 'hours', 0, [0.05, 1000]);
	const minutes = hours * 60 + numberOf(typed.minutes, 'minutes', 0, [3, 60_000]);
	const lastsMs = minutes * MINUTE_MS;
	return {
		minutes,
		warmUpMs: between(lastsMs / 20, MINUTE_MS, 10 * MINUTE_MS),
		// Six measurements in each tenth of the time, if possible.
		intervalMs: between(lastsMs / 60, 20_000, 300_000),
		seed: numberOf(typed.seed, 'seed', 1, [0, 2 ** 32 - 1]),
		atOnce: numberOf(typed['at-once'], 'at-once', 4, [1, 64]),
		faultShare: numberOf(typed.faults, 'faults', 0.2, [0, 1]),
		control: typed.control ?? false,
	};
};
