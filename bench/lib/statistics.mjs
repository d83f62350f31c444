/** Medians and quantiles of what was measured. */

/**
 * @param {readonly number[]} values
 * @param {number} share from 0 to 1
 * @returns {number} the value below which this share lies, between two values where needed; not a number for none
 */
export const quantile = (values, share) => {
	const sorted = [...values].sort((one, other) => one - other);
	const at = (sorted.length - 1) * share;
	const low = sorted[Math.floor(at)] ?? NaN;
	const high = sorted[Math.ceil(at)] ?? NaN;
	return low + (high - low) * (at - Math.floor(at));
};

/** @param {readonly number[]} values */
export const median = (values) => quantile(values, 0.5);

/** @param {number} value */
export const ratio = (value) => `${value.toFixed(2)}×`;

/** @param {readonly number[]} values @returns {string} the median, with the middle half in brackets */
export const spread = (values) =>
	`${ratio(median(values))} (${quantile(values, 0.25).toFixed(2)}–${quantile(values, 0.75).toFixed(2)})`;
